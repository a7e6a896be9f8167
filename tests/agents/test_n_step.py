"""n-step methods beside their neighbours, and against exact values."""

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
from rlcourse.core import exact
from rlcourse.core.mdp import MDP
from rlcourse.core.recorder import Recorder
from rlcourse.core.trial import Trial
from rlcourse.envs import random_walk, windy_gridworld

CONTROL = (NStepSarsa, NStepExpectedSarsa, NStepOffPolicySarsa, NStepTreeBackup, NStepQSigma)
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
