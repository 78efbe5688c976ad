"""The table of contents: which exercises ask for code, and how one is found by its id."""

import difflib
import importlib

from ._exercise import Exercise

PAGES = {  # the page of each code exercise; exercises that are missing here are done by hand
    "attention.5": "attention/attention-model",
    "divergences.4": "divergences/why-earth-movers-distance",
    "divergences.7": "divergences/f-divergences",
    "gan.4": "gan/wasserstein",
    "gan.8": "gan/mode-collapse",
    "gan.12": "gan/mode-dropping",
    "lipschitz.5": "lipschitz/continuity",
    "lipschitz.6": "lipschitz/continuity",
    "lipschitz.9": "lipschitz/networks",
    "spectral.6": "spectral/normalization",
    "transport.4": "transport/earth-movers-distance",
    "transport.7": "transport/point-clouds",
    "transport.10": "transport/sinkhorn",
}


def find_exercise(id: str) -> Exercise:
    """Return the exercise with this id; of all topics only its own is imported.

    Args:
        id: Its topic and number, as on the page.

    Returns:
        The exercise. Its `counterexamples(candidate)` tells what a function gets wrong.

    Raises:
        ValueError: If no exercise has this id, or it is one to do by hand.

    Example:
        >>> import numpy as np
        >>> exercise = find_exercise("attention.5")
        >>> exercise.solution.__name__
        'masked_weights'
        >>> wrong = exercise.counterexamples(lambda scores, mask: np.where(mask, scores, 0))
        >>> print(wrong["without hidden keys it is a softmax over the keys"])
        given:  array([[0.0]]), array([[True]])
        came:   array([[0.0]])
        wanted: array([[1.0]])
    """
    if id not in PAGES:
        raise ValueError(_why_not(id))
    module = importlib.import_module(f"{__package__}._{_topic(id)}")
    exercises: dict[str, Exercise] = module.EXERCISES
    return exercises[id]


def _why_not(id: str) -> str:
    number = id.removeprefix(f"{_topic(id)}.")
    numbers = [int(known.rpartition(".")[2]) for known in PAGES if _topic(known) == _topic(id)]
    if number.isdecimal() and 1 <= int(number) <= max(
        numbers, default=0
    ):  # the last of a topic asks for code
        return f"{id} is an exercise to do by hand; its solution is folded on its page"
    near = difflib.get_close_matches(id, PAGES, cutoff=0) or list(PAGES)
    return f"no exercise that asks for code has the id {id!r}; the nearest are {', '.join(near)}"


def _topic(id: str) -> str:
    return id.partition(".")[0]
