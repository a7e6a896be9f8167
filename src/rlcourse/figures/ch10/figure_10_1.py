"""Figure 10.1: the cost-to-go of mountain car during one run of semi-gradient Sarsa.

The height is -max_a q(s, a, w) over position and velocity, after 428 steps, still in the first episode, and after 12, 104, 1000 and 9000
episodes. There is no exploration but that of values which begin at zero, while every step costs 1: what was visited often looks worse
than what was not, and so the car goes where it has not been.

The caption names no step size; here it is the smallest of Figure 10.2. The maxima printed on the book's axes are 4, 27, 46, 104 and 120.
The first three depend on step size and luck, and the book's picture is said to be one of Sarsa(lambda), so that only the last two are
compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.approximation.semi_gradient_sarsa import semi_gradient_sarsa
from rlcourse.core.config import Config, Count, StepSize
from rlcourse.core.linear import q_hat
from rlcourse.core.trial import EPISODE_BUDGET, Trial
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, mean, true
from rlcourse.figures.experiment import Lab
from rlcourse.figures.mountain_car import ACTIONS, car, tiles

__all__ = ["FAST", "ONE_RUN", "Settings", "claims", "draw", "run"]

POSITIONS, VELOCITIES = np.linspace(-1.2, 0.5, 41), np.linspace(-0.07, 0.07, 41)
EPISODES = (12, 104, 1000, 9000)
START = np.linspace(-0.6, -0.4, 41)[:-1]  # positions, at rest
PRINTED = {1000: 104.0, 9000: 120.0}  # maxima on the book's axes


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    alpha: StepSize = 0.1 / 8
    step: Count = 428  # of the first panel


ONE_RUN = True
FAST: dict[str, Any] = {}


def costs(w: np.ndarray, positions: np.ndarray, velocities: np.ndarray) -> np.ndarray:
    """Return -max_a q(s, a, w), shape [velocities, positions]."""
    features = tiles()
    return np.array([[-q_hat(features.x((x, v)), w).max() for x in positions] for v in velocities])


def learn(trial: Trial, alpha: float, w: np.ndarray, rng: np.random.Generator) -> None:
    """Run the box without exploration and without discount."""
    semi_gradient_sarsa(trial, tiles(), w, alpha, 1.0, 0.0, rng)


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return surfaces [5, velocities, positions], costs at the start [4, positions], lengths of all episodes, visits of the first steps."""
    w = np.zeros((ACTIONS, tiles().size))
    trial = Trial.of(car(), steps=settings.step)
    learn(trial, settings.alpha, w, lab.rng(0))  # the same run as below, cut after these steps
    surfaces, starts = [costs(w, POSITIONS, VELOCITIES)], []
    first_ended = bool(trial.take_rows()[0, 2])
    w, rng = np.zeros_like(w), lab.rng(0)
    trial, lengths = Trial.of(car(), capacity=max(EPISODES)), np.zeros(0)
    for number in EPISODES:
        trial.sheet[EPISODE_BUDGET] = number
        learn(trial, settings.alpha, w, rng)
        lengths = np.append(lengths, trial.take_rows()[:, 1])
        surfaces.append(costs(w, POSITIONS, VELOCITIES))
        starts.append(costs(w, START, np.zeros(1))[0])
    return {"surfaces": np.array(surfaces), "starts": np.array(starts), "lengths": lengths, "first_ended": np.array(first_ended)}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the valley and the five surfaces."""
    figure.set_size_inches(10.2, 6.4)
    axes = style.panel(figure.add_subplot(2, 3, 1), "the task", "position")
    x = np.linspace(-1.2, 0.5, 200)
    axes.plot(x, np.sin(3 * x), color=style.INK, linewidth=1.6)
    axes.plot([-0.5], [np.sin(-1.5) + 0.07], "o", color=style.COLORS[1], markersize=9)
    axes.annotate("goal", (0.5, np.sin(1.5)), (-34, -3), textcoords="offset points", fontsize=9, color=style.INK)
    axes.plot([0.5], [np.sin(1.5)], "*", color=style.COLORS[2], markersize=12, clip_on=False)
    axes.set(ylim=(-1.15, 1.3), yticks=[])
    axes.grid(visible=False)
    names = [f"step {settings.step}", *(f"episode {number:,}" for number in EPISODES)]
    for i, (surface, name) in enumerate(zip(data["surfaces"], names, strict=True)):
        axes = figure.add_subplot(2, 3, i + 2, projection="3d")
        style.surface(axes, POSITIONS, VELOCITIES, surface, f"{name}: at most {surface.max():.0f}", ("position", "velocity", ""))
        axes.set(xticks=(-1.2, -0.35, 0.5), yticks=(-0.07, 0.0, 0.07), zticks=(0, np.round(surface.max())))
        axes.view_init(34, -58)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what the text says, that the values are those of the policy that is followed, and the printed maxima that can be compared."""
    surfaces, lengths = data["surfaces"], data["lengths"]
    highest = dict(zip(("step", *EPISODES), surfaces.max(axis=(1, 2)), strict=True))
    valley, edges = surfaces[0][15:26, 10:26], np.concatenate([surfaces[0][:, -4:].ravel(), surfaces[0][[0, -1]].ravel()])
    last = np.array([chunk.mean() for chunk in np.split(lengths[-2000:], 20)])
    return [
        true(f"after {settings.step} steps the first episode goes on", not data["first_ended"]),
        true(
            "by then the valley looks worse than what was never visited",
            edges.max() < valley.min(),
            f"{edges.max():.2f}, {valley.min():.2f}",
        ),
        true("what was never visited has kept its value of zero", np.all(np.abs(edges) < 1e-12)),
        true(
            "costs grow from panel to panel",
            np.all(np.diff([highest[key] for key in ("step", 12, 104, 1000)]) > 0),
            ", ".join(f"{top:.1f}" for top in highest.values()),
        ),
        true("it costs nothing to be at the goal", np.all(np.abs(surfaces[-1][-8:, -1]) < 4.0), str(np.round(surfaces[-1][-8:, -1], 1))),
        *[
            equal(f"after {number:,} episodes the highest cost is about {top:g}", highest[number], top, 0.12 * top)
            for number, top in PRINTED.items()
        ],
        equal("in the end the cost at the start is the length of an episode", float(data["starts"][-1].mean()), mean(last), 5.0),
        less("an episode takes less than 115 steps in the end", mean(last), 115.0),
        less("optimism explores: the first twelve episodes take more than twice as long", 2 * last.mean(), mean(lengths[:12])),
    ]
