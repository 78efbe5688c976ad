"""Figures of the page on mode dropping."""

import math
from functools import partial

import numpy as np
import torch

from mlnotes2.gan import GANConfig, mode_coverage, ring, ring_modes, train
from notesite import figures


def covering():
    """The Gaussian with the least KL from a mixture of two, as the two move apart."""
    width, halves = 0.5, np.linspace(0, 3, 9)
    x = np.linspace(-6, 6, 101)
    fine = np.linspace(-12, 12, 4801)

    def normal(x, mean, sd):
        return np.exp(-(((x - mean) / sd) ** 2) / 2) / (sd * math.sqrt(2 * math.pi))

    def mixture(x, half):
        return (normal(x, -half, width) + normal(x, half, width)) / 2

    spread = np.sqrt(width**2 + halves**2)  # the mixture's own standard deviation
    p = np.stack([mixture(x, half) for half in halves])
    q = np.stack([normal(x, 0, sd) for sd in spread])
    readout = []
    for half, sd in zip(halves, spread, strict=True):
        p_fine, q_fine = mixture(fine, half), normal(fine, 0, sd)
        kl = np.sum(p_fine * np.log(p_fine / q_fine)) * (fine[1] - fine[0])
        near = np.abs(np.abs(fine) - half) <= 3 * width
        bad = 1 - q_fine[near].sum() * (fine[1] - fine[0])
        readout.append(f"KL(p‖q) = {abs(kl):.2f}; {bad:.0%} of q lies more than 3σ from both modes")
    fig, ax = figures.subplots(height=2.8)
    ax.set(xlim=(-6, 6), ylim=(0, 0.85), xlabel="x", ylabel="density", yticks=[0, 0.4, 0.8])
    ax.text(-5.8, 0.74, "p, the data", color="C0")
    ax.text(-5.8, 0.62, "q, fitted by KL(p‖q)", color="C1")
    frames = [np.stack(np.broadcast_arrays(x, density), axis=-1) for density in (p, q)]
    return figures.Figure(
        fig,
        alt="A density p with two bumps and the Gaussian q of least KL from p. While the bumps move apart, q widens "
        f"and covers both, and the valley between them: {readout[-1]}.",
        caption="The best Gaussian $q$ drops neither mode of $p$. The price is samples where there are no data.",
        sliders=[figures.Slider("Distance of the modes", (2 * halves).tolist(), start=5)],
        layers=[figures.Line(ax, frames[0], color=0, fill=0.25), figures.Line(ax, frames[1], color=1)],
        readout=readout,
    )


def runs():
    """Three trainings on eight Gaussians; the first two differ in Adam's decay rates only."""
    torch.set_num_threads(1)
    sigma = 0.05
    common = partial(
        GANConfig, data=partial(ring, sigma=sigma), steps=1000, n_critic=1, batch_size=100, n_samples=150
    )
    settings = {
        "GAN 1": common(method="nsgan", betas=(0.8, 0.999)),
        "GAN 2": common(method="nsgan", betas=(0.5, 0.9)),
        "WGAN-GP": common(method="wgan-gp", depth=3, penalty=1.0, critic_lr=3e-3, generator_lr=5e-4),
    }
    results = [train(config) for config in settings.values()]
    steps = results[0].steps
    modes = ring_modes()
    found = [[mode_coverage(samples, modes, sigma=sigma) for samples in result.samples] for result in results]
    fig, ax = figures.subplots(height=4.4)
    angle = np.linspace(0, 2 * np.pi, 30)
    for x, y in modes.tolist():
        ax.plot(x + 3 * sigma * np.cos(angle), y + 3 * sigma * np.sin(angle), color=figures.MUTED, lw=1)
    ax.set(aspect="equal", xlim=(-1.6, 1.6), ylim=(-1.6, 1.6), xticks=[-1, 0, 1], yticks=[-1, 0, 1])
    ends = "; ".join(f"{name}: {row[-1].captured} of 8" for name, row in zip(settings, found, strict=True))
    return figures.Figure(
        fig,
        alt=f"Generated points of three trainings by step, over eight small circles. Modes captured after {steps[-1]} "
        f"steps: {ends}.",
        caption="Generated samples during three trainings; the circles are 3σ around the data's modes. GAN 1 and "
        "GAN 2 have the same non-saturating loss, data, networks and seed; only Adam's decay rates differ.",
        sliders=[
            figures.Slider("Run", list(settings)),
            figures.Slider("Step", steps, start=len(steps) - 1),
        ],
        layers=[
            figures.Dots(ax, np.stack([r.samples.numpy() for r in results]), color=1, size=4, opacity=0.7)
        ],
        readout=[
            f"step {step}: {c.captured} of 8 modes, {c.high_quality:.0%} of high quality"
            for row in found
            for step, c in zip(steps, row, strict=True)
        ],
    )
