"""Where planning spends its updates: trajectory sampling and real-time dynamic programming, against exact values."""

import gymnasium as gym
import numpy as np
import pytest

from rlcourse.agents import RTDP, TrajectorySampling, ValueIteration
from rlcourse.agents.dynamic_programming.value_iteration import value_iteration
from rlcourse.agents.planning.rtdp import rtdp
from rlcourse.agents.planning.trajectory_sampling import uniform_updates
from rlcourse.core import exact
from rlcourse.core.greedy_value import greedy_policy_value
from rlcourse.core.trial import Trial
from rlcourse.envs import branching_task, cliff_walk, rod_maneuvering, windy_gridworld
from rlcourse.envs.rod import START, state_at

LAKE = gym.make("FrozenLake-v1").unwrapped


@pytest.mark.parametrize(("env", "gamma"), [(branching_task(60, 3), 1.0), (LAKE, 0.95), (cliff_walk(), 1.0)])
def test_uniform_sweeps_of_expected_updates_converge_to_q_star(env, gamma):
    agent = TrajectorySampling(env, distribution="uniform", gamma=gamma).learn(episodes=500)
    np.testing.assert_allclose(agent.Q, exact.q_star(env, gamma), atol=1e-9)
    assert agent.true_error() < 1e-9
    assert agent.history["delta"][-1] < 1e-9
    assert agent.num_timesteps == 500 * agent.Q.size


@pytest.mark.parametrize("seed", range(10))
def test_on_policy_updates_converge_to_q_star_where_exploration_reaches_everything(seed):
    task = branching_task(15, 3, seed=seed)
    agent = TrajectorySampling(task, epsilon=0.5, seed=seed).learn(60_000)
    np.testing.assert_allclose(agent.Q, exact.q_star(task, 1.0), atol=1e-6)


def test_on_policy_updates_stay_with_the_policy():
    task = branching_task(1000, 1, seed=2)
    greedy = TrajectorySampling(task, epsilon=0.0).learn(5000)
    assert 0 < np.count_nonzero(greedy.Q) < 400, "most pairs are never updated"
    assert greedy.num_timesteps == 5000


def test_a_sweep_in_parts_is_the_sweep():
    task, whole, parts = branching_task(40, 3), np.zeros((40, 2)), np.zeros((40, 2))
    uniform_updates(Trial.of(task, episodes=1), task, whole, np.arange(80), 1.0)
    for pairs in np.split(np.arange(80), 5):
        uniform_updates(Trial.of(task, episodes=1), task, parts, pairs, 1.0)
    assert np.array_equal(whole, parts)


def test_the_value_of_a_greedy_policy_is_exact_and_equals_share_their_part():
    task = branching_task(80, 3, seed=4)
    Q = np.round(np.random.default_rng(0).normal(size=(80, 2)), 0)
    assert np.any(Q[:, 0] == Q[:, 1])
    V = np.full(80, 7.0)  # a warm start from anywhere
    greedy_policy_value(task, Q, V, 1.0, 1e-12)
    right = exact.v_pi(task, exact.greedy_policy(Q), 1.0)
    met = V != 7.0
    assert met[0]
    assert 40 < met.sum() < 80, "it looks only at the states that the policy can meet"
    np.testing.assert_allclose(V[met], right[met], atol=1e-9)


class InTurn:
    """Episodes of one step that begin in every state in turn: RTDP is then a sweep."""

    def __init__(self, model) -> None:
        self.model, self.next = model, 0

    def more(self):
        return self.next < len(self.model.start)

    def reset(self, rng):
        self.next += 1
        return self.next - 1

    def step(self, state, action, rng):
        return (*self.model.step(state, action, rng)[:3], True)


@pytest.mark.parametrize("model", [branching_task(50, 3), cliff_walk(), windy_gridworld(kings_moves=True, stochastic=True)])
def test_rtdp_over_all_states_in_turn_is_a_sweep_of_value_iteration_bit_for_bit(model):
    rng = np.random.default_rng(1)
    V, same, updates = np.zeros(len(model.start)), np.zeros(len(model.start)), np.zeros(len(model.start), np.int64)
    for sweep in range(1, 6):
        rtdp(InTurn(model), model, V, updates, 0.9, rng)
        value_iteration(Trial.of(model, episodes=1), model, same, 0.9, 1e-300)
        assert np.array_equal(V, same)
        assert np.all(updates == sweep)


@pytest.mark.parametrize(
    ("world", "start", "best", "episodes", "seeds"),
    [(cliff_walk(), 36, -13.0, 400, 10), (windy_gridworld(), 30, -15.0, 400, 10), (rod_maneuvering(), state_at(*START), -41.0, 500, 2)],
    ids=["cliff", "wind", "rod"],
)
def test_rtdp_finds_the_optimum_on_the_states_that_an_optimal_policy_meets(world, start, best, episodes, seeds):
    for seed in range(seeds):
        agent, s = RTDP(world, seed=seed).learn(episodes=episodes), start
        for left in range(int(-best), 0, -1):  # along the greedy way values are exact, and it takes no step too many
            assert agent.V[s] == -left
            a = agent.predict(s)[0]
            assert world.terminal[s, a, 0] == (left == 1)
            s = int(world.successor[s, a, 0])


def test_rtdp_never_falls_below_the_optimum_from_optimistic_values():
    world = windy_gridworld(stochastic=True)
    optimum = exact.v_star(world, 1.0)
    agent = RTDP(world, seed=3)
    for _ in range(20):
        agent.learn(episodes=10)
        assert np.all(optimum - 1e-9 <= agent.V)
    agent.learn(episodes=3000)
    assert agent.V[30] == pytest.approx(optimum[30], abs=1e-3)


def test_rtdp_with_optimistic_values_solves_the_frozen_lake_and_needs_them():
    optimum = exact.v_star(LAKE, 0.95)
    found = [abs(RTDP(LAKE, gamma=0.95, initial_value=1.0, seed=seed).learn(50_000).V[0] - optimum[0]) for seed in range(10)]
    assert max(found) < 1e-3
    assert RTDP(LAKE, gamma=0.95, initial_value=0.3).V.tolist() == [0.3] * 16


def test_rtdp_counts_its_updates_and_leaves_most_states_of_the_rod_alone():
    agent = RTDP(rod_maneuvering(), seed=1).learn(episodes=500)
    assert agent.updates.sum() == agent.num_timesteps
    assert np.mean(agent.updates == 0) > 0.7
    swept = ValueIteration(rod_maneuvering()).learn(episodes=41)
    assert agent.V[state_at(*START)] == swept.V[state_at(*START)] == -41
    assert 3 * agent.num_timesteps < swept.num_timesteps


def test_what_lies_beyond_the_end_is_worth_nothing_to_all_of_them():
    world = cliff_walk()  # state 35 is above the goal, which action 2 enters
    optimistic = RTDP(world, initial_value=50.0).learn(episodes=400)
    assert optimistic.V[35] == -1.0
    for distribution in ("on-policy", "uniform"):
        agent = TrajectorySampling(world, distribution=distribution)
        agent.Q[47] = 50.0
        agent.learn(episodes=100)
        assert agent.Q[35, 2] == -1.0
