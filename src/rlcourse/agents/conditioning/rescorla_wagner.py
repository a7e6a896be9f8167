"""The Rescorla-Wagner model: animals learn when they are surprised (Sec. 14.2.2).

Associative strengths add up: a compound of stimuli predicts the US with the sum of what its components predict, v(s, w) = w^T x(s)
(14.1), and every component present changes by the error of the whole prediction,

    delta_t = R_t - v(S_t, w_t)        (14.3)
    w_{t+1} = w_t + alpha delta_t x(S_t)        (14.2)

A US that is predicted already teaches nothing about a stimulus that is added: blocking. Here t counts trials, and R_t is the US of
trial t; a trial is one step of a world. The rule is the Widrow-Hoff rule, or semi-gradient TD(0) without a future (gamma = 0):
nothing is bootstrapped, so there is no second-order conditioning, and time within the trial does not exist. As in the original, the
step size is a product alpha beta, and beta may be another one on trials without the US.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.linear import LinearAgent, LinearConfig
from rlcourse.core.box import box
from rlcourse.core.config import Probability, StepSize
from rlcourse.core.linear import add, pi, v_hat
from rlcourse.core.policies import sample
from rlcourse.core.trial import Trial

__all__ = ["RescorlaWagner", "RescorlaWagnerConfig", "rescorla_wagner"]


@box
def rescorla_wagner(world, policy, features, w, alpha, beta, beta_without, rng):
    """Associative strengths by the Rescorla-Wagner model, Sec. 14.2.2."""
    while world.more():
        S = world.reset(rng)
        done = False
        while not done:  # Loop for each trial:
            x = features.x(S)  # x(S_t): the stimuli that are present
            A = sample(pi(policy, S), rng)
            S, R, terminated, truncated = world.step(S, A, rng)  # R_t: the US of this trial
            delta = R - v_hat(x, w)  # delta_t <- R_t - v(S_t, w_t)
            add(w, alpha * (beta if R != 0.0 else beta_without) * delta, x)  # w_{t+1} <- w_t + alpha beta delta_t x(S_t)
            done = terminated or truncated


@dataclass(frozen=True)
class RescorlaWagnerConfig(LinearConfig):
    """Settings of `RescorlaWagner`, named as in the book."""

    alpha: StepSize = 0.1  # step size, the salience of the stimuli
    beta: Probability = 1.0  # factor of the step size on trials with the US
    beta_without: Probability = 1.0  # factor of the step size on trials without it


class RescorlaWagner(LinearAgent):
    """The Rescorla-Wagner model: each step of a world is a trial (Sec. 14.2.2)."""

    Config = RescorlaWagnerConfig
    inputs = ("policy",)
    values_of_states = True

    def _run(self, trial: Trial) -> None:
        c = self.config
        rescorla_wagner(trial, self.policy, self.features, self.w, c.alpha, c.beta, c.beta_without, self.rng)

    def exact_values(self) -> np.ndarray:
        """Raise ValueError: the model predicts the next reward, not a return."""
        raise ValueError("RescorlaWagner predicts the next reward, not the return that exact values are of; take TDModel")
