"""The Rescorla-Wagner model and the TD model: identities with their relatives, Sutton's own loop, and closed forms."""

import numpy as np
import pytest
from every_agent import OneStep

from rlcourse.agents import RescorlaWagner, SemiGradientTD0, TDLambda, TDModel
from rlcourse.envs import ConditioningTrials, conditioning_trials, random_walk
from rlcourse.features import OneHot, complete_serial_compound, microstimuli, presence

ROWS = np.random.default_rng(2).normal(size=(7, 3))


def trials_of(*kinds, phases, steps=1) -> ConditioningTrials:
    return ConditioningTrials.of(kinds, phases, steps)


def learned(kind, world, features, trials, **settings):
    return kind(world, features=features, **settings).learn(episodes=trials)


def sutton_1990(world: ConditioningTrials, trials: int) -> np.ndarray:
    """The loop of 1990 as it was written: step size .1, traces that gain .2 a step, predictions clipped; over all trials in a row."""
    V, trace, before = np.zeros(world.stimuli.shape[2]), np.zeros(world.stimuli.shape[2]), 0.0
    for n in range(trials):
        k = world.schedule[min(n, len(world.schedule) - 1)]
        for t in range(world.us.shape[1] - 1):
            X = world.stimuli[k, t]
            error = world.us[k, t] + 0.95 * max(V @ X, 0.0) - before
            V = V + 0.1 * error * trace
            trace = trace + 0.2 * (X - trace)
            before = max(V @ X, 0.0)
    return V


@pytest.mark.parametrize("experiment", ["delay", "serial", "egger-miller", "temporal-primacy", "second-order"])
def test_the_td_model_is_the_loop_of_1990(experiment):
    world = conditioning_trials(experiment)
    agent = learned(TDModel, world, presence(world.stimuli), 120, alpha=0.02, gamma=0.95, lam=0.8 / 0.95, clip=True)
    np.testing.assert_allclose(agent.w, sutton_1990(world, 120), atol=1e-8)  # their traces outlive a trial: .8^100 is left


def test_the_td_model_is_td_lambda_unless_predictions_are_clipped():
    settings = {"features": ROWS, "alpha": 0.1, "gamma": 0.9, "lam": 0.7, "seed": 4}
    one, other = (kind(random_walk(), **settings).learn(500) for kind in (TDModel, TDLambda))
    assert np.array_equal(one.w, other.w)
    assert not np.array_equal(TDModel(random_walk(), clip=True, **settings).learn(500).w, other.w)


def test_the_td_model_without_traces_is_semi_gradient_td0():
    for settings in ({"features": ROWS}, {"features": OneHot(7)}):
        one = TDModel(random_walk(), alpha=0.1, gamma=0.9, lam=0.0, seed=4, **settings).learn(500)
        other = SemiGradientTD0(random_walk(), alpha=0.1, gamma=0.9, seed=4, **settings).learn(500)
        np.testing.assert_allclose(one.w, other.w, atol=1e-14)


def test_the_td_model_without_a_future_is_the_rescorla_wagner_model():
    one = TDModel(random_walk(), features=ROWS, alpha=0.1, gamma=0.0, lam=0.9, seed=4).learn(500)
    other = RescorlaWagner(random_walk(), features=ROWS, alpha=0.1, seed=4).learn(500)
    np.testing.assert_allclose(one.w, other.w, atol=1e-14)


def test_the_rescorla_wagner_model_is_semi_gradient_td0_without_a_future():
    one = RescorlaWagner(random_walk(), features=ROWS, alpha=0.1, seed=4).learn(500)
    other = SemiGradientTD0(random_walk(), features=ROWS, alpha=0.1, gamma=0.0, seed=4).learn(500)
    assert np.array_equal(one.w, other.w)


def test_the_serial_compound_makes_a_table_of_the_times_since_the_onset():
    world = trials_of({"CSA": (2, 4), "US": (6, 1)}, phases=[(0, 1)], steps=10)
    agent = learned(TDModel, world, complete_serial_compound(world.stimuli), 400, alpha=0.5, gamma=0.9, lam=0.0)
    np.testing.assert_allclose(agent.values()[2:6], 0.9 ** np.arange(3, -1, -1), atol=1e-6)
    assert agent.values()[:2].tolist() == [0.0, 0.0]
    assert np.abs(agent.values()[6:]).max() < 1e-6


@pytest.mark.parametrize("make", [presence, complete_serial_compound, microstimuli])
def test_it_settles_where_the_traces_times_the_errors_vanish(make):
    world = trials_of({"CSA": (1, 8), "US": (9, 1)}, phases=[(0, 1)], steps=14)
    agent = learned(TDModel, world, make(world.stimuli), 60_000, alpha=0.001, gamma=0.9, lam=0.8)
    x, v = agent.features.rows, agent.values()
    delta = world.us[0, 1:] + 0.9 * v[1:] - v[:-1]
    z, total = np.zeros(x.shape[1]), np.zeros(x.shape[1])
    for t in range(14):
        z = 0.9 * 0.8 * z + x[t]
        total += delta[t] * z
    assert np.abs(total).max() < 0.02, "but for what small steps leave, and move within a trial"


def test_only_predictions_below_zero_are_clipped():
    world = trials_of({"CSA": (0, 1), "US": (1, 1, -1.0)}, phases=[(0, 1)], steps=2)
    free = learned(TDModel, world, presence(world.stimuli), 50, alpha=0.5, gamma=0.9, lam=0.0)
    clipped = learned(TDModel, world, presence(world.stimuli), 50, alpha=0.5, gamma=0.9, lam=0.0, clip=True)
    assert free.w[0] == pytest.approx(-1.0)
    assert clipped.w[0] == pytest.approx(-25.0), "the error never shrinks, as a prediction of zero stays wrong"


def test_strengths_of_one_stimulus_follow_their_closed_form():
    world = trials_of({"CSA": (0, 1), "US": (1, 1)}, {"CSA": (0, 1)}, phases=[(0, 10), (1, 10)])
    agent = RescorlaWagner(world, features=presence(world.stimuli), alpha=0.2, beta_without=0.5)
    assert agent.learn(episodes=10).w[0] == pytest.approx(1 - 0.8**10)
    assert agent.learn(episodes=10).w[0] == pytest.approx((1 - 0.8**10) * 0.9**10), "trials without the US have a rate of their own"


def test_a_predicted_us_blocks_a_stimulus_that_is_added():
    alone, both = {"CSA": (0, 1), "US": (1, 1)}, {"CSA": (0, 1), "CSB": (0, 1), "US": (1, 1)}
    world = trials_of(alone, both, phases=[(0, 200), (1, 200)])
    assert learned(RescorlaWagner, world, presence(world.stimuli), 400).w == pytest.approx([1.0, 0.0], abs=1e-6)
    world = trials_of(both, phases=[(0, 200)])
    assert learned(RescorlaWagner, world, presence(world.stimuli), 200).w == pytest.approx([0.5, 0.5], abs=1e-6)


@pytest.mark.parametrize("terminated", [True, False])
def test_the_rescorla_wagner_model_never_bootstraps(terminated):
    agent = RescorlaWagner(OneStep(terminated), alpha=1.0)
    agent.w[1] = 10.0  # what it says of the state in which the trial ends
    assert agent.learn(episodes=1).w[0] == 1.0
