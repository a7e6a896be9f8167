"""n-step methods against their equations written out, from the same draws; mutants do not pass."""

import importlib.util
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from test_n_step import GAMMA, cycle

from rlcourse.agents import (
    NStepExpectedSarsa,
    NStepOffPolicyQ,
    NStepOffPolicySarsa,
    NStepOffPolicyTD,
    NStepQSigma,
    NStepSarsa,
    NStepTD,
    NStepTreeBackup,
)
from rlcourse.agents.n_step.n_step_expected_sarsa import n_step_expected_sarsa
from rlcourse.agents.n_step.n_step_off_policy_sarsa import n_step_off_policy_sarsa
from rlcourse.agents.n_step.n_step_q_sigma import n_step_q_sigma
from rlcourse.agents.n_step.n_step_sarsa import n_step_sarsa
from rlcourse.agents.n_step.n_step_td import n_step_td
from rlcourse.agents.n_step.n_step_tree_backup import n_step_tree_backup
from rlcourse.core.box import Box
from rlcourse.core.policies import epsilon_greedy, epsilon_greedy_probabilities, sample

_spec = importlib.util.spec_from_file_location("harness", Path(__file__).parents[1] / "figures" / "harness.py")
harness = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(harness)

DRAWS_AHEAD = (NStepSarsa, NStepOffPolicySarsa, NStepOffPolicyQ)  # they draw A_t+1 before the update at time t + 1


class Literal:
    """One n-step method as its equations stand in the book: whole episodes are kept, returns are recursive, powers are written out."""

    def __init__(self, kind, n, policy=None, behavior=None, epsilon=0.3, target_epsilon=0.3, sigma=0.5, control_variates=True):
        self.kind, self.n, self.policy, self.behavior = kind, n, policy, behavior
        self.epsilon, self.target_epsilon, self.sigma, self.variates = epsilon, target_epsilon, sigma, control_variates

    def pi(self, s):
        return self.policy[s] if self.policy is not None else epsilon_greedy_probabilities(self.Q[s], self.target_epsilon)

    def learn(self, world, Q, V, episodes, limit, alpha, rng):
        self.Q, self.V = Q, V
        for _ in range(episodes):
            self.S, self.A, self.R, self.rho, T, t = [world.reset(rng)], [], [None], [], None, 0
            if self.kind in DRAWS_AHEAD:
                self.choose(rng)
            while True:
                if T is None:
                    if self.kind not in DRAWS_AHEAD:
                        self.choose(rng)
                    s, r, self.over, truncated = world.step(self.S[t], self.A[t], rng)
                    self.S.append(s)
                    self.R.append(r)
                    if self.kind in DRAWS_AHEAD:
                        self.choose(rng)
                    if self.over or truncated or t + 1 == limit:
                        T = t + 1
                tau = t - self.n + 1
                if tau >= 0:
                    self.update(tau, min(tau + self.n, T or 10**9), alpha)
                if T is not None and tau == T - 1:
                    break
                t += 1

    def choose(self, rng):
        s = self.S[-1]
        given = self.behavior if self.behavior is not None else self.policy
        a = epsilon_greedy(self.Q[s], self.epsilon, rng) if given is None else sample(given[s], rng)
        b = epsilon_greedy_probabilities(self.Q[s], self.epsilon) if given is None else given[s]
        self.rho.append(self.pi(s)[a] / b[a])
        self.A.append(a)

    def plain(self, tau, h, end):
        rewards = sum(GAMMA ** (i - tau - 1) * self.R[i] for i in range(tau + 1, h + 1))
        return rewards + (0.0 if self.over else GAMMA ** (h - tau) * end)

    def G(self, k, h):
        """Return G_k:h of (7.13), (7.14), (7.16) or (7.17)."""
        S, A, R, Q = self.S, self.A, self.R, self.Q
        if self.kind is NStepOffPolicyTD:
            if k == h:
                return 0.0 if self.over else self.V[S[h]]
            return self.rho[k] * (R[k + 1] + GAMMA * self.G(k + 1, h)) + (1 - self.rho[k]) * self.V[S[k]]
        if k + 1 == h:
            return R[h] + (0.0 if self.over else GAMMA * self.pi(S[h]) @ Q[S[h]])
        s, a = S[k + 1], A[k + 1]
        pi, after = self.pi(s), self.G(k + 1, h)
        if self.kind is NStepTreeBackup:
            others = sum(pi[b] * Q[s, b] for b in range(len(pi)) if b != a)
            return R[k + 1] + GAMMA * others + GAMMA * pi[a] * after
        sigma = 1.0 if self.kind is NStepOffPolicyQ else self.sigma
        weight = sigma * self.rho[k + 1] + (1 - sigma) * pi[a]
        return R[k + 1] + GAMMA * weight * (after - Q[s, a]) + GAMMA * pi @ Q[s]

    def update(self, tau, h, alpha):
        S, A, Q, V, kind = self.S, self.A, self.Q, self.V, self.kind
        ratio = np.prod(self.rho[tau + 1 : (h if self.over else h + 1)]) if kind in DRAWS_AHEAD else 1.0
        if kind is NStepTD:
            V[S[tau]] += alpha * (self.plain(tau, h, V[S[h]]) - V[S[tau]])
        elif kind is NStepOffPolicyTD:
            G, rho = (self.G(tau, h), 1.0) if self.variates else (self.plain(tau, h, V[S[h]]), np.prod(self.rho[tau:h]))
            V[S[tau]] += alpha * rho * (G - V[S[tau]])
        elif kind is NStepSarsa:
            Q[S[tau], A[tau]] += alpha * (self.plain(tau, h, Q[S[h], A[h] if len(A) > h else 0]) - Q[S[tau], A[tau]])
        elif kind is NStepExpectedSarsa:
            Q[S[tau], A[tau]] += alpha * (self.plain(tau, h, self.pi(S[h]) @ Q[S[h]]) - Q[S[tau], A[tau]])
        elif kind is NStepOffPolicySarsa or (kind is NStepOffPolicyQ and not self.variates):
            Q[S[tau], A[tau]] += alpha * ratio * (self.plain(tau, h, Q[S[h], A[h]]) - Q[S[tau], A[tau]])
        else:
            Q[S[tau], A[tau]] += alpha * (self.G(tau, h) - Q[S[tau], A[tau]])


def compare(kind, n, limit, given=(), **settings):
    """Let an agent and the literal method learn from the same draws."""
    rng = np.random.default_rng(9)
    policies = {name: rng.dirichlet(np.ones(3), 5) for name in given}
    first, values = rng.normal(size=(5, 3)), rng.normal(size=5)
    agent = kind(cycle(), n=n, alpha=0.1, gamma=GAMMA, seed=4, **policies, **settings)
    agent.limit = limit
    agent.Q[:], agent.V[:] = first, values
    agent.learn(episodes=60)
    if kind in (NStepSarsa, NStepExpectedSarsa):
        settings = {"target_epsilon": settings["epsilon"], **settings}
    Literal(kind, n, **policies, **settings).learn(cycle(), first, values, 60, limit, 0.1, np.random.default_rng(4))
    np.testing.assert_allclose(agent.Q, first, rtol=0, atol=1e-11)
    np.testing.assert_allclose(agent.V, values, rtol=0, atol=1e-11)
    assert np.abs(agent.Q).max() < 100


@pytest.mark.parametrize("limit", [2, 7, 10_000])
@pytest.mark.parametrize("n", [1, 2, 5, 40])
def test_boxes_do_what_their_equations_say_also_where_a_time_limit_strikes(n, limit):
    compare(NStepTD, n, limit, ("policy",))
    compare(NStepSarsa, n, limit, epsilon=0.3)
    compare(NStepExpectedSarsa, n, limit, epsilon=0.3)
    compare(NStepOffPolicySarsa, n, limit, epsilon=0.3, target_epsilon=0.15)
    compare(NStepTreeBackup, n, limit, epsilon=0.4, target_epsilon=0.1)
    for sigma in (0.0, 0.3, 1.0):
        compare(NStepQSigma, n, limit, epsilon=0.4, target_epsilon=0.25, sigma=sigma)
    if n <= 5:  # products of many ratios of unlike policies grow without bound
        for control_variates in (True, False):
            compare(NStepOffPolicyTD, n, limit, ("policy", "behavior"), control_variates=control_variates)
            compare(NStepOffPolicyQ, n, limit, ("policy", "behavior"), control_variates=control_variates)


FLUSH = ("while tau < T - 1:", "while t < T:")
OFF = {"epsilon": 0.4, "target_epsilon": 0.2}
MUTANTS = {  # what is wrong: agent, box, text, its replacement, settings
    "TD whose return begins one step late": (NStepTD, n_step_td, "tau + 1, h, gamma", "tau + 2, h, gamma", {}),
    "Sarsa that lost a gamma": (NStepSarsa, n_step_sarsa, "tau + 1, h, gamma, G", "tau + 1, h, gamma, G / gamma", {"epsilon": 0.4}),
    "Sarsa without a bootstrap at a time limit": (NStepSarsa, n_step_sarsa, "0.0 if terminated", "0.0 if T == h", {"epsilon": 0.4}),
    "Expected Sarsa that forgets the end": (NStepExpectedSarsa, n_step_expected_sarsa, *FLUSH, {"epsilon": 0.4}),
    "Expected Sarsa that expects the greedy action": (
        NStepExpectedSarsa, n_step_expected_sarsa, "expected_value(Q[states[h % m]], epsilon)", "expected_value(Q[states[h % m]], 0.0)",
        {"epsilon": 0.4},
    ),
    "off-policy Sarsa without its ratio": (NStepOffPolicySarsa, n_step_off_policy_sarsa, "alpha * rho", "alpha", OFF),
    "off-policy Sarsa with a ratio one step early": (NStepOffPolicySarsa, n_step_off_policy_sarsa, "ratios, tau + 1", "ratios, tau", OFF),
    "off-policy Sarsa without the last ratio": (NStepOffPolicySarsa, n_step_off_policy_sarsa, "h - 1 if terminated else h", "h - 1", OFF),
    "tree backup without gamma": (NStepTreeBackup, n_step_tree_backup, "+ gamma * branch", "+ branch", OFF),
    "tree backup one step short": (NStepTreeBackup, n_step_tree_backup, "range(h - 1, tau, -1)", "range(h - 1, tau + 1, -1)", OFF),
    "tree backup that expects by its behaviour": (NStepTreeBackup, n_step_tree_backup, "]], target_epsilon)", "]], epsilon)", OFF),
    "Q(sigma) that ignores sigma": (NStepQSigma, n_step_q_sigma, "(1.0 - sigmas[i]) * pi", "(1.0 - sigmas[i]) * ratios[i]", OFF),
    "Q(sigma) without its ratio": (NStepQSigma, n_step_q_sigma, "sigmas[i] * ratios[i]", "sigmas[i]", OFF),
    "Q(sigma) without its control variate": (NStepQSigma, n_step_q_sigma, "(G - q[A_k])", "G", OFF),
}  # fmt: skip


@pytest.mark.parametrize("what", sorted(MUTANTS))
def test_a_mutant_does_not_do_what_the_equations_say(what):
    kind, box, old, new, settings = MUTANTS[what]
    given = ("policy",) if kind is NStepTD else ()
    with mock.patch.object(Box, "compiled", lambda box, *args: box.python(*args)):
        compare(kind, 3, 7, given, **settings)
        with harness.mutated(box, old, new), pytest.raises(AssertionError, match="Not equal to tolerance"):
            compare(kind, 3, 7, given, **settings)
