"""Constant-alpha Monte Carlo: every-visit prediction for a world that may change (Sec. 6.1).

TD(0)'s counterpart. The target of a state is the return that really followed it, known when the episode has ended:

    V(S_t) <- V(S_t) + alpha [G_t - V(S_t)]        (6.1)

The target is unbiased, but all the randomness of the rest of the episode is in it. The returns are computed backwards from the end
of the episode. An episode that a time limit cuts short has not shown its return: G then begins with the value of the
state where it was cut.
"""

from __future__ import annotations

from dataclasses import dataclass

from rlcourse.agents.tabular import TabularAgent
from rlcourse.core.box import box
from rlcourse.core.config import Config, Discount, StepSize
from rlcourse.core.policies import sample
from rlcourse.core.trial import Trial

__all__ = ["ConstantAlphaMC", "ConstantAlphaMCConfig", "constant_alpha_mc"]


@box
def constant_alpha_mc(world, policy, V, alpha, gamma, rng):
    """Every-visit constant-alpha Monte Carlo for estimating v_pi (Eq. 6.1)."""
    while world.more():  # Loop for each episode:
        S = world.reset(rng)
        states, rewards = [S], [0.0]
        done = False
        while not done:  # Generate an episode by pi: S_0, A_0, R_1, S_1, ..., R_T
            A = sample(policy[S], rng)
            S, R, terminated, truncated = world.step(S, A, rng)
            states.append(S)
            rewards.append(R)
            done = terminated or truncated
        G = 0.0 if terminated else V[S]
        for t in range(len(states) - 2, -1, -1):  # Loop for each step of episode, t = T-1, T-2, ..., 0:
            G = gamma * G + rewards[t + 1]
            V[states[t]] += alpha * (G - V[states[t]])  # V(S_t) <- V(S_t) + alpha [G_t - V(S_t)]


@dataclass(frozen=True)
class ConstantAlphaMCConfig(Config):
    """Settings of `ConstantAlphaMC`, named as in the book."""

    alpha: StepSize = 0.02  # step size
    gamma: Discount = 1.0  # discount rate


class ConstantAlphaMC(TabularAgent):
    """Constant-alpha Monte Carlo for a given policy on any environment with finite observations and actions (Sec. 6.1)."""

    Config = ConstantAlphaMCConfig
    inputs = ("policy",)
    tables = ("V",)

    def _run(self, trial: Trial) -> None:
        constant_alpha_mc(trial, self.policy, self.V, self.config.alpha, self.config.gamma, self.rng)
