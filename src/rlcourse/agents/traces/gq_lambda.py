"""GQ(lambda): off-policy action values that do not diverge, with traces (Sec. 12.11; Maei & Sutton 2010).

Off-policy, bootstrapping and linear values together may diverge (the deadly triad, Sec. 11.3). GQ(lambda) follows the gradient of the
projected Bellman error instead; a second vector v estimates how the errors depend on the features:

    delta = R + gamma w^T xbar' - w^T x;    xbar' = sum_a pi(a|S') x(S', a);    z <- rho gamma lambda z + x;    rho = pi(A|S) / b(A|S)
    w <- w + alpha delta z - alpha gamma (1 - lambda) (z^T v) xbar';    v <- v + beta delta z - beta (v^T x) x

Here for a given policy pi and behaviour b, or, with `control`, for epsilon-greedy ones on the values themselves. beta = 0 leaves out the
correction: off-policy Expected Sarsa(lambda). A truncated episode bootstraps from its last state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.linear import LinearAgent, LinearConfig
from rlcourse.core import exact
from rlcourse.core.box import box, kernel
from rlcourse.core.config import Discount, Probability, StepSize
from rlcourse.core.linear import add_action, pi, q_hat, q_hat_of
from rlcourse.core.policies import epsilon_greedy, epsilon_greedy_probabilities, sample
from rlcourse.core.traces import inner, step_and_fade
from rlcourse.core.trial import Trial

__all__ = ["GQLambda", "GQLambdaConfig", "add_mean_action", "gq_lambda", "probabilities"]


@kernel
def probabilities(control, policy, S, q, epsilon):
    """Return pi(.|S), shape [A]: of the given policy, or epsilon-greedy on q(S, .)."""
    return epsilon_greedy_probabilities(q, epsilon) if control else pi(policy, S)


@kernel
def add_mean_action(w, step, x, probabilities):
    """Do w <- w + step xbar, where xbar is the mean of x(s, a) over the actions."""
    for a in range(len(probabilities)):
        if probabilities[a] > 0.0:
            add_action(w, step * probabilities[a], x, a)


@box
def gq_lambda(world, policy, behavior, features, w, v, alpha, beta, gamma, lam, control, epsilon, target_epsilon, rng):
    """GQ(lambda) for estimating w^T x ~ q_pi, as Sec. 12.11 describes it."""
    while world.more():  # Loop for each episode:
        S = world.reset(rng)  # Initialize S
        x = features.x(S)
        z = np.zeros(w.shape)  # z <- 0
        done = False
        while not done:  # Loop for each step of episode:
            q = q_hat(x, w)
            b = probabilities(control, behavior, S, q, epsilon)
            A = sample(b, rng)  # Choose A ~ b(.|S)
            z *= probabilities(control, policy, S, q, target_epsilon)[A] / b[A]  # z <- rho gamma lambda z
            add_action(z, 1.0, x, A)  # ... + x(S, A)
            S, R, terminated, truncated = world.step(S, A, rng)  # Take action A, observe R, S'
            x_ = features.x(S)
            q_ = q_hat(x_, w)
            pi_ = probabilities(control, policy, S, q_, target_epsilon)
            target = R if terminated else R + gamma * inner(pi_, q_)
            delta = target - q[A]  # delta <- R + gamma w^T xbar' - w^T x
            correction, expected = inner(z, v), q_hat_of(x, v, A)  # z^T v and v^T x
            step_and_fade(w, alpha * delta, z, 1.0)  # w <- w + alpha delta z
            if not terminated:
                add_mean_action(w, -alpha * gamma * (1.0 - lam) * correction, x_, pi_)  # ... - alpha gamma (1 - lambda) (z^T v) xbar'
            step_and_fade(v, beta * delta, z, gamma * lam)  # v <- v + beta delta z; z <- gamma lambda z
            add_action(v, -beta * expected, x, A)  # ... - beta (v^T x) x
            x = x_  # S <- S'
            done = terminated or truncated  # until S' is terminal, or the time limit ends the episode


@dataclass(frozen=True)
class GQLambdaConfig(LinearConfig):
    """Settings of `GQLambda`, named as in the book."""

    alpha: StepSize = 0.05  # step size of w
    beta: Probability = 0.01  # step size of v
    gamma: Discount = 1.0  # discount rate
    lam: Probability = 0.5  # trace decay, lambda
    control: bool = False  # epsilon-greedy policies on the values, instead of the given ones
    epsilon: Probability = 0.1  # with control: probability of a random action, of the behaviour policy
    target_epsilon: Probability = 0.0  # with control: probability of a random action, of the target policy


class GQLambda(LinearAgent):
    """GQ(lambda) on any environment with finite actions (Sec. 12.11); `v` has the shape of `w`."""

    Config = GQLambdaConfig
    tables = ("w", "v")
    inputs = ("policy", "behavior")

    def _make_tables(self) -> None:
        self.w, self.v = self._weights(), self._weights()

    def _run(self, trial: Trial) -> None:
        c, s = self.config, self
        args = (c.alpha, c.beta, c.gamma, c.lam, c.control, c.epsilon, c.target_epsilon)
        gq_lambda(trial, s.policy, s.behavior, s.features, s.w, s.v, *args, s.rng)

    def _act(self, state: Any, deterministic: bool) -> Any:
        if not self.config.control:
            return super()._act(state, deterministic)
        values = self.action_values(state)
        return int(np.argmax(values)) if deterministic else epsilon_greedy(values, self.config.epsilon, self.rng)

    def exact_values(self) -> np.ndarray:
        """Return q_pi [S, A] of the given policy, or q* with `control`; needs a model (see `rlcourse.core.exact`)."""
        model, c = self._model(), self.config
        if c.control:
            return exact.q_star(model, c.gamma)
        return exact.q_pi(model, np.broadcast_to(self.policy, model.successor.shape[:2]), c.gamma)
