"""Running statistics of an agent - of observations, of rewards, of batch normalisation - are in its file and stand still where it acts."""

import numpy as np
import pytest
from every_agent import DEEP, ROLLOUT, differences, known, make, small_env

from rlcourse.core.evaluation import evaluate

KEEPING = {"normalize_observations": True, "normalize_rewards": True, "encoder": "mlp:8+bn"}


def moved(state) -> dict[str, np.ndarray]:
    """Return the statistics in a state."""
    return {key: array for key, array in state.items() if key.startswith("normalizer.") or "running_" in key}


@pytest.mark.parametrize("name", DEEP)
def test_statistics_are_in_the_file_and_neither_evaluation_nor_prediction_moves_them(name, tmp_path):
    agent = make(name, **known(name, **KEEPING)).learn(2 * ROLLOUT)
    before = agent.state_dict()
    assert any(np.any(array) for array in moved(before).values()), "there are statistics to move"
    evaluate(agent, small_env(name), 2, max_steps=20)
    agent.predict(np.stack([100.0 * agent.observation_space.sample() for _ in range(5)]).clip(-1e6, 1e6))
    assert differences(before, agent.state_dict()) == []
    loaded = type(agent).load(agent.save(tmp_path / "agent.safetensors", replay=False))
    assert differences(moved(before), moved(loaded.state_dict())) == []
    seen = np.stack([agent.observation_space.sample() for _ in range(20)]) / 10
    np.testing.assert_array_equal(agent.predict(seen)[0], loaded.predict(seen)[0])
    np.testing.assert_array_equal(agent.normalizer.observations(seen), loaded.normalizer.observations(seen))
