"""Dynamic programming: each against exact solutions, against each other, and what happens where nothing ends."""

import itertools

import gymnasium as gym
import numpy as np
import pytest

from rlcourse.agents import IterativePolicyEvaluation, PolicyIteration, ValueIteration
from rlcourse.core import exact
from rlcourse.core.mdp import MDP
from rlcourse.envs import CarRental, cliff_walk, gamblers_problem, grid_world, robot_room, small_gridworld
from rlcourse.envs.room import robot_room_values

PLANNERS = [ValueIteration, PolicyIteration]
BOTH = pytest.mark.parametrize("in_place", [True, False])


def random_mdp(seed: int, S: int = 6, A: int = 3, K: int = 4) -> MDP:
    """A random task, a tenth of whose outcomes end the episode."""
    rng = np.random.default_rng(seed)
    probability = rng.dirichlet(np.ones(K), (S, A))
    return MDP.from_arrays(probability, rng.integers(S, size=(S, A, K)), rng.normal(size=(S, A, K)), rng.random((S, A, K)) < 0.1)


@BOTH
@pytest.mark.parametrize("seed", range(5))
def test_policy_evaluation_solves_the_bellman_equation(seed, in_place):
    world = random_mdp(seed)
    policy = np.random.default_rng(seed).dirichlet(np.ones(3), 6)
    agent = IterativePolicyEvaluation(world, policy=policy, gamma=0.9, in_place=in_place).learn()
    np.testing.assert_allclose(agent.V, exact.v_pi(world, policy, 0.9), atol=1e-8)
    assert agent.true_error() < 1e-8
    assert agent.history["delta"][-1] < 1e-10 <= agent.history["delta"][-2]


@pytest.mark.parametrize("kind", PLANNERS)
@pytest.mark.parametrize("seed", range(5))
def test_planners_solve_the_bellman_optimality_equation(kind, seed):
    world = random_mdp(seed)
    agent = kind(world, gamma=0.9).learn()
    np.testing.assert_allclose(agent.V, exact.v_star(world, 0.9), atol=1e-8)
    assert agent.true_error() < 1e-8
    assert agent.predict(np.arange(6))[0].tolist() == exact.q_star(world, 0.9).argmax(axis=1).tolist()


@BOTH
@pytest.mark.parametrize("kind", [ValueIteration, PolicyIteration, IterativePolicyEvaluation])
def test_a_sweep_in_which_the_last_state_stands_still_is_not_the_last(kind, in_place):
    """What is known of the end comes backwards by one state in a sweep; the last state is known from the beginning."""
    forward = {s: {0: [(1.0, s + 1, float(s == 4), s == 4)]} for s in range(5)}
    world = MDP.of(forward | {5: {0: [(1.0, 5, 0.0, True)]}}, 0)
    settings = {} if kind is PolicyIteration else {"in_place": in_place}
    agent = kind(world, gamma=0.5, **settings).learn()
    assert agent.V.tolist() == [0.0625, 0.125, 0.25, 0.5, 1.0, 0.0]


@pytest.mark.parametrize("n", [2, 5])
@pytest.mark.parametrize("kind", PLANNERS)
def test_undiscounted_planners_find_the_way_through_the_room_though_the_first_policy_never_ends(kind, n):
    agent = kind(robot_room(n)).learn()
    np.testing.assert_array_equal(agent.V, robot_room_values(n))


def test_k_synchronous_sweeps_give_the_return_of_k_steps_and_sweeps_in_place_do_not():
    world = small_gridworld()
    two = IterativePolicyEvaluation(world, in_place=False)
    expected = np.zeros(15)
    policy = np.full((15, 4), 0.25)
    for _ in range(10):
        two.learn(episodes=1)
        expected = (policy * exact.action_values(world, expected, 1.0)).sum(axis=1)
        np.testing.assert_allclose(two.V, expected, atol=1e-12)
    one = IterativePolicyEvaluation(world, in_place=True).learn(episodes=10)
    assert np.abs(one.V - two.V).max() > 1.0
    assert len(one.learn().history) < len(two.learn().history), "in place is faster here"
    np.testing.assert_allclose(one.V, two.V, atol=1e-7)


def test_a_synchronous_sweep_does_not_depend_on_the_order_of_the_states_and_one_in_place_does():
    order = np.random.default_rng(0).permutation(25)
    world = grid_world()
    place = np.argsort(order)
    shuffled = MDP.from_arrays(
        world.probability[order], place[world.successor[order]], world.reward[order], world.terminal[order], np.full(25, 0.04)
    )
    for in_place in (True, False):
        first, second = (ValueIteration(w, gamma=0.9, in_place=in_place).learn(episodes=3).V for w in (world, shuffled))
        assert np.array_equal(first[order], second) is not in_place


def test_policy_iteration_is_value_by_value_better_after_every_improvement():
    world = CarRental.modified()
    agent = PolicyIteration(world, gamma=0.9, first=5)
    policies = [agent.pi.copy()]

    def watch(it):
        if not np.array_equal(it.pi, policies[-1]):
            policies.append(it.pi.copy())

    agent.learn(callback=watch, callback_every=1)
    values = [exact.v_pi(agent.model, policy, 0.9) for policy in policies]
    assert 3 <= len(policies) <= 7
    assert all(np.all(after >= before - 1e-9) for before, after in itertools.pairwise(values))
    np.testing.assert_allclose(values[-1], exact.v_star(agent.model, 0.9), atol=1e-8)


def test_equally_good_policies_do_not_alternate_and_the_old_action_is_kept():
    twins = {s: {a: [(0.5, 0, 0.1, False), (0.5, 1, 0.3, False)] for a in range(3)} for s in range(2)}
    for first in range(3):
        agent = PolicyIteration(MDP.of(twins), gamma=0.9, first=first).learn()
        assert agent.pi.tolist() == [first, first]
    for seed in range(3):  # every optimal stake is as good as another one: it still ends
        gambler = PolicyIteration(gamblers_problem(0.25 + 0.1 * seed), first=1).learn()
        np.testing.assert_allclose(gambler.V, exact.v_star(gambler.model, 1.0), atol=1e-7)


def test_the_gambler_who_stakes_nothing_never_ends_and_policy_iteration_finds_better():
    agent = PolicyIteration(gamblers_problem(), first=0).learn()
    np.testing.assert_allclose(agent.V[[25, 50, 75]], [0.16, 0.4, 0.64], atol=1e-7)


def test_a_policy_that_never_ends_needs_a_budget():
    left = IterativePolicyEvaluation(cliff_walk(), policy=np.full(48, 3)).learn(episodes=50)
    assert left.V[0] == -50.0
    assert len(left.history) == 50


def test_a_pause_in_the_middle_of_an_evaluation_changes_nothing():
    whole, parts = (PolicyIteration("FrozenLake-v1", gamma=0.95, sweeps=7) for _ in range(2))
    whole.learn(episodes=40)
    for _ in range(40):
        parts.learn(episodes=1)
    assert np.array_equal(whole.V, parts.V)
    assert np.array_equal(whole.pi, parts.pi)


def test_policy_iteration_acts_by_its_policy_and_a_first_action_must_exist():
    agent = PolicyIteration(gym.make("CliffWalking-v1"), first=2)
    assert agent.predict(7)[0] == 2
    assert agent.predict(np.arange(5), deterministic=False)[0].tolist() == [2] * 5
    with pytest.raises(ValueError, match=r"first must be an action, 0\.\.3"):
        PolicyIteration(cliff_walk(), first=4)


def test_an_evaluated_policy_improves_by_one_step_of_look_ahead():
    agent = IterativePolicyEvaluation(small_gridworld()).learn()
    greedy = exact.greedy_policy(agent.action_values(np.arange(15)))
    np.testing.assert_allclose(exact.v_pi(small_gridworld(), greedy, 1.0), exact.v_star(small_gridworld(), 1.0), atol=1e-9)
