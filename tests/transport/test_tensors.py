"""What entropic transport asks of its inputs."""

import math

import pytest
import torch

from mlnotes2.transport._tensors import check_masses, check_options, check_tensors

HALF = torch.tensor([0.5, 0.5])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_checks_pass_what_is_right(dtype):
    check_tensors(a=HALF.to(dtype), b=HALF.to(dtype))
    check_masses(HALF.to(dtype), HALF.flip(0).to(dtype))
    check_options(0.1, 1e-5, 1)


@pytest.mark.parametrize(
    ("second", "error", "message"),
    [
        ([0.5], TypeError, "b must be a float32 or float64 tensor, got list"),
        (HALF.half(), TypeError, "got torch.float16; convert it"),
        (HALF.double(), TypeError, "b must have the dtype and device of a, torch.float32 on cpu"),
        (HALF.to("meta"), TypeError, "got torch.float32 on meta"),
        (torch.tensor([math.nan]), ValueError, "b must hold finite numbers"),
        (torch.zeros(0), ValueError, r"got shape \(0,\)"),
    ],
)
def test_check_tensors_says_which_is_wrong(second, error, message):
    with pytest.raises(error, match=message):
        check_tensors(a=HALF, b=second)


def test_check_masses_allows_what_rounding_does_to_totals():
    ones = torch.full((3,), 1 / 3)
    check_masses(ones, torch.tensor([1.0]))
    with pytest.raises(ValueError, match="normalise both"):
        check_masses(ones.double(), torch.ones(1, dtype=torch.float64))


@pytest.mark.parametrize(
    ("b", "message"),
    [
        (torch.tensor([1.5, -0.5]), "b must not be negative, got -0.5"),
        (torch.zeros(2), "b must hold some mass"),
        (torch.tensor([0.5, 0.25]), r"differ by up to 0\.25"),
    ],
)
def test_check_masses_says_what_is_wrong(b, message):
    with pytest.raises(ValueError, match=message):
        check_masses(HALF, b)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((0.0, 1e-5, 1), "eps must be a finite number above 0, got 0.0; for the exact plan use emd"),
        ((math.inf, 1e-5, 1), "eps must be"),
        ((math.nan, 1e-5, 1), "eps must be"),
        ((1.0, 0.0, 1), "tol must be > 0"),
        ((1.0, 1e-5, 0), "max_iter >= 1"),
    ],
)
def test_check_options_says_which_is_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        check_options(*options)
