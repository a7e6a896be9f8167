"""Section 15.8: one TD error teaches actor and critic, and two ways to bridge a delay.

A choice is rewarded five steps later, or not (`rlcourse.envs.delayed_reward`). The actor-critic sends one and the same TD error to the
critic, which learns to predict, and to the actor, which learns to choose: the actor's trace is of what was done, the critic's only of
where it was. The picture has the probability of the better action by episode. Two things can carry the reward back to the choice:
eligibility traces that are still there when it comes, or a critic whose values arrive there first, one step an episode. Either suffices;
with neither, nothing is learned, exactly: no error ever follows the choice. The book has no such figure; all settings are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.policy_gradient.actor_critic_lambda import actor_critic_lambda
from rlcourse.core.config import Config, Count, Discount, Probability, StepSize
from rlcourse.core.runs import Runs
from rlcourse.envs import delayed_reward
from rlcourse.features import OneHot
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, mean
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

CASES = {  # does the critic learn, do traces last
    "critic and traces": (True, True),
    "critic alone": (True, False),
    "traces alone": (False, True),
    "neither": (False, False),
}
EVERY, DELAY = 5, 4


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 400
    episodes: Count = 300
    alpha_theta: StepSize = 0.2  # step size of the actor
    alpha_w: StepSize = 0.2  # step size of the critic
    gamma: Discount = 1.0  # discount rate
    lam: Probability = 0.9  # trace decay of both, where traces last


FAST = {"runs": 100}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return episodes [E], and of each case the probability of the better action, [4, runs, E], and the critic's values at the end."""
    c, world = settings, delayed_reward(DELAY)
    S = len(world.successor)

    def experiment(case: str, rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        learns, lasts = CASES[case]
        both, lam = np.zeros((3, S)), c.lam if lasts else 0.0  # the actor's two rows, and the critic's
        trial = Runs.of(world, n, c.episodes, [both], every=EVERY)
        (table,) = trial.tables((3, S))
        actor_critic_lambda(trial, OneHot(S), table[:2], table[2], c.alpha_theta, c.alpha_w * learns, c.gamma, lam, lam, rng)
        copies = trial.copies().reshape(n, -1, 3, S)
        return 1 / (1 + np.exp(copies[:, :, 0, 0] - copies[:, :, 1, 0])), copies[:, -1, 2]

    found = lab.study(experiment, list(CASES), c.runs)
    episodes = np.arange(found[0][0].shape[1]) * EVERY
    return {"episodes": episodes, "better": np.array([p for p, _ in found]), "values": np.array([w for _, w in found])}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the probability of the better action by episode."""
    axes = style.panel(figure.subplots(), "", "episode", "probability of the better action")
    for i, name in enumerate(CASES):
        style.curve(axes, data["episodes"], data["better"][i], name, style.COLORS[i])
    axes.set(ylim=(0.4, 1.02), xlim=(0, settings.episodes))
    axes.legend(frameon=False, fontsize=9, loc="center right")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Sections 15.7 and 15.8 say of actor and critic, on this task."""
    both, critic, traces, neither = data["better"]
    early = int(np.searchsorted(data["episodes"], 20))
    found = [less(f"{name}: the better action is learned", 0.9, mean(data["better"][i][:, -1])) for i, name in enumerate(CASES) if i < 3]
    values = data["values"][0]
    return [
        *found,
        equal("neither: nothing is learned, exactly", float(np.abs(neither - 0.5).max()), 0.0),
        less(
            "after 20 episodes traces are ahead of a critic alone, whose values have yet to arrive", mean((critic - traces)[:, early]), 0.0
        ),
        less("and both together are ahead of traces alone", mean((traces - both)[:, early]), 0.0),
        equal("the critic predicts the reward along the right corridor", mean(values[:, 1 : DELAY + 1].mean(axis=1)), 1.0, 0.02),
        equal("and none along the left one", float(np.abs(values[:, DELAY + 1 : 2 * DELAY + 1]).max()), 0.0),
        equal("and before the choice what the actor earns", mean(values[:, 0] - both[:, -1]), 0.0, 0.03),
    ]
