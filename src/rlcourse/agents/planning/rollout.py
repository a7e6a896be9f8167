"""Rollout: plan at decision time by Monte Carlo control with a base policy (Sec. 8.10).

All that a rollout algorithm needs is a sample model and some policy, the base. In each state that it meets, it simulates n
trajectories per action which begin with that action and then follow the base policy; their mean return estimates q_base(S, a):

    A <- argmax_a (1/n) sum_i G_i(S, a)

and then it throws the estimates away. Acting greedily on q_base is one step of policy iteration, so by the policy improvement theorem
it is at least as good as the base policy: rollout improves its base, it does not look for the optimum. How near it comes depends on n
and on the base. A trajectory is cut off after `depth` steps, and what lies beyond counts as zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.tabular import TabularAgent
from rlcourse.core.box import box, kernel
from rlcourse.core.config import Config, Count, Discount
from rlcourse.core.policies import greedy, sample
from rlcourse.core.trial import Trial
from rlcourse.core.work import spend

__all__ = ["Rollout", "RolloutConfig", "rollout", "rollout_values", "simulated_return"]


@kernel
def simulated_return(model, S, A, base, depth, gamma, rng):
    """Return the discounted return of a simulated trajectory that takes A in S and then follows the base policy."""
    G, discount = 0.0, 1.0
    for _ in range(depth):
        S, R, terminated, truncated = model.step(S, A, rng)
        G += discount * R
        if terminated or truncated:
            break
        discount *= gamma
        A = sample(base[S], rng)
    return G


@kernel
def _mean_returns(model, S, base, n, depth, gamma, rng):
    """Return the mean of n simulated returns of each action, shape [A]."""
    values = np.zeros(base.shape[1])
    for a in range(len(values)):
        for i in range(n):
            G = simulated_return(model, S, a, base, depth, gamma, rng)
            values[a] += (G - values[a]) / (i + 1)
    return values


@box
def rollout(world, model, base, Q, n, depth, gamma, rng):
    """Rollout; Q keeps the last estimates of each state, to be looked at: no decision uses those of another."""
    while world.more():  # Loop for each episode:
        S = world.reset(rng)
        done = False
        while not done:  # Loop for each decision:
            Q[S] = _mean_returns(model, S, base, n, depth, gamma, rng)  # estimate q_base(S, a) from n trajectories per action
            A = greedy(Q[S], rng)  # A <- argmax_a
            S, _, terminated, truncated = world.step(S, A, rng)  # Take action A; the estimates are thrown away
            done = terminated or truncated


@box
def rollout_values(model, S, base, n, depth, gamma, rng):
    """Return what `rollout` would estimate in one state, shape [A]."""
    return _mean_returns(model, S, base, n, depth, gamma, rng)


@dataclass(frozen=True)
class RolloutConfig(Config):
    """Settings of `Rollout`."""

    n: Count = 100  # simulated trajectories per action and decision
    depth: Count = 100  # steps after which a simulated trajectory is cut off
    gamma: Discount = 1.0  # discount rate


class Rollout(TabularAgent):
    """Rollout on any world that can be stepped from every state (Sec. 8.10).

    It learns nothing: `learn` acts, planning before each step, and keeps what was found in `Q`. `predict` plans too, with a generator
    made from the agent's seed and the state, so that a decision depends on nothing else.

    Parameters
    ----------
    base : ndarray, shape [S, A] of probabilities or [S] of actions, optional
        The base policy; the equiprobable one where None.
    """

    Config = RolloutConfig
    inputs = ("base",)
    base: np.ndarray

    def _build(self) -> None:
        super()._build()
        self.model = self._sample_model()

    def _run(self, trial: Trial) -> None:
        c = self.config
        rollout(trial, self.model, self.base, self.Q, c.n, c.depth, c.gamma, self.rng)

    def action_values(self, states: np.ndarray) -> np.ndarray:
        """Plan in each state; return the estimates, shape [n, A]."""
        c, values = self.config, []
        spend(20 * self.base.shape[1] * c.n * c.depth * len(states))
        for s in states:
            rng = np.random.default_rng([self.seed, int(s)])
            values.append(rollout_values(self.model, int(s), self.base, c.n, c.depth, c.gamma, rng))
        return np.array(values)
