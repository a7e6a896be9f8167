"""Policies, schedules, seeds, spaces, settings, models."""

import numpy as np
import pytest
from gymnasium import spaces as gs
from hypothesis import given
from hypothesis import strategies as st

from rlcourse.agents.temporal_difference.sarsa import SarsaConfig
from rlcourse.core import policies, schedules, seeds, spaces
from rlcourse.core.config import build
from rlcourse.core.mdp import MDP
from rlcourse.core.schedules import Exponential, Linear


def test_greedy_ties_break_uniformly():
    rng, values = np.random.default_rng(0), np.array([1.0, 3.0, 3.0, 0.0, 3.0])
    counts = np.bincount([policies.greedy(values, rng) for _ in range(6000)], minlength=5)
    assert counts[[0, 3]].sum() == 0
    expected = 2000
    assert ((counts[[1, 2, 4]] - expected) ** 2 / expected).sum() < 13.8  # chi-square, 2 degrees of freedom, p = 0.001


def test_epsilon_greedy_follows_its_probabilities():
    rng, values = np.random.default_rng(0), np.array([2.0, 0.0, 2.0])
    probabilities = policies.epsilon_greedy_probabilities(values, 0.3)
    np.testing.assert_allclose(probabilities, [0.45, 0.1, 0.45])
    counts = np.bincount([policies.epsilon_greedy(values, 0.3, rng) for _ in range(10_000)], minlength=3)
    np.testing.assert_allclose(counts / 10_000, probabilities, atol=0.02)
    assert policies.expected_value(values, 0.3) == pytest.approx(probabilities @ values)


def test_softmax_is_a_distribution_and_sampling_follows_it():
    p = policies.softmax(np.array([1000.0, 1000.0, 998.0]), 1.0)
    assert p.sum() == pytest.approx(1.0)
    rng = np.random.default_rng(0)
    counts = np.bincount([policies.sample(p, rng) for _ in range(10_000)], minlength=3)
    np.testing.assert_allclose(counts / 10_000, p, atol=0.02)
    assert policies.sample(np.array([0.0, 1.0, 0.0]), rng) == 1


def test_schedules_follow_the_step_and_read_their_own_text():
    assert schedules.value(Linear(1.0, 0.0, 10), 5) == 0.5
    assert schedules.value(Linear(1.0, 0.0, 10), 99) == 0.0
    assert schedules.value(Exponential(1.0, 0.0, 10), 20) == pytest.approx(0.25)
    assert schedules.value(0.3, 10**9) == 0.3
    assert schedules.parse("linear(0.001, 0, 100000)") == Linear(0.001, 0.0, 100000.0)
    assert schedules.parse("3e-4") == 3e-4
    for text in ("linear(1, 0)", "linear(1, 0, -5)", "cosine(1, 0, 5)", "linear(nan, 0, 5)", ""):
        with pytest.raises(ValueError, match="schedule"):
            schedules.parse(text)


def test_replicates_do_not_depend_on_the_number_of_workers():
    def run(rng):
        return rng.random(5).tolist()

    assert seeds.replicate(run, 7, seed=3, workers=1) == seeds.replicate(run, 7, seed=3, workers=4)


SPACES = [
    gs.Discrete(7),
    gs.Discrete(5, start=-2),
    gs.MultiDiscrete([3, 4, 2]),
    gs.MultiDiscrete([3, 4], start=[-1, 5]),
    gs.Tuple((gs.Discrete(3, start=4), gs.Discrete(2))),
]


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_ravel_and_unravel_are_inverse_and_cover_the_space(space):
    for i in range(spaces.size(space)):
        element = spaces.unravel(space, i)
        assert space.contains(element)
        assert spaces.ravel(space, element) == i
    batch = spaces.unravel(space, np.arange(spaces.size(space)))
    assert spaces.ravel(space, batch).tolist() == list(range(spaces.size(space)))
    assert spaces.is_batch(space, batch)
    assert not spaces.is_batch(space, space.sample())


def test_an_observation_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="shape"):
        spaces.is_batch(gs.Box(0, 1, (4,)), np.zeros((2, 3)))


@given(st.sampled_from(["alpha", "gamma", "epsilon"]), st.one_of(st.just(float("nan")), st.floats(1.01, 1e9), st.floats(-1e9, -0.01)))
def test_a_setting_out_of_range_is_refused_by_name(name, value):
    with pytest.raises(ValueError, match=rf"{name} must be a number in"):
        SarsaConfig(**{name: value})


def test_bad_settings_get_one_clear_sentence():
    for settings, sentence in [({"alpah": 0.1}, "did you mean 'alpha'"), ({"alpha": True}, "alpha"), ({"alpha": "0.1"}, "alpha")]:
        with pytest.raises(ValueError, match=sentence):
            build(SarsaConfig, settings)


def test_a_model_is_validated_and_sampled_by_its_probabilities():
    table = {0: {0: [(0.25, 1, 1.0, False), (0.75, 0, 0.0, False)]}, 1: {0: [(1.0, 1, 0.0, True)]}}
    model, rng = MDP.of(table), np.random.default_rng(0)
    drawn = [model.step(0, 0, rng)[0] for _ in range(8000)]
    assert np.mean(drawn) == pytest.approx(0.25, abs=0.02)
    assert model.expected(0, 0, np.array([2.0, 4.0]), 0.5) == pytest.approx(0.25 * (1 + 2) + 0.75 * 1)
    for bad, sentence in [(0.2, "sum to"), (-0.25, "p >= 0"), (float("nan"), "probability")]:
        with pytest.raises(ValueError, match=sentence):
            MDP.of({0: {0: [(bad, 0, 0.0, False), (0.75, 0, 0.0, False)]}})
    with pytest.raises(ValueError, match="leads to state 9"):
        MDP.of({0: {0: [(1.0, 9, 0.0, False)]}})
    with pytest.raises(ValueError, match="start"):
        MDP.of({0: {0: [(1.0, 0, 0.0, False)]}}, [0.5])
