"""Sorting against NumPy's own."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from mlnotes2.transport._sort import in_order, join, sort, take

numbers = arrays(
    np.float64,
    array_shapes(min_dims=1, max_dims=3, max_side=8),
    elements=st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, -0.0, 1.0, 5e-324]),
)


@given(numbers)
def test_sort_gives_the_stable_order_of_any_numbers(values):
    found, places = sort(values)
    np.testing.assert_array_equal(places, values.argsort(axis=-1, kind="stable"))
    np.testing.assert_array_equal(found, np.sort(values, axis=-1))
    np.testing.assert_array_equal(in_order(values), found)
    for of_tensor, of_array in zip(sort(torch.from_numpy(values)), (found, places), strict=True):
        np.testing.assert_array_equal(of_tensor, of_array)


def test_sort_merges_numbers_that_the_upper_bits_do_not_tell_apart():
    rng = np.random.default_rng(0)
    values = np.append(rng.permutation(1000) * 1e-20, 1.0)  # beside 1, all others are rounded to one integer
    np.testing.assert_array_equal(sort(values)[1], values.argsort())


def test_sort_and_take_let_gradients_through():
    x = torch.tensor([3.0, 1.0, 2.0], dtype=torch.float64, requires_grad=True)
    places = torch.tensor([2, 2, 0])
    weights = torch.tensor([1.0, 10.0, 100.0])
    for values, slopes in (
        (sort(x)[0], [100, 1, 10]),
        (in_order(x), [100, 1, 10]),
        (take(x, places), [100, 0, 11]),
    ):
        assert torch.autograd.grad((weights * values).sum(), x)[0].tolist() == slopes


@pytest.mark.parametrize("shape", [(5,), (2, 3, 5)])
def test_take_gathers_along_the_last_axis(shape):
    values = torch.rand(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    places = torch.randint(5, shape, generator=torch.Generator().manual_seed(0))
    found = take(values, places)
    assert found.equal(values.gather(-1, places))
    np.testing.assert_array_equal(take(values.numpy(), places.numpy()), found)


def test_join_puts_lines_behind_each_other():
    x, y = np.zeros((2, 3)), np.ones((2, 1))
    for joined in (join(x, y), join(torch.from_numpy(x), torch.from_numpy(y))):
        assert joined.tolist() == [[0, 0, 0, 1]] * 2
