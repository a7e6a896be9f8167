"""Actor-critic with a Gaussian policy and eligibility traces: control by numbers, online (Sec. 13.5 and 13.7).

The actor-critic with traces, with the scores of a normal density instead of a softmax's (Exercise 13.4):

    z_mu <- gamma lam_theta z_mu + gamma^t (A - mu) / sigma^2 x(S)
    z_sigma <- gamma lam_theta z_sigma + gamma^t ((A - mu)^2 / sigma^2 - 1) x(S)

and theta <- theta + alpha_theta delta z for both. As the deviation shrinks the mean's score grows like 1 / sigma, so the same step size
may be too large later: alpha_theta must suit the deviation at the end. The critic takes no notice of all this. Actions are learned from
as they were drawn, and clipped to their bounds on their way into the environment. A truncated episode bootstraps from its last state.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.linear import LinearConfig
from rlcourse.agents.policy_gradient.base import GaussianAgent
from rlcourse.core.actors import add_deviation_score, add_mean_score, clipped, gaussian_deviation, gaussian_mean, gaussian_sample
from rlcourse.core.box import box
from rlcourse.core.config import Discount, Probability, StepSize
from rlcourse.core.linear import add, v_hat
from rlcourse.core.traces import step_and_fade
from rlcourse.core.trial import Trial

__all__ = ["GaussianActorCritic", "GaussianActorCriticConfig", "gaussian_actor_critic"]


@box
def gaussian_actor_critic(
    world, features, theta_mu, theta_sigma, w, low, high, alpha_theta, alpha_w, gamma, lam_theta, lam_w, rng
):  # fmt: skip
    """Actor-critic with eligibility traces (episodic), the box of Sec. 13.5 with the densities of Sec. 13.7."""
    while world.more():  # Loop forever (for each episode):
        S = world.reset(rng)  # Initialize S (first state of episode)
        x = features.x(S)
        z_mu, z_sigma, z_w = np.zeros_like(theta_mu), np.zeros_like(theta_sigma), np.zeros_like(w)  # z_theta <- 0, z_w <- 0
        discount = 1.0  # I <- 1
        done = False
        while not done:  # Loop while S is not terminal (for each time step):
            mu, sigma = gaussian_mean(x, theta_mu), gaussian_deviation(x, theta_sigma)
            A = gaussian_sample(mu, sigma, rng)  # A ~ pi(.|S, theta)
            S, R, terminated, truncated = world.step(S, clipped(A, low, high), rng)  # Take action A, observe S', R
            x_ = features.x(S)
            target = R if terminated else R + gamma * v_hat(x_, w)
            delta = target - v_hat(x, w)  # delta <- R + gamma v(S', w) - v(S, w)
            add(z_w, 1.0, x)  # z_w <- gamma lam_w z_w + grad v(S, w); what fades has faded at the end of the step before
            add_mean_score(z_mu, discount, x, A, mu, sigma)  # z_theta <- gamma lam_theta z_theta + I grad ln pi(A|S, theta)
            add_deviation_score(z_sigma, discount, x, A, mu, sigma)
            step_and_fade(w, alpha_w * delta, z_w, gamma * lam_w)  # w <- w + alpha_w delta z_w
            step_and_fade(theta_mu, alpha_theta * delta, z_mu, gamma * lam_theta)  # theta <- theta + alpha_theta delta z_theta
            step_and_fade(theta_sigma, alpha_theta * delta, z_sigma, gamma * lam_theta)
            discount *= gamma  # I <- gamma I
            x = x_  # S <- S'
            done = terminated or truncated  # until S' is terminal, or the time limit ends the episode


@dataclass(frozen=True)
class GaussianActorCriticConfig(LinearConfig):
    """Settings of `GaussianActorCritic`, named as in the book."""

    alpha_theta: StepSize = 0.001  # step size of the actor
    alpha_w: StepSize = 0.05  # step size of the critic
    gamma: Discount = 0.99  # discount rate
    lam_theta: Probability = 0.9  # decay of the actor's trace
    lam_w: Probability = 0.9  # decay of the critic's trace


class GaussianActorCritic(GaussianAgent):
    """Actor-critic with a Gaussian policy, on any environment whose actions are numbers (Sec. 13.7)."""

    Config = GaussianActorCriticConfig

    def _run(self, trial: Trial) -> None:
        c, arrays = self.config, (self.theta_mu, self.theta_sigma, self.w, self.low, self.high)
        gaussian_actor_critic(trial, self.features, *arrays, c.alpha_theta, c.alpha_w, c.gamma, c.lam_theta, c.lam_w, self.rng)
