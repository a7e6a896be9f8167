"""REINFORCE with baseline: the same gradient with less noise (Sec. 13.4).

Adding any function b(s) to all returns that follow a state changes nothing of the expected update, because the probabilities of the actions
sum to one and the gradient of a constant is zero. It may change the variance a lot: where all returns are near -80, every action becomes
less probable by about as much, and only a small difference tells. An estimate of the state value takes the common part away:

    theta <- theta + alpha_theta gamma^t (G_t - v(S_t, w)) grad ln pi(A_t|S_t, theta)        (13.11)

The values are learned by gradient Monte Carlo, and not used to bootstrap: this is not yet an actor-critic. Only an episode that is
cut off, by a time limit or the budget, has its return completed by the value of the state where it was cut.
"""

from __future__ import annotations

from dataclasses import dataclass

from rlcourse.agents.linear import LinearConfig
from rlcourse.agents.policy_gradient.base import SoftmaxAgent
from rlcourse.core.actors import add_score, softmax_policy
from rlcourse.core.box import box
from rlcourse.core.config import Discount, StepSize
from rlcourse.core.episodes import returns_of
from rlcourse.core.linear import add, v_hat
from rlcourse.core.policies import sample
from rlcourse.core.trial import Trial

__all__ = ["LinearREINFORCEBaseline", "LinearREINFORCEBaselineConfig", "linear_reinforce_baseline"]


@box
def linear_reinforce_baseline(world, features, theta, w, alpha_theta, alpha_w, gamma, rng):
    """REINFORCE with baseline (episodic), for estimating pi_theta ~ pi*, the box of Sec. 13.4."""
    while world.more():  # Loop forever (for each episode):
        S = world.reset(rng)
        episode = [(S, 0, 0.0) for _ in range(0)]  # S0, A0, R1, S1, A1, R2, ..., as triples
        beyond = 0.0
        done = False
        while not done:  # Generate an episode following pi(.|., theta)
            A = sample(softmax_policy(features.x(S), theta), rng)
            S_, R, terminated, truncated = world.step(S, A, rng)
            episode.append((S, A, R))
            S = S_
            done = terminated or truncated
            if truncated and not terminated:  # cut short: the rest of the return is what v expects
                beyond = v_hat(features.x(S), w)
        G = returns_of(episode, gamma, beyond)
        discount = 1.0  # gamma^t
        for t in range(len(episode)):  # Loop for each step of the episode t = 0, 1, ..., T-1:
            S, A, R = episode[t]
            x = features.x(S)
            delta = G[t] - v_hat(x, w)  # delta <- G - v(S_t, w)
            add(w, alpha_w * delta, x)  # w <- w + alpha_w delta grad v(S_t, w)
            add_score(
                theta, alpha_theta * discount * delta, x, A, softmax_policy(x, theta)
            )  # theta <- theta + alpha gamma^t delta grad ln pi
            discount *= gamma


@dataclass(frozen=True)
class LinearREINFORCEBaselineConfig(LinearConfig):
    """Settings of `LinearREINFORCEBaseline`, named as in the book."""

    alpha_theta: StepSize = 0.002  # step size of the policy's parameters
    alpha_w: StepSize = 0.02  # step size of the value's weights
    gamma: Discount = 1.0  # discount rate


class LinearREINFORCEBaseline(SoftmaxAgent):
    """REINFORCE with a learned baseline on any environment with finite actions (Sec. 13.4)."""

    Config = LinearREINFORCEBaselineConfig

    def _run(self, trial: Trial) -> None:
        c = self.config
        linear_reinforce_baseline(trial, self.features, self.theta, self.w, c.alpha_theta, c.alpha_w, c.gamma, self.rng)
