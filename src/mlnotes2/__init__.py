"""The mathematics around Wasserstein GANs and attention: every number comes with its proof."""

import importlib
from types import ModuleType

from ._enclosure import Enclosure as Enclosure

__version__ = "0.1.0"

_TOPICS = ("attention", "divergences", "exercises", "gan", "lipschitz", "spectral", "transport")


def __getattr__(name: str) -> ModuleType:
    """Import a topic when it is first used, so that one topic does not cost the imports of all, PyTorch's above all."""
    if name in _TOPICS:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_TOPICS})
