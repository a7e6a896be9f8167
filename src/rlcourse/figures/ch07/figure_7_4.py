"""Figure 7.4: a first path to the goal, and what one-step and 10-step Sarsa learn from it.

All values begin at zero and the goal gives the only reward. When a first, wandering episode reaches it, one-step Sarsa has learned
about the last action only, 10-step Sarsa about the last 10; the strength fades by gamma with each step back, alpha gamma^k exactly. The
book prints neither the size of its grid nor the settings; here it is 6 by 8, with alpha = 0.5 and gamma = 0.9. A first episode is a
walk at random and long as a rule, so shown is the first that takes 18 to 26 steps and 10 different pairs at its end; every method would
have taken the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.n_step.n_step_sarsa import n_step_sarsa
from rlcourse.core.config import Config, Discount, StepSize
from rlcourse.core.recorder import Recorder
from rlcourse.core.trial import Trial
from rlcourse.envs import open_grid
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

SHAPE, GOAL = (6, 8), 29
SHORTEST, LONGEST, BACK = 18, 26, 10  # steps of the path, and of the longer method
MOVES = ((0, -1), (1, 0), (0, 1), (-1, 0))  # (x, y) of each action


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    alpha: StepSize = 0.5
    gamma: Discount = 0.9


FAST: dict[str, Any] = {}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return the path [T + 1] of states, its actions [T], and the action values [S, A] that one-step and 10-step Sarsa learn from it."""
    for attempt in range(10_000):
        states, actions, _ = first_episode(BACK, settings, lab.rng(attempt))
        pairs = set(zip(states[-BACK - 1 : -1].tolist(), actions[-BACK:].tolist(), strict=True))
        if SHORTEST <= len(actions) < LONGEST and len(pairs) == BACK:
            break
    learned = [first_episode(n, settings, lab.rng(attempt)) for n in (1, BACK)]
    same = all(np.array_equal(path, states) for path, _, _ in learned)
    return {"states": states, "actions": actions, "one": learned[0][2], "ten": learned[1][2], "same_path": np.array(same)}


def first_episode(n: int, settings: Settings, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return states [T + 1], actions [T] and the action values after one episode, of at most `LONGEST` steps.

    Interpreted: these few steps take less time than compiling.
    """
    recorder, Q = Recorder.of(open_grid(), LONGEST), np.zeros((SHAPE[0] * SHAPE[1], 4))
    n_step_sarsa.python(Trial.of(recorder, episodes=1, limit=LONGEST, capacity=1), Q, n, settings.alpha, settings.gamma, 0.0, rng)
    rows = recorder.transitions()
    return np.append(rows[:, 0], rows[-1, 3]).astype(int), rows[:, 1].astype(int), Q


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the path and the strengthened actions as arrows in three grids, as the book does."""
    figure.set_size_inches(10, 3.5)
    panels = figure.subplots(1, 3)
    states = data["states"]
    titles = ("Path taken", "Action values increased\nby one-step Sarsa", "Action values increased\nby 10-step Sarsa")
    for axes, title, Q in zip(panels, titles, (None, data["one"], data["ten"]), strict=True):
        style.grid(axes, shape=SHAPE, title=title)
        for s, a in [] if Q is None else np.argwhere(Q > 0.0).tolist():
            (row, column), (dx, dy) = divmod(s, SHAPE[1]), MOVES[a]
            arrow = {"arrowstyle": "-|>", "color": style.INK, "linewidth": 1.8, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 13}
            axes.annotate("", (column + 0.42 * dx, row + 0.42 * dy), (column - 0.1 * dx, row - 0.1 * dy), arrowprops=arrow)
        axes.text(GOAL % SHAPE[1], GOAL // SHAPE[1], "G", ha="center", va="center", fontsize=13, color=style.COLORS[2], fontweight="bold")
    y, x = np.divmod(states, SHAPE[1])
    x, y = x.astype(float), y.astype(float)
    x[-1], y[-1] = x[-2] + 0.62 * (x[-1] - x[-2]), y[-2] + 0.62 * (y[-1] - y[-2])  # ends at the edge of the goal
    panels[0].plot(x, y, color=style.COLORS[0], linewidth=1.8)
    panels[0].plot(x[0], y[0], "o", color=style.COLORS[0], markersize=6)
    panels[0].annotate("", (x[-1], y[-1]), (x[-2], y[-2]), arrowprops={"arrowstyle": "-|>", "color": style.COLORS[0], "linewidth": 1.8})


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what the caption says: one pair, and the last 10 pairs; and by how much."""
    pairs = list(zip(data["states"][:-1].tolist(), data["actions"].tolist(), strict=True))
    one, ten = ({(int(s), int(a)) for s, a in np.argwhere(data[key] != 0.0)} for key in ("one", "ten"))
    strength = np.array([data["ten"][pair] for pair in pairs[-BACK:]])
    return [
        true("both methods take the same first path", data["same_path"]),
        true("the path ends in the goal", data["states"][-1] == GOAL),
        true("one-step Sarsa strengthens the last action only", one == {pairs[-1]}, f"{len(one)} pair"),
        true("10-step Sarsa strengthens exactly the last 10 pairs", ten == set(pairs[-BACK:]), f"{len(ten)} pairs"),
        equal("one step: its value is alpha times the reward", data["one"][pairs[-1]], settings.alpha, 1e-12),
        equal(
            "10 steps: each value is gamma times that one step later",
            float(np.abs(strength - settings.alpha * settings.gamma ** np.arange(BACK - 1, -1, -1)).max()),
            0.0,
            1e-12,
        ),
    ]
