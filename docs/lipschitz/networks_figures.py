"""Figures of the note on Lipschitz constants of networks."""

import math

import numpy as np
import torch
from torch import nn

from mlnotes2.lipschitz import network_lipschitz
from mlnotes2.lipschitz._eclipse import Reach, through_activation, through_linear
from notesite import figures

STATES = ["inputs", "after W₁", "after ReLU", "after W₂", "after ReLU", "after W₃"]


def reach():
    """Differences of outputs layer by layer, in the ellipse that holds them and the disc of the product bound."""
    weights = _matrices(3, 2, seed=43)
    reaches, products = [Reach(1.0)], [1.0]
    for W in weights:
        linear = through_linear(reaches[-1], W)
        reaches += [linear, through_activation(linear, 0.0, 1.0)]
        products += 2 * [products[-1] * torch.linalg.matrix_norm(W, 2).item()]
    reaches, products = reaches[:-1], products[:-1]
    turn = np.linspace(0, 2 * np.pi, 33)
    circle = np.stack([np.cos(turn), np.sin(turn)])
    ellipses = np.array([(r.length * _root(r.M) @ circle).T for r in reaches])
    discs = np.array([(product * circle).T for product in products])
    reached = _differences(weights)
    largest = np.linalg.norm(reached, axis=2).max(axis=1)
    limit = 1.08 * max(products)
    fig, ax = figures.subplots(height=3.6)
    ax.set(
        xlim=(-limit, limit),
        ylim=(-limit, limit),
        xlabel="first number",
        ylabel="second number",
        aspect="equal",
    )
    ax.set(xticks=[-1, 0, 1], yticks=[-1, 0, 1])
    return figures.Figure(
        fig,
        alt="Differences of the outputs of two inputs at distance 1, layer by layer, with two numbers in each layer. "
        "They lie in an ellipse, and the ellipse in a disc. After the last layer the longest difference found is "
        f"{largest[-1]:.2f}, the ellipse reaches {reaches[-1].length:.2f} and the disc {products[-1]:.2f}.",
        caption="Dots: differences of pairs. Orange: the ellipse of ECLipsE. Dashed: the disc of the product bound.",
        sliders=[figures.Slider("Layer", STATES, start=2)],
        layers=[
            figures.Line(ax, discs, color=figures.MUTED, dashed=True),
            figures.Line(ax, ellipses, color=1, fill=0.12),
            figures.Dots(ax, reached, color=0, size=3),
        ],
        readout=[
            f"found {found:.2f}, ellipse {r.length:.2f}, disc {product:.2f}"
            for found, r, product in zip(largest, reaches, products, strict=True)
        ],
    )


def _matrices(depth, width, seed):
    generator = torch.Generator().manual_seed(seed)
    size = depth, width, width
    return list(torch.randn(size, generator=generator, dtype=torch.float64) / width**0.5)


def _root(M):
    """The symmetric square root; of nothing, the identity."""
    if M is None:
        return np.eye(2)
    values, vectors = np.linalg.eigh(M.numpy())
    return vectors * np.sqrt(values.clip(0)) @ vectors.T


def _differences(weights, n=60):
    """How far apart n pairs of inputs at distance 1 are, after each layer."""
    rng = np.random.default_rng(0)
    turn = rng.uniform(0, 2 * np.pi, n)
    x = rng.normal(size=(n, 2)) * rng.choice([0.2, 1, 4], (n, 1))
    y = x + np.stack([np.cos(turn), np.sin(turn)], axis=1)
    found = [y - x]
    for W in weights:
        x, y = x @ W.numpy().T, y @ W.numpy().T
        found.append(y - x)
        x, y = x.clip(0), y.clip(0)
        found.append(y - x)
    return np.array(found[:-1])


def depth():
    """The three bounds against the depth of random ReLU networks, for three widths."""
    depths, widths = np.array([1, 2, 4, 6, 8, 10]), [4, 16, 64]
    bounds = np.log10([[_bounds(_matrices(n, width, seed=0)) for n in depths] for width in widths])
    fig, ax = figures.subplots(height=2.9)
    ax.set(xlim=(0.5, 10.5), ylim=(-2.2, 4), xlabel="linear layers", ylabel="bound, as a power of 10")
    ax.set(xticks=[1, 4, 7, 10], yticks=[-2, 0, 2, 4])
    ends = 10 ** bounds[:, -1]
    return figures.Figure(
        fig,
        alt=f"Bounds for random ReLU networks with 1 to {depths[-1]} linear layers. The product of the norms grows "
        f"fastest: for width {widths[-1]} it ends at {ends[-1, 0]:.0f}, the bound of ECLipsE at {ends[-1, 1]:.0f}, and "
        f"the steepest place found has {ends[-1, 2]:.2g}.",
        caption="From top to bottom: the product of the norms (dashed), ECLipsE, and the steepest place found (dots).",
        sliders=[figures.Slider("Width", widths, start=1)],
        layers=[
            figures.Line(ax, _curves(depths, bounds[..., 0]), color=figures.MUTED, dashed=True),
            figures.Line(ax, _curves(depths, bounds[..., 1]), color=1),
            figures.Dots(ax, _curves(depths, bounds[..., 2]), color=0, size=6),
        ],
        readout=[
            f"{depths[-1]} layers: product {product:.0f}, ECLipsE {eclipse:.0f}, found {found:.2f}"
            for product, eclipse, found in ends
        ],
    )


def _curves(depths, values):
    return np.stack(np.broadcast_arrays(depths, values), axis=-1)


def _bounds(weights):
    """Product, ECLipsE, and the steepest place found."""
    layers = []
    for W in weights:
        layer = nn.Linear(*W.T.shape, bias=False, dtype=torch.float64)
        layer.weight.data = W
        layers += [layer, nn.ReLU()]
    found = network_lipschitz(nn.Sequential(*layers[:-1]), method="eclipse")
    return math.prod(torch.linalg.matrix_norm(W, 2).item() for W in weights), found.upper, found.lower
