"""Dyna-Q, Dyna-Q+, its variant of Exercise 8.4, prioritized sweeping and Q-planning."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.wrappers import TimeLimit

from rlcourse.agents import DynaQ, DynaQPlus, DynaQSelection, PrioritizedSweeping, QLearning, QPlanning
from rlcourse.agents.planning.dyna_q_selection import curious
from rlcourse.agents.planning.learned_model import LearnedModel
from rlcourse.agents.planning.prioritized_sweeping import change
from rlcourse.agents.planning.queue import PriorityQueue
from rlcourse.core import exact
from rlcourse.core.mdp import MDP
from rlcourse.envs import blocking_maze, cliff_walk, dyna_maze, shortcut_maze

DYNAS = (DynaQ, DynaQPlus, DynaQSelection, PrioritizedSweeping)
FREE = {"kappa": 0.0}  # without curiosity, for those that have it


def plain(kind) -> dict:
    return FREE if kind in (DynaQPlus, DynaQSelection) else {}


def walk(agent, model: MDP) -> int:
    """Return the steps of the greedy policy from the start to the goal; 10,000 if it does not get there."""
    s = int(np.argmax(np.diff(model.start, prepend=0.0)))
    for steps in range(1, 10_000):
        a = agent.predict(s)[0]
        if model.terminal[s, a, 0]:
            return steps
        s = int(model.successor[s, a, 0])
    return 10_000


# Identities


@pytest.mark.parametrize("env", ["FrozenLake-v1", "CliffWalking-v1", dyna_maze()])
def test_dyna_q_without_planning_is_q_learning_bit_for_bit(env):
    ours = DynaQ(env, seed=4, alpha=0.3, gamma=0.9, n=0).learn(5000)
    theirs = QLearning(env, seed=4, alpha=0.3, gamma=0.9).learn(5000)
    assert np.array_equal(ours.Q, theirs.Q)
    assert np.array_equal(ours.history.rows, theirs.history.rows)


@pytest.mark.parametrize("env", ["FrozenLake-v1", dyna_maze()])
def test_dyna_q_plus_without_bonus_and_untried_actions_is_dyna_q_bit_for_bit(env):
    ours = DynaQPlus(env, seed=4, kappa=0.0, untried=False).learn(5000)
    theirs = DynaQ(env, seed=4).learn(5000)
    assert np.array_equal(ours.Q, theirs.Q)
    assert np.array_equal(ours.outcome, theirs.outcome)
    assert not np.array_equal(DynaQPlus(env, seed=4, kappa=0.0).learn(5000).Q, theirs.Q)


# Closed forms


def test_the_bonus_grows_with_the_root_of_the_real_steps_since_a_pair_was_tried():
    """With gamma = 0 and alpha = 1 every value is the last planned reward; so many updates reach every pair."""
    agent = DynaQPlus(dyna_maze(), seed=2, alpha=1.0, gamma=0.0, kappa=0.01, n=5000).learn(300)
    assert agent.time[0] == agent.num_timesteps == 300
    seen = agent.states[1 : 1 + agent.states[0]]
    bonus = 0.01 * np.sqrt(300 - agent.last[seen])
    np.testing.assert_allclose(agent.Q[seen], agent.outcome[seen, :, 0] + bonus, atol=1e-12)


def test_tau_counts_real_steps_over_all_episodes():
    agent = DynaQPlus(TimeLimit(gym.make("FrozenLake-v1").unwrapped, 7), seed=2).learn(100)
    assert agent.time[0] == 100
    assert agent.last.max() == 100
    assert len(agent.history) >= 14


def test_the_selection_bonus_is_added_to_the_values():
    values, last = np.array([0.1, -2.0, 0.0]), np.array([16, 0, 7])
    np.testing.assert_allclose(curious(values, last, 16, 0.5), [0.1, 0.0, 1.5])


def test_selection_by_the_bonus_alone_takes_the_actions_of_a_state_in_turns():
    stay = MDP.of({0: {a: [(1.0, 0, 0.0, False)] for a in range(3)}})
    agent = DynaQSelection(stay, kappa=1.0).learn(99)
    assert sorted(agent.last[0]) == [97, 98, 99]


# The model


@pytest.mark.parametrize("kind", DYNAS)
def test_the_model_is_what_was_seen(kind):
    maze = dyna_maze()
    agent = kind(maze, seed=3).learn(4000)
    known = agent.outcome[:, :, 3] > 0
    assert np.array_equal(known.sum(axis=1), agent.actions[:, 0])
    assert agent.states[0] == np.any(known, axis=1).sum()
    assert len(set(agent.states[1 : 1 + agent.states[0]].tolist())) == agent.states[0]
    for column, truth in enumerate((maze.reward, maze.successor, maze.terminal)):
        assert np.array_equal(agent.outcome[known][:, column], truth[:, :, 0][known])
    assert agent.states[1] == 18, "the start was seen first"


@pytest.mark.parametrize("kind", DYNAS)
def test_the_model_keeps_that_a_time_limit_is_no_end(kind):
    agent = kind(TimeLimit(gym.make("rlcourse/CliffWalk-v0").unwrapped, 5)).learn(episodes=50)
    assert not agent.outcome[:, :, 2].any()


@pytest.mark.parametrize("terminated", [True, False])
@pytest.mark.parametrize("kind", DYNAS)
def test_planning_looks_beyond_a_transition_only_where_it_did_not_terminate(kind, terminated):
    two = MDP.of({s: {0: [(1.0, 1, 1.0, terminated)]} for s in (0, 1)})
    agent = kind(two, n=30, alpha=1.0, gamma=0.5, **plain(kind))
    agent.Q[1] = 8.0
    agent.learn(1)
    assert agent.Q[0, 0] == (1.0 if terminated else 5.0)


def test_where_outcomes_are_random_the_last_one_is_planned_with():
    agent = DynaQ("FrozenLake-v1", seed=1).learn(3000)
    possible = exact.model("FrozenLake-v1")
    for s, a in np.argwhere(agent.outcome[:, :, 3] > 0):
        assert agent.outcome[s, a, 1] in possible.successor[s, a]


def test_the_model_of_a_pair_is_its_last_outcome_reward_successor_and_end():
    model = LearnedModel.of(4, 2)
    for reward, successor, terminated in ((1.0, 2, True), (-3.0, 1, False), (5.0, 3, True)):
        model.remember(0, 1, reward, successor, terminated)
        assert model.recall(0, 1) == (reward, successor, terminated)
    assert model.actions[0].tolist() == [1, 1, 0], "one action was tried in state 0: action 1"
    assert model.states[:2].tolist() == [1, 0]
    assert model.recall(2, 0) == (0.0, 2, False), "an untried pair leads back to its own state"


# Convergence to the exact optimum


@pytest.mark.parametrize("kind", [DynaQ, DynaQPlus, PrioritizedSweeping])
@pytest.mark.parametrize("world", [dyna_maze(), cliff_walk(), blocking_maze().model(), shortcut_maze().model()])
def test_values_become_exact_in_a_deterministic_world(kind, world):
    small = {"n": 30, "alpha": 1.0, "epsilon": 1.0, "gamma": 0.9, **plain(kind)} | ({"theta": 1e-13} if kind is PrioritizedSweeping else {})
    agent = kind(world, seed=0, **small).learn(30_000)
    tried = agent.actions[:, 0] == 4
    assert tried.sum() >= 37
    np.testing.assert_allclose(agent.Q[tried], exact.q_star(world, 0.9)[tried], atol=1e-11)


@pytest.mark.parametrize("halvings", range(5))
@pytest.mark.parametrize("kind", [DynaQ, PrioritizedSweeping])
def test_the_greedy_path_becomes_a_shortest_one_in_every_maze(kind, halvings):
    """A random walk tries everything; without it a path that was found early is left only by chance."""
    maze, theta = dyna_maze(halvings), {"theta": 1e-9} if kind is PrioritizedSweeping else {}
    agent = kind(maze, seed=halvings, alpha=1.0, n=10, epsilon=1.0, **theta).learn(40_000 * 2**halvings)
    assert walk(agent, maze) == [14, 21, 25, 40, 49][halvings]
    assert agent.Q.max(axis=1)[agent.states[1]] == pytest.approx(0.95 ** (walk(agent, maze) - 1), abs=1e-6)


def test_q_planning_becomes_exact_where_the_model_is_deterministic():
    agent = QPlanning(dyna_maze(), alpha=1.0).learn(episodes=300)
    assert agent.true_error() < 1e-12
    assert agent.num_timesteps == 300 * 54 * 4
    assert agent.history["delta"][-1] == 0.0


def test_q_planning_comes_near_the_optimum_where_the_model_is_random():
    errors = []
    for seed in range(10):
        agent = QPlanning("FrozenLake-v1", alpha=0.01, gamma=0.9, seed=seed).learn(episodes=3000)
        mean = np.mean([agent.learn(episodes=500).Q.copy() for _ in range(20)], axis=0)  # over the noise of a constant step
        errors.append(np.abs(mean - agent.exact_values()).max())
    assert np.mean(np.array(errors) < 0.03) >= 0.9, errors


# Prioritized sweeping


def test_nothing_that_would_change_by_more_than_theta_is_outside_the_queue():
    """With alpha = 1 an update leaves no change behind, so the queue is all there is to do."""
    agent = PrioritizedSweeping(dyna_maze(2), seed=5, alpha=1.0, theta=1e-3, n=2)
    for _ in range(60):
        agent.learn(100)
        for s, a in np.argwhere(agent.outcome[:, :, 3] > 0):
            r, s_, over, _ = agent.outcome[s, a]
            if abs(change(agent.Q, s, a, r, int(s_), over > 0, 0.95)) > 1e-3:
                assert agent.slot[4 * s + a] >= 0, (s, a)


@pytest.mark.parametrize("env", [dyna_maze(), "FrozenLake-v1"])
def test_the_predecessors_are_those_of_the_model(env):
    agent = PrioritizedSweeping(env, seed=5).learn(3000)
    for s in range(len(agent.Q)):
        listed, pair = [], int(agent.first[s])
        while pair >= 0:
            listed.append(divmod(pair, 4))
            pair = agent.predecessors.following(pair)
        right = np.argwhere((agent.outcome[:, :, 3] > 0) & (agent.outcome[:, :, 1] == s))
        assert sorted(listed) == sorted(map(tuple, right.tolist()))


def test_updates_are_counted_and_are_at_most_n_per_step():
    agent = PrioritizedSweeping(dyna_maze(), seed=5, n=3).learn(episodes=1)
    assert agent.tally[1] == 3, "before the first reward there is nothing to do"
    agent.learn(5000)
    assert 100 < agent.tally[1] <= 3 * agent.num_timesteps
    assert PrioritizedSweeping(dyna_maze(), seed=5, n=0).learn(3000).Q.max() == 0.0, "all updates come from the queue"


def test_the_queue_gives_what_a_sorted_list_gives():
    rng = np.random.default_rng(0)
    queue, right = PriorityQueue.of(50), {}
    for _ in range(5000):
        if right and rng.random() < 0.45:
            assert not queue.is_empty()
            pair = queue.take_first()
            assert right.pop(pair) == max([*right.values(), queue.priority[pair]])
        else:
            pair, priority = int(rng.integers(50)), float(rng.integers(12))
            queue.insert(pair, priority)
            right[pair] = max(right.get(pair, 0.0), priority)
        assert queue.tally[0] == len(right)
        assert sorted(queue.heap[: len(right)].tolist()) == sorted(right)
        assert all(queue.heap[queue.slot[pair]] == pair for pair in right)
