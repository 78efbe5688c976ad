# %% [markdown]
# # Lab: how much a convolution stretches
#
# **What is the norm of a convolution, and what is left of it after PyTorch has normalized the layer?**
#
# The matrix of a convolution has a row for each number of the output and a column for each number of the input: for images of
# $32 \times 32$ pixels and 64 channels, more than four billion entries. This lab encloses its norm without that matrix. It uses
# `mlnotes2` (with PyTorch) and matplotlib. The mathematics stands in the note
# [Spectral normalization](normalization.md#the-convolution).

# %%
import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.nn.utils import parametrizations

from mlnotes2.spectral import conv_spectral_norm, spectral_norm, spectral_normalize

# %% [markdown]
# ## Three norms of one kernel
#
# A random $3 \times 3$ kernel between 64 channels: as a matrix with 64 rows, and as a convolution of $32 \times 32$ images.

# %% values="random_reshaped=reshaped.upper random_circular=circular.lower random_zeros=zeros.lower"
kernel = torch.randn(64, 64, 3, 3, generator=torch.Generator().manual_seed(0))
reshaped = spectral_norm(kernel.flatten(1))
circular = conv_spectral_norm(kernel, 32, padding="circular", tol=1e-4)
zeros = conv_spectral_norm(kernel, 32, padding="zeros")
for name, norm in [("reshaped", reshaped), ("circular padding", circular), ("zero padding", zeros)]:
    print(f"{name:>16}: {norm.lower:.3f} to {norm.upper:.3f}")

# %% [markdown]
# The interval for zeros is wider, because its upper end is the norm of a circular convolution on a larger image. That is what an
# image without edges would see; the smaller the image, the more it differs.

# %%
for size in (4, 8, 16, 32, 64):
    norm = conv_spectral_norm(kernel[:16, :16], size)
    print(f"{size:2} x {size:2} pixels: {norm.lower:.3f} to {norm.upper:.3f}")

# %% [markdown]
# The lower end comes with an image that is stretched so much. PyTorch's own convolution agrees:

# %%
u, v = zeros.witness
image = nn.functional.conv2d(v[None], kernel.double(), padding=1)[0]
print(f"stretched by {image.norm() / v.norm():.6f}, at least {zeros.lower:.6f}")

# %% [markdown]
# ## What PyTorch's parametrization leaves
#
# `torch.nn.utils.parametrizations.spectral_norm` divides by the norm of the reshaped kernel. A hundred steps of power iteration
# bring it there, and the convolution is still too steep.

# %% values="torch_leaves=left.lower"
layer = nn.Conv2d(64, 64, 3, padding=1)
with torch.no_grad():
    layer.weight.copy_(kernel)
torch.manual_seed(0)
layer = parametrizations.spectral_norm(layer, n_power_iterations=100).eval()
left = conv_spectral_norm(layer.weight, 32)
print(f"as a matrix:      {spectral_norm(layer.weight.flatten(1)).upper:.4f}")
print(f"as a convolution: {left.lower:.4f} to {left.upper:.4f}")

# %% [markdown]
# `spectral_normalize` divides by a bound for images of every size, at each use of the weight. So the layer is not too steep
# at the first step of training, nor after it.

# %% values="ours_leaves=norm.upper"
layer = nn.Conv2d(64, 64, 3, padding=1)
with torch.no_grad():
    layer.weight.copy_(kernel)
layer = spectral_normalize(layer)
optimizer = torch.optim.Adam(layer.parameters(), lr=0.3)
images = torch.randn(4, 64, 32, 32, generator=torch.Generator().manual_seed(1))
for step in range(3):
    norm = conv_spectral_norm(layer.weight, 32)
    print(f"step {step}: {norm.lower:.4f} to {norm.upper:.4f}")
    optimizer.zero_grad()
    layer(images).relu().mean().neg().backward()
    optimizer.step()

# %% [markdown]
# ## A few waves speak for all
#
# A wave of $f$ turns per pixel meets one small matrix, and the norm of the convolution is the largest norm among the matrices.
# Here is a kernel with 5 taps between 8 channels, in one dimension. The norm as a function of $f$ is smooth: a few
# equally spaced frequencies bound it everywhere, and so bound the norm for images of every size.

# %% alt="The norm of the Fourier matrix over the frequency, a smooth curve with several bumps; dots on it at 24 frequencies, and a line above all of it, just above the highest dot."
taps = torch.randn(8, 8, 5, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


def norm_at(f):
    wave = torch.exp(2j * torch.pi * f[:, None] * torch.arange(5.0, dtype=torch.float64))
    return torch.linalg.matrix_norm(torch.einsum("ijk,fk->fij", taps.to(wave.dtype), wave), 2)


fine, few = torch.linspace(0, 1, 400, dtype=torch.float64), torch.arange(24, dtype=torch.float64) / 24
angle = torch.pi * (5 - 1) / (2 * len(few))
bound = norm_at(few).max() / (1 - angle**2 / 2)
assert norm_at(fine).max() <= bound
fig, ax = plt.subplots(figsize=(5, 2.6))
ax.plot(fine, norm_at(fine), color="C0")
ax.plot(few, norm_at(few), "o", color="C1", ms=4)
ax.axhline(float(bound), color="C2", ls="--")
ax.set(xlabel="turns per pixel", ylabel="norm of the matrix", xlim=(0, 1), ylim=(0, None))
plt.show()
