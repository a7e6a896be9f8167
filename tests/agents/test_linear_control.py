"""Control with linear values: each agent beside its neighbours, and the differential ones beside the exact solution."""

import numpy as np
import pytest
from every_agent import OneStep

from rlcourse.agents import (
    DifferentialSarsa,
    ExpectedSarsa,
    LinearQLearning,
    NStepDifferentialSarsa,
    NStepSarsa,
    NStepSemiGradientSarsa,
    QLearning,
    Sarsa,
    SemiGradientExpectedSarsa,
    SemiGradientSarsa,
)
from rlcourse.core import exact_average
from rlcourse.envs import access_control, cliff_walk, ring

TABULAR = [
    (SemiGradientSarsa, Sarsa, {}),
    (SemiGradientExpectedSarsa, ExpectedSarsa, {}),
    (LinearQLearning, QLearning, {}),
    *[(NStepSemiGradientSarsa, NStepSarsa, {"n": n}) for n in (1, 3, 8)],
]


def same(one, other) -> bool:
    """Whether two agents' values, scores and generators are equal to the last bit."""
    equal = np.array_equal(one.values(), other.values() if hasattr(other, "values") else other.Q)
    return equal and np.array_equal(one.history.rows, other.history.rows) and one.rng.random() == other.rng.random()


@pytest.mark.parametrize(("linear", "table", "settings"), TABULAR)
def test_with_one_feature_per_state_it_is_its_tabular_namesake_bit_for_bit(linear, table, settings):
    chosen = {"alpha": 0.4, "gamma": 0.95, "epsilon": 0.15, "seed": 2} | settings
    one, other = linear("rlcourse/CliffWalk-v0", **chosen).learn(4_000), table("rlcourse/CliffWalk-v0", **chosen).learn(4_000)
    assert np.ptp(other.Q) > 1
    assert same(one, other)


def test_one_step_of_n_step_sarsa_is_semi_gradient_sarsa_bit_for_bit():
    for env, steps in (("rlcourse/MountainCar-v0", 3_000), ("rlcourse/CartPole-v1", 3_000)):
        chosen = {"alpha": 0.05, "epsilon": 0.1, "gamma": 0.99, "seed": 4}
        one, other = NStepSemiGradientSarsa(env, n=1, **chosen).learn(steps), SemiGradientSarsa(env, **chosen).learn(steps)
        assert np.ptp(one.w) > 0
        assert np.array_equal(one.w, other.w)
        assert np.array_equal(one.history.rows, other.history.rows)


def test_expected_sarsa_without_exploration_is_q_learning():
    chosen = {"alpha": 0.05, "epsilon": 0.0, "seed": 4}
    one, other = (kind("rlcourse/MountainCar-v0", **chosen).learn(5_000) for kind in (SemiGradientExpectedSarsa, LinearQLearning))
    np.testing.assert_allclose(one.w, other.w, rtol=1e-12, atol=1e-12)
    assert np.array_equal(one.history.rows, other.history.rows)


def test_one_step_of_differential_n_step_sarsa_is_differential_sarsa_bit_for_bit():
    chosen = {"alpha": 0.05, "beta": 0.02, "epsilon": 0.1, "seed": 1}
    for env in (access_control(), cliff_walk()):
        one, other = NStepDifferentialSarsa(env, n=1, **chosen).learn(5_000), DifferentialSarsa(env, **chosen).learn(5_000)
        assert one.R_bar[0] == other.R_bar[0] != 0.0
        assert same(one, other)


@pytest.mark.parametrize("kind", [DifferentialSarsa, NStepDifferentialSarsa])
def test_a_cut_bootstraps_from_a_differential_value_and_an_end_does_not(kind):
    for terminated, value in ((True, 1.0 - 0.25), (False, 1.0 - 0.25 + 10.0)):
        agent = kind(OneStep(terminated), alpha=1.0, beta=0.5, epsilon=0.0)
        agent.w[..., 1], agent.R_bar[0] = 10.0, 0.25
        agent.learn(episodes=1)
        assert agent.w[..., 0].max() == pytest.approx(value)
        assert agent.R_bar[0] == pytest.approx(0.25 + 0.5 * value)


@pytest.mark.parametrize("kind", [DifferentialSarsa, NStepDifferentialSarsa])
def test_a_task_that_never_ends_is_cut_at_the_budget_and_goes_on_from_a_file_as_it_would_have(kind, tmp_path):
    first = kind(access_control(), seed=5).learn(1_500)
    assert first.num_timesteps == 1_500
    assert first.history.rows[:, 1:3].tolist() == [[1500.0, 0.0]]
    loaded = kind.load(first.save(tmp_path / "agent.safetensors"), env=access_control())
    assert loaded.R_bar[0] == first.R_bar[0] != 0.0
    first.learn(1_500)
    assert same(loaded.learn(1_500), first)
    assert first.num_timesteps == 3_000


def test_n_step_differential_returns_by_hand():
    world = ring([0.0, 0.0, 1.0])  # 0 -> 1 -> 2 -> 0, rewards 0, 0, 1
    agent = NStepDifferentialSarsa(world, n=2, alpha=0.5, beta=0.1, epsilon=0.0).learn(3)
    w, average = np.zeros(3), 0.0
    for s, rewards, after in ((0, (0.0, 0.0), 2), (1, (0.0, 1.0), 0), (2, (1.0,), 0)):  # the last one was cut
        delta = sum(r - average for r in rewards) + w[after] - w[s]
        average += 0.1 * delta
        w[s] += 0.5 * delta
    np.testing.assert_allclose(agent.w[0], w, atol=1e-14)
    assert agent.R_bar[0] == pytest.approx(average, abs=1e-14)


@pytest.mark.parametrize(("kind", "settings"), [(DifferentialSarsa, {}), (NStepDifferentialSarsa, {"n": 2, "beta": 0.003})])
def test_on_the_ring_of_exercise_10_7_the_values_become_the_closed_form(kind, settings):
    agent = kind(ring([0.0, 0.0, 1.0]), **({"alpha": 0.1, "beta": 0.01, "epsilon": 0.0} | settings)).learn(20_000)
    assert agent.R_bar[0] == pytest.approx(1 / 3, abs=1e-6)
    np.testing.assert_allclose(agent.w[0] - agent.w[0].mean(), [-1 / 3, 0.0, 1 / 3], atol=1e-5)


def test_differential_sarsa_earns_what_the_best_soft_policy_earns_on_average():
    earned, best = [], exact_average.optimal(access_control(), epsilon=0.1)[0]
    for seed in range(10):
        agent = DifferentialSarsa(access_control(), alpha=0.01, beta=0.01, epsilon=0.1, seed=seed).learn(500_000)
        earned.append(agent.learn(200_000).history["return"][-1] / 200_000)
    assert np.mean(earned) == pytest.approx(best, abs=0.02)
    assert np.mean(earned) <= best + 0.01
