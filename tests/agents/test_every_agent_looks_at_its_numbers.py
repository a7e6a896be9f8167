"""Weights, gradients and losses that are no numbers stop every deep agent, in a sentence that names them and the step."""

import numpy as np
import pytest
from every_agent import DEEP, ROLLOUT, make

from rlcourse.agents.deep.optimizer import FlatOptimizer


@pytest.mark.parametrize("name", DEEP)
def test_what_is_no_number_is_named_with_its_step(name):
    agent = make(name).learn(2 * ROLLOUT)
    agent.check_weights()
    losses = [metric for metric in agent.metrics if "loss" in metric]
    assert losses, "a loss is among the metrics"
    optimizer = [part for part in agent.parts().values() if isinstance(part, FlatOptimizer)][-1]
    for what, numbers, place in (
        ("loss", agent.metrics, losses[-1]),
        ("gradient", optimizer.gradient, -1),
        ("weights", optimizer.parameters, -1),
    ):
        before, numbers[place] = float(numbers[place]), np.inf
        with pytest.raises(FloatingPointError, match=rf"{what}\S* (is|are) no longer finite at step {agent.num_timesteps}: "):
            agent.check_weights()
        numbers[place] = before
    agent.check_weights()
