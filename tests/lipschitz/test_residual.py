"""`Residual`: x + f(x), of one shape."""

import pytest
import torch
from torch import nn

from mlnotes2.lipschitz import Residual


def test_residual_adds_what_the_block_makes_of_its_input():
    block, x = nn.Linear(3, 3), torch.arange(6.0).reshape(2, 3)
    assert torch.equal(Residual(block)(x), x + block(x))


def test_residual_rejects_a_block_that_changes_the_shape():
    with pytest.raises(ValueError, match=r"block must keep the shape \(1, 3\), got \(1, 1\)"):
        Residual(nn.Linear(3, 1))(torch.zeros(1, 3))
