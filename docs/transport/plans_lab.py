# %% [markdown]
# # Lab: a plan made cheaper, step by step
#
# **How do you know that no plan is cheaper than yours?**
#
# This lab starts from a bad plan, improves it until nothing more helps, and then proves that it is a best one. It uses `mlnotes2`
# (with NumPy, SciPy, POT and PyTorch) and `notesite` (with matplotlib). The mathematics stands in the note
# [Earth Mover's Distance](earth-movers-distance.md).

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy.optimize import linprog

from mlnotes2.transport import emd, emd_1d, improve_plan, naive_plan, plan_1d, plan_cost
from notesite import figures

# %% [markdown]
# ## Two piles
#
# The earth of pile $P$ lies at the places 0 to 9, and should become pile $Q$. The two piles have 77 and 71 units. Each is
# multiplied by the other's total: then both totals are equal, and all masses are whole numbers, which do not round.

# %%
P = np.array([12, 7, 4, 1, 19, 14, 9, 6, 3, 2]) * 71
Q = np.array([1, 5, 11, 17, 13, 9, 6, 4, 3, 2]) * 77
places = np.arange(10)
distance = np.abs(places[:, None] - places)
print("earth in P:", P.sum(), " earth in Q:", Q.sum())

# %% [markdown]
# ## A naive plan
#
# The north-west corner rule serves the places of $Q$ in the order in which they are listed. Here they are listed from right to
# left, so the leftmost earth goes to the far right. The rule never asks what a route costs.

# %%
plan = naive_plan(P, Q[::-1])[:, ::-1]
assert np.array_equal(plan.sum(axis=1), P)  # what lies at place i
assert np.array_equal(plan.sum(axis=0), Q)  # what is wanted at place j
print(f"average distance of the naive plan: {plan_cost(plan, distance) / P.sum():.4f}")

# %% [markdown]
# ## Step by step to the best plan
#
# Where row $k$ sends earth to place $j$, row $i$ may send it instead, at the price $c_{ij} - c_{kj}$ for each unit.
# `improve_plan` looks for a cycle of rows, each taking over earth from the next, whose prices add up to less than zero. It moves
# as much as it can around that cycle. When there is no such cycle, it returns the plan as it was.

# %%
plans = [plan]
while not np.array_equal(better := improve_plan(plans[-1], distance), plans[-1]):
    plans.append(better)
costs = [plan_cost(p, distance) / P.sum() for p in plans]
for step, cost in enumerate(costs):
    print(f"step {step:2d}: B = {cost:.4f}")
assert (np.diff(costs) < 0).all()

# %%
with figures.style():
    fig, ax = figures.subplots(height=4)
    ax.set(xlabel="to", ylabel="from")
    cells = figures.Cells(
        ax, np.stack(plans) / P.sum() * 100, rows=places, cols=places, color=2, format="{:.1f} %"
    )
    figure = figures.Figure(
        fig,
        alt=f"The plan as a matrix over {len(plans)} steps; its mass moves from one diagonal to the other.",
        caption="Each step moves earth around one cycle of rows.",
        sliders=[figures.Slider("Step", range(len(plans)))],
        layers=[cells],
        readout=[f"B = {cost:.4f}" for cost in costs],
    )
figure

# %% [markdown]
# ## The proof
#
# That no cycle helps is already a proof. There is one that is easier to check. Charge $f_i$ for each unit picked up at place $i$
# and $g_j$ for each unit put down at place $j$, with $f_i + g_j \le c_{ij}$ for every pair. Then *every* plan costs at least
# $\sum_i P_i f_i + \sum_j Q_j g_j$. If our plan costs just that, it cannot be beaten.

# %%
best = emd(P, Q, distance)
f, g = best.potentials
print("f =", f)
print("g =", g)
print("largest f_i + g_j - c_ij:", (f[:, None] + g - distance).max())
print("lower bound :", (P @ f + Q @ g) / P.sum())
print("our plan    :", costs[-1])
assert (f[:, None] + g <= distance).all()
assert P @ f + Q @ g == plan_cost(plans[-1], distance)
assert best.gap == 0

# %% [markdown]
# Anybody can check these numbers with pencil and paper, without trusting the solver.
#
# ## One potential for both piles
#
# The distance is a metric, and both piles lie on the same places. So one function is enough: here $g = -f$, and
# $|f_i - f_j| \le c_{ij}$, so $f$ is 1-Lipschitz. Such an $f$ is what the critic of a Wasserstein GAN should learn.

# %%
assert np.array_equal(g, -f)
assert (np.abs(f[:, None] - f) <= distance).all()
print("largest step of f:", np.abs(np.diff(f)).max())
print("sum of f (P - Q):", f @ (P - Q) / P.sum())

# %% alt="Above, the two piles over the places 0 to 9. Below, the potential: it falls to -3 at place 3, rises to 1 at place 7 and falls to -1."
fig, (piles, potential) = plt.subplots(2, 1, figsize=(5, 3.8), sharex=True)
piles.stairs(P / P.sum(), np.arange(11) - 0.5, label="P")
piles.stairs(Q / Q.sum(), np.arange(11) - 0.5, label="Q")
piles.set(ylabel="share of earth", xticks=places)
piles.legend()
potential.plot(places, f, "o-", color="C2")
potential.set(xlabel="place", ylabel="potential f")
plt.show()

# %% [markdown]
# Earth moves downhill on this curve: to the right where $f$ falls, to the left where it rises.
#
# ## A third way to the same number
#
# On a line the distance is also the area between the two running totals. No plan and no potential is needed for it.

# %%
area = emd_1d(places, places, P / P.sum(), Q / Q.sum())
print("area:", area)
assert abs(area - costs[-1]) < 1e-14  # rounding of ten sums

# %% [markdown]
# If the plan is wanted as well, `plan_1d` matches the running totals. It needs no matrix: at most $n + m - 1$ cells are in use.

# %%
in_order = plan_1d(places, places, P, Q)
print("cells in use:", in_order.nnz)
assert plan_cost(in_order.toarray(), distance) == plan_cost(plans[-1], distance)

# %% [markdown]
# ## Learning on a line
#
# Of torch tensors, `emd_1d` gives the gradient too. Let 12 points learn to lie where 12 others do. Which gradient do they
# follow? Sort both. The slope of $W_1$ at point $x_i$ is $\pm 1/12$: every point moves at the same speed, however far it has to go.
# The slope of $W_2^2$ is $2/12$ of the way that is left: far points move faster. At the end the points above swing around their goals, by less than a step; those below have always a share left to go.

# %%
start = torch.linspace(-1, 1, 12, dtype=torch.float64)
target = torch.cat([torch.linspace(-3, -2.4, 5), torch.linspace(2, 3.4, 7)]).double()
paths = {}
for p in (1, 2):
    x, paths[p] = start.clone().requires_grad_(), []
    for _ in range(25):
        paths[p].append(x.detach().clone())
        distance_to_target = emd_1d(x, target, p=p)
        (slope,) = torch.autograd.grad(distance_to_target**p, x)
        with torch.no_grad():
            x -= {1: 1.2, 2: 1.0}[p] * slope
    print(f"W_{p} after {len(paths[p]) - 1} steps: {emd_1d(paths[p][-1], target, p=p).item():.4f}")

# %%
with figures.style():
    fig, ax = figures.subplots(height=2.6)
    frames = {p: torch.stack(path).numpy() for p, path in paths.items()}
    for row in (0, 1, 2):
        ax.axhline(row, color=figures.MUTED, lw=0.6)
    ax.plot(target, np.full(12, 1), "o", mfc="none", color="C0")
    ax.set(xlim=(-3.8, 3.8), ylim=(-0.5, 2.5), yticks=[0, 1, 2], xlabel="place")
    ax.set_yticklabels(["by $W_2^2$", "wanted", "by $W_1$"])
    ax.grid(visible=False)
    layers = [
        figures.Dots(ax, np.stack([spots, np.full_like(spots, row)], axis=-1), color=color)
        for spots, row, color in ((frames[1], 2, 1), (frames[2], 0, 2))
    ]
    figure = figures.Figure(
        fig,
        alt="Three rows of 12 points. In the middle the points that are wanted, in two groups. Above, the points that follow the "
        "slope of W1 move at one speed; below, those that follow the slope of W2 squared slow down as they come near.",
        caption="Above, points with a short way arrive first. Below, all come nearer by the same share in each step.",
        sliders=[figures.Slider("Step", range(25))],
        layers=layers,
        readout=[
            f"W1 = {np.abs(one - np.sort(target)).mean():.3f} above, {np.abs(two - np.sort(target)).mean():.3f} below"
            for one, two in zip(frames[1], frames[2], strict=True)
        ],
    )
figure

# %% [markdown]
# ## Two mistakes, and their cure
#
# As a linear program, the plan is a vector $x \ge 0$ of 100 numbers with $Ax = (a, b)$, where $a$ and $b$ are the shares of earth in
# $P$ and $Q$, and the rows of $A$ add up the twenty sums. The potentials solve the dual program: maximise $(a, b) \cdot (f, g)$
# subject to $A^\top (f, g) \le c$. Two mistakes are easy to make. The matrix must be transposed, and `linprog` takes all variables
# to be at least 0 unless it is told otherwise.

# %%
A = np.vstack([np.kron(np.eye(10), np.ones(10)), np.kron(np.ones(10), np.eye(10))])
a, b, c = P / P.sum(), Q / Q.sum(), distance.ravel()
masses = np.concatenate([a, b])

try:
    linprog(-masses, A_ub=A, b_ub=c)
except ValueError as error:
    print("not transposed:", error)

nonnegative = linprog(-masses, A_ub=A.T, b_ub=c)
print("no free variables:", abs(nonnegative.fun))
assert abs(nonnegative.fun) < 1e-7

# %% [markdown]
# The second mistake raises nothing. It returns 0, because $f_i + g_i \le c_{ii} = 0$ leaves no other choice to numbers that are not
# negative. With both corrected:

# %%
dual = linprog(-masses, A_ub=A.T, b_ub=c, bounds=(None, None))
print("free variables:", -dual.fun)
assert abs(-dual.fun - costs[-1]) < 1e-7  # the tolerance of HiGHS
print("rank of A:", np.linalg.matrix_rank(A), "of", len(A), "rows")

# %% [markdown]
# One row of $A$ follows from the others: both piles have the same mass. So a constant may be added to $f$ and taken off $g$, and
# nothing changes.
#
# /// solution | Question: what if the two piles are not multiplied to the same total?
# Then no plan has the row sums $P$ and the column sums $Q$. `emd` raises a `ValueError` that says by how much the totals differ. Normalise
# both piles, or solve another problem: *unbalanced* transport, which may leave earth behind.
# ///
