"""Example 5.2: the height of a soap bubble at one point, by random walks to the wire.

A film in a bent wire has at every inner point the mean height of its surroundings. The usual way is to iterate over a grid until every
point does; Monte Carlo asks about one point only: walk from it at random until the wire is met, and average the heights found there.
What the book describes is the idea; the wire, the grid of 19 x 19 points and the point are our choices. Exact heights solve the equations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.monte_carlo.mc_prediction import mc_prediction
from rlcourse.core import exact
from rlcourse.core.config import Config, Count
from rlcourse.envs.soap_film import soap_film, wire
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, mean, true
from rlcourse.figures.experiment import Lab, checkpoints

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

N, POINT = 19, (13, 6)  # grid, and (row, column) of the point


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 200
    walks: Count = 1_000
    shown: Count = 4  # walks that are drawn


FAST = {"runs": 60}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return numbers of walks [points], estimates [runs, points], exact heights [N, N], variance at the point, and walks (state, walk)."""
    film, policy = soap_film(N, POINT), np.full((N * N, 4), 0.25)
    s, walks = N * POINT[0] + POINT[1], np.unique(np.geomspace(10, settings.walks, 20).astype(int))

    def estimate(rng: np.random.Generator) -> np.ndarray:
        V, visits = np.zeros(N * N), np.zeros(N * N)

        def learn(trial: Any) -> None:
            mc_prediction(trial, policy, V, visits, True, 0.0, 1.0, rng)

        return checkpoints(film, learn, lambda: V[s], walks)

    (estimates,) = lab.study(lambda _, rng, n: np.array([estimate(rng) for _ in range(n)]), [None], settings.runs, chunk=20)
    v = exact.v_pi(film, policy, 1.0)
    squares = exact.v_pi(film._replace(reward=film.reward * film.reward), policy, 1.0)
    rng, steps = lab.rng(1_000_000), []
    for i in range(settings.shown):
        state, over = film.reset(rng), False
        while not over:
            steps.append((state, i))
            state, _, over, _ = film.step(state, int(4 * rng.random()), rng)
    return {
        "walks": walks, "estimates": estimates, "heights": v.reshape(N, N), "variance": squares[s] - v[s] ** 2, "steps": np.array(steps),
    }  # fmt: skip


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the film with some walks below it, and estimates against the number of walks."""
    figure.set_size_inches(9.6, 4.4)
    grid = figure.add_gridspec(1, 2, width_ratios=(1.15, 1))
    axes, along = figure.add_subplot(grid[0], projection="3d"), np.linspace(0, 1, N + 2)
    whole = np.array([[wire(x, y) for x in along] for y in along])
    whole[1:-1, 1:-1] = data["heights"]
    floor = whole.min() - 0.9
    style.surface(axes, along, along, whole, "", ("x", "y", "height"))
    edge = [(x, 0.0) for x in along] + [(1.0, y) for y in along] + [(x, 1.0) for x in along[::-1]] + [(0.0, y) for y in along[::-1]]
    axes.plot(*zip(*edge, strict=True), [wire(x, y) for x, y in edge], color=style.INK, linewidth=2.2)
    for i in range(settings.shown):
        mine = data["steps"][data["steps"][:, 1] == i, 0]
        axes.plot(along[1 + mine % N], along[1 + mine // N], floor, color=style.COLORS[i % 4], linewidth=1.0)
    x, y, height = along[1 + POINT[1]], along[1 + POINT[0]], data["heights"][POINT]
    axes.plot([x, x], [y, y], [floor, height], color=style.INK, linewidth=1, linestyle=":", zorder=9)
    axes.plot([x], [y], [height], "o", color=style.COLORS[1], markersize=6, zorder=10)
    axes.set(zlim=(floor, whole.max()), xticks=[0, 1], yticks=[0, 1])
    axes.view_init(elev=24, azim=-58)
    right = style.panel(figure.add_subplot(grid[1]), "one point only", "walks (log scale)", "estimated height")
    for i in range(3):
        right.plot(data["walks"], data["estimates"][i], color=style.COLORS[i], linewidth=1.2, label="three runs" if i == 0 else None)
    half = 1.96 * np.sqrt(data["variance"] / data["walks"])
    right.fill_between(data["walks"], height - half, height + half, color=style.GREY, alpha=0.2, linewidth=0, label="95 % of runs")
    style.reference(right, float(height), "exact", side="left")
    right.set_xscale("log")
    right.legend(frameon=False)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Example 5.2 says."""
    heights, estimates, height = data["heights"], data["estimates"], float(data["heights"][POINT])
    mid = heights[1:-1, 1:-1]
    around = (heights[:-2, 1:-1] + heights[2:, 1:-1] + heights[1:-1, :-2] + heights[1:-1, 2:]) / 4
    error = (estimates - height) ** 2 * data["walks"]
    edge = [wire(x, y) for x in np.linspace(0, 1, N + 2) for y in (0.0, 1.0)] + [
        wire(x, y) for y in np.linspace(0, 1, N + 2) for x in (0, 1)
    ]
    return [
        true("every inner height is the mean of its neighbours", np.allclose(mid, around, rtol=0, atol=1e-10)),
        true("the film stays between the wire's lowest and highest points", min(edge) < heights.min() and heights.max() < max(edge)),
        equal("walks from one point find its height", mean(estimates[:, -1]), height),
        equal("they err as averages do: by the variance over the number of walks", mean(error.mean(axis=1)), float(data["variance"])),
        less("more walks, smaller errors", mean((estimates[:, -1] - height) ** 2), mean((estimates[:, 0] - height) ** 2)),
    ]
