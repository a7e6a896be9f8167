"""N copies of a world in one call: resets, limits, last observations, exact resume."""

from typing import NamedTuple

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from rlcourse.core.vector import WorldVectorEnv, as_vector
from rlcourse.envs import Acrobot, CartPole, Pendulum, cliff_walk


class Counter(NamedTuple):
    """The observation is the step of the episode; it terminates at `end`."""

    end: float = 5.0

    @property
    def observation_space(self):
        return gym.spaces.Box(0.0, 100.0, (1,), dtype=np.float32)

    @property
    def action_space(self):
        return gym.spaces.Discrete(2)

    def reset(self, rng):
        return (0.0,)

    def step(self, state, action, rng):
        step = state[0] + 1.0
        return (step,), 1.0, step >= self.end, False

    def observe(self, state):
        return state


@pytest.mark.parametrize("limit", [None, 3, 5])
def test_same_step_returns_the_first_observation_and_keeps_the_last_one(limit):
    envs = WorldVectorEnv(Counter(), 2, max_episode_steps=limit)
    observations, _ = envs.reset(seed=0)
    length = min(5, limit or 5)
    for step in range(1, 21):
        before = observations
        observations, rewards, terminated, truncated, infos = envs.step(np.zeros(2, int))
        ends = step % length == 0
        assert (terminated | truncated).all() == ends
        assert terminated.all() == (ends and length == 5)
        assert truncated.all() == (ends and limit is not None and length == limit)
        following = infos["final_obs"] if ends else observations
        assert np.array_equal(following, before + 1), "every stored successor is the true one"
        if ends:
            assert np.array_equal(observations, np.zeros((2, 1)))
            assert infos["episode"]["r"].tolist() == [length, length]
            assert infos["episode"]["l"].tolist() == [length, length]
        assert rewards.tolist() == [1.0, 1.0]


def test_next_step_inserts_a_step_that_only_resets_as_gymnasium_does():
    ours = WorldVectorEnv(Counter(), 1, autoreset_mode=AutoresetMode.NEXT_STEP)
    ours.reset(seed=0)
    seen = [tuple(np.ravel(part).tolist() for part in ours.step(np.zeros(1, int))[:4]) for _ in range(8)]
    assert [row[0] for row in seen] == [[1.0], [2.0], [3.0], [4.0], [5.0], [0.0], [1.0], [2.0]]
    assert [row[1] for row in seen] == [[1.0]] * 5 + [[0.0]] + [[1.0]] * 2
    assert [row[2] for row in seen] == [[False]] * 4 + [[True]] + [[False]] * 3


def test_disabled_wants_a_reset_by_mask():
    envs = WorldVectorEnv(Counter(), 2, autoreset_mode=AutoresetMode.DISABLED)
    envs.reset(seed=0)
    for _ in range(5):
        envs.step(np.zeros(2, int))
    with pytest.raises(RuntimeError, match="reset_mask"):
        envs.step(np.zeros(2, int))
    envs.reset(options={"reset_mask": np.array([True, True])})
    assert envs.step(np.zeros(2, int))[0].tolist() == [[1.0], [1.0]]


def test_two_vectors_keep_their_own_modes():
    a = WorldVectorEnv(Counter(), 1)
    b = WorldVectorEnv(Counter(), 1, autoreset_mode=AutoresetMode.NEXT_STEP)
    assert a.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP
    assert b.metadata["autoreset_mode"] == AutoresetMode.NEXT_STEP


@pytest.mark.parametrize("world", [CartPole(), Acrobot(), Pendulum(), cliff_walk()], ids=lambda world: type(world).__name__)
def test_one_copy_lives_as_one_environment_does(world):
    from rlcourse.core.world import WorldEnv

    one, many = gym.wrappers.TimeLimit(WorldEnv(world), 30), WorldVectorEnv(world, 1, max_episode_steps=30)
    one.action_space.seed(0)
    a, b = one.reset(seed=9)[0], many.reset(seed=9)[0]
    for _ in range(300):
        assert np.array_equal(np.asarray(a), b[0])
        action = one.action_space.sample()
        a, reward, terminated, truncated, _ = one.step(action)
        b, rewards, terminations, truncations, infos = many.step(np.asarray([action]))
        assert (reward, terminated, truncated) == (rewards[0], terminations[0], truncations[0])
        if terminated or truncated:
            assert np.array_equal(np.asarray(a), infos["final_obs"][0])
            a = one.reset()[0]


def test_illegal_actions_are_refused_and_change_nothing():
    envs = WorldVectorEnv(CartPole(), 3)
    envs.reset(seed=0)
    envs.step(np.zeros(3, int))
    before = envs.states.copy()
    for actions in ([0, 1, 2], [0, -1, 0], [0.0, 1.0, 0.5], [0, 1]):
        with pytest.raises(ValueError, match="action"):
            envs.step(np.array(actions))
    assert np.array_equal(before, envs.states)
    pendulums = WorldVectorEnv(Pendulum(), 2)
    pendulums.reset(seed=0)
    with pytest.raises(ValueError, match="copy 1"):
        pendulums.step(np.array([[0.0], [np.nan]]))


def test_a_saved_vector_goes_on_bit_for_bit():
    a, b = WorldVectorEnv(CartPole(), 4, 50), WorldVectorEnv(CartPole(), 4, 50)
    a.reset(seed=1)
    rng = np.random.default_rng(0)
    for _ in range(60):
        a.step(rng.integers(0, 2, 4))
    b.load_state_dict(a.state_dict())
    for _ in range(60):
        actions = rng.integers(0, 2, 4)
        for x, y in zip(a.step(actions)[:4], b.step(actions)[:4], strict=True):
            assert np.array_equal(x, y)


def test_as_vector_takes_the_twin_and_refuses_another_reset_mode():
    assert isinstance(as_vector("CartPole-v1", 4), WorldVectorEnv)
    assert not isinstance(as_vector(gym.make("CartPole-v1", sutton_barto_reward=True), 1).unwrapped, WorldVectorEnv)
    with pytest.raises(ValueError, match="SAME_STEP"):
        as_vector(gym.make_vec("CartPole-v1", num_envs=2, vectorization_mode="sync"), 2)
