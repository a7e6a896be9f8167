"""Actor-critic with eligibility traces: between the one-step actor-critic and REINFORCE (Sec. 13.5).

A TD error is news for all states and actions that came before. Both actor and critic keep a trace of their gradients, and the error goes
to all of it:

    z_w <- gamma lam_w z_w + grad v(S, w);    z_theta <- gamma lam_theta z_theta + gamma^t grad ln pi(A|S, theta)
    w <- w + alpha_w delta z_w;    theta <- theta + alpha_theta delta z_theta

At lam_w = lam_theta = 0 it is the one-step actor-critic; at lam_theta = 1 errors add up to the return less the value, as in REINFORCE with
baseline, but for the parameters that move within the episode: the less it bootstraps, the less a critic's bias matters. A truncated episode
bootstraps from its last state.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.linear import LinearConfig
from rlcourse.agents.policy_gradient.base import SoftmaxAgent
from rlcourse.core.actors import add_score, softmax_policy
from rlcourse.core.box import box
from rlcourse.core.config import Discount, Probability, StepSize
from rlcourse.core.linear import add, v_hat
from rlcourse.core.policies import sample
from rlcourse.core.traces import step_and_fade
from rlcourse.core.trial import Trial

__all__ = ["ActorCriticLambda", "ActorCriticLambdaConfig", "actor_critic_lambda"]


@box
def actor_critic_lambda(world, features, theta, w, alpha_theta, alpha_w, gamma, lam_theta, lam_w, rng):
    """Actor-critic with eligibility traces (episodic), for estimating pi_theta ~ pi*, the box of Sec. 13.5."""
    while world.more():  # Loop forever (for each episode):
        S = world.reset(rng)  # Initialize S (first state of episode)
        x = features.x(S)
        z_theta, z_w = np.zeros_like(theta), np.zeros_like(w)  # z_theta <- 0, z_w <- 0
        discount = 1.0  # I <- 1
        done = False
        while not done:  # Loop while S is not terminal (for each time step):
            probabilities = softmax_policy(x, theta)
            A = sample(probabilities, rng)  # A ~ pi(.|S, theta)
            S, R, terminated, truncated = world.step(S, A, rng)  # Take action A, observe S', R
            x_ = features.x(S)
            target = R if terminated else R + gamma * v_hat(x_, w)
            delta = target - v_hat(x, w)  # delta <- R + gamma v(S', w) - v(S, w)
            add(z_w, 1.0, x)  # z_w <- gamma lam_w z_w + grad v(S, w); what fades has faded at the end of the step before
            add_score(z_theta, discount, x, A, probabilities)  # z_theta <- gamma lam_theta z_theta + I grad ln pi(A|S, theta)
            step_and_fade(w, alpha_w * delta, z_w, gamma * lam_w)  # w <- w + alpha_w delta z_w
            step_and_fade(theta, alpha_theta * delta, z_theta, gamma * lam_theta)  # theta <- theta + alpha_theta delta z_theta
            discount *= gamma  # I <- gamma I
            x = x_  # S <- S'
            done = terminated or truncated  # until S' is terminal, or the time limit ends the episode


@dataclass(frozen=True)
class ActorCriticLambdaConfig(LinearConfig):
    """Settings of `ActorCriticLambda`, named as in the book."""

    alpha_theta: StepSize = 0.01  # step size of the actor
    alpha_w: StepSize = 0.05  # step size of the critic
    gamma: Discount = 1.0  # discount rate
    lam_theta: Probability = 0.9  # decay of the actor's trace
    lam_w: Probability = 0.9  # decay of the critic's trace


class ActorCriticLambda(SoftmaxAgent):
    """Actor-critic with traces on any environment with finite actions (Sec. 13.5)."""

    Config = ActorCriticLambdaConfig

    def _run(self, trial: Trial) -> None:
        c = self.config
        actor_critic_lambda(trial, self.features, self.theta, self.w, c.alpha_theta, c.alpha_w, c.gamma, c.lam_theta, c.lam_w, self.rng)
