"""What is refused before anything is computed, for arrays and for tensors."""

import numpy as np
import pytest
import torch

from mlnotes2.transport._piles import piles

ONE = torch.ones(1)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((ONE, [1], None, None), TypeError, "all be arrays or all be tensors, got x as Tensor and y as list"),
        (([1], ONE, None, None), TypeError, "got x as list and y as Tensor; torch.as_tensor converts"),
        ((ONE, ONE.double(), None, None), TypeError, "got x in torch.float32 and y in torch.float64"),
        ((ONE, ONE, ONE.double(), None), TypeError, "and a in torch.float64; convert with .to"),
        ((ONE.half(), ONE.half(), None, None), TypeError, "must all be float32 or all be float64"),
        ((ONE, ONE.to("meta"), None, None), ValueError, "y must be on the device of x, cpu, got meta"),
        ((ONE, ONE / 0, None, None), ValueError, "y must be finite, got a NaN or an infinity"),
        (
            (ONE, torch.ones(0), None, None),
            ValueError,
            r"y must hold points along its last axis, got shape \(0,\)",
        ),
        (
            (np.float64(1), [1.0], None, None),
            ValueError,
            r"x must hold points along its last axis, got shape \(\)",
        ),
        (
            (torch.ones(2, 3), torch.ones(3, 3), None, None),
            ValueError,
            r"got \(2, 3\) and \(3, 3\); expand one",
        ),
        (
            (torch.ones(2, 3), torch.ones(2, 3), torch.ones(3, 3), None),
            ValueError,
            "a must hold one mass for each",
        ),
        ((ONE, ONE, -ONE, None), ValueError, "a must not be negative, got -1.0"),
        ((ONE, ONE, None, 0 * ONE), ValueError, "b must hold some mass, got only zeros"),
        (
            (torch.ones(2, 1), torch.ones(2, 1), torch.ones(2, 1), torch.tensor([[1.0], [3.0]])),
            ValueError,
            "same total mass, got 1.0 and 3.0, which differ by 2.0; normalise both",
        ),
        ((["1"], [1], None, None), TypeError, "x must hold real numbers"),
    ],
)
def test_piles_refuses(arguments, error, message):
    with pytest.raises(error, match=message):
        piles(*arguments)


def test_piles_gives_equal_masses_where_none_are_given():
    x, y, a, b = piles(np.zeros((2, 4), dtype=np.float32), np.zeros((2, 5)), None, [0.2] * 5)
    assert (x.dtype, a.shape, b.shape, y.shape) == (np.float64, (2, 4), (2, 5), (2, 5))
    assert (a == 0.25).all()


def test_piles_are_tensors_where_a_gradient_is_wanted():
    assert not any(isinstance(part, torch.Tensor) for part in piles(ONE, ONE, ONE, ONE))
    assert all(isinstance(part, torch.Tensor) for part in piles(ONE, ONE, ONE.clone().requires_grad_(), ONE))


def test_piles_allows_the_rounding_of_its_dtype():
    masses = torch.rand(10_000, generator=torch.Generator().manual_seed(0))
    masses /= masses.sum()
    piles(torch.zeros(10_000), ONE, masses, ONE)
    with pytest.raises(ValueError, match="same total mass"):
        piles(torch.zeros(1).double(), ONE.double(), ONE.double(), ONE.double() + 1e-8)
