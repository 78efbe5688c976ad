"""Random distributions for property-based tests."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

WEIGHTS = st.one_of(st.just(0.0), st.floats(1e-12, 1.0))


@st.composite
def pairs(draw: st.DrawFn, *, zeros: bool = True) -> tuple[NDArray, NDArray]:
    """Two distributions over one to eight outcomes; with `zeros`, some may be impossible."""
    k = draw(st.integers(1, 8))
    weights = arrays(np.float64, k, elements=WEIGHTS if zeros else st.floats(1e-3, 1.0))
    p, q = draw(weights), draw(weights)
    p[draw(st.integers(0, k - 1))] = 1.0
    q[draw(st.integers(0, k - 1))] = 1.0
    return p / p.sum(), q / q.sum()
