# %% [markdown]
# # Lab: one Gaussian, two modes, six divergences
#
# **If the model cannot match the data, how much does the divergence decide? And does a critic find what the exact divergence finds?**
#
# One Gaussian is fitted to a mixture of two, as in section 2.4 of [Nowozin, Cseke and Tomioka 2016](https://arxiv.org/abs/1606.00709):
# once by minimising the divergence itself, once through a critic, as a GAN does. Every expectation is a sum over a fine grid. So nothing is
# drawn, and each difference has a cause. The mixture, the critic and all numbers are our own. The lab uses `mlnotes2` (with NumPy, SciPy and
# PyTorch) and `notesite` (with matplotlib); the note behind it is [f-divergences](f-divergences.md).

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy.optimize import minimize

from mlnotes2.divergences import HELLINGER, JEFFREYS, JS, KL, PEARSON, REVERSE_KL
from notesite import figures

torch.set_num_threads(1)  # small sums: more threads are no faster, and would change the last bits
family = [PEARSON, KL, JS, HELLINGER, JEFFREYS, REVERSE_KL]

# %% [markdown]
# ## The data and the model
#
# The data $P$ are a mixture, seven parts of $N(-1, \tfrac12)$ and three of $N(\tfrac52, \tfrac12)$, with variances of one half. The model $Q$ is one
# Gaussian, with mean $\mu$ and standard deviation $\sigma$. Both are shares of the cells of a grid.

# %%
x = torch.linspace(-12, 12, 601, dtype=torch.float64)


def normal(mean, std):
    """The shares of the grid's cells, which sum to 1."""
    return torch.softmax(-(((x - mean) / std) ** 2) / 2, dim=0)


p = 0.7 * normal(-1, 0.5**0.5) + 0.3 * normal(2.5, 0.5**0.5)

# %% [markdown]
# ## Exact
#
# `f.divergence(p, q)` is the divergence, with its gradient in $\mu$ and $\log \sigma$. There may be two valleys: one descent starts
# wide, one on the larger mode, and the lower end counts.

# %%
starts = [(0.0, 0.5), (-1.0, 0.0)]
inside = [(-4, 5), (-1, 1)]


def lowest(loss):
    """The best (mean, standard deviation) from all starts; `loss` maps tensors to the value to minimise."""

    def value_and_gradient(theta):
        theta = torch.tensor(theta, requires_grad=True)
        value = loss(normal(theta[0], theta[1].exp()))
        value.backward()
        return value.item(), theta.grad.numpy()

    ends = [minimize(value_and_gradient, start, jac=True, bounds=inside, tol=1e-12) for start in starts]
    best = min(ends, key=lambda end: end.fun)
    assert np.abs(best.jac).max() < 1e-3, best
    return best.fun, (best.x[0], np.exp(best.x[1]))


exact = [lowest(lambda q, f=f: f.divergence(p, q)) for f in family]
print("minimised    mean   std  divergence")
for f, (value, (mean, std)) in zip(family, exact, strict=True):
    print(f"{f.name:<11} {mean:5.2f}  {std:.2f}  {value:10.4f}")

# %% [markdown]
# Read the table from top to bottom. The more a divergence punishes a model that has little where the data have much, the wider the model. The first
# five cover both modes. Reverse KL punishes what the model has and the data have not: it gives up the smaller mode.

# %% alt="The two-mode density of the data, and three fitted Gaussians: those of PEARSON and JEFFREYS are broad and cover both modes, that of REVERSE_KL is narrow and covers the left one."
step = (x[1] - x[0]).item()
fig, ax = plt.subplots(figsize=(5, 3))
ax.fill_between(x, p / step, color=figures.MUTED, alpha=0.3, lw=0)
for color, name in ((0, PEARSON), (2, JEFFREYS), (1, REVERSE_KL)):
    ax.plot(x, normal(*exact[family.index(name)][1]) / step, color=f"C{color}", label=name.name)
ax.set(xlim=(-5, 6), ylim=(0, None), xlabel="x", ylabel="density", xticks=[-4, -2, 0, 2, 4])
ax.legend()
plt.show()

# %% [markdown]
# ## Through a critic
#
# A GAN does not know $p$. It minimises, over the model, the largest bound that a critic can give:
#
# $$
# \begin{aligned}
# & \min_{\mu, \sigma} \; \max_w \; F, \\
# & F = \E_P\left[ a(v_w) \right] - \E_Q\left[ f^*(a(v_w)) \right] .
# \end{aligned}
# $$
#
# Here $a$ is the divergence's activation and $v_w$ a network with one hidden layer, $v_w(x) = w_0 + \sum_k w_k \tanh(x - c_k)$. Its steps stand at nine fixed places
# $c_k$, and only the weights $w$ are trained. For all but Pearson's, $a(v) = f'(e^v)$, so the best output is
# $v = \log(p/q)$.
#
# | | $a(v)$ | $f^*(a(v))$ |
# |---|---|---|
# | `PEARSON` | $v$ | $v' + \tfrac14 v'^2$ with $v' = \max(v, -2)$ |
# | `KL` | $1 + v$ | $e^v$ |
# | `JEFFREYS` | $v + 1 - e^{-v}$ | $v + e^v - 1$ |
# | `HELLINGER` | $\tfrac12 ( 1 - e^{-v/2} )$ | $\tfrac12 ( e^{v/2} - 1 )$ |
# | `JS` | $\tfrac12 \log 2 - \tfrac12 \log(1 + e^{-v})$ | $\tfrac12 \log(1 + e^v) - \tfrac12 \log 2$ |
# | `REVERSE_KL` | $-e^{-v}$ | $v - 1$ |
#
# Each $a$ is concave, each $f^*(a(v))$ is convex, and $v_w$ is linear in $w$. So $F$ is concave in $w$: whatever local maximum the search finds is
# the largest, and there is no luck in it. Once the critic is the best one, the slope of $F$ in the model's parameters at this critic is the slope of the
# maximum: the best $w$ moves with the model, but the slope of $F$ in $w$ is 0 there, so this counts in second order only.


# %%
def hidden_layer(size):
    """The outputs of the hidden units, and a constant, at all points of the grid."""
    places = torch.linspace(-4, 4, size, dtype=torch.float64)
    return torch.cat([torch.ones_like(x)[:, None], torch.tanh(x[:, None] - places)], dim=1)


def bound(f, q, hidden, w):
    v = hidden @ w
    return p @ f.activation(v) - q @ f.conjugate_of_activation(v)


def best_critic(f, q, hidden, start):
    """The weights of the largest bound."""

    def loss(w):
        w = torch.tensor(w, requires_grad=True)
        value = -bound(f, q, hidden, w)
        value.backward()
        return value.item(), w.grad.numpy()

    return minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-7, "maxiter": 2000}).x


def through_a_critic(f):
    hidden = hidden_layer(9)
    w = np.zeros(10)

    def loss(q):
        nonlocal w
        w = best_critic(f, q.detach(), hidden, w)  # from the last one on
        return bound(f, q, hidden, torch.tensor(w))

    return lowest(loss)


variational = [through_a_critic(f) for f in family]
print(f"{'exact':>27}{'through a critic':>27}")
print(" " * 11, " mean   std  value   mean   std  bound   value")
for f, (value, model), (largest, found) in zip(family, exact, variational, strict=True):
    there = f.divergence(p, normal(*found)).item()
    rows = [f"{mean:5.2f}  {std:.2f}" for mean, std in (model, found)]
    print(f"{f.name:<11} {rows[0]} {value:.4f}  {rows[1]} {largest:.4f}  {there:.4f}")
    assert largest <= value <= there + 1e-9

# %% [markdown]
# The bound stands below the exact minimum, as it must, and the divergence at the model that was found stands above it. The models agree to a few
# hundredths. What is missing is the critic's fault: nine steps cannot bend as the best critic does.
#
# ## What a small critic cannot see
#
# Take the model that KL chose. The best output is $v = \log(p/q)$, and then the bound is the divergence. With three hidden units the critic hardly
# sees the valley between the modes.

# %%
divergence, model = exact[family.index(KL)]
q = normal(*model)
sizes = [2, 3, 5, 9, 17]
outputs, bounds = [], []
for size in sizes:
    hidden = hidden_layer(size)
    w = torch.tensor(best_critic(KL, q, hidden, np.zeros(size + 1)))
    outputs.append(hidden @ w)
    bounds.append(bound(KL, q, hidden, w).item())

shown = (x >= -5) & (x <= 6)
fig, ax = figures.subplots(height=3)
ax.plot(x[shown], torch.log(p / q)[shown], color=figures.MUTED)
ax.text(0.9, -2.4, "log p/q", color=figures.MUTED, ha="center", va="top")
ax.set(
    xlim=(-5, 6), ylim=(-4.5, 2), xlabel="x", ylabel="output v", xticks=[-4, -2, 0, 2, 4], yticks=[-4, -2, 0]
)
figures.Figure(
    fig,
    alt=f"The logarithm of p/q, with two humps, and the best critics with {sizes[0]} to {sizes[-1]} hidden units, "
    f"which come near it: their bounds rise from {bounds[0]:.4f} to {bounds[-1]:.4f} of {divergence:.4f}.",
    caption="Grey: the best critic of all. Coloured: the best one with so many hidden units.",
    sliders=[figures.Slider("Hidden units", sizes, start=1)],
    layers=[figures.Line(ax, np.stack([np.stack([x, v], -1)[shown] for v in outputs]), color=1)],
    readout=[f"bound {value:.4f} of {divergence:.4f}" for value in bounds],
)

# %% [markdown]
# ## Trained with one, judged by another
#
# Each row is a model, trained through the critic. Each column measures all of them with one exact divergence. The smallest number of a column stands in
# its own row: each divergence is best by its own measure.

# %%
table = np.array([[f.divergence(p, normal(*model)).item() for f in family] for _, model in variational])
print("trained with" + "".join(f"{f.name:>11}" for f in family))
for f, row in zip(family, table, strict=True):
    print(f"{f.name:<12}" + "".join(f"{value:11.4g}" for value in row))
assert (table.argmin(axis=0) == np.arange(len(family))).all()

# %% [markdown]
# Five of the rows hardly differ. The last one does: for reverse KL the model that drops a mode is the best there is, and Pearson's divergence of that model is
# astronomical. If the model could match the data, all six would be 0 there, and only there. If it cannot, the divergence decides what is lost.
#
# That is not the whole story of mode collapse. Here the critic is the best one at every step, and the model has two parameters; in a
# GAN neither is so. See [mode collapse](../gan/mode-collapse.md).
