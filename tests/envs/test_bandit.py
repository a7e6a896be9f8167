"""Bandits: rewards around the true values, values that walk, and a testbed that lives as the environments do."""

import gymnasium as gym
import numpy as np
import pytest

from rlcourse.agents.bandits.epsilon_greedy import epsilon_greedy_bandit
from rlcourse.core import exact
from rlcourse.core.observed import Observed, observed
from rlcourse.core.trial import Trial
from rlcourse.envs import BanditTestbed, DriftingBandit, bandit, cliff_walk


def test_a_pull_is_an_episode_with_a_reward_around_the_value_of_the_arm():
    world, rng = bandit(values=[1.0, -2.0]), np.random.default_rng(0)
    for arm, value in enumerate(world.values):
        rewards = np.array([world.step(world.reset(rng), arm, rng)[1] for _ in range(4000)])
        assert abs(rewards.mean() - value) < 5 / np.sqrt(4000)
        assert abs(rewards.std() - 1.0) < 0.06
    assert world.step(0, 1, rng)[0::2] == (0, True)
    assert world.step(0, 1, rng)[3] is False


def test_one_seed_is_one_problem_and_the_mean_moves_all_values():
    assert np.array_equal(bandit(seed=3).values, bandit(seed=3).values)
    assert not np.array_equal(bandit(seed=3).values, bandit(seed=4).values)
    np.testing.assert_allclose(bandit(seed=3, mean=4.0).values, bandit(seed=3).values + 4.0)
    drawn = np.array([bandit(k=1000, seed=seed).values for seed in range(10)])
    assert abs(drawn.mean()) < 0.05
    assert abs(drawn.std() - 1.0) < 0.05
    env = gym.make("rlcourse/Bandit-v0", k=4, seed=9, mean=2.0)
    assert np.array_equal(env.unwrapped.world.values, bandit(4, 2.0, 9).values)


@pytest.mark.parametrize("values", [[], [[1.0]], [np.nan]])
def test_values_that_are_none_are_refused(values):
    with pytest.raises(ValueError, match=r"one finite number per arm|values\[0\] must be a number"):
        bandit(values=values)


def test_the_exact_value_of_a_bandit_is_its_best_arm():
    assert exact.v_star(bandit(seed=1), 1.0)[0] == bandit(seed=1).values.max()
    assert exact.exact_return(bandit(seed=1), np.full((1, 10), 0.1)) == pytest.approx(bandit(seed=1).values.mean())


def test_values_walk_by_independent_normal_steps():
    world, rng = DriftingBandit(drift=0.5), np.random.default_rng(0)
    state, steps = world.reset(rng), []
    for _ in range(3000):
        after, _, terminated, truncated = world.step(state, 0, rng)
        steps.append(np.subtract(after, state))
        assert (terminated, truncated) == (False, False)
        assert world.observe(after) == 0
        state = after
    covariance = np.cov(np.transpose(steps))
    assert np.abs(covariance - 0.25 * np.eye(10)).max() < 0.04
    assert np.abs(np.mean(steps, axis=0)).max() < 5 * 0.5 / np.sqrt(3000)
    assert world.reset(rng) == (0.0,) * 10, "each life begins anew"


def test_the_testbed_lives_as_the_environments_do():
    values = np.random.default_rng(3).standard_normal((1, 10))
    for drift, world in ((0.0, bandit(values=values[0])), (0.3, DriftingBandit(tuple(values[0].tolist()), 0.3))):
        testbed = BanditTestbed.of(values, 200, [np.zeros(10), np.zeros(10)], drift)
        epsilon_greedy_bandit(testbed, *testbed.tables(10, 10), 0.2, 0.3, np.random.default_rng(8))
        Q, N, trial = np.zeros(10), np.zeros(10), Trial.of(observed(world), steps=200)
        epsilon_greedy_bandit(trial, Q, N, 0.2, 0.3, np.random.default_rng(8))
        assert np.array_equal(testbed.tables(10, 10)[0], Q)
        assert testbed.rewards().sum() == pytest.approx(trial.take_rows()[:, 0].sum(), abs=1e-9)
        assert testbed.scores()[0] == pytest.approx(testbed.rewards().mean())


def test_the_testbed_counts_optimal_actions_and_restores_the_tables():
    values = np.array([[0.0, 1.0], [3.0, 1.0], [0.0, 1.0]])
    testbed = BanditTestbed.of(values, 4, [np.array([0.0, 100.0]), np.zeros(2)], since=2)
    Q, N = testbed.tables(2, 2)
    epsilon_greedy_bandit(testbed, Q, N, 1e-9, 0.0, np.random.default_rng(0))
    assert testbed.optimal().tolist() == [2 / 3] * 4, "always the second arm"
    assert N.tolist() == [0.0, 4.0], "the counts of the last problem alone"
    assert testbed.rewards().shape == (4,)
    assert testbed.scores().mean() == pytest.approx(testbed.rewards()[2:].mean())
    with pytest.raises(ValueError, match="do not fill"):
        testbed.tables(2, 3)


def test_arms_that_are_equal_are_all_optimal():
    testbed = BanditTestbed.of(np.zeros((5, 3)), 10, [np.zeros(3), np.zeros(3)], drift=0.1)
    epsilon_greedy_bandit(testbed, *testbed.tables(3, 3), 0.1, 1.0, np.random.default_rng(0))
    assert testbed.optimal()[0] == 1.0
    assert testbed.optimal()[1:].mean() < 1.0


def test_only_a_world_that_hides_its_state_is_wrapped():
    cliff = cliff_walk()
    assert observed(cliff) is cliff
    world = observed(DriftingBandit())
    assert isinstance(world, Observed)
    assert world.reset(np.random.default_rng(0)) == 0
    assert (world.observation_space, world.action_space) == (gym.spaces.Discrete(1), gym.spaces.Discrete(10))


def test_estimates_show_in_picture_and_text():
    env = gym.make("rlcourse/Bandit-v0", render_mode="rgb_array").unwrapped
    env.reset(seed=0)
    plain = env._picture(env.world, 0, 3)
    assert not np.array_equal(plain, env._picture(env.world, 0, 3, values=np.zeros(10)))
    assert "estimate +0.500" in env._text(env.world, 0, 3, values=np.full(10, 0.5))


@pytest.mark.parametrize("make", [bandit, lambda: observed(DriftingBandit((0.0,) * 4, drift=0.5))])
def test_a_bandit_lives_the_same_compiled_and_interpreted(make):
    lives = []
    for run in (epsilon_greedy_bandit.python, epsilon_greedy_bandit.compiled):
        world, rng = make(), np.random.default_rng(2)
        Q, N = np.zeros(world.action_space.n), np.zeros(world.action_space.n)
        run(Trial.of(world, steps=300, limit=50), Q, N, 0.0, 0.2, rng)
        lives.append((Q, N, rng.random()))
    for slow, fast in zip(*lives, strict=True):
        assert np.array_equal(slow, fast)


def test_arguments_and_copies_reach_the_drifting_bandit():
    world = gym.make("rlcourse/DriftingBandit-v0", k=3, drift=0.5).unwrapped.world
    assert (len(world.start), world.drift) == (3, 0.5)
    envs = gym.make_vec("rlcourse/DriftingBandit-v0", num_envs=2, k=3, drift=1.0)
    envs.reset(seed=0)
    envs.step(np.array([0, 1]))
    assert envs.unwrapped.states.shape == (2, 3)
    assert len(np.unique(envs.unwrapped.states)) == 6, "each copy walks by itself"
