"""Figure 13.1: REINFORCE in the short corridor, with three step sizes.

The total reward of an episode, averaged over 100 runs. From a policy that goes right with probability 0.05 REINFORCE learns its way to the
best policy there is, a random one, worth -11.66. A larger step size is faster, and riskier: now and then a few long episodes of bad luck
push the policy to one side, where episodes are longer still and their updates larger. At 2^-12 about one run in twenty is lost there, most
of them for good; the others do best of all. The book does not mention such runs. Here a run counts as lost where an episode of it had to be
cut off after 1000 steps, which the first policy would need once in 200,000 episodes; the return up to the cut is taken for the whole. The
curves are means of the other runs, and the legend counts those that were lost.

The book does not print where it begins; its curves suggest P(right) = 0.05, whose value is exactly -82.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.policy_gradient.linear_reinforce import linear_reinforce
from rlcourse.core.config import Config, Count
from rlcourse.core.runs import Runs
from rlcourse.envs import corridor_features, short_corridor
from rlcourse.features import TableFeatures
from rlcourse.figures import style
from rlcourse.figures.ch13.example_13_1 import BEST_VALUE, value
from rlcourse.figures.claims import Claim, Estimate, equal, less, mean
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "FIRST", "LIMIT", "Settings", "claims", "draw", "first_episode", "lost", "preferences", "reinforce", "run", "smooth"]

FIRST, LIMIT = 0.05, 1000  # P(right) at first; steps after which an episode is cut off
EXPONENTS = (-12, -13, -14)


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 100
    episodes: Count = 1000


FAST = {"runs": 60}


def preferences(p: float) -> float:
    """Return half the difference of preferences that makes P(right) = p."""
    return float(np.log(p / (1.0 - p)) / 2.0)


def reinforce(alphas: list[float], runs: int, episodes: int, lab: Lab) -> np.ndarray:
    """Return the total reward of each episode of REINFORCE, shape [alpha, runs, episodes]."""
    corridor, features, h = short_corridor(), TableFeatures.of(corridor_features()), preferences(FIRST)

    def experiment(alpha: float, rng: np.random.Generator, size: int) -> np.ndarray:
        trial = Runs.of(corridor, size, episodes, [np.array([h, -h])], limit=LIMIT)  # preferences of right and left
        (theta,) = trial.tables((2,))
        linear_reinforce(trial, features, theta, alpha, 1.0, rng)
        return trial.returns()

    return np.array(lab.study(experiment, alphas, runs, chunk=25))


def lost(returns: np.ndarray) -> np.ndarray:
    """Return which runs had an episode cut off by the limit, [runs]."""
    cut: np.ndarray = np.any(returns <= -LIMIT, axis=1)
    return cut


def first_episode(returns: np.ndarray) -> Estimate:
    """Return the mean of the first episodes; their length is nearly geometric, so that its deviation is as large as its mean."""
    return Estimate(float(returns[:, 0].mean()), float(-value(FIRST) / np.sqrt(len(returns))))


def smooth(returns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the middles of tens of episodes [P], and the mean of each ten [runs, P]."""
    tens = returns.shape[1] // 10
    return 10.0 * np.arange(tens) + 5.5, returns[:, : 10 * tens].reshape(len(returns), tens, 10).mean(axis=2)


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return step sizes [3], and the total reward of each episode [3, runs, episodes]."""
    alphas = [2.0**k for k in EXPONENTS]
    return {"alpha": np.array(alphas), "return": reinforce(alphas, settings.runs, settings.episodes, lab)}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the mean total reward against the episode, one curve per step size."""
    axes = style.panel(figure.subplots(), "", "episode", "total reward of an episode (of runs not lost)")
    for i, k in enumerate(EXPONENTS):
        bad = lost(data["return"][i])
        label = f"α = 2$^{{{k}}}$" + (f": {bad.sum()} of {len(bad)} runs lost" if bad.any() else "")
        style.curve(axes, *smooth(data["return"][i][~bad]), label, style.COLORS[i])
    style.reference(axes, BEST_VALUE, "the best policy: −11.66", above=True)
    style.reference(axes, value(FIRST), f"P(right) = {FIRST:g}, the first policy: {value(FIRST):.1f}", above=False)
    axes.set(xlim=(0, settings.episodes), ylim=(-95, -5))
    axes.legend(frameon=False, fontsize=9, loc="lower right", bbox_to_anchor=(1.0, 0.18))


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what the caption says, where it begins and ends exactly, and how many runs are lost."""
    returns = data["return"]
    bad = [lost(each) for each in returns]
    good = [each[~worse] for each, worse in zip(returns, bad, strict=True)]
    early = [mean(each[:, 50:100].mean(axis=1)) for each in good]
    last = [mean(each[:, -100:].mean(axis=1)) for each in good]
    found = [equal("the first episode is worth what the first policy is, -82.1", first_episode(returns[0]), value(FIRST))]
    for i, k in enumerate(EXPONENTS[1:]):
        found.append(less(f"episodes 51 to 100: 2^{k} learns more slowly than 2^{k + 1}", early[i + 1], early[i]))
    for i, (k, target) in enumerate(zip(EXPONENTS, (-11.76, -12.4, -14.9), strict=True)):
        found.append(equal(f"2^{k}: the last 100 episodes are worth {target}", last[i], target, 0.25))
        found.append(less(f"2^{k}: and no more than the best policy", last[i].mean - 3.0 * last[i].error, BEST_VALUE))
    many = float(bad[0].mean())
    spread = float(np.sqrt(0.05 * 0.95 / settings.runs))
    found += [
        equal("2^-12: about one run in twenty is lost", Estimate(many, spread), 0.05, 0.02),
        less("2^-14: hardly any is", float(bad[2].mean()), 0.06),
    ]
    return found
