"""Exact values: closed forms, each other, and what is refused."""

from unittest import mock

import gymnasium as gym
import numpy as np
import pytest

from rlcourse.agents import QLearning, ValueIteration
from rlcourse.core import bellman, exact
from rlcourse.core.callbacks import TrueError
from rlcourse.core.mdp import MDP
from rlcourse.envs import cliff_walk, gamblers_problem, grid_world, random_walk, robot_room, windy_gridworld


def test_the_cliff_has_the_values_that_can_be_counted():
    assert exact.v_star(cliff_walk(), 1.0)[36] == pytest.approx(-13.0)
    Q = exact.q_star(cliff_walk(), 1.0)
    assert exact.exact_return(cliff_walk(), exact.greedy_policy(Q)) == pytest.approx(-13.0)
    assert exact.exact_return(cliff_walk(), exact.greedy_policy(Q, 0.1)) == pytest.approx(-50.800, abs=5e-4)
    soft = exact.greedy_policy(exact.soft_policy(cliff_walk(), 0.1, 1.0), 0.1)
    assert exact.exact_return(cliff_walk(), soft) == pytest.approx(-20.708, abs=5e-4)


def test_frozen_lake_by_id_agrees_with_value_iteration():
    V = ValueIteration("FrozenLake-v1", gamma=0.95).learn().V
    np.testing.assert_allclose(exact.v_star("FrozenLake-v1", 0.95), V, atol=1e-8)
    policy = exact.greedy_policy(exact.q_star("FrozenLake-v1", 0.95))
    np.testing.assert_allclose(exact.v_pi("FrozenLake-v1", policy, 0.95), V, atol=1e-8)
    np.testing.assert_allclose((policy * exact.q_pi("FrozenLake-v1", policy, 0.95)).sum(axis=1), V, atol=1e-8)


def test_a_policy_that_never_ends_has_no_value_there_and_no_return():
    left = np.full(48, 3)
    assert np.isnan(exact.v_pi(cliff_walk(), left, 1.0)).all()
    assert exact.v_pi(cliff_walk(), left, 0.5)[36] == pytest.approx(-2.0)
    with pytest.raises(ValueError, match="may never end"):
        exact.exact_return(cliff_walk(), left)
    two = MDP.of({0: {0: [(0.5, 0, 1.0, True), (0.5, 1, 1.0, False)]}, 1: {0: [(1.0, 1, 1.0, False)]}, 2: {0: [(1.0, 2, 3.0, True)]}}, 2)
    np.testing.assert_array_equal(exact.v_pi(two, np.ones((3, 1)), 1.0), [np.nan, np.nan, 3.0])
    with pytest.raises(ValueError, match="not finite"):
        exact.v_star(two, 1.0)


def test_what_has_no_model_or_is_no_policy_is_refused():
    with pytest.raises(ValueError, match="no exact model"):
        exact.v_star("CartPole-v1", 0.9)
    for policy in (np.ones((48, 4)), np.zeros(3, int), np.full(48, 4), np.full((48, 4), "a")):
        with pytest.raises(ValueError, match="policy must be 48 actions"):
            exact.v_pi(cliff_walk(), policy, 1.0)


def test_an_agent_knows_its_distance_from_the_truth():
    agent = QLearning(gym.make("FrozenLake-v1"), gamma=0.9, alpha=0.05, epsilon=1.0, seed=0)
    np.testing.assert_array_equal(agent.exact_values(), exact.q_star("FrozenLake-v1", 0.9))
    before, log = agent.true_error(), TrueError()
    assert agent.learn(300_000, callback=log, callback_every=100_000).true_error() < 0.3 * before
    assert log.errors[-1] == agent.true_error()
    assert log.timesteps[-1] == 300_000
    assert len(log.timesteps) == 3
    assert ValueIteration("FrozenLake-v1", gamma=0.9).learn().true_error() < 1e-8


def test_a_few_states_have_the_values_that_all_states_have():
    V = np.arange(48.0)
    every = exact.action_values(cliff_walk(), V, 0.9)
    np.testing.assert_array_equal(exact.action_values(cliff_walk(), V, 0.9, np.array([3, 47, 3])), every[[3, 47, 3]])


@pytest.mark.parametrize("gamma", [0.9, 1.0])
def test_large_tasks_are_swept_to_the_same_values_that_small_ones_are_solved_to(gamma, monkeypatch):
    world, policy = windy_gridworld(stochastic=True), np.full((70, 4), 0.25)
    solved = exact.v_pi(world, policy, gamma), exact.v_star(world, gamma), exact.soft_policy(world, 0.1, gamma)
    monkeypatch.setattr(bellman, "DENSE", 10)
    swept = exact.v_pi(world, policy, gamma), exact.v_star(world, gamma), exact.soft_policy(world, 0.1, gamma)
    for a, b in zip(solved, swept, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8)


def test_a_large_task_s_policy_that_may_never_end_has_no_value_there(monkeypatch):
    up = np.zeros(48, int)
    up[35] = 2
    small = exact.v_pi(cliff_walk(), up, 1.0)
    assert small[35] == -1.0
    assert np.isnan(small[:24]).all()
    monkeypatch.setattr(bellman, "DENSE", 10)
    np.testing.assert_array_equal(exact.v_pi(cliff_walk(), up, 1.0), small)


def test_a_long_walk_without_discount_has_its_closed_form():
    world = random_walk(999)
    V = exact.v_pi(world, np.full((1001, 2), 0.5), 1.0)
    np.testing.assert_allclose(V[:999], np.arange(1, 1000) / 1000, atol=1e-9)


def test_a_dear_exit_is_found_though_sweeps_would_take_a_million():
    table = {0: {0: [(1.0, 0, -0.001, False)], 1: [(1.0, 1, -1000.0, True)]}, 1: {a: [(1.0, 1, 0.0, True)] for a in range(2)}}
    assert exact.v_star(MDP.of(table), 1.0).tolist() == [-1000.0, 0.0]


def test_to_stay_for_nothing_is_better_than_a_dear_exit_and_a_free_choice_is_no_trap():
    table = {0: {0: [(1.0, 0, 0.0, False)], 1: [(1.0, 0, -1000.0, True)]}}
    assert exact.v_star(MDP.of(table), 1.0).tolist() == [0.0]
    assert exact.v_star(gamblers_problem(), 1.0)[50] == pytest.approx(0.4), "to stake nothing is always possible"


@pytest.mark.parametrize("dense", [2500, 10])
def test_values_that_grow_for_ever_are_refused_soon(dense, monkeypatch):
    monkeypatch.setattr(bellman, "DENSE", dense)
    with pytest.raises(ValueError, match="not finite"):
        exact.v_star(grid_world(), 1.0)
    monkeypatch.undo()
    paid = {0: {0: [(1.0, 0, 1.0, False)], 1: [(1.0, 0, 0.0, True)]}}
    with pytest.raises(ValueError, match="never to end pays"):
        exact.v_star(MDP.of(paid), 1.0)


def test_rooms_of_all_sizes_have_26_minus_distance():
    assert exact.v_star(robot_room(50), 1.0).min() == 26 - 98
    assert exact.v_star(robot_room(50), 1.0)[49] == 0.0


def test_a_place_from_where_no_episode_ends_has_no_optimal_value_and_is_kept_away_from():
    """State 2 never ends; a short cut from 0 risks it, the long way through 1 does not; from 3 there is only the risk."""
    table = {
        0: {0: [(0.9, 0, -1.0, True), (0.1, 2, -1.0, False)], 1: [(1.0, 1, -1.0, False)]},
        1: {0: [(1.0, 1, -1.0, True)], 1: [(1.0, 1, -1.0, False)]},
        2: {a: [(1.0, 2, -1.0, False)] for a in range(2)},
        3: {a: [(0.5, 2, -1.0, False), (0.5, 3, -1.0, True)] for a in range(2)},
    }
    for dense in (2500, 1):
        with mock.patch.object(bellman, "DENSE", dense):
            np.testing.assert_array_equal(exact.v_star(MDP.of(table), 1.0), [-2.0, -1.0, np.nan, np.nan])


def test_long_episodes_of_large_tasks_are_evaluated_exactly(monkeypatch):
    monkeypatch.setattr(bellman, "DENSE", 10)
    V = exact.v_pi(random_walk(499), np.full((501, 2), 0.5), 1.0)
    np.testing.assert_allclose(V[:499], np.arange(1, 500) / 500, atol=1e-9)
