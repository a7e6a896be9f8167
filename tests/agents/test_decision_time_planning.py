"""Rollout and Monte Carlo tree search: judged by exact values of what they decide."""

import gymnasium as gym
import numpy as np
import pytest

from rlcourse.agents import MCTS, Rollout
from rlcourse.agents.planning.rollout import rollout_values
from rlcourse.core import exact
from rlcourse.core.mdp import MDP
from rlcourse.core.tree import add, child_of, is_full, move_root, new_tree, plant, uct
from rlcourse.envs import MaximizationBias, branching_task

LAKE = gym.make("FrozenLake-v1").unwrapped


def chain(length: int = 3, reward: float = 1.0) -> MDP:
    """Action 1 goes on, with the reward at the end; action 0 ends at once with 0.1."""
    table = {
        s: {0: [(1.0, s, 0.1, True)], 1: [(1.0, min(s + 1, length - 1), reward * (s == length - 1), s == length - 1)]}
        for s in range(length)
    }
    return MDP.of(table, 0)


def uniform_policy(env) -> np.ndarray:
    S, A = exact.model(env).successor.shape[:2]
    return np.full((S, A), 1.0 / A)


@pytest.mark.parametrize(("env", "gamma"), [(LAKE, 0.95), (branching_task(30, 3), 1.0), (chain(), 0.9)])
def test_rollout_improves_on_its_base_policy_in_every_state(env, gamma):
    base = uniform_policy(env)
    agent = Rollout(env, base=base, n=3000, depth=200, gamma=gamma, seed=1)
    decided = agent.predict(np.arange(len(base)))[0]
    improved, before = exact.v_pi(env, decided, gamma), exact.v_pi(env, base, gamma)
    assert np.all(improved >= before - 1e-9)
    assert improved.max() > before.max() + 0.1
    q = exact.q_pi(env, base, gamma)
    assert np.all(q.max(axis=1) - q[np.arange(len(q)), decided] < 0.1), "the decisions are greedy in q of the base, up to noise"


def test_rollout_of_an_optimal_policy_is_optimal():
    Q = exact.q_star(LAKE, 0.95)
    agent = Rollout(LAKE, base=Q.argmax(axis=1), n=20_000, depth=300, gamma=0.95)
    assert np.all(Q.max(axis=1) - Q[np.arange(16), agent.predict(np.arange(16))[0]] < 0.02)


def test_the_estimates_of_rollout_are_unbiased():
    base, rng = uniform_policy(LAKE), np.random.default_rng(0)
    means = np.array([rollout_values(exact.model(LAKE), 14, base, 20, 500, 0.9, rng) for _ in range(2000)])
    error = means.std(axis=0) / np.sqrt(len(means))
    assert np.all(np.abs(means.mean(axis=0) - exact.q_pi(LAKE, base, 0.9)[14]) < 4 * error)


@pytest.mark.parametrize("kind", [Rollout, MCTS])
def test_returns_are_discounted_cut_off_at_the_depth_and_end_with_the_episode(kind):
    def values(**settings):
        return kind(chain(), n=4000, gamma=0.5, **({"base": np.ones(3, int)} if kind is Rollout else {}) | settings).action_values(
            np.array([0])
        )[0]

    found = values(depth=10)
    assert found[0] == pytest.approx(0.1)
    assert found[1] == pytest.approx(0.25, abs=0.0 if kind is Rollout else 0.01)
    assert values(depth=2).tolist() == pytest.approx([0.1, 0.0 if kind is Rollout else values(depth=2)[1]])
    assert values(depth=1).tolist() == pytest.approx([0.1, 0.0])


def test_tree_search_finds_the_optimum_of_a_chain_and_its_value():
    agent, best = MCTS(chain(8), n=4000, c=0.5, gamma=0.9), exact.q_star(chain(8), 0.9)
    Q = agent.action_values(np.arange(8))
    assert np.array_equal(Q.argmax(axis=1), best.argmax(axis=1))
    np.testing.assert_allclose(Q.max(axis=1), best.max(axis=1), atol=0.05)
    np.testing.assert_allclose(Q[:, 0], best[:, 0])


def test_tree_search_goes_on_to_the_optimum_where_rollout_stays_with_its_base():
    tasks = [branching_task(20, 1, seed=seed) for seed in range(12)]
    found, lost = [], []
    for task in tasks:
        searched, rolled = (
            exact.v_pi(task, agent.predict(np.arange(20))[0], 1.0)[0]
            for agent in (MCTS(task, n=4000, c=20.0, depth=80), Rollout(task, n=2000, depth=80))
        )
        found.append(searched)
        lost.append(exact.v_pi(task, exact.q_pi(task, uniform_policy(task), 1.0).argmax(axis=1), 1.0)[0])
        assert rolled <= exact.v_star(task, 1.0)[0] + 1e-9
    optimum = np.mean([exact.v_star(task, 1.0)[0] for task in tasks])
    assert np.mean(found) > 0.97 * optimum
    assert np.mean(found) > np.mean(lost) + 0.03 * optimum


@pytest.mark.parametrize("kind", [Rollout, MCTS])
def test_predicting_plans_anew_depends_on_seed_and_state_only_and_changes_nothing(kind):
    agent = kind("FrozenLake-v1", seed=4).learn(episodes=3)
    before = agent.state_dict()
    first = agent.action_values(np.array([14, 0]))
    assert np.array_equal(first, agent.action_values(np.array([0, 14]))[::-1])
    agent.predict(np.arange(16))
    after = agent.state_dict()
    assert before["rng"] == after["rng"]
    assert np.array_equal(before["Q"], after["Q"])
    assert not np.array_equal(first, kind("FrozenLake-v1", seed=5).action_values(np.array([14, 0])))


@pytest.mark.parametrize("kind", [Rollout, MCTS])
def test_they_need_no_table_but_a_world_that_starts_from_any_state(kind):
    agent = kind(MaximizationBias(), n=4000)
    assert agent.predict(0)[0] != 0, "left is a mistake"
    with pytest.raises(ValueError, match="needs a model") as error:
        kind("Blackjack-v1")
    assert "\n" not in str(error.value)


def test_tree_search_wants_a_simulation_per_action():
    with pytest.raises(ValueError, match="n must be at least 4"):
        MCTS("FrozenLake-v1", n=3)


def test_bounds_prefer_what_is_untried_then_what_is_good_or_rare():
    rng = np.random.default_rng(0)
    Q, N = np.array([5.0, 0.0, 1.0]), np.array([9, 0, 3])
    assert {int(uct(Q, N, 1.0, rng)) for _ in range(50)} == {1}
    N[1] = 4
    assert uct(Q, N, 0.0, rng) == 0
    assert uct(Q, N, 100.0, rng) == 2, "the rarest"
    bounds = Q + 3.5 * np.sqrt(np.log(16) / N)
    assert uct(Q, N, 3.5, rng) == np.argmax(bounds)
    assert {int(uct(np.zeros(3), np.ones(3, int), 1.0, rng)) for _ in range(80)} == {0, 1, 2}


def test_moving_the_root_keeps_exactly_what_lies_below_it():
    rng, tree = np.random.default_rng(2), new_tree(200, 3)
    plant(tree, 0)
    while not is_full(tree):
        node, A, S_ = int(rng.integers(tree.size[0])), int(rng.integers(3)), int(rng.integers(1000))
        if child_of(tree, node, A, S_) < 0:
            add(tree, node, A, S_)
            new = tree.size[0] - 1
            tree.N[new], tree.Q[new], tree.reward[new] = rng.integers(1, 9, 3), rng.normal(size=3), rng.normal()

    def below(node):
        """Everything below a node, as nested data that does not name rows."""
        children = []
        for a in range(3):
            child = tree.child[node, a]
            while child >= 0:
                assert tree.parent[child] == node
                assert tree.action[child] == a
                children.append((a, float(tree.reward[child]), below(child)))
                child = tree.sibling[child]
        return (int(tree.state[node]), tree.N[node].tolist(), tree.Q[node].tolist(), sorted(children, key=repr))

    for _ in range(4):
        root = max((c for c in tree.child[0] if c >= 0), key=lambda c: len(repr(below(c))))
        expected = below(root)
        move_root(tree, root)
        assert below(0) == expected
        assert tree.parent[0] == -1
    plant(tree, 7)
    assert below(0) == (7, [0, 0, 0], [0.0, 0.0, 0.0], [])


def test_a_kept_tree_decides_no_worse_than_a_new_one():
    def earned(keep):
        tasks = [branching_task(20, 1, seed=seed)._replace(reward=np.abs(branching_task(20, 1, seed=seed).reward)) for seed in range(15)]
        return np.mean([MCTS(task, n=30, c=10.0, keep=keep).learn(episodes=100).history["return"].mean() for task in tasks])

    kept, new = earned(True), earned(False)
    assert kept > new
