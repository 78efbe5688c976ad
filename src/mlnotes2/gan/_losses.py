"""What the critic and the generator minimise, as functions of the critic's scores."""

from typing import Any, Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus

Method = Literal["gan", "nsgan", "wgan", "wgan-gp"]


def critic_loss(
    real_scores: Float[Tensor, "..."], fake_scores: Float[Tensor, "..."], *, method: str
) -> Float[Tensor, ""]:
    r"""The loss that the critic $D$ minimises; a score is $D(x)$ *before* any sigmoid.

    For `gan` and `nsgan`: $-\E_{x \sim P_{data}} \log \sigma(D(x)) - \E_{x \sim P_G} \log(1 - \sigma(D(x)))$.
    For `wgan` and `wgan-gp`: $\E_{x \sim P_G} D(x) - \E_{x \sim P_{data}} D(x)$, to which the caller adds the
    clipping or the gradient penalty.

    Args:
        real_scores: Scores of real samples, any shape.
        fake_scores: Scores of generated samples, any shape.
        method: One of `gan`, `nsgan`, `wgan`, `wgan-gp`.

    Returns:
        The loss, a scalar.

    Raises:
        ValueError: If the method is unknown, or if scores are empty, NaN or infinite.
        TypeError: If scores are not floating-point tensors.

    Source:
        Goodfellow et al. (2014), equation 1; Arjovsky, Chintala and Bottou (2017), algorithm 1.

    Example:
        >>> critic_loss(torch.tensor([2.0, 4.0]), torch.tensor([1.0]), method="wgan")
        tensor(-2.)
    """
    _check_method(method)
    _check_scores("real_scores", real_scores)
    _check_scores("fake_scores", fake_scores)
    if method in ("gan", "nsgan"):  # log sigmoid(s) = -softplus(-s), and log(1 - sigmoid(s)) = -softplus(s)
        return softplus(-real_scores).mean() + softplus(fake_scores).mean()
    return fake_scores.mean() - real_scores.mean()


def generator_loss(fake_scores: Float[Tensor, "..."], *, method: str) -> Float[Tensor, ""]:
    r"""The loss that the generator minimises.

    For `gan` (saturating): $\E_{x \sim P_G} \log(1 - \sigma(D(x)))$.
    For `nsgan` (non-saturating): $-\E_{x \sim P_G} \log \sigma(D(x))$.
    For `wgan` and `wgan-gp`: $-\E_{x \sim P_G} D(x)$.

    Args:
        fake_scores: Scores of generated samples, before any sigmoid, any shape.
        method: One of `gan`, `nsgan`, `wgan`, `wgan-gp`.

    Returns:
        The loss, a scalar.

    Raises:
        ValueError: If the method is unknown, or if scores are empty, NaN or infinite.
        TypeError: If scores are not a floating-point tensor.

    Source:
        Goodfellow et al. (2014), section 3; Arjovsky, Chintala and Bottou (2017), algorithm 1.

    Example:
        >>> generator_loss(torch.tensor([2.0, 4.0]), method="wgan")
        tensor(-3.)
    """
    _check_method(method)
    _check_scores("fake_scores", fake_scores)
    if method == "gan":
        return -softplus(fake_scores).mean()
    if method == "nsgan":
        return softplus(-fake_scores).mean()
    return -fake_scores.mean()


def _check_method(method: str) -> None:
    if method not in get_args(Method):
        raise ValueError(f"method must be one of {', '.join(get_args(Method))}, got {method!r}")


def _check_scores(name: str, scores: Any) -> None:
    if not isinstance(scores, Tensor) or not scores.is_floating_point():
        kind = getattr(scores, "dtype", type(scores).__name__)
        raise TypeError(f"{name} must be a floating-point tensor, got {kind}; convert it first")
    if scores.numel() == 0:
        raise ValueError(f"{name} must not be empty, got shape {tuple(scores.shape)}")
    if not bool(torch.isfinite(scores).all()):
        raise ValueError(f"{name} must be finite, got a NaN or an infinity; try a lower learning rate")
