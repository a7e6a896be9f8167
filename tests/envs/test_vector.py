"""N copies of a world in one call: resets, limits, last observations, exact resume."""

from typing import NamedTuple

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from rlcourse.core.copies import as_vector
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.envs import Acrobot, CartPole, MountainCar, Pendulum, cliff_walk, windy_gridworld


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


class Lifetimes(NamedTuple):
    """The observation is (step of the episode, step at which it terminates); the latter is drawn anew each time, 1 to 6."""

    longest: float = 6.0

    @property
    def observation_space(self):
        return gym.spaces.Box(0.0, 100.0, (2,), dtype=np.float32)

    @property
    def action_space(self):
        return gym.spaces.Discrete(2)

    def reset(self, rng):
        return 0.0, 1.0 + float(int(self.longest * rng.random()))

    def step(self, state, action, rng):
        return (state[0] + 1.0, state[1]), 1.0 + action, state[0] + 1.0 >= state[1], False

    def observe(self, state):
        return state


@pytest.mark.parametrize("limit", [None, 4])
@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_every_transition_is_a_true_one_in_every_mode(mode, limit):
    N, T = 3, 60
    envs = WorldVectorEnv(Lifetimes(), N, max_episode_steps=limit, autoreset_mode=mode)
    before, _ = envs.reset(seed=0)
    fresh, steps, returns = np.zeros(N, bool), np.zeros(N, int), np.zeros(N)
    transitions = episodes = resets = 0
    for t in range(T):
        actions = np.arange(t, t + N) % 2
        after, rewards, terminated, truncated, infos = envs.step(actions)
        for i in range(N):
            if fresh[i]:  # NEXT_STEP: not a transition
                assert after[i, 0] == 0
                assert (rewards[i], terminated[i], truncated[i]) == (0, False, False)
                steps[i], returns[i], fresh[i], resets = 0, 0, False, resets + 1
                continue
            over = terminated[i] or truncated[i]
            successor = infos["final_obs"][i] if over and mode == AutoresetMode.SAME_STEP else after[i]
            transitions, steps[i], returns[i] = transitions + 1, steps[i] + 1, returns[i] + rewards[i]
            assert successor.tolist() == [before[i, 0] + 1, before[i, 1]]
            assert rewards[i] == 1 + actions[i]
            assert terminated[i] == (steps[i] == before[i, 1])
            assert truncated[i] == (steps[i] == limit)
            if over:
                episodes += 1
                assert infos["_episode"][i]
                assert (infos["episode"]["l"][i], infos["episode"]["r"][i]) == (steps[i], returns[i])
                fresh[i] = mode == AutoresetMode.NEXT_STEP
                if mode != AutoresetMode.NEXT_STEP:
                    steps[i], returns[i] = 0, 0
        mask = terminated | truncated
        assert np.array_equal(infos.get("_episode", np.zeros(N, bool)), mask)
        if mode == AutoresetMode.DISABLED and mask.any():
            kept = after[~mask]
            after, _ = envs.reset(options={"reset_mask": mask})
            assert np.array_equal(after[~mask], kept), "the others go on"
            assert not after[mask, 0].any()
        before = after
    assert transitions == N * T - resets
    assert (resets > 0) == (mode == AutoresetMode.NEXT_STEP)
    assert episodes > 20


def test_next_step_agrees_with_gymnasiums_own_vector_environment():
    ours = WorldVectorEnv(CartPole(), 1, max_episode_steps=25, autoreset_mode=AutoresetMode.NEXT_STEP)
    theirs = gym.make_vec("CartPole-v1", num_envs=1, max_episode_steps=25, vectorization_mode="sync")
    assert theirs.metadata["autoreset_mode"] == AutoresetMode.NEXT_STEP
    np.testing.assert_array_equal(ours.reset(seed=4)[0], theirs.reset(seed=4)[0])
    for action in np.random.default_rng(0).integers(0, 2, (200, 1)):
        for a, b in zip(ours.step(action)[:4], theirs.step(action)[:4], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


def test_a_step_needs_a_reset_first():
    with pytest.raises(RuntimeError, match="reset"):
        WorldVectorEnv(CartPole(), 2).step(np.zeros(2, int))


@pytest.mark.parametrize("copy", [True, False])
def test_returned_arrays_are_the_callers_only_where_they_are_copies(copy):
    envs = WorldVectorEnv(CartPole(), 2, copy=copy)
    first, _ = envs.reset(seed=0)
    kept = first.copy()
    envs.step(np.zeros(2, int))
    assert np.array_equal(first, kept) == copy


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


@pytest.mark.parametrize(
    "world",
    [CartPole(), MountainCar(), Acrobot(), Pendulum(), cliff_walk(), windy_gridworld(stochastic=True)],
    ids=lambda world: type(world).__name__,
)
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
    before = envs.state_dict()
    for actions in ([0, 1, 2], [0, -1, 0], [0.0, 1.0, 0.5], [0, np.nan, 1], [0, 1], [True, False, True]):
        with pytest.raises(ValueError, match="action"):
            envs.step(np.array(actions))
        _assert_same(before, envs.state_dict())
    pendulums = WorldVectorEnv(Pendulum(), 2)
    pendulums.reset(seed=0)
    before = pendulums.state_dict()
    for actions in ([[0.0], [np.nan]], [[0.0], [np.inf]]):
        with pytest.raises(ValueError, match="copy 1"):
            pendulums.step(np.array(actions))
    with pytest.raises(ValueError, match="shape"):
        pendulums.step(np.zeros(2))
    _assert_same(before, pendulums.state_dict())


def _assert_same(a, b):
    assert a.keys() == b.keys()
    for name in a:
        assert np.array_equal(a[name], b[name]) if isinstance(a[name], np.ndarray) else a[name] == b[name], name


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP])
@pytest.mark.parametrize("world", [CartPole(), Pendulum(), cliff_walk()], ids=lambda world: type(world).__name__)
def test_a_saved_vector_goes_on_bit_for_bit(world, mode):
    a, b = (WorldVectorEnv(world, 4, 50, mode) for _ in range(2))
    a.reset(seed=1)
    a.action_space.seed(0)
    for _ in range(75):
        a.step(a.action_space.sample())
    b.load_state_dict(a.state_dict())
    assert np.array_equal(a.observations, b.observations)
    for _ in range(75):
        actions = a.action_space.sample()
        (*ours, our_infos), (*theirs, their_infos) = a.step(actions), b.step(actions)
        for x, y in zip(ours, theirs, strict=True):
            assert np.array_equal(x, y)
        if our_infos:
            assert np.array_equal(our_infos["episode"]["r"], their_infos["episode"]["r"])
            assert np.array_equal(our_infos["episode"]["l"], their_infos["episode"]["l"])
    _assert_same(a.state_dict(), b.state_dict())


def test_as_vector_takes_the_twin_and_adapts_another_reset_mode():
    assert isinstance(as_vector("CartPole-v1", 4), WorldVectorEnv)
    assert not isinstance(as_vector(gym.make("CartPole-v1", sutton_barto_reward=True), 1).unwrapped, WorldVectorEnv)
    other = gym.make_vec("CartPole-v1", num_envs=2, vectorization_mode="sync")
    assert as_vector(other, 2).metadata["autoreset_mode"] == AutoresetMode.SAME_STEP != other.metadata["autoreset_mode"]
