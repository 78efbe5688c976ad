# %% [markdown]
# # Lab: a translator of dates
#
# **Does attention look where a person would look?** A small encoder–decoder learns to rewrite dates, in a few seconds. Then its
# attention weights are added up over dates that it has never seen.
#
# The lab needs `mlnotes2` (with PyTorch and Babel) and `matplotlib`. The mathematics stands in the note
# [The attention model](attention-model.md).

# %%
import matplotlib.pyplot as plt
import torch

from mlnotes2.attention import accuracy, dates, train_translator

torch.set_num_threads(1)  # more threads would change the last bits

# %% [markdown]
# ## The data
#
# Babel writes each day in one of five languages, in its medium, long or full form. No day comes twice, so the held-out days are new
# to the translator.

# %%
generator = torch.Generator().manual_seed(0)
pairs = dates(2500, generator=generator)
held_out, training = pairs[:500], pairs[500:]
for text, iso in held_out[:6]:
    print(f"{iso}  {text}")

# %% [markdown]
# ## Training
#
# Each step takes 64 dates. The decoder is told the right characters so far and learns the next one.

# %%
history = []


def watch(step, translator):
    if step % 8 == 0:
        history.append((step, accuracy(translator, held_out[:200])))


translator = train_translator(training, batch=64, lr=1e-2, generator=generator, on_step=watch)
print(f"{accuracy(translator, held_out):.1%} of {len(held_out)} unseen days are right")

# %% alt="The share of unseen days that are translated without an error, by training step: near 0 at first, then rising steeply towards 1."
fig, ax = plt.subplots(figsize=(5, 2.4))
ax.plot(*zip(*history, strict=True))
ax.set(xlabel="training step", ylabel="unseen days right", ylim=(0, 1.05))
plt.show()

# %% [markdown]
# ## Where it looks
#
# For each character that is written, print the character with the largest attention weight.

# %%
for text in ("Saturday, May 11, 2019", "11.05.2019"):
    iso, alignment = translator.translate(text)
    print(f"{text!r} -> {iso}")
    for letter, weights in zip(iso, alignment, strict=True):
        place = int(weights.argmax())
        print(f"    {letter}  from {text[place]!r} at {place}, weight {weights[place]:.2f}")

# %% [markdown]
# One date proves little. So average, over 150 unseen dates, the weight that falls on the four characters of the year.

# %%
on_year = torch.zeros(10)
for text, iso in held_out[:150]:
    start = text.index(iso[:4])
    on_year += translator.translate(text).alignment[:, start : start + 4].sum(dim=1) / 150
print("year: ", [round(x, 2) for x in on_year[:4].tolist()])
print("month:", [round(x, 2) for x in on_year[5:7].tolist()])
print("day:  ", [round(x, 2) for x in on_year[8:].tolist()])
assert on_year[:4].min() > on_year[[5, 6, 8, 9]].max()

# %% alt="Average attention on the year, for each of the ten characters written: high for the four characters of the year, lower for the rest."
fig, ax = plt.subplots(figsize=(5, 2.4))
ax.bar(range(10), on_year)
ax.set_xticks(range(10), list("YYYY-MM-DD"))
ax.set(xlabel="character that is written", ylabel="weight on the year", ylim=(0, 1))
plt.show()

# %% [markdown]
# So it looks at the year while it writes the year, and elsewhere while it writes month and day. A hyphen may be read from anywhere:
# it follows whatever the text says.
#
# ## What it cannot do
#
# It has seen five languages. In a sixth one it does not say that it does not know, it writes a date all the same. These are the
# 11th of May in Portuguese, which is related to what it has seen, and the 11th of March in Finnish, which is not.

# %%
print(translator.translate("11 de maio de 2019").text)
print(translator.translate("11. maaliskuuta 2019").text)

# %% [markdown]
# A character that it has never seen is an error, not a guess.

# %%
try:
    translator.translate("11/05/2019")
except ValueError as error:
    print(error)
