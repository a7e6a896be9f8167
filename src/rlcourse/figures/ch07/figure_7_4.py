"""Figure 7.4: a first path to the goal, and what one-step and 10-step Sarsa learn from it.

All values begin at zero and the goal gives the only reward. When a first, wandering episode reaches it, one-step Sarsa has learned
about the last action only, 10-step Sarsa about the last 10; the strength fades by gamma with each step back, alpha gamma^k exactly. The
book prints neither the size of its grid nor the settings; here it is 6 by 8, with alpha = 0.5 and gamma = 0.9. A first episode is a
walk at random and long as a rule, so shown is the first that takes 18 to 26 steps and 10 different pairs at its end; every method would
have taken the same.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    attempt = first_of_its_kind(settings.alpha, settings.gamma, lab)
    episodes = [first_episode(n, settings.alpha, settings.gamma, lab.rng(attempt)) for n in (1, BACK)]
    (states, actions, one), (path, _, ten) = episodes
    return {"states": states, "actions": actions, "one": one, "ten": ten, "same_path": np.array(np.array_equal(path, states))}


def first_of_its_kind(alpha: float, gamma: float, lab: Lab) -> int:
    """Return the number of the first random stream whose episode has the right length, and different pairs at its end."""
    for attempt in range(10_000):
        states, actions, _ = first_episode(BACK, alpha, gamma, lab.rng(attempt))
        pairs = set(zip(states[-BACK - 1 : -1].tolist(), actions[-BACK:].tolist(), strict=True))
        if SHORTEST <= len(actions) < LONGEST and len(pairs) == BACK:
            break
    return attempt


def first_episode(n: int, alpha: float, gamma: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return states [T + 1], actions [T] and the action values after one episode, of at most `LONGEST` steps.

    Interpreted: these few steps take less time than compiling.
    """
    recorder, Q = Recorder.of(open_grid(), LONGEST), np.zeros((SHAPE[0] * SHAPE[1], 4))
    n_step_sarsa.python(Trial.of(recorder, episodes=1, limit=LONGEST, capacity=1), Q, n, alpha, gamma, 0.0, rng)
    rows = recorder.transitions()
    return np.append(rows[:, 0], rows[-1, 3]).astype(int), rows[:, 1].astype(int), Q


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the path and the strengthened actions as arrows in three grids, as the book does."""
    figure.set_size_inches(10, 3.5)
    titles = ("Path taken", "Action values increased\nby one-step Sarsa", "Action values increased\nby 10-step Sarsa")
    draw_grids(figure.subplots(1, 3), titles, (None, data["one"], data["ten"]), data["states"])


def draw_grids(
    panels: Any, titles: Sequence[str], tables: Sequence[np.ndarray | None], states: np.ndarray, fading: Sequence[float] | None = None
) -> None:
    """Draw the path in the first panel, and in the others an arrow for each strengthened action.

    Arrows are of one size; with ``fading``, the largest value of each panel, they shrink with the root of their strength.
    """
    for i, (axes, title, Q) in enumerate(zip(panels, titles, tables, strict=True)):
        style.grid(axes, shape=SHAPE, title=title)
        for s, a in [] if Q is None else np.argwhere(Q > 0.0).tolist():
            (row, column), (dx, dy) = divmod(s, SHAPE[1]), MOVES[a]
            size = 1.0 if fading is None or Q is None else max(0.4, min(1.0, float(np.sqrt(Q[s, a] / fading[i]))))
            arrow = {"arrowstyle": "-|>", "color": style.INK, "linewidth": 0.6 + 1.2 * size, "shrinkA": 0, "shrinkB": 0}
            end, begin = (column + 0.42 * size * dx, row + 0.42 * size * dy), (column - 0.1 * size * dx, row - 0.1 * size * dy)
            axes.annotate("", end, begin, arrowprops={**arrow, "mutation_scale": 4 + 9 * size})
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
