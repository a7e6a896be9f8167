"""Figure 5.4: ordinary importance sampling with an infinite variance never settles.

One state; left comes back with probability 0.9, else it ends with +1; right ends with 0. The target policy always goes left and is worth
exactly 1; the behaviour takes both with equal probability. Ten runs of first-visit ordinary importance sampling: each lies below 1 most
of the time and jumps when a long episode of left moves is seen. The second moment of the scaled return is 0.2 (1 + 1.8 + 1.8^2 + ...),
which has no limit. For comparison (claims only) the same where left comes back with probability 0.3: there the variance is 2.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.monte_carlo.importance_sampling import importance_sampling
from rlcourse.core.config import Config, Count
from rlcourse.envs import infinite_variance
from rlcourse.figures import style
from rlcourse.figures.ch05.figure_5_3 import second_moment
from rlcourse.figures.claims import Claim, equal, mean, true
from rlcourse.figures.experiment import Lab, checkpoints

__all__ = ["FAST", "SECONDS", "Settings", "claims", "draw", "run"]

TAME = 0.3  # probability to come back with which the variance is finite: 0.7 * 2 / (1 - 0.6) - 1 = 2.5
LEFT, BOTH = np.array([[1.0, 0.0]]), np.array([[0.5, 0.5]])
SECONDS = 60.0


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 10
    episodes: Count = 100_000_000
    tame_runs: Count = 200  # of the comparison
    tame_episodes: Count = 1_000


FAST = {"episodes": 200_000}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return numbers of episodes [points], estimates [runs, points], weighted ones [runs] and those of the comparison [tame runs]."""
    episodes = np.unique(np.geomspace(1, settings.episodes, 200).astype(int))

    def estimate(p: float, weighted: bool, points: Any, rng: np.random.Generator) -> np.ndarray:
        V, C = np.zeros(1), np.zeros(1)

        def learn(trial: Any) -> None:
            importance_sampling(trial, LEFT, BOTH, V, C, weighted, True, 1.0, rng)

        return checkpoints(infinite_variance(p), learn, lambda: V[0], points)

    def several(parameter: tuple[float, bool, Any], rng: np.random.Generator, n: int) -> np.ndarray:
        return np.array([estimate(*parameter, rng) for _ in range(n)])

    (ordinary,) = lab.study(several, [(0.9, False, episodes)], settings.runs, chunk=1)
    (weighted,) = lab.study(several, [(0.9, True, (1_000,))], settings.runs, chunk=1)
    (tame,) = lab.study(several, [(TAME, False, (settings.tame_episodes,))], settings.tame_runs, chunk=100)
    moments = [float(second_moment(infinite_variance(), LEFT, BOTH, k)[0]) for k in (20, 21)]
    limit = float(second_moment(infinite_variance(TAME), LEFT, BOTH)[0])
    return {
        "episodes": episodes, "ordinary": ordinary, "weighted": weighted[:, 0], "tame": tame[:, 0],
        "moments": np.array(moments), "tame_moment": np.array(limit),
    }  # fmt: skip


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw each run's estimate against the number of episodes."""
    axes = style.panel(figure.subplots(), "", "episodes (log scale)", "estimate of v(s), which is 1")
    for i, each in enumerate(data["ordinary"]):
        axes.plot(data["episodes"], each, color=style.COLORS[i % len(style.COLORS)], linewidth=1.1)
    axes.set_xscale("log")
    axes.set(ylim=(0, 3), xlim=(1, settings.episodes))
    style.reference(axes, 1.0, "")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Example 5.5 says of the figure, and what a finite variance would look like."""
    late = data["ordinary"][:, data["episodes"] >= settings.episodes // 10]
    tame = data["tame"] - 1.0
    spread = late.max(axis=1) - late.min(axis=1)
    return [
        true("weighted importance sampling is exactly 1", np.allclose(data["weighted"], 1.0, rtol=0, atol=1e-12)),
        true("most of the time an estimate lies below 1", np.median(late) < 1.0, f"median {np.median(late):.3f}"),
        true(
            "in the last nine tenths of the episodes most estimates still move by ten times what a variance of 2.5 would explain",
            np.median(spread) > 10.0 * np.sqrt(2.5 / settings.episodes),
            f"by {np.median(spread):.3f}, against {np.sqrt(2.5 / settings.episodes):.4f}",
        ),
        true("in the end every run has seen episodes of left moves only", np.all(late[:, -1] > 0.3), f"smallest {late[:, -1].min():.3f}"),
        equal("the second moment grows by 1.8 with each step that is looked ahead", np.diff(data["moments"])[0], 0.2 * 1.8**20, 1e-9),
        equal("where left comes back with probability 0.3 the second moment is 3.5", float(data["tame_moment"]), 3.5, 1e-12),
        equal("there the estimate is right", mean(data["tame"]), 1.0),
        equal("and errs by its variance over the number of episodes", mean(tame * tame * settings.tame_episodes), 2.5),
    ]
