"""`SoftmaxAgent` and `GaussianAgent`: what agents share that learn a policy with linear parameters; the algorithm is the subclass's box."""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium as gym
import numpy as np

from rlcourse.agents.linear import LinearAgent
from rlcourse.core import exact, spaces
from rlcourse.core.actors import clipped, gaussian_deviation, gaussian_mean, gaussian_sample, softmax_policy
from rlcourse.core.gymworld import model_of
from rlcourse.core.linear import q_hat
from rlcourse.core.policies import sample

__all__ = ["GaussianAgent", "SoftmaxAgent"]


class SoftmaxAgent(LinearAgent):
    """Base of the agents with a softmax policy over linear preferences (Eq. 13.2).

    Attributes
    ----------
    theta : ndarray of float64
        The policy's parameters: [A, d], or [d] over features of pairs. Zeros, the equiprobable policy; write into them to begin elsewhere.
    w : ndarray of float64, shape [d]
        Weights of the state values, where the agent has a critic.
    """

    tables: ClassVar[tuple[str, ...]] = ("theta", "w")
    values_of_states = True
    theta: np.ndarray

    def _make_tables(self) -> None:
        d = self.features.size
        self.theta = np.zeros(d if self._pairs else (spaces.size(self.action_space), d))
        if self.values_of_states:
            self.w = self._weights()

    def _act(self, state: Any, deterministic: bool) -> int:
        """Choose the most probable action, or draw one."""
        probabilities = self.probabilities(state)
        return int(np.argmax(probabilities)) if deterministic else int(sample(probabilities, self.rng))

    def probabilities(self, state: Any) -> np.ndarray:
        """Return pi(.|s, theta), shape [A]; a state is as the features take it."""
        return np.asarray(softmax_policy(self._reading.x(state), self.theta))

    def action_values(self, state: Any) -> np.ndarray:
        """Return the preferences h(s, a, theta), shape [A]: what this agent has instead of action values."""
        return np.asarray(q_hat(self._reading.x(state), self.theta))

    def learned_policy(self) -> np.ndarray:
        """Return pi(a|s, theta) of all states, shape [S, A], where observations are finite."""
        return np.array([self.probabilities(s) for s in range(spaces.size(self.observation_space))])

    def exact_values(self) -> np.ndarray:
        """Return what the critic is after: v_pi [S] of the policy as it is; needs a model, and a critic."""
        model = model_of(self.env)
        if model is None or not self.values_of_states:
            raise ValueError(f"exact values need a critic and a model: {type(self).__name__} has not both of them in this environment")
        return exact.v_pi(model, self.learned_policy(), getattr(self.config, "gamma", 1.0))


class GaussianAgent(LinearAgent):
    """Base of the agents with a Gaussian policy (Eq. 13.19) for actions of one or more numbers.

    An action is drawn, learned from as it was drawn, and clipped to the bounds of the action space on its way into the environment.

    Attributes
    ----------
    theta_mu, theta_sigma : ndarray of float64, shape [k, d]
        Parameters of means and of logarithms of deviations: zeros, so at first means are 0 and deviations 1.
    w : ndarray of float64, shape [d]
        Weights of the state values, where the agent has a critic.
    low, high : ndarray of float64, shape [k]
        Bounds of the actions.
    """

    tables: ClassVar[tuple[str, ...]] = ("theta_mu", "theta_sigma", "w")
    finite_actions = False
    values_of_states = True
    theta_mu: np.ndarray
    theta_sigma: np.ndarray

    def _build(self) -> None:
        space = self.action_space
        if not isinstance(space, gym.spaces.Box) or len(space.shape) != 1:
            other = "take ActorCriticLambda" if spaces.is_finite(space) else "wrap the environment"
            raise ValueError(f"{type(self).__name__} needs actions that are a vector of numbers, not {space}: {other}")
        self.low, self.high = space.low.astype(np.float64), space.high.astype(np.float64)
        super()._build()

    def _make_tables(self) -> None:
        k, d = len(self.low), self.features.size
        self.theta_mu, self.theta_sigma = np.zeros((k, d)), np.zeros((k, d))
        if "w" in self.tables:
            self.w = self._weights()

    def _act(self, state: Any, deterministic: bool) -> np.ndarray:
        """Choose the mean, or draw an action."""
        mu, sigma = self.mean_and_deviation(state)
        return clipped(mu if deterministic else gaussian_sample(mu, sigma, self.rng), self.low, self.high)

    def mean_and_deviation(self, state: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return mu(s, theta) and sigma(s, theta), each of shape [k]; a state is as the features take it."""
        x = self._reading.x(state)
        return np.asarray(gaussian_mean(x, self.theta_mu)), np.asarray(gaussian_deviation(x, self.theta_sigma))

    def action_values(self, state: Any) -> np.ndarray:
        """Raise ValueError: there are infinitely many actions."""
        raise ValueError(f"{type(self).__name__} has no values of actions; ask for mean_and_deviation(state)")

    def exact_values(self) -> np.ndarray:
        """Raise ValueError: no environment with such actions has an exact model."""
        raise ValueError("exact values need a model with finitely many actions")
