"""Actor-critic for continuing tasks: the average reward as what a policy is worth (Sec. 13.6).

Without episodes performance is the average reward per step r(pi), and values are differential: what is gained on the way beyond
that average. The policy gradient theorem has the same form, with the distribution of states in the long run and no discount:

    delta <- R - R_bar + v(S', w) - v(S, w);    R_bar <- R_bar + alpha_r delta

Actor and critic follow delta by their traces, as in the episodic algorithm with gamma = 1. The average, R_bar, is learned from delta
too, which is less noisy than learning it from R. Where an environment ends episodes all the same, a terminated one does not bootstrap and a
truncated one does; traces begin anew, and what has been learned goes on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.linear import LinearConfig
from rlcourse.agents.policy_gradient.base import SoftmaxAgent
from rlcourse.core.actors import add_score, softmax_policy
from rlcourse.core.box import box
from rlcourse.core.config import Probability, StepSize
from rlcourse.core.linear import add, v_hat
from rlcourse.core.policies import sample
from rlcourse.core.traces import step_and_fade
from rlcourse.core.trial import Trial

__all__ = ["ContinuingActorCritic", "ContinuingActorCriticConfig", "continuing_actor_critic"]


@box
def continuing_actor_critic(world, features, theta, w, R_bar, alpha_theta, alpha_w, alpha_r, lam_theta, lam_w, rng):
    """Actor-critic with eligibility traces (continuing), for estimating pi_theta ~ pi*, the box of Sec. 13.6."""
    while world.more():  # a continuing task has one episode, as long as the budget
        S = world.reset(rng)  # Initialize S
        x = features.x(S)
        z_theta, z_w = np.zeros_like(theta), np.zeros_like(w)  # z_theta <- 0, z_w <- 0
        done = False
        while not done:  # Loop forever (for each time step):
            probabilities = softmax_policy(x, theta)
            A = sample(probabilities, rng)  # A ~ pi(.|S, theta)
            S, R, terminated, truncated = world.step(S, A, rng)  # Take action A, observe S', R
            x_ = features.x(S)
            target = R - R_bar[0] if terminated else R - R_bar[0] + v_hat(x_, w)
            delta = target - v_hat(x, w)  # delta <- R - R_bar + v(S', w) - v(S, w)
            R_bar[0] += alpha_r * delta  # R_bar <- R_bar + alpha_r delta
            add(z_w, 1.0, x)  # z_w <- lam_w z_w + grad v(S, w); what fades has faded at the end of the step before
            add_score(z_theta, 1.0, x, A, probabilities)  # z_theta <- lam_theta z_theta + grad ln pi(A|S, theta)
            step_and_fade(w, alpha_w * delta, z_w, lam_w)  # w <- w + alpha_w delta z_w
            step_and_fade(theta, alpha_theta * delta, z_theta, lam_theta)  # theta <- theta + alpha_theta delta z_theta
            x = x_  # S <- S'
            done = terminated or truncated


@dataclass(frozen=True)
class ContinuingActorCriticConfig(LinearConfig):
    """Settings of `ContinuingActorCritic`, named as in the book."""

    alpha_theta: StepSize = 0.01  # step size of the actor
    alpha_w: StepSize = 0.05  # step size of the critic
    alpha_r: StepSize = 0.01  # step size of the average reward
    lam_theta: Probability = 0.9  # decay of the actor's trace
    lam_w: Probability = 0.9  # decay of the critic's trace


class ContinuingActorCritic(SoftmaxAgent):
    """Actor-critic for the average reward, on any environment with finite actions (Sec. 13.6).

    Attributes
    ----------
    R_bar : ndarray of float64, shape [1]
        Estimate of the average reward per step.
    """

    Config = ContinuingActorCriticConfig
    tables = ("theta", "w", "R_bar")

    def _make_tables(self) -> None:
        super()._make_tables()
        self.R_bar = np.zeros(1)

    def _run(self, trial: Trial) -> None:
        c, arrays = self.config, (self.theta, self.w, self.R_bar)
        continuing_actor_critic(trial, self.features, *arrays, c.alpha_theta, c.alpha_w, c.alpha_r, c.lam_theta, c.lam_w, self.rng)

    def exact_values(self) -> np.ndarray:
        """Raise ValueError: differential values are known to `rlcourse.core.exact_average` only."""
        raise ValueError("ContinuingActorCritic has differential values: see rlcourse.core.exact_average.v_pi of learned_policy()")
