# %% [markdown]
# # Lab: slices, and the colours of two photographs
#
# **What is left of the Wasserstein distance if one looks at a cloud from random directions only, and what is it good for?**
#
# On a line the distance is found by [sorting](earth-movers-distance.md#on-a-line-sorting-is-enough). The **sliced** distance projects
# two clouds of points onto random lines through the origin, and takes the mean of what it finds there:
#
# $$
# SW_p(P, Q) = \left( \E_\theta \, W_p(\theta P, \theta Q)^p \right)^{1/p} ,
# $$
#
# where $\theta$ is uniform on the unit sphere and $\theta P$ is the distribution of the numbers $\langle \theta, x \rangle$. No line sees
# more than there is: $|\langle \theta, x - y \rangle| \le \lVert x - y \rVert$, so a best plan shows $SW_p \le W_p$. It is 0 only for equal distributions: if
# all projections are equal, so are $\E_P \, e^{i t \langle \theta, x \rangle}$ and $\E_Q \, e^{i t \langle \theta, x \rangle}$ for all $t$ and $\theta$, and these determine a
# distribution (Cramér and Wold).
# But it is *not* $W_p$, and not a multiple of it.
#
# This lab needs `mlnotes2`, `matplotlib`, and `scikit-learn` with `pillow`.

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.cluster import MiniBatchKMeans
from sklearn.datasets import load_sample_image

from mlnotes2.transport import emd, sliced_wasserstein

# %% [markdown]
# ## How many directions?
#
# Two clouds of 500 points in 20 dimensions, drawn from the same normal distribution; then one is moved by 1. Here $p = 1$. The estimate is a mean over directions, so its standard error falls with
# the root of their number. `sliced_wasserstein` returns both, as a `SlicedResult`. The standard error is about directions only: another sample of the same two distributions has
# another sliced distance.

# %%
generator = torch.Generator().manual_seed(0)
x, y = torch.randn(2, 500, 20, generator=generator, dtype=torch.float64)
y[:, 0] += 1
reference = sliced_wasserstein(x, y, n_projections=20_000, generator=generator)
counts = [10, 30, 100, 300, 1000, 3000]
results = [sliced_wasserstein(x, y, n_projections=count, generator=generator) for count in counts]
estimates, errors = (np.array([r[k].item() for r in results]) for k in (0, 1))
for count, estimate, error in zip(counts, estimates, errors, strict=True):
    print(f"{count:5d} directions: {estimate:.4f} ± {error:.4f}")

# %% alt="Estimates of the sliced distance for 10 to 3000 directions, each with bars of two standard errors, which shrink around the value that 20,000 directions give."
fig, ax = plt.subplots(figsize=(5, 2.4))
ax.axhline(reference.estimate, color="C2", ls="--")
ax.errorbar(counts, estimates, yerr=2 * errors, fmt="o", capsize=3, color="C0")
ax.set(xscale="log", xlabel="directions", ylabel="estimate ± 2 errors")
plt.show()

# %% [markdown]
# One hundred times as many directions make the error ten times smaller.
#
# ## Two photographs
#
# The first photograph should keep its content and take the colours of the second. A pixel is a point in three dimensions: red, green and blue, each from
# 0 to 1. So there are two clouds, and a plan that moves one onto the other says what becomes of each colour.


# %%
def photograph(name):
    pixels = load_sample_image(name)[::8, ::8] / 255
    return torch.from_numpy(pixels)


def show(*images, titles):
    _, axes = plt.subplots(1, len(images), figsize=(6, 1.8))
    for ax, image, title in zip(axes, images, titles, strict=True):
        ax.imshow(image.numpy(), interpolation="none")
        ax.set_title(title, fontsize=9)
        ax.axis("off")
    plt.show()


content, style = photograph("china.jpg"), photograph("flower.jpg")
x, y = content.reshape(-1, 3), style.reshape(-1, 3)
print(f"{len(x)} and {len(y)} pixels")

# %% alt="Two photographs: a pagoda under a blue sky, and a flower on a dark green ground."
show(content, style, titles=["content", "colours"])

# %% [markdown]
# ## By exact transport of two palettes
#
# A cost matrix for all pixels would have nearly 19 million entries. So each photograph is first reduced to a palette of 100 colours, weighted by their
# pixels. `emd` finds a best plan for squared distances. Each colour of the first palette then becomes the mean of the colours that its earth goes to,
# and each pixel is shifted as its nearest palette colour is.


# %%
def palette(pixels):
    clusters = MiniBatchKMeans(100, n_init=1, random_state=0).fit(pixels.numpy())
    masses = np.bincount(clusters.labels_, minlength=100) / len(pixels)
    return clusters.cluster_centers_, masses, clusters.labels_


(first, a, labels), (second, b, _) = palette(x), palette(y)
plan = emd(a, b, ((first[:, None] - second) ** 2).sum(axis=2))
print(f"cost {plan.cost:.4f}, gap {plan.gap:.1e}")
filled = a > 0
shift = np.zeros_like(first)
shift[filled] = plan.plan[filled] @ second / a[filled, None] - first[filled]
by_plan = (x + torch.from_numpy(shift[labels])).clamp(0, 1)

# %% [markdown]
# ## By slices
#
# Here no palette is needed. Choose three random directions at right angles. Along each, the sorted pixels of the first photograph should take the values of the
# sorted pixels of the second: on a line that is the best plan. Move all pixels so, and take new directions.
# After some steps random directions see hardly any difference.

# %% values="before=distances[0] after=distances[-1]"
moved, generator = x.clone(), torch.Generator().manual_seed(0)
directions = torch.Generator().manual_seed(1)
distances = []
for step in range(31):
    if step % 10 == 0:
        left = sliced_wasserstein(moved, y, n_projections=50, generator=directions)
        distances.append(left.estimate.item())
        print(f"step {step:2d}: sliced distance {distances[-1]:.4f}")
    noise = torch.randn(3, 3, generator=generator, dtype=torch.float64)
    axes = torch.linalg.qr(noise).Q
    along, wanted = moved @ axes, (y @ axes).numpy()
    order = np.argsort(along.numpy(), axis=0)
    np.put_along_axis(along.numpy(), order, np.sort(wanted, axis=0), axis=0)
    moved = along @ axes.T
by_slices = moved.clamp(0, 1)

# %% alt="The pagoda in the colours of the flower photograph, twice: by exact transport of palettes and by slices."
images = [pixels.reshape(content.shape) for pixels in (by_plan, by_slices)]
show(*images, titles=["palettes, exact", "slices"])

# %% [markdown]
# The slices end with almost exactly the colours of the second photograph: the sliced distance has fallen from {value: transport.before .3f} to
# {value: transport.after .4f}. The exact plan moves one palette to the other as cheaply as can be. But each of its colours goes to
# a mean, so the result has only roughly the colours of the second photograph, and the plan knows 100 colours only. Neither looks at where a pixel lies: noise in the sky comes from neighbours that were sent to different places.
#
# ## As a loss
#
# The sliced distance has gradients for all points. Here a cloud is pulled onto a ring by gradient descent on $SW_2^2$. A point of mass
# $\tfrac{1}{50}$ that should move by $\delta$ has a slope of about $\tfrac{2}{50} \cdot \tfrac12 \lVert \delta \rVert$ in two dimensions, so a step of 25 goes about half the way.

# %%
generator = torch.Generator().manual_seed(0)
angle = 2 * torch.pi * torch.rand(50, generator=generator)
ring = torch.stack([angle.cos(), angle.sin()], dim=1)
points = 0.3 * torch.randn(50, 2, generator=generator)
path = [points.clone()]
for _ in range(60):
    points.requires_grad_()
    sliced = sliced_wasserstein(points, ring, n_projections=20, p=2, generator=generator)
    loss = sliced.estimate**2
    (slope,) = torch.autograd.grad(loss, points)
    points = points.detach() - 25 * slope
    path.append(points)
print(f"loss at the end {loss.item():.1e}")

# %% alt="Points that begin as a round cloud at the centre end on a ring."
fig, ax = plt.subplots(figsize=(5, 3.2))
ax.plot(*path[0].T, ".", color="C0", label="start")
ax.plot(*path[-1].T, ".", color="C1", label="end")
ax.set(aspect="equal")
ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
plt.show()
