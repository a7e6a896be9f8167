"""One-step actor-critic: the policy gradient with a TD error instead of a return (Sec. 13.5).

REINFORCE must wait for the end of an episode and learns from returns with all their noise. The critic's TD error says at once whether
an action turned out better than expected, and the actor follows it:

    delta <- R + gamma v(S', w) - v(S, w);    theta <- theta + alpha_theta gamma^t delta grad ln pi(A|S, theta)        (13.12-13.14)

It learns online and with less variance. The price is a bias wherever the critic is wrong: with features that cannot tell states
apart, as in the corridor of Example 13.1, it need not find the best policy at all. A truncated episode bootstraps from its last state.
"""

from __future__ import annotations

from dataclasses import dataclass

from rlcourse.agents.linear import LinearConfig
from rlcourse.agents.policy_gradient.base import SoftmaxAgent
from rlcourse.core.actors import add_score, softmax_policy
from rlcourse.core.box import box
from rlcourse.core.config import Discount, StepSize
from rlcourse.core.linear import add, v_hat
from rlcourse.core.policies import sample
from rlcourse.core.trial import Trial

__all__ = ["OneStepActorCritic", "OneStepActorCriticConfig", "one_step_actor_critic"]


@box
def one_step_actor_critic(world, features, theta, w, alpha_theta, alpha_w, gamma, rng):
    """One-step actor-critic (episodic), for estimating pi_theta ~ pi*, the box of Sec. 13.5."""
    while world.more():  # Loop forever (for each episode):
        S = world.reset(rng)  # Initialize S (first state of episode)
        x = features.x(S)
        discount = 1.0  # I <- 1
        done = False
        while not done:  # Loop while S is not terminal (for each time step):
            probabilities = softmax_policy(x, theta)
            A = sample(probabilities, rng)  # A ~ pi(.|S, theta)
            S, R, terminated, truncated = world.step(S, A, rng)  # Take action A, observe S', R
            x_ = features.x(S)
            target = R if terminated else R + gamma * v_hat(x_, w)
            delta = target - v_hat(x, w)  # delta <- R + gamma v(S', w) - v(S, w)
            add(w, alpha_w * delta, x)  # w <- w + alpha_w delta grad v(S, w)
            add_score(theta, alpha_theta * delta * discount, x, A, probabilities)  # theta <- theta + alpha_theta I delta grad ln pi(A|S)
            discount *= gamma  # I <- gamma I
            x = x_  # S <- S'
            done = terminated or truncated  # until S' is terminal, or the time limit ends the episode


@dataclass(frozen=True)
class OneStepActorCriticConfig(LinearConfig):
    """Settings of `OneStepActorCritic`, named as in the book."""

    alpha_theta: StepSize = 0.01  # step size of the actor
    alpha_w: StepSize = 0.05  # step size of the critic
    gamma: Discount = 1.0  # discount rate


class OneStepActorCritic(SoftmaxAgent):
    """One-step actor-critic on any environment with finite actions (Sec. 13.5)."""

    Config = OneStepActorCriticConfig

    def _run(self, trial: Trial) -> None:
        c = self.config
        one_step_actor_critic(trial, self.features, self.theta, self.w, c.alpha_theta, c.alpha_w, c.gamma, self.rng)
