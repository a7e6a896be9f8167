"""Example 9.4: interest and emphasis say which states the weights should serve.

Four states in a row, reward 1 on each step, true values 4, 3, 2, 1; one weight for the first two states, one for the last two. Both cannot
be right in each pair, and learning settles in the middle: (3.5, 1.5). If only the first state is of interest, its value can be exact.
Gradient Monte Carlo updates it alone: the first weight becomes 4, the second is never updated. Two-step semi-gradient TD bootstraps from
the third state, and emphasis knows: it is passed on to it, and both are exact, (4, 2).

Nothing here is random. With a constant step size alpha the two updates of a pair take turns, so that without emphasis the weights after an
episode end at (4 (1 - alpha) + 3) / (2 - alpha) and likewise, a little below the middle; as alpha becomes small, in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.approximation.gradient_mc import gradient_mc
from rlcourse.agents.approximation.n_step_emphatic_td import n_step_emphatic_td
from rlcourse.agents.approximation.n_step_semi_gradient_td import n_step_semi_gradient_td
from rlcourse.core.config import Config, Count, StepSize
from rlcourse.core.runs import Runs
from rlcourse.envs import four_states
from rlcourse.envs.four_in_a_row import INTEREST, PAIRED
from rlcourse.features import TableFeatures
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

LONG = 5  # n beyond the length of an episode: Monte Carlo
TITLES = ("gradient Monte Carlo", "two-step semi-gradient TD")


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    episodes: Count = 2500
    alpha: StepSize = 0.01


FAST: dict[str, Any] = {}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return both weights after each episode, [methods, without or with emphasis, episodes + 1, 2]."""
    features, one, alpha = TableFeatures.of(PAIRED), np.ones(1), settings.alpha

    def weights(box: Any, before: tuple[Any, ...], after: tuple[Any, ...]) -> np.ndarray:
        trial = Runs.of(four_states(), 1, settings.episodes, [np.zeros(2)], every=1)
        (w,) = trial.tables((2,))
        box(trial, one, *before, features, w, *after, alpha, 1.0, lab.rng(0))
        return trial.copies()[0]

    found = [
        [weights(gradient_mc, (), ()), weights(n_step_emphatic_td, (INTEREST,), (LONG,))],
        [weights(n_step_semi_gradient_td, (), (2,)), weights(n_step_emphatic_td, (INTEREST,), (2,))],
    ]
    return {"weights": np.array(found)}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw both weights against the number of episodes, a panel per method."""
    figure.set_size_inches(9.4, 4.2)
    for i, axes in enumerate(figure.subplots(1, 2, sharey=True)):
        style.panel(axes, TITLES[i], "episodes", "" if i else "weight = value of its two states")
        for j, look in enumerate(("--", "-")):
            for k in (0, 1):
                name = f"w{k + 1}, {('without', 'with')[j]} interest and emphasis"
                axes.plot(data["weights"][i, j, :, k], color=style.COLORS[k], linestyle=look, linewidth=1.7, label=name)
        axes.set(xlim=(0, settings.episodes), ylim=(-0.1, 5.4), yticks=[0, 1, 1.5, 2, 3, 3.5, 4])
    figure.axes[0].legend(frameon=False, fontsize=8, ncols=2, loc="upper left")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return the four results that the example states, and the exact ones of this step size."""
    last, alpha = data["weights"][:, :, -1], settings.alpha
    middle = [(above * (1.0 - alpha) + below) / (2.0 - alpha) for above, below in ((4.0, 3.0), (2.0, 1.0))]
    found = []
    for k in (0, 1):
        goal, w = (3.5, 1.5)[k], f"w{k + 1}"
        found.append(equal(f"Monte Carlo without emphasis: {w} ends at {goal}", float(last[0, 0, k]), goal, alpha / 2))
        found.append(equal(f"two-step TD without emphasis: {w} ends at {goal}", float(last[1, 0, k]), goal, alpha))
        found.append(equal(f"Monte Carlo: {w} is exact for this step size", float(last[0, 0, k]), middle[k], 1e-9))
        found.append(equal(f"two-step TD with emphasis: {w} ends at {4 - 2 * k}", float(last[1, 1, k]), 4.0 - 2.0 * k, 1e-7))
    found.append(equal("Monte Carlo with emphasis: w1 ends at 4", float(last[0, 1, 0]), 4.0, 1e-9))
    found.append(true("Monte Carlo with emphasis: w2 is never updated", np.all(data["weights"][0, 1, :, 1] == 0.0)))
    return found
