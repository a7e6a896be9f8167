"""The windy gridworlds: exact lengths, registered variants, the law of the unsteady wind."""

import gymnasium as gym
import numpy as np
import pytest

from rlcourse.core import exact
from rlcourse.envs import windy_gridworld

SHORTEST = {"": 15.0, "Kings": 7.0, "KingsStay": 7.0, "Stochastic": 10.9646}


@pytest.mark.parametrize("variant", sorted(SHORTEST))
def test_a_registered_variant_takes_its_exact_number_of_steps(variant):
    env = gym.make(f"rlcourse/WindyGridworld{variant}-v0")
    assert -exact.v_star(env, 1.0)[30] == pytest.approx(SHORTEST[variant], abs=1e-3)
    assert env.action_space.n == {"": 4, "Kings": 8, "KingsStay": 9, "Stochastic": 8}[variant]
    assert gym.make_vec(env.spec.id, num_envs=2).single_action_space == env.action_space


def test_with_exploration_of_a_tenth_17_048_steps_are_the_least():
    soft = exact.greedy_policy(exact.soft_policy(windy_gridworld(), 0.1, 1.0), 0.1)
    assert exact.exact_return(windy_gridworld(), soft) == pytest.approx(-17.048, abs=1e-3)


def test_the_unsteady_wind_is_as_given_and_one_weaker_or_stronger_a_third_of_the_time_each():
    world = windy_gridworld(kings_moves=True, stochastic=True)
    s = 6 * 10 + 6  # bottom of a column with wind 2
    np.testing.assert_allclose(world.probability[s, 1], 1 / 3)
    assert world.successor[s, 1].tolist() == [5 * 10 + 7, 4 * 10 + 7, 3 * 10 + 7]
    calm = 6 * 10
    assert world.probability[calm, 1].tolist() == [1.0, 0.0, 0.0]


def test_staying_needs_kings_moves():
    with pytest.raises(ValueError, match="kings_moves"):
        windy_gridworld(stay=True)
