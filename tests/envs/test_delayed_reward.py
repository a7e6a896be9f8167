"""One choice whose reward comes later."""

import numpy as np
import pytest

from rlcourse.core import exact
from rlcourse.envs import delayed_reward


@pytest.mark.parametrize("delay", [1, 4])
def test_the_value_of_the_better_action_is_discounted_by_the_delay(delay):
    world = delayed_reward(delay)
    Q = exact.q_star(world, 0.9)
    assert Q[0, 1] == pytest.approx(0.9**delay)
    assert Q[0, 0] == 0.0
    assert exact.exact_return(world, np.ones(len(Q), int)) == 1.0
    with pytest.raises(ValueError, match="delay"):
        delayed_reward(0)
