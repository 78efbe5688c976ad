"""Small networks that start from a given source of randomness."""

from itertools import pairwise

import torch
from torch import nn


def mlp(sizes: tuple[int, ...], *, generator: torch.Generator) -> nn.Sequential:
    r"""Linear layers with ReLU between them; every parameter is uniform on $\pm 1/\sqrt{\text{inputs}}$."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        # made on "meta", because nn.Linear would otherwise draw from the global seed
        linear = nn.Linear(inputs, outputs, device="meta").to_empty(device=generator.device)
        for parameter in linear.parameters():
            nn.init.uniform_(parameter, -(inputs**-0.5), inputs**-0.5, generator=generator)
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1])
