"""n-step methods against their equations written out, their neighbours, and exact values."""

import importlib.util
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from rlcourse.agents import (
    TD0,
    ExpectedSarsa,
    MCPrediction,
    NStepExpectedSarsa,
    NStepOffPolicyQ,
    NStepOffPolicySarsa,
    NStepOffPolicyTD,
    NStepQSigma,
    NStepSarsa,
    NStepTD,
    NStepTDErrors,
    NStepTreeBackup,
    Sarsa,
)
from rlcourse.agents.n_step.n_step_expected_sarsa import n_step_expected_sarsa
from rlcourse.agents.n_step.n_step_off_policy_sarsa import n_step_off_policy_sarsa
from rlcourse.agents.n_step.n_step_q_sigma import n_step_q_sigma
from rlcourse.agents.n_step.n_step_sarsa import n_step_sarsa
from rlcourse.agents.n_step.n_step_td import n_step_td
from rlcourse.agents.n_step.n_step_tree_backup import n_step_tree_backup
from rlcourse.core import exact
from rlcourse.core.box import Box
from rlcourse.core.mdp import MDP
from rlcourse.core.policies import epsilon_greedy, epsilon_greedy_probabilities, sample
from rlcourse.core.recorder import Recorder
from rlcourse.core.trial import Trial
from rlcourse.envs import random_walk, windy_gridworld

_spec = importlib.util.spec_from_file_location("harness", Path(__file__).parents[1] / "figures" / "harness.py")
harness = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(harness)

CONTROL = (NStepSarsa, NStepExpectedSarsa, NStepOffPolicySarsa, NStepTreeBackup, NStepQSigma)
DRAWS_AHEAD = (NStepSarsa, NStepOffPolicySarsa, NStepOffPolicyQ)  # they draw A_t+1 before the update at time t + 1
GAMMA = 0.9


def cycle() -> MDP:
    """Five states in a ring with random slips; state 3 may end the episode; rewards of all signs."""
    rng, table = np.random.default_rng(5), {}
    for s in range(5):
        table[s] = {}
        for a in range(3):
            to = [(s + 1 + a) % 5, (s + a) % 5]
            table[s][a] = [(0.7, to[0], float(rng.normal()), s == 3 and a == 1), (0.3, to[1], float(rng.normal()), s == 3)]
    return MDP.of(table, 0)


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


def learned(kind, **settings):
    """Return the table of an agent in the stochastic windy gridworld, from values that have no ties."""
    agent = kind(windy_gridworld(stochastic=True), seed=3, alpha=0.2, gamma=GAMMA, **settings)
    agent.limit = 50
    agent.Q[:] = np.random.default_rng(1).normal(size=agent.Q.shape)
    return agent.learn(2000).Q


def test_one_step_sarsa_is_sarsa_bit_for_bit():
    assert np.array_equal(learned(NStepSarsa, n=1), learned(Sarsa))
    assert not np.allclose(learned(NStepSarsa, n=2), learned(Sarsa))


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (NStepExpectedSarsa, {}),
        (NStepTreeBackup, {"target_epsilon": 0.1}),
        (NStepQSigma, {"target_epsilon": 0.1, "sigma": 0.0}),
        (NStepQSigma, {"target_epsilon": 0.1, "sigma": 1.0}),
    ],
)
def test_one_step_of_what_bootstraps_by_expectation_is_expected_sarsa_bit_for_bit(kind, settings):
    assert np.array_equal(learned(kind, n=1, **settings), learned(ExpectedSarsa))


def test_off_policy_sarsa_with_one_policy_is_on_policy_bit_for_bit():
    assert np.array_equal(learned(NStepOffPolicySarsa, n=4, target_epsilon=0.1), learned(NStepSarsa, n=4))


def test_q_sigma_without_sampling_is_the_tree_backup():
    for target_epsilon in (0.0, 0.1):
        ours, theirs = (
            learned(kind, target_epsilon=target_epsilon, **more) for kind, more in ((NStepQSigma, {"sigma": 0.0}), (NStepTreeBackup, {}))
        )
        np.testing.assert_allclose(ours, theirs, atol=1e-11)
        assert not np.allclose(learned(NStepQSigma, target_epsilon=target_epsilon, sigma=1.0), theirs)


def test_sigma_may_be_drawn_at_every_step():
    assert not np.allclose(learned(NStepQSigma, sigma=0.5, draw=True), learned(NStepQSigma, sigma=0.5))
    assert np.isfinite(learned(NStepQSigma, sigma=0.5, draw=True)).all()


def test_off_policy_prediction_with_one_policy_is_n_step_td_bit_for_bit():
    policy = np.random.default_rng(0).dirichlet(np.ones(3), 5)
    ours = NStepTD(cycle(), policy=policy, gamma=GAMMA, seed=2).learn(2000).V
    for control_variates in (True, False):
        other = NStepOffPolicyTD(cycle(), policy=policy, behavior=policy, gamma=GAMMA, seed=2, control_variates=control_variates)
        assert np.array_equal(ours, other.learn(2000).V)


def test_one_step_td_is_td_0_bit_for_bit():
    policy = np.random.default_rng(0).dirichlet(np.ones(3), 5)
    ours, theirs = (kind(cycle(), policy=policy, gamma=GAMMA, seed=2, **n) for kind, n in ((NStepTD, {"n": 1}), (TD0, {})))
    assert np.array_equal(ours.learn(2000).V, theirs.learn(2000).V)
    assert np.array_equal(ours.history.rows, theirs.history.rows)


def test_with_n_beyond_the_episode_n_step_td_is_every_visit_monte_carlo():
    recorder = Recorder.of(random_walk(19, -1.0, 1.0), 100_000)
    agent = NStepTD(random_walk(19, -1.0, 1.0), n=5000, alpha=0.1, gamma=GAMMA, seed=6)
    agent.world = recorder
    agent.learn(episodes=50)
    V, rows = np.zeros(21), recorder.transitions()
    for episode in np.split(rows, np.flatnonzero(rows[:, 4]) + 1)[:-1]:
        G, returns = 0.0, []
        for reward in episode[::-1, 2]:  # at the end of the episode, from its last step back
            G = reward + GAMMA * G
            returns.insert(0, G)
        for state, G in zip(episode[:, 0].astype(int), returns, strict=True):
            V[state] += 0.1 * (G - V[state])
    assert np.array_equal(agent.V, V)


def test_with_n_beyond_the_episode_it_is_constant_alpha_monte_carlo_bit_for_bit_where_no_state_recurs():
    table = {s: {a: [(0.5, min(s + 1 + a, 7), float(s), s >= 6), (0.5, min(s + 2, 7), 1.0, s >= 5)] for a in (0, 1)} for s in range(8)}
    for limit in (3, 100):
        ours = NStepTD(MDP.of(table), n=50, gamma=GAMMA, alpha=0.1, seed=2)
        theirs = MCPrediction(MDP.of(table), first_visit=False, gamma=GAMMA, alpha=0.1, seed=2)
        ours.limit = theirs.limit = limit
        assert np.array_equal(ours.learn(episodes=300).V, theirs.learn(episodes=300).V)


def test_sums_of_td_errors_are_n_step_errors_while_no_state_recurs():
    table = {s: {0: [(1.0, s + 1, float(s * s + 1), s == 6)]} for s in range(7)} | {7: {0: [(1.0, 7, 0.0, True)]}}
    for n in (1, 3, 20):
        ours, theirs = (kind(MDP.of(table), n=n, alpha=0.5, gamma=GAMMA).learn(episodes=1).V for kind in (NStepTDErrors, NStepTD))
        np.testing.assert_allclose(ours, theirs, atol=1e-12)
        assert np.all(ours[:6] != 0.0)
    ours, theirs = (kind(random_walk(), n=1, seed=1).learn(episodes=50).V for kind in (NStepTDErrors, NStepTD))
    assert np.array_equal(ours, theirs)


def test_all_remaining_updates_of_a_truncated_episode_bootstrap_from_where_the_limit_struck():
    table = {s: {0: [(1.0, s + 1, 1.0, False)]} for s in range(9)} | {9: {0: [(1.0, 9, 0.0, True)]}}
    for kind in (NStepTD, NStepTDErrors, NStepOffPolicyTD):
        agent = kind(MDP.of(table), n=4, alpha=1.0, gamma=GAMMA)
        agent.limit, agent.V[3] = 3, 10.0
        agent.learn(episodes=1)
        np.testing.assert_allclose(
            agent.V[:4], [1 + GAMMA + GAMMA**2 + GAMMA**3 * 10, 1 + GAMMA + GAMMA**2 * 10, 1 + GAMMA * 10, 10], atol=1e-12
        )
    for kind in (*CONTROL, NStepOffPolicyQ):
        agent = kind(MDP.of(table), n=4, alpha=1.0, gamma=GAMMA)
        agent.limit, agent.Q[3] = 3, 10.0
        agent.learn(episodes=1)
        np.testing.assert_allclose(
            agent.Q[:3, 0], [1 + GAMMA + GAMMA**2 + GAMMA**3 * 10, 1 + GAMMA + GAMMA**2 * 10, 1 + GAMMA * 10], atol=1e-12
        )


@pytest.mark.parametrize("kind", CONTROL)
def test_control_converges_to_the_exact_optimum(kind):
    """On-policy methods to the best epsilon-soft policy, off-policy ones to q*; both are 0.93 apart."""
    world, epsilon = cycle(), 0.3
    soft, greedy = exact.soft_policy(world, epsilon, GAMMA), exact.q_star(world, GAMMA)
    assert np.abs(soft - greedy).max() > 0.9
    error = []
    for seed in range(10):
        agent = kind(world, seed=seed, n=3, gamma=GAMMA, epsilon=epsilon, alpha=0.01).learn(200_000)
        mean = np.mean([agent.learn(10_000).Q.copy() for _ in range(40)], axis=0)  # averages over the noise of a constant step
        error.append(np.abs(mean - (soft if kind in (NStepSarsa, NStepExpectedSarsa) else greedy)).max())
    assert np.mean(np.array(error) < 0.2) >= 0.9, error  # measured: at most 0.17, with importance sampling; 0.08 to 0.12 without


@pytest.mark.parametrize("kind", [NStepTD, NStepTDErrors, NStepOffPolicyTD, NStepOffPolicyQ])
def test_prediction_converges_to_the_exact_values(kind):
    world = cycle()
    policy = np.random.default_rng(3).dirichlet(np.ones(3) * 3, 5)
    given = {"policy": policy} | ({"behavior": np.full((5, 3), 1 / 3)} if "behavior" in kind.inputs else {})
    variants = ({"control_variates": True}, {"control_variates": False}) if "behavior" in kind.inputs else ({},)
    for more in variants:
        error = []
        for seed in range(10):
            agent = kind(world, **given, **more, n=3, alpha=0.01, gamma=GAMMA, seed=seed).learn(100_000)
            table = agent.Q if kind is NStepOffPolicyQ else agent.V
            mean = np.mean([(agent.learn(10_000), table.copy())[1] for _ in range(20)], axis=0)
            error.append(np.abs(mean - agent.exact_values()).max())
        assert np.mean(np.array(error) < 0.1) >= 0.9, (more, error)
    assert agent.true_error() < 0.5


def test_a_recorder_keeps_what_fits_and_changes_nothing():
    recorder = Recorder.of(random_walk(), 3)
    trial = Trial.of(recorder, episodes=2, limit=5)
    rng, plain = np.random.default_rng(0), np.random.default_rng(0)
    state = trial.reset(rng)
    assert recorder.observation_space == random_walk().observation_space
    assert recorder.action_space == random_walk().action_space
    assert recorder.observe(2) == 2
    steps = []
    same = random_walk().reset(plain)
    for action in (1, 0, 1, 0):
        step = trial.step(state, action, rng)
        assert step[:3] == random_walk().step(same, action, plain)[:3]
        steps.append((state, action, step[1], step[0], 0.0))
        state = same = step[0]
    assert recorder.transitions().tolist() == [list(map(float, row)) for row in steps[:3]]
