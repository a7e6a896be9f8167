"""The maximisation-bias task: its law, its exact values, and actions that do not exist."""

import numpy as np

from rlcourse.core import exact
from rlcourse.core.policies import epsilon_greedy, epsilon_greedy_probabilities, expected_value
from rlcourse.envs import MaximizationBias


def test_left_is_a_mistake_by_a_tenth():
    q = exact.q_star(MaximizationBias(), 1.0)
    np.testing.assert_allclose(q[0], [-0.1, *[0.0] * 9], atol=1e-12)
    np.testing.assert_allclose(q[1], -0.1, atol=1e-12)


def test_rewards_of_b_are_normal_with_mean_minus_a_tenth_and_deviation_one():
    world, rng = MaximizationBias(), np.random.default_rng(0)
    drawn = np.array([world.step(1, a, rng)[1] for a in range(10) for _ in range(2000)])
    assert abs(drawn.mean() + 0.1) < 4 / np.sqrt(len(drawn))
    assert abs(drawn.std() - 1.0) < 4 / np.sqrt(2 * len(drawn))
    assert world.step(0, 0, rng) == (1, 0.0, False, False)
    assert world.step(0, 1, rng) == world.step(0, 9, rng) == (2, 0.0, True, False)


def test_an_action_that_does_not_exist_is_never_taken_and_no_part_of_a_mean():
    row, rng = MaximizationBias().initial_values()[0], np.random.default_rng(0)
    taken = [epsilon_greedy(row, 0.5, rng) for _ in range(2000)]
    assert set(taken) == {0, 1}
    assert 900 < sum(taken) < 1100, "left and right are equal"
    row[:2] = 4.0, 2.0
    assert expected_value(row, 0.5) == 0.5 * 4.0 + 0.5 * 3.0
    np.testing.assert_allclose(epsilon_greedy_probabilities(row, 0.5), [0.75, 0.25, *[0.0] * 8])
