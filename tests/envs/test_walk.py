"""The random walks: their values are a straight line."""

import numpy as np
import pytest

from rlcourse.core import exact
from rlcourse.envs import random_walk


@pytest.mark.parametrize(("n", "left", "right"), [(5, 0.0, 1.0), (19, -1.0, 1.0), (1, 2.0, 5.0)])
def test_the_values_of_the_walk_are_a_straight_line_between_its_rewards(n, left, right):
    world = random_walk(n, left, right)
    v = exact.v_pi(world, np.full((n + 2, 2), 0.5), 1.0)
    np.testing.assert_allclose(v[:n], left + (right - left) * np.arange(1, n + 1) / (n + 1), atol=1e-12)
    assert np.all(v[n:] == 0.0)


def test_an_episode_begins_in_the_middle_and_ends_beyond_either_end():
    world, rng = random_walk(), np.random.default_rng(0)
    assert world.reset(rng) == 2
    assert world.step(0, 0, rng) == (5, 0.0, True, False)
    assert world.step(4, 1, rng) == (6, 1.0, True, False)
    assert world.step(0, 1, rng) == (1, 0.0, False, False)


def test_the_best_is_to_walk_right():
    assert exact.exact_return(random_walk(), np.ones(7, int)) == 1.0
    assert exact.optimal_actions(exact.q_star(random_walk(), 0.9))[:5].tolist() == [[False, True]] * 5


def test_an_even_number_of_states_has_no_middle():
    with pytest.raises(ValueError, match="odd"):
        random_walk(4)
