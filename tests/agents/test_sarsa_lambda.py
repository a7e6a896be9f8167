"""Sarsa(lambda), tabular and linear, and Monte Carlo control by counts: identities, oracles, files."""

import gymnasium as gym
import numpy as np
import pytest

from rlcourse.agents import GLIEControl, Sarsa, SarsaLambda, TabularSarsaLambda
from rlcourse.core import exact
from rlcourse.core.mdp import MDP
from rlcourse.envs import cliff_walk, easy21_features, easy21_game

WORLDS = {"cliff": cliff_walk, "easy21": easy21_game, "FrozenLake": lambda: "FrozenLake-v1"}


def corridor() -> MDP:
    """Three states in a row, one action, rewards 0, 0, 1."""
    return MDP.of({s: {0: [(1.0, min(s + 1, 2), float(s == 2), s == 2)]} for s in range(3)})


def loop() -> MDP:
    """A state that leads to itself or to the end, half of the time each; reward 1 at the end."""
    return MDP.of({0: {0: [(0.5, 0, 0.0, False), (0.5, 0, 1.0, True)]}})


@pytest.mark.parametrize("world", sorted(WORLDS))
def test_lambda_zero_is_sarsa_bit_for_bit(world):
    settings = {"alpha": 0.3, "gamma": 0.9, "epsilon": 0.2, "seed": 4}
    ours, theirs = TabularSarsaLambda(WORLDS[world](), lam=0.0, **settings), Sarsa(WORLDS[world](), **settings)
    assert np.array_equal(ours.learn(3000).Q, theirs.learn(3000).Q)
    assert np.array_equal(ours.history.rows, theirs.history.rows)


@pytest.mark.parametrize("lam", [0.0, 0.7, 1.0])
@pytest.mark.parametrize("world", sorted(WORLDS))
def test_one_feature_for_each_pair_is_the_table_bit_for_bit(world, lam):
    settings = {"alpha": 0.1, "gamma": 0.95, "lam": lam, "epsilon": 0.2, "seed": 4}
    table, linear = TabularSarsaLambda(WORLDS[world](), **settings).learn(3000), SarsaLambda(WORLDS[world](), **settings).learn(3000)
    assert np.array_equal(linear.w.T, table.Q)
    assert np.array_equal(linear.history.rows, table.history.rows)


def test_the_traces_of_one_episode_by_hand():
    agent = TabularSarsaLambda(corridor(), alpha=0.5, gamma=0.9, lam=0.8, epsilon=0.0).learn(episodes=1)
    np.testing.assert_allclose(agent.Q[:, 0], [0.5 * 0.72**2, 0.5 * 0.72, 0.5])
    agent.learn(episodes=1)  # the traces begin at zero again: by hand, delta_0, delta_1, delta_2
    V = np.array([0.5 * 0.72**2, 0.5 * 0.72, 0.5])
    first = 0.9 * V[1] - V[0]
    V[0] += 0.5 * first
    second = 0.9 * V[2] - V[1]
    V[:2] += 0.5 * second * np.array([0.72, 1.0])
    third = 1.0 - V[2]
    V += 0.5 * third * np.array([0.72**2, 0.72, 1.0])
    np.testing.assert_allclose(agent.Q[:, 0], V)


def test_accumulating_traces_grow_with_each_visit_and_replacing_ones_do_not():
    seed = next(seed for seed in range(99) if GLIEControl(loop(), seed=seed).learn(episodes=1).history["length"][0] == 3)
    settings = {"alpha": 0.1, "gamma": 1.0, "lam": 1.0, "epsilon": 0.0, "seed": seed}
    seen = [SarsaLambda(loop(), traces=traces, **settings) for traces in ("accumulating", "replacing")]
    lengths = [agent.learn(episodes=1).history["length"][0] for agent in seen]
    assert lengths[0] == lengths[1]
    assert seen[0].w[0, 0] == pytest.approx(0.1 * lengths[0])  # only the last error differs from 0, and the trace counts the visits
    assert seen[1].w[0, 0] == pytest.approx(0.1)


def test_lambda_one_with_steps_1_over_n_is_the_mean_return_where_no_state_recurs():
    outcomes = [(0.3, 1, 2.0, False), (0.7, 1, -1.0, False)]
    world = MDP.of({0: {0: outcomes}, 1: {0: [(0.5, 1, 4.0, True), (0.5, 1, 0.0, True)]}})
    agent = TabularSarsaLambda(world, alpha=0.0, lam=1.0, epsilon=0.0, gamma=1.0, seed=2).learn(episodes=400)
    monte_carlo = GLIEControl(world, seed=2).learn(episodes=400)
    assert monte_carlo.Q[0, 0] == pytest.approx(monte_carlo.history["return"].mean())
    assert agent.Q[0, 0] == pytest.approx(agent.history["return"].mean())
    assert agent.N[0, 0] == 400


def test_exploration_falls_with_the_visits_of_a_state():
    agent = TabularSarsaLambda(easy21_game(), alpha=0.0, N0=100.0, lam=0.5, seed=1).learn(episodes=20_000)
    assert agent.N.sum() == agent.num_timesteps
    early, late = agent.history["return"][:5000].mean(), agent.history["return"][-5000:].mean()
    assert late > early
    still = TabularSarsaLambda(easy21_game(), alpha=0.0, N0=1e12, epsilon=0.0, lam=0.5, seed=1).learn(episodes=20_000)
    visits = still.N[still.N.sum(axis=1) > 300]
    np.testing.assert_allclose(visits[:, 0] / visits.sum(axis=1), 0.5, atol=0.15)  # still uniform


@pytest.mark.parametrize("kind", [TabularSarsaLambda, GLIEControl])
def test_it_comes_near_the_optimum_of_easy21(kind):
    settings = {"alpha": 0.0, "N0": 100.0, "lam": 0.5} if kind is TabularSarsaLambda else {}
    returns, errors = [], []
    for seed in range(10):
        agent = kind(easy21_game(), seed=seed, **settings).learn(episodes=200_000)
        returns.append(exact.exact_return(easy21_game(), exact.greedy_policy(agent.Q)))
        errors.append(agent.true_error() ** 2)
    assert min(returns) > 0.03, returns  # of 0.0631; at random -0.101
    assert max(errors) < 0.06, errors


def test_the_36_features_reach_a_return_of_0_02_in_most_runs():
    settings = {"features": easy21_features(), "alpha": 0.01, "epsilon": 0.05, "lam": 0.5}
    learned = [SarsaLambda(easy21_game(), seed=seed, **settings).learn(episodes=100_000) for seed in range(10)]
    values = [agent.values() for agent in learned]
    returns = np.array([exact.exact_return(easy21_game(), exact.greedy_policy(Q)) for Q in values])
    assert np.mean(returns >= 0.02) >= 0.9, returns
    assert all(np.mean((Q - exact.q_star(easy21_game(), 1.0)) ** 2) > 0.020470 for Q in values), "below the best fit"


def test_features_and_weights_are_saved_and_learning_goes_on_exactly(tmp_path):
    settings = {"alpha": 0.01, "epsilon": 0.05, "lam": 0.9, "seed": 3}
    whole = SarsaLambda("rlcourse/Easy21-v0", features=easy21_features(), **settings).learn(episodes=60)
    half = SarsaLambda("rlcourse/Easy21-v0", features=easy21_features(), **settings).learn(episodes=30)
    loaded = SarsaLambda.load(half.save(tmp_path / "agent.safetensors"))
    assert loaded.w.shape == (36,)
    assert np.array_equal(loaded.features.rows, easy21_features())
    assert np.array_equal(loaded.learn(episodes=30).w, whole.w)


def test_monte_carlo_s_truncated_return_goes_on_with_what_q_expects():
    env = gym.wrappers.TimeLimit(gym.make("rlcourse/CliffWalk-v0").unwrapped, 1)
    agent = GLIEControl(env, gamma=0.5)
    agent.Q[:] = [-4.0, -8.0, -8.0, -8.0]
    agent.learn(episodes=1)
    changed = agent.Q[agent.N > 0].item()  # the first visit's step size is 1; where nothing was visited, the policy is still uniform
    assert changed == pytest.approx(agent.history["return"][0] + 0.5 * -7.0)


@pytest.mark.parametrize("traces", ["replacing", "clearing"])
def test_traces_that_replace_refuse_features_that_are_vectors(traces):
    with pytest.raises(ValueError, match=f"traces: {traces} ones need binary features"):
        SarsaLambda(cliff_walk(), features=np.ones((48, 3)), traces=traces)
