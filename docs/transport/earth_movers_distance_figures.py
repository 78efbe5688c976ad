"""Figures of the note on the Earth Mover's Distance."""

import matplotlib.pyplot as plt
import numpy as np

from mlnotes2.transport import emd, emd_1d, improve_plan, naive_plan, plan_cost
from notesite import figures

PLACES = np.arange(10)
P = np.array([12, 7, 4, 1, 19, 14, 9, 6, 3, 2]) * 71  # as whole numbers with one total
Q = np.array([1, 5, 11, 17, 13, 9, 6, 4, 3, 2]) * 77
EDGES = np.arange(11) - 0.5
DISTANCE = np.abs(PLACES[:, None] - PLACES)


def plan():
    """The plan as a matrix between the two piles, made cheaper step by step."""
    plans = [naive_plan(P, Q[::-1])[:, ::-1]]
    while not np.array_equal(better := improve_plan(plans[-1], DISTANCE), plans[-1]):
        plans.append(better)
    averages = np.array([plan_cost(p, DISTANCE) / P.sum() for p in plans])
    last = len(plans) - 1
    shown = np.array([*range(0, last, 4), last])  # one exchange alone is hardly seen
    bound = emd(P, Q, DISTANCE).dual_cost / P.sum()
    fig, axes = plt.subplot_mosaic(
        [[".", "Q"], ["P", "plan"], ["cost", "cost"]],
        figsize=(figures.WIDTH, 6.1),
        width_ratios=[1, 3],
        height_ratios=[1, 3.2, 1.5],
    )
    axes["Q"].stairs(Q, fill=True, facecolor=figures.shade(1, 0.5), edgecolor="C1", lw=1)
    axes["P"].stairs(
        P, fill=True, facecolor=figures.shade(0, 0.5), edgecolor="C0", lw=1, orientation="horizontal"
    )
    axes["P"].invert_xaxis()
    axes["P"].spines[["left", "bottom"]].set_visible(False)
    axes["Q"].spines["left"].set_visible(False)
    axes["Q"].set(xlim=(0, 10), xticks=[], yticks=[], title="Q: earth wanted")
    axes["P"].set(ylim=(10, 0), xticks=[], yticks=[], ylabel="P: earth now")
    axes["cost"].plot(averages, color=figures.MUTED, lw=1.2)
    axes["cost"].axhline(bound, color="C3", lw=1.5, ls="--")
    axes["cost"].text(0, 0.1, "no plan costs less than this", color="C3", va="bottom")
    axes["cost"].set(xlabel="exchanges made", ylabel="B(γ)", ylim=(0, 3.9), xticks=shown, yticks=[0, 1, 2, 3])
    axes["cost"].grid(visible=False)
    axes["cost"].tick_params(length=0)
    shares = np.stack(plans)[shown] / P.sum() * 100
    return figures.Figure(
        fig,
        alt="Pile P beside the rows and pile Q above the columns of a matrix, the moving plan. In "
        f"{last} exchanges its mass gathers near the diagonal and the average distance falls from "
        f"{averages[0]:.3f} to {averages[-1]:.4f}, a lower bound that no plan can beat.",
        caption="Each cell says how much earth goes from its row to its column. Below, the average distance of "
        "the plan, exchange by exchange.",
        sliders=[figures.Slider("Exchanges made", ["0, naive", *map(str, shown[1:-1]), f"{last}, best"])],
        layers=[
            figures.Cells(
                axes["plan"],
                shares,
                rows=PLACES,
                cols=PLACES,
                color=2,
                format="{:.1f} %",
                entry="from {row} to {col}: {value} of the earth",
            ),
            figures.Dots(axes["cost"], np.stack([shown, averages[shown]], axis=1)[:, None], color=2, size=9),
        ],
        readout=[f"B(γ) = {average:.4f}" for average in averages[shown]],
    )


def area():
    """The distance as the area between two distribution functions, while one pile is shifted."""
    shifts = np.arange(-3, 4)
    p, q = P / P.sum(), Q / Q.sum()
    fig, (piles, totals) = figures.subplots(2, 1, height=4.4, sharex=True, height_ratios=[1, 1.3])
    piles.set(xlim=(-4, 13), ylim=(0, 0.3), ylabel="share of earth", yticks=[], xticks=range(0, 13, 4))
    piles.spines["left"].set_visible(False)
    piles.stairs(p, EDGES, fill=True, facecolor=figures.shade(0, 0.5), edgecolor="C0", lw=1)
    totals.set(ylim=(0, 1.05), xlabel="position", ylabel="running total", yticks=[0, 0.5, 1])
    for ax in (piles, totals):
        ax.grid(visible=False)
        ax.tick_params(length=0)
    first = _steps(PLACES, p)
    totals.plot(*first.T, color="C0")
    piles.text(-3.6, 0.25, "P stays", color="C0")
    piles.text(-3.6, 0.2, "Q moves", color="C1")
    moved = [_steps(PLACES + shift, q) for shift in shifts]
    between = np.stack([np.concatenate([first[1:-1], second[-2:0:-1]]) for second in moved])
    corners = np.stack([np.repeat(EDGES, 2), np.concatenate([[0], np.repeat(q, 2), [0]])], axis=1)
    pile = corners + shifts[:, None, None] * [1, 0]
    distances = [emd_1d(PLACES, PLACES + shift, p, q) for shift in shifts]
    return figures.Figure(
        fig,
        alt="Two piles on a line and their running totals. The area between the running totals is the Earth "
        f"Mover's Distance: {distances[3]:.4f} for the piles as they stand, {distances[-1]:.4f} with Q "
        f"shifted by {shifts[-1]:g}.",
        caption="Each running total is the share of earth up to a position. The shaded area is $W(P, Q)$.",
        sliders=[figures.Slider("Shift Q by", shifts, start=3)],
        layers=[
            figures.Line(piles, pile, color=1, width=1, fill=0.4),
            figures.Line(totals, between, color=2, width=0, fill=0.35),
            figures.Line(totals, np.stack(moved), color=1),
        ],
        readout=[f"area = W(P, Q) = {distance:.4f}" for distance in distances],
    )


def two_best_plans():
    """A row of books moves one place to the right: each a little, or one a lot."""
    books = np.arange(5)
    fig, shelf = figures.subplots(height=2)
    shelf.set(xlim=(-0.6, 6.6), ylim=(-0.9, 1.6), xlabel="place", xticks=range(6), yticks=[])
    shelf.spines["left"].set_visible(False)
    shelf.tick_params(length=0)
    shelf.grid(visible=False)
    shelf.plot(books, np.full(5, -0.4), "s", ms=20, color="C0")
    shelf.plot(5, -0.4, "s", ms=20, markerfacecolor="none", color="C1")
    shelf.plot(*np.hstack([_arc(book, book + 1, 0.35) for book in books]), color="C0")
    shelf.plot(*_arc(0, 5, 1.4), color="C1", ls="--")
    shelf.text(5.2, 0.2, "5 moves by 1", color="C0")
    shelf.text(4.2, 1.2, "1 move by 5", color="C1")
    return figures.Figure(
        fig,
        alt="Five books stand at the places 0 to 4 and are wanted at 1 to 5. Short arcs move each by one "
        "place, one long arc moves the first by five places.",
        caption="Both plans cost 5, and no plan costs less.",
    )


def _steps(places, masses):
    """The corners of a distribution function, from far left to far right."""
    heights = np.concatenate([[0], np.cumsum(masses)])
    return np.stack([np.concatenate([[-4], np.repeat(places, 2), [13]]), np.repeat(heights, 2)], axis=1)


def _arc(start, end, height):
    """A path from one place to another through the air."""
    t = np.linspace(0, 1, 11)
    return np.stack([start + (end - start) * t, height * 4 * t * (1 - t)])
