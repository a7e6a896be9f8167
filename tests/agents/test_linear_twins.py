"""Linear agents in Gymnasium's environments and in our worlds: the same steps and features, and nearly always the same run.

`benchmarks/linear_twins.py` compares learning curves of ten seeds.
"""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

FILE = Path(__file__).resolve().parents[2] / "benchmarks/linear_twins.py"
spec = importlib.util.spec_from_file_location("linear_twins", FILE)
twins = importlib.util.module_from_spec(spec)
spec.loader.exec_module(twins)


@pytest.mark.parametrize("id", sorted(twins.PLANS))
def test_the_same_actions_lead_to_the_same_observations_but_for_rounding_and_to_the_same_features(id):
    largest, share = twins.steps_apart(id, steps=2_000)
    assert largest < 1e-5, "an angular velocity of 20 has 2e-6 between two float32 numbers"
    assert share <= 0.002


@pytest.mark.parametrize(("id", "episodes"), [("MountainCar-v0", 30), ("CartPole-v1", 60), ("Acrobot-v1", 10)])
def test_learning_is_the_same_until_a_rounded_number_falls_into_another_tile(id, episodes, monkeypatch):
    monkeypatch.setitem(twins.PLANS, id, twins.PLANS[id]._replace(episodes=episodes))
    (compiled, _), (interpreted, _) = (twins.curves(id, range(3), interpreted) for interpreted in (False, True))
    assert np.array_equal(compiled[:, 0], interpreted[:, 0]), "the first tenth of the episodes is the same to the last step"
    assert np.ptp(compiled) > 0
    assert np.mean(twins.apart(compiled, interpreted) < 3.0) >= 0.9
