"""The Triton kernel gives the sums of `log_sums`: on a GPU, or in Triton's interpreter (nox -s kernels)."""

import os
import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mlnotes2.transport import sinkhorn_points
from mlnotes2.transport._log_sums import log_sums

pytest.importorskip(
    "triton", reason="Triton is not installed here; nox -s kernels installs and interprets it"
)
INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
if not (INTERPRETED or torch.cuda.is_available()):
    pytest.skip("no GPU, and TRITON_INTERPRET is not 1; see nox -s kernels", allow_module_level=True)

from mlnotes2.transport._sinkhorn_triton import COLUMNS, ROWS, log_sums_by_kernel  # noqa: E402

DEVICE = "cpu" if INTERPRETED else "cuda"
METRICS, DTYPES = ("sqeuclidean", "euclidean"), (torch.float32, torch.float64)

COMPILE = """
import sys, triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from mlnotes2.transport._sinkhorn_triton import COLUMNS, ROWS, _log_sums_kernel
for squared in (True, False):
    signature = dict.fromkeys(("x", "y", "f", "g", "weights", "per_unit", "found"), "*" + sys.argv[1])
    signature |= dict.fromkeys("nmd", "i32") | dict.fromkeys(("SQUARED", "ROWS", "COLUMNS"), "constexpr")
    constants = {"SQUARED": squared, "ROWS": ROWS, "COLUMNS": COLUMNS}
    source = ASTSource(fn=_log_sums_kernel, signature=signature, constexprs=constants)
    assert triton.compile(source, target=GPUTarget("cuda", 90, 32)).asm["cubin"]
"""


def problem(seed, n, m, d):
    """Two clouds, any potentials, and masses of which one is 0."""
    generator = torch.Generator().manual_seed(seed)
    shapes = (n, d), (m, d), (n,), (m,), (m,)
    x, y, f, g, b = (torch.randn(shape, dtype=torch.float64, generator=generator) for shape in shapes)
    b = torch.softmax(b, 0)
    b[1:2] = 0
    return tuple(value.to(DEVICE) for value in (x, y, f, g, b.log()))


@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 2 * ROWS + 3),
    m=st.integers(1, 2 * COLUMNS + 3),
    d=st.integers(1, 5),
    eps=st.floats(0.01, 10),
    metric=st.sampled_from(METRICS),
    dtype=st.sampled_from(DTYPES),
)
@settings(max_examples=30)
def test_kernel_gives_the_sums_of_log_sums(seed, n, m, d, eps, metric, dtype):
    inputs = problem(seed, n, m, d)
    wanted = log_sums(*inputs, eps, metric)
    found = log_sums_by_kernel(*inputs, eps, metric, dtype=dtype)
    largest = 100 / eps  # what the exponents do not exceed, each with the rounding of a few operations
    assert torch.allclose(found, wanted, rtol=0, atol=8 * torch.finfo(dtype).eps * largest)


@pytest.mark.parametrize("dtype", DTYPES)
def test_kernel_has_no_overflow_and_many_coordinates(dtype):
    inputs = problem(0, 40, 70, 30)
    wanted = log_sums(*inputs, 1e-6, "sqeuclidean")
    found = log_sums_by_kernel(*inputs, 1e-6, "sqeuclidean", dtype=dtype)
    assert torch.allclose(found, wanted, rtol=100 * torch.finfo(dtype).eps)


def test_kernel_keeps_what_float32_drops_of_potentials():
    """Adding a constant to the potentials must move each sum by just that, also where float32 cannot hold it."""
    x, y, f, g, log_b = problem(0, 20, 30, 2)
    tiny = 1e-9 * torch.rand_like(f)
    before, after = (
        log_sums_by_kernel(x, y, f.float().double() + more, g, log_b, 1.0, "euclidean", dtype=torch.float32)
        for more in (torch.zeros_like(f), tiny)
    )
    assert torch.allclose(after - before, tiny, rtol=1e-6, atol=1e-15)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_sinkhorn_points_by_triton_agrees_with_torch(metric, dtype):
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(2, 3, 40, dtype=dtype, generator=generator).to(DEVICE)
    x, y = points.mT  # not contiguous
    largest = torch.cdist(x, y).max().item() ** (2 if metric == "sqeuclidean" else 1)
    one, other = (
        sinkhorn_points(x + 100, y + 100, eps=0.03 * largest, metric=metric, tol=1e-5, implementation=name)
        for name in ("triton", "torch")
    )
    assert one.converged
    assert one.entropic_cost.item() == pytest.approx(other.entropic_cost.item(), rel=1e-5)
    assert torch.allclose(one.barycenters(y), other.barycenters(y), atol=1e-3)
    assert one.enclosure.lower <= other.enclosure.upper


def test_sinkhorn_points_by_triton_converges_in_float32_at_eps_of_1e_4_of_the_largest_price():
    x, y = torch.rand(2, 12, 2, generator=torch.Generator().manual_seed(0)).to(DEVICE)
    eps = 1e-4 * torch.cdist(x, y).max().item() ** 2
    result = sinkhorn_points(x, y, eps=eps, tol=1e-5, implementation="triton")
    assert result.converged
    rows, columns, _ = (
        result.plan.sums()
    )  # from prices in float64, where float32 rounds a price by 1e-3 of eps
    assert (rows - 1 / 12).abs().sum() < 1e-2
    assert (columns - 1 / 12).abs().sum() < 1e-2


def test_kernel_refuses_tensors_that_are_not_on_a_gpu(monkeypatch):
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    x = torch.zeros(2, 1)
    with pytest.raises(ValueError, match="needs tensors on a GPU, got cpu; take 'torch'"):
        sinkhorn_points(x, x, eps=1.0, implementation="triton")


@pytest.mark.parametrize("pointer", ["fp32", "fp64"])
def test_kernel_compiles_for_compute_capability_9_without_a_gpu(pointer):
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    script = [sys.executable, "-W", "error", "-c", COMPILE, pointer]
    found = subprocess.run(script, capture_output=True, text=True, check=False, env=environment)
    assert found.returncode == 0, found.stderr


def test_transport_does_not_import_triton():
    code = "import sys, mlnotes2.transport as t, torch; x = torch.zeros(2, 1); t.sinkhorn_points(x, x, eps=1.0); "
    code += "sys.exit('mlnotes2.transport._sinkhorn_triton' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
