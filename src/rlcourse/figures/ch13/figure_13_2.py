"""Figure 13.2: REINFORCE with baseline learns much faster.

The corridor of Figure 13.1 once more. Without a baseline every action is discouraged by about as much, since all returns are negative, and
only their differences teach: the step size must be small. A baseline, here one number w for all states, since they look alike, takes
the common part away; the step size can be 16 times as large. The gradient expected is the same.

Step sizes are the book's, to the nearest power of two the best for each: 2^-13 without, and 2^-9 with the baseline, whose own is 2^-6.
Beginning, time limit and lost runs are those of Figure 13.1. The third curve is ours: REINFORCE without baseline at the large step size.
Its returns of -80 then throw the policy to one side at once, and about two thirds of the runs are lost within 150
episodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.policy_gradient.linear_reinforce_baseline import linear_reinforce_baseline
from rlcourse.core.config import Config, Count
from rlcourse.core.runs import Runs
from rlcourse.envs import short_corridor
from rlcourse.features import TableFeatures
from rlcourse.figures import style
from rlcourse.figures.ch13.example_13_1 import BEST_VALUE, value
from rlcourse.figures.ch13.figure_13_1 import FIRST, LIMIT, first_episode, lost, preferences, reinforce, smooth
from rlcourse.figures.claims import Claim, equal, less, mean
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run", "with_baseline"]

FEW = 150  # episodes of the runs at the step size that is too large


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 100
    episodes: Count = 1000


FAST = {"runs": 60}


def with_baseline(alpha_theta: float, alpha_w: float, runs: int, episodes: int, lab: Lab) -> np.ndarray:
    """Return the total reward of each episode of REINFORCE with baseline, shape [runs, episodes]."""
    corridor, alike, h = short_corridor(), TableFeatures.of(np.ones((4, 1))), preferences(FIRST)

    def experiment(_: Any, rng: np.random.Generator, size: int) -> np.ndarray:
        trial = Runs.of(corridor, size, episodes, [np.array([-h, h]), np.zeros(1)], limit=LIMIT)  # preferences of left and right; w
        theta, w = trial.tables((2, 1), (1,))
        linear_reinforce_baseline(trial, alike, theta, w, alpha_theta, alpha_w, 1.0, rng)
        return trial.returns()

    found: np.ndarray = lab.study(experiment, [None], runs, chunk=25)[0]
    return found


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return the total reward of each episode with and without baseline [runs, episodes], and at the large step size [runs, few]."""
    return {
        "baseline": with_baseline(2.0**-9, 2.0**-6, settings.runs, settings.episodes, lab),
        "plain": reinforce([2.0**-13], settings.runs, settings.episodes, lab)[0],
        "large": reinforce([2.0**-9], settings.runs, FEW, lab)[0],
    }


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the mean total reward against the episode, with and without baseline."""
    axes = style.panel(figure.subplots(), "", "episode", "total reward of an episode (of runs not lost)")
    names = {
        "baseline": "with baseline, α$^θ$ = 2$^{-9}$, α$^w$ = 2$^{-6}$",
        "plain": "without, α = 2$^{-13}$",
    }
    for i, (key, name) in enumerate(names.items()):
        bad = lost(data[key])
        label = name + (f": {bad.sum()} of {len(bad)} runs lost" if bad.any() else "")
        style.curve(axes, *smooth(data[key][~bad]), label, style.COLORS[2 - i])
    bad = lost(data["large"])
    axes.plot([], [], " ", label=f"without, α = 2$^{{-9}}$: {bad.sum()} of {len(bad)} runs lost (no curve)")
    style.reference(axes, BEST_VALUE, "the best policy: −11.66", above=True)
    axes.set(xlim=(0, settings.episodes), ylim=(-95, -5))
    axes.legend(frameon=False, fontsize=9, loc="lower right")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what the caption says, and what becomes of the large step size without the baseline."""
    bad = {key: lost(each) for key, each in data.items()}
    good = {key: each[~bad[key]] for key, each in data.items()}
    first, last = ({key: mean(each[:, part].mean(axis=1)) for key, each in good.items()} for part in (slice(0, 200), slice(-100, None)))
    half = {key: mean(each[:, 100:200].mean(axis=1)) for key, each in good.items()}
    return [
        equal("the first episode is worth what the first policy is, -82.1", first_episode(data["baseline"]), value(FIRST)),
        less("the baseline makes the first 200 episodes better", first["plain"], first["baseline"]),
        less("by more than 10 an episode", first["plain"].mean + 10.0, first["baseline"]),
        less("with it episodes 101 to 200 are already better than -16", -16.0, half["baseline"]),
        less("without it they are not", half["plain"], -16.0),
        equal("with it the last 100 episodes are within 1 of the best policy", last["baseline"], BEST_VALUE, 1.0),
        less("and no better than it", last["baseline"].mean - 3.0 * last["baseline"].error, BEST_VALUE),
        less("at the large step size without a baseline many runs are lost", 0.4, mean(bad["large"])),
        less("with a baseline hardly any is", float(bad["baseline"].mean()), 0.06),
    ]
