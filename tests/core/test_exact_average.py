"""Average rewards and differential values: closed forms, the limit of discounting, brute force, and what is refused."""

import itertools

import numpy as np
import pytest

from rlcourse.core import exact, exact_average
from rlcourse.core.mdp import MDP
from rlcourse.envs import access_control, cliff_walk, recycling_robot, ring


def random_task(seed: int, S: int = 4, A: int = 2) -> MDP:
    """A task in which every state leads to every other."""
    rng = np.random.default_rng(seed)
    p, r = rng.dirichlet(np.ones(S), (S, A)), rng.normal(size=(S, A, S))
    return MDP.of({s: {a: [(p[s, a, k], k, r[s, a, k], False) for k in range(S)] for a in range(A)} for s in range(S)})


def test_exercise_10_6_has_average_one_half_and_values_of_a_quarter():
    assert exact_average.rate(ring([1, 0]), [0, 0]) == pytest.approx(0.5, abs=1e-15)
    np.testing.assert_allclose(exact_average.v_pi(ring([1, 0]), [0, 0]), [0.25, -0.25], atol=1e-15)


def test_exercise_10_7_has_average_one_third_and_values_of_a_third():
    assert exact_average.rate(ring([0, 0, 1]), [0, 0, 0]) == pytest.approx(1 / 3, abs=1e-15)
    np.testing.assert_allclose(exact_average.v_pi(ring([0, 0, 1]), [0, 0, 0]), [-1 / 3, 0.0, 1 / 3], atol=1e-15)


def test_two_states_have_the_values_that_can_be_worked_out_by_hand():
    p, q, reward = 0.2, 0.5, 3.0  # up and down, paid above
    world = MDP.of({0: {0: [(1 - p, 0, 0.0, False), (p, 1, 0.0, False)]}, 1: {0: [(1 - q, 1, reward, False), (q, 0, reward, False)]}})
    mu = np.array([q, p]) / (p + q)
    assert exact_average.rate(world, [0, 0]) == pytest.approx(reward * mu[1])
    np.testing.assert_allclose(exact_average.distribution(world, [0, 0]), mu)
    np.testing.assert_allclose(exact_average.v_pi(world, [0, 0]), np.array([-mu[1], mu[0]]) * reward / (p + q))


@pytest.mark.parametrize("world", [ring([1, 0]), ring([0, 0, 1]), ring([2.5]), recycling_robot(), access_control(), random_task(0)])
def test_differential_values_are_the_limit_of_discounted_ones(world):
    S, A = world.successor.shape[:2]
    policy, gamma = np.full((S, A), 1.0 / A), 1 - 1e-6
    average = exact_average.rate(world, policy)
    np.testing.assert_allclose(exact.v_pi(world, policy, gamma) - average / (1 - gamma), exact_average.v_pi(world, policy), atol=2e-3)
    mu = exact_average.distribution(world, policy)
    assert mu @ exact_average.v_pi(world, policy) == pytest.approx(0.0, abs=1e-12)
    assert mu @ exact.v_pi(world, policy, 0.9) == pytest.approx(average / (1 - 0.9))  # Sec. 10.4: discounting only scales the average
    np.testing.assert_allclose((policy * exact_average.q_pi(world, policy)).sum(axis=1), exact_average.v_pi(world, policy), atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("epsilon", [0.0, 0.3])
def test_the_optimum_is_the_best_of_all_policies(seed, epsilon):
    world = random_task(seed)
    soft = [(1 - epsilon) * np.eye(2)[list(actions)] + epsilon / 2 for actions in itertools.product(range(2), repeat=4)]
    average, Q = exact_average.optimal(world, epsilon)
    assert average == pytest.approx(max(exact_average.rate(world, policy) for policy in soft), abs=1e-12)
    best = exact.greedy_policy(Q, epsilon)
    np.testing.assert_allclose(exact_average.q_pi(world, best), Q, atol=1e-10)


def test_the_optimum_of_periodic_tasks_settles_too():
    back = [(1.0, 0, 0.0, False)]
    go_or_stay = MDP.of({0: {0: [(1.0, 1, 1.0, False)], 1: [(1.0, 0, 0.4, False)]}, 1: {0: back, 1: back}})
    average, Q = exact_average.optimal(go_or_stay)
    assert average == pytest.approx(0.5)
    np.testing.assert_allclose(Q, [[0.25, 0.15], [-0.25, -0.25]], atol=1e-12)


def test_a_task_that_ends_and_one_whose_average_depends_on_the_start_are_refused():
    with pytest.raises(ValueError, match="never ends"):
        exact_average.rate(cliff_walk(), np.zeros(48, int))
    apart = MDP.of({s: {0: [(1.0, s, float(s), False)]} for s in range(2)})
    for call in (lambda: exact_average.rate(apart, [0, 0]), lambda: exact_average.optimal(apart)):
        with pytest.raises(ValueError, match="depends on the start"):
            call()


def test_access_control_keeps_its_servers_and_earns_only_what_customers_pay():
    world = access_control()
    np.testing.assert_allclose(world.probability.sum(axis=2), 1.0)
    for s in range(44):
        free, priority = divmod(s, 4)
        possible = world.probability[s, 1] > 0
        assert set(world.reward[s, 1, possible]) == {float(2**priority) if free else 0.0}
        assert world.successor[s, 1, possible].min() // 4 == max(free - 1, 0)
        mean = world.probability[s, 1] @ (world.successor[s, 1] // 4)
        left = free - 1 if free else 0
        assert mean == pytest.approx(left + 0.06 * (10 - left))
    np.testing.assert_allclose(world.probability[:4, 0], world.probability[:4, 1])


def test_without_choice_access_control_is_a_queue_with_a_binomial_law():
    mu = exact_average.distribution(access_control(), np.zeros(44, int))  # nobody is let in
    assert mu[40:].sum() == pytest.approx(1.0)
    one = access_control(servers=1, p_free=0.25, priorities=(3.0,))
    assert exact_average.rate(one, [1, 1]) == pytest.approx(3.0 * 0.25)  # free after a step with 1/4, whether or not it was taken just now
    with pytest.raises(ValueError, match="servers"):
        access_control(servers=0)


def test_a_ring_has_states():
    with pytest.raises(ValueError, match="at least one"):
        ring([])
