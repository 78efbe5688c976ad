"""A shared check passes what is right on as float64, and names what is wrong."""

import numpy as np
import pytest
import torch

from mlnotes2._checks import real_array


@pytest.mark.parametrize("value", [[1, 2], [1.0, 2.0], np.array([1, 2], dtype=np.float32), [True, False]])
def test_real_array_returns_float64(value: object) -> None:
    array = real_array("x", value)
    assert array.dtype == np.float64
    np.testing.assert_array_equal(array, np.asarray(value))


def test_real_array_lets_nobody_change_what_it_was_given() -> None:
    value = np.array([1.0, 2.0])
    array = real_array("x", value)
    assert np.shares_memory(array, value)  # a copy of a large matrix would cost time and memory
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 5
    value[0] = 5  # still allowed


@pytest.mark.parametrize("value", ["a", [1j], [None]])
def test_real_array_refuses_what_is_not_real(value: object) -> None:
    with pytest.raises(TypeError, match="x must hold real numbers"):
        real_array("x", value)


def test_real_array_refuses_a_tensor() -> None:
    with pytest.raises(TypeError, match=r"x must be array-like, got a torch tensor; pass x\.detach"):
        real_array("x", torch.ones(2))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "x must not be empty"),
        ([np.nan], "x must be finite"),
        ([np.inf], "x must be finite"),
        ([[1.0]], r"x must have 1 dimension\(s\), got shape \(1, 1\)"),
    ],
)
def test_real_array_refuses_a_wrong_value(value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        real_array("x", value, 1)
