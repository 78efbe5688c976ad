"""What 20,000 points need for exact transport: `emd_points` and the whole matrix, each in a process of its own."""

import json
import resource
import subprocess
import sys
import time

import numpy as np
import ot

from mlnotes2.transport import emd_points

SEED, N, D = 0, 20_000, 8


def ours(x, y):
    """Cost, gap and rounds of `emd_points`."""
    rounds = []
    result = emd_points(x, y, progress=lambda *numbers: rounds.append(numbers))
    return {"cost": result.cost, "gap": result.gap, "rounds": len(rounds), "pairs": max(rounds)[0]}


def pot(x, y):
    """The cost by POT's solver, given the matrix."""
    return {"cost": ot.emd2([], [], ot.dist(x, y, metric="euclidean"), numItermax=10**9)}


def peak():
    """The most memory that this process ever held, in GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def measured(library):
    """What one library finds and needs; `before` is what a small problem of 400 points needed."""
    rng = np.random.default_rng(SEED)
    x, y = rng.normal(size=(N, D)), rng.normal(size=(N, D)) + 1
    solve = {"ours": ours, "pot": pot}[library]
    solve(x[:400], y[:400])
    before, start = peak(), time.perf_counter()
    return {**solve(x, y), "seconds": time.perf_counter() - start, "before_gib": before, "peak_gib": peak()}


def compared():
    """The values of the record, after the two costs were compared."""
    values = {"n": N, "d": D, "matrix_gib": 8 * N * N / 2**30}
    for library in ("ours", "pot"):
        run = subprocess.run([sys.executable, __file__, library], check=True, capture_output=True, text=True)
        values |= {f"{library}.{name}": value for name, value in json.loads(run.stdout).items()}
    np.testing.assert_allclose(values["ours.cost"], values["pot.cost"], rtol=1e-9)
    return {"seeds": [SEED], "values": values}


if __name__ == "__main__":
    print(json.dumps(measured(sys.argv[1]) if sys.argv[1:] else compared()))
