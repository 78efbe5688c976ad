"""The Lipschitz constant of a neural network, between a slope that was found and a product of norms."""

import copy
from collections.abc import Sequence
from typing import cast

import torch
from torch import nn
from torch.nn.utils import parametrize

from .._enclosure import Enclosure
from ._activations import SLOPES
from ._eclipse import Reach
from ._layers import POOLS, follow
from ._residual import Residual
from ._rounding import slope_below
from ._steepest import steepest_input


@torch.inference_mode(False)  # the search needs gradients
def network_lipschitz(
    model: nn.Module,
    *,
    method: str = "product",
    input_shape: tuple[int, ...] | None = None,
) -> Enclosure:
    r"""Enclose the Lipschitz constant of a network in the Euclidean norm, $\sup_{x \ne y} \|f(x) - f(y)\| / \|x - y\|$.

    From above by the constants of its layers: their product, or `"eclipse"`, ECLipsE-Fast, which follows an
    ellipsoid through linear layers and activations and is never larger but for rounding. Where other
    modules stand between, it multiplies too. From below by the steepest input that a search finds.

    Args:
        model: `nn.Sequential` of `nn.Linear`, `nn.Conv1d`, `nn.Conv2d`, activations that work on each number
            alone, pooling (`nn.AvgPool1d`, `nn.AvgPool2d`, `nn.MaxPool1d`, `nn.MaxPool2d`), `nn.Flatten`,
            `nn.Identity`, `nn.Dropout` in evaluation mode, and `Residual` blocks. Left as it is.
        method: How the bound from above is found.
        input_shape: The shape of one input, without the batch. Not needed if the first layer is linear.

    Returns:
        An enclosure. Its witness is an input x and a direction v, as float64 tensors: on the line through x
        along v stand two inputs whose outputs are at least `lower` times as far apart as they are. Both bounds
        are proved, in spite of rounding, for the function that the stored weights define in real numbers.
        `lower` is 0 where a network is so deep that rounding may have made that distance. (PyTorch's
        activations are taken to be good to 16 units in the last place.)

    Raises:
        TypeError: If the model is no module, or holds one that is not listed above.
        ValueError: If a weight is empty or not finite, a dropout is in training mode, an image is smaller than a
            kernel, or an option of the function or of a layer, or a hook, has no rule.

    Source:
        Y. Xu, S. Sivaranjani, ECLipsE: Efficient Compositional Lipschitz Constant Estimation for Deep Neural
        Networks, NeurIPS 2024, here with slopes from any low to any high.

    Example:
        >>> layers = [nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1)]
        >>> for layer in layers[::2]:
        ...     _ = nn.init.ones_(layer.weight)
        >>> bounds = network_lipschitz(nn.Sequential(*layers))
        >>> print(f"{bounds.lower:.4f} {bounds.upper:.4f}")
        2.8284 2.8284
    """
    if method not in ("product", "eclipse"):
        raise ValueError(f'method must be "product" or "eclipse", got {method!r}')
    if not isinstance(model, nn.Module):
        raise TypeError(f"model must be an nn.Module, got {type(model).__name__}; write it as nn.Sequential")
    if input_shape is not None and not (
        isinstance(input_shape, Sequence) and all(isinstance(n, int) and n > 0 for n in input_shape)
    ):
        raise ValueError(
            f"input_shape must hold whole numbers > 0, got {input_shape}; pass such as (3, 32, 32), without the batch"
        )
    check_hooks(model)
    network = freeze(model)
    check_modules(network)
    shape = input_shape or infer_shape(network)
    device = next((p.device for p in network.parameters()), torch.device("cpu"))
    x = torch.zeros(1, *shape, dtype=torch.float64, device=device)
    try:
        network(x)
    except RuntimeError as error:
        raise ValueError(f"input_shape {shape} does not fit the model: {error}") from error
    upper = follow(network, Reach(1.0), x, method).length
    size, steepest, v = steepest_input(network, x)
    # In this order, for an overflow makes the size NaN.
    return Enclosure(min(slope_below(network, steepest, v), size), upper, (steepest, v))


def check_hooks(model: nn.Module) -> None:
    for name, module in model.named_modules(prefix="model"):
        if module._forward_hooks or module._forward_pre_hooks:
            raise ValueError(
                f"{name} has a hook, which may change what it computes; remove it, or for a normalized weight use "
                "torch.nn.utils.parametrizations"
            )


def freeze(model: nn.Module) -> nn.Module:
    """A copy in float64 whose parametrized weights are the numbers that the model uses now."""
    network = copy.deepcopy(model)
    for module in network.modules():
        if parametrize.is_parametrized(module):
            used = {name: getattr(module, name) for name in cast(nn.ModuleDict, module.parametrizations)}
            module.__class__ = parametrize.type_before_parametrizations(module)  # the model keeps its own
            del module.parametrizations
            for name, value in used.items():
                setattr(module, name, nn.Parameter(value))
        if hasattr(module, "inplace"):
            setattr(module, "inplace", False)  # noqa: B010
    return network.double().requires_grad_(False)


def check_modules(network: nn.Module) -> None:
    for name, module in network.named_modules(prefix="model"):
        if type(module) not in KNOWN:
            raise TypeError(
                f"{name} is {type(module).__name__}, which has no rule here; write the network as nn.Sequential of "
                f"layers that have one, and x + f(x) as Residual(f). Known: {', '.join(k.__name__ for k in KNOWN)}"
            )
        if isinstance(module, nn.Dropout) and module.training:
            raise ValueError(f"{name} is random in training mode; call model.eval() first")
        if isinstance(module, nn.AvgPool1d | nn.AvgPool2d) and (
            module.ceil_mode or not module.count_include_pad or getattr(module, "divisor_override", None)
        ):
            raise ValueError(
                f"{name} must divide all windows by their size; remove its options that change that"
            )
        if isinstance(module, nn.Conv1d | nn.Conv2d) and not known_padding(module):
            raise ValueError(
                f"{name} must be padded with zeros, or circularly by at most half of its kernel; change its padding"
            )
        if isinstance(module, nn.MaxPool1d | nn.MaxPool2d) and (
            module.dilation not in (1, (1,), (1, 1)) or module.return_indices
        ):
            raise ValueError(f"{name} must have dilation 1 and return no indices; remove these options")
        if isinstance(module, nn.Flatten) and module.start_dim < 1:
            raise ValueError(f"{name} must leave the batch alone; use start_dim=1, got {module.start_dim}")
    for name, weight in network.named_parameters(prefix="model"):
        if weight.is_meta:
            raise ValueError(f"{name} is on the meta device, so it holds no numbers; load the weights first")
        if weight.numel() == 0:
            raise ValueError(f"{name} must not be empty, got shape {tuple(weight.shape)}; remove that layer")
        if not weight.isfinite().all():
            raise ValueError(
                f"{name} must be finite, got a NaN or an infinity; look for a diverged training step"
            )


def known_padding(conv: nn.Conv1d | nn.Conv2d) -> bool:
    if conv.padding_mode != "circular":
        return conv.padding_mode == "zeros"
    pads = [0] if isinstance(conv.padding, str) else conv.padding  # "same" or "valid"
    return all(2 * p <= d * (k - 1) for p, d, k in zip(pads, conv.dilation, conv.kernel_size, strict=False))


def infer_shape(network: nn.Module) -> tuple[int, ...]:
    passing = (nn.Sequential, Residual, nn.Flatten, nn.Identity, nn.Dropout, *SLOPES)
    first = next((module for module in network.modules() if not isinstance(module, passing)), None)
    if isinstance(first, nn.Linear):
        return (first.in_features,)
    raise ValueError(
        "input_shape is needed, as no linear layer comes first; pass such as (3, 32, 32), without the batch"
    )


KNOWN = (
    nn.Sequential,
    nn.Linear,
    nn.Conv1d,
    nn.Conv2d,
    nn.Flatten,
    nn.Identity,
    nn.Dropout,
    Residual,
    *POOLS,
    *SLOPES,
)
