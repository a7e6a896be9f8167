"""The TD model of classical conditioning: predictions of the US in real time (Sec. 14.2.3).

Where the Rescorla-Wagner model steps from trial to trial, here t counts time steps within them, and what is learned at one moment
is what the next one predicts, together with the US in between:

    w_{t+1} = w_t + alpha delta_t z_t        (14.4)
    delta_t = R_{t+1} + gamma v(S_{t+1}, w_t) - v(S_t, w_t)        (14.5)
    z_{t+1} = gamma lambda z_t + x(S_{t+1})        (14.6)

This is semi-gradient TD(lambda), `TDLambda` of Sec. 12.2, over features that say which stimuli are there or remembered
(`rlcourse.features.stimuli`); R is the intensity of the US. With ``clip`` predictions below zero count as zero, as in Sutton
and Barto's simulations of 1990 (no US is less than none), and only then the two differ. Their traces gain .2 a step of a stimulus, with
step size .1 and decay .8: here alpha = .02 and lambda = .8 / gamma. Without a future (gamma = 0) it is the Rescorla-Wagner model in every
time step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.linear import LinearAgent, LinearConfig
from rlcourse.core.box import box, kernel
from rlcourse.core.config import Discount, Probability, StepSize
from rlcourse.core.linear import add, pi, v_hat
from rlcourse.core.policies import sample
from rlcourse.core.trial import Trial

__all__ = ["TDModel", "TDModelConfig", "predicted", "td_model"]


@kernel
def predicted(x, w, clip):
    """Return v(s, w) = w^T x(s), not below zero where `clip` says so."""
    v = v_hat(x, w)
    return max(v, 0.0) if clip else v


@box
def td_model(world, policy, features, w, alpha, gamma, lam, clip, rng):
    """The TD model of classical conditioning, Sec. 14.2.3."""
    while world.more():  # Loop for each trial:
        S = world.reset(rng)
        x = features.x(S)
        z = np.zeros(len(w))
        add(z, 1.0, x)  # z_0 <- x(S_0)
        done = False
        while not done:  # Loop for each time step:
            A = sample(pi(policy, S), rng)
            S, R, terminated, truncated = world.step(S, A, rng)  # observe R_{t+1}, S_{t+1}
            x_ = features.x(S)
            target = R if terminated else R + gamma * predicted(x_, w, clip)
            delta = target - predicted(x, w, clip)  # delta_t <- R_{t+1} + gamma v(S_{t+1}, w_t) - v(S_t, w_t)
            w += (alpha * delta) * z  # w_{t+1} <- w_t + alpha delta_t z_t
            z *= gamma * lam  # z_{t+1} <- gamma lambda z_t + x(S_{t+1})
            add(z, 1.0, x_)
            x = x_
            done = terminated or truncated


@dataclass(frozen=True)
class TDModelConfig(LinearConfig):
    """Settings of `TDModel`, named as in the book; the defaults are those of Ludvig, Sutton and Kehoe (2012)."""

    alpha: StepSize = 0.05  # step size
    gamma: Discount = 0.97  # discount rate
    lam: Probability = 0.95  # trace decay, lambda
    clip: bool = False  # whether a prediction below zero counts as zero


class TDModel(LinearAgent):
    """The TD model of classical conditioning (Sec. 14.2.3)."""

    Config = TDModelConfig
    inputs = ("policy",)
    values_of_states = True

    def _run(self, trial: Trial) -> None:
        c = self.config
        td_model(trial, self.policy, self.features, self.w, c.alpha, c.gamma, c.lam, c.clip, self.rng)
