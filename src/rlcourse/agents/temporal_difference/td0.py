"""TD(0): prediction by temporal differences (Sec. 6.1).

The problem is to predict the return of a given policy. Monte Carlo waits for the end of the episode to know its target; TD(0)
needs one step, because the estimate of the next state stands for all that follows:

    V(S) <- V(S) + alpha [R + gamma V(S') - V(S)]        (6.2)

It learns a guess from a guess, online, without a model, and with less variance than a whole return has. For a small constant alpha the
values hover around v_pi. A truncated step bootstraps like any other one: the time limit is no part of the task.
"""

from __future__ import annotations

from dataclasses import dataclass

from rlcourse.agents.tabular import TabularAgent
from rlcourse.core.box import box
from rlcourse.core.config import Config, Discount, StepSize
from rlcourse.core.policies import sample
from rlcourse.core.trial import Trial

__all__ = ["TD0", "TD0Config", "td0"]


@box
def td0(world, policy, V, alpha, gamma, rng):
    """Tabular TD(0) for estimating v_pi, the box of Sec. 6.1."""
    while world.more():  # Loop for each episode:
        S = world.reset(rng)  # Initialize S
        done = False
        while not done:  # Loop for each step of episode:
            A = sample(policy[S], rng)  # A <- action given by pi for S
            S_, R, terminated, truncated = world.step(S, A, rng)  # Take action A, observe R, S'
            target = R if terminated else R + gamma * V[S_]
            V[S] += alpha * (target - V[S])  # V(S) <- V(S) + alpha [R + gamma V(S') - V(S)]
            S = S_  # S <- S'
            done = terminated or truncated  # until S is terminal, or the time limit ends the episode


@dataclass(frozen=True)
class TD0Config(Config):
    """Settings of `TD0`, named as in the book."""

    alpha: StepSize = 0.1  # step size
    gamma: Discount = 1.0  # discount rate


class TD0(TabularAgent):
    """TD(0) for a given policy on any environment with finite observations and actions (Sec. 6.1)."""

    Config = TD0Config
    inputs = ("policy",)
    tables = ("V",)

    def _run(self, trial: Trial) -> None:
        td0(trial, self.policy, self.V, self.config.alpha, self.config.gamma, self.rng)
