"""The replay memory against a list of transitions that were written down one by one."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import FrameStackObservation
from gymnasium.wrappers.vector import RecordEpisodeStatistics
from hypothesis import given, settings
from hypothesis import strategies as st

from rlcourse.agents.deep.frames import stack_size
from rlcourse.agents.deep.prioritized import PrioritizedReplay
from rlcourse.agents.deep.replay import Replay
from rlcourse.wrappers import Flicker


class Numbered(gym.Env):
    """Every observation is a number of its own; episodes end at random, in either way or in both."""

    action_space = spaces.Discrete(100)

    def __init__(self, first: int, shape: tuple[int, ...] = (1,)) -> None:
        self.number, self.shape = first, shape
        self.observation_space = spaces.Box(-np.inf, np.inf, shape, np.float32)

    def _seen(self):
        self.number += 1
        return np.full(self.shape, self.number, np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self._seen(), {}

    def step(self, action):
        terminated, truncated = self.np_random.random(2) < 0.15
        return self._seen(), float(self.number % 7), bool(terminated), bool(truncated), {}


def vector(copies: int, stack: int = 1):
    def maker(i: int):
        if stack == 1:
            return lambda: Numbered(i * 100_000)
        return lambda: FrameStackObservation(Numbered(i * 100_000, (2,)), stack)

    return RecordEpisodeStatistics(SyncVectorEnv([maker(i) for i in range(copies)], autoreset_mode=AutoresetMode.SAME_STEP))


def gather(memory: Replay, env, budgets: list[int], rng: np.random.Generator, seed: int = 0):
    """Fill a memory; return each copy's transitions (observation, action, reward, next, terminated, ended) in order, None at a gap."""
    observation, infos = env.reset(seed=seed)
    memory.begin(observation, infos)
    memory.steps = 10
    written = [[] for _ in range(env.num_envs)]
    real = env.step

    def step(actions):
        before = np.array(env.unwrapped._observations)
        result = real(actions)
        after, reward, terminated, truncated, infos = result
        for i in range(env.num_envs):
            last = infos["final_obs"][i] if terminated[i] or truncated[i] else after[i]
            ended = bool(terminated[i] or truncated[i])
            written[i].append((before[i].copy(), int(actions[i]), float(reward[i]), np.array(last), bool(terminated[i]), ended))
        return result

    env.step = step
    for budget in budgets:

        def act(t, observations):
            actions = rng.integers(100, size=env.num_envs)
            return actions, actions

        observation, _ = memory.collect(env, observation, act, budget)
        for i in range(env.num_envs):
            if budget % env.num_envs and i >= budget % env.num_envs:
                written[i][-1] = None  # the last step of these copies was not stored
    return written


def expected(written: list, start: int, gamma: float, n: int):
    """Return (observation, action, return, last observation, discount) of n steps from a transition, by definition."""
    observation, action = written[start][:2]
    total, discount = 0.0, 1.0
    for k in range(start, start + n):
        total += discount * written[k][2]
        discount *= gamma
        if written[k][5] or k + 1 >= len(written) or written[k + 1] is None or k == start + n - 1:
            return observation, action, total, written[k][3], 0.0 if written[k][4] else discount
    raise AssertionError


@given(st.integers(1, 3), st.lists(st.integers(1, 7), min_size=1, max_size=14), st.integers(3, 30), st.integers(1, 4), st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_what_is_taken_is_what_happened(copies, budgets, capacity, n, seed):
    env = vector(copies)
    memory = Replay(env.single_observation_space, env.single_action_space, copies, capacity)
    written = gather(memory, env, budgets, np.random.default_rng(seed), seed)
    by_number = {float(each[0][0]): (i, k) for i, row in enumerate(written) for k, each in enumerate(row) if each is not None}
    kept = {number for number, (i, k) in by_number.items() if len(written[i]) - k <= memory.rows - 1}
    assert len(memory) == len(kept)
    batch = memory.sample(400, np.random.default_rng(seed), 0.9, n)
    assert set(batch.observations[:, 0].tolist()) <= kept
    if len(kept) < 20:
        assert set(batch.observations[:, 0].tolist()) == kept, "every transition can be drawn"
    for b, number in enumerate(batch.observations[:, 0].tolist()):
        i, k = by_number[number]
        _observation, action, total, last, discount = expected(written[i], k, 0.9, n)
        assert batch.actions[b] == action
        assert batch.rewards[b] == pytest.approx(total, rel=1e-5)
        assert batch.discounts[b] == pytest.approx(discount, rel=1e-5)
        if discount > 0:
            assert batch.next_observations[b] == last


@pytest.mark.parametrize("kind", [Replay, PrioritizedReplay])
@pytest.mark.parametrize("copies", [1, 3])
def test_stacks_are_gymnasiums_though_each_frame_is_stored_once(kind, copies):
    env = vector(copies, stack=3)
    assert stack_size(env) == 3
    memory = kind(env.single_observation_space, env.single_action_space, copies, 40, 3)
    written = gather(memory, env, [copies] * 100, np.random.default_rng(0))
    assert memory.observations.shape == (memory.rows, copies, 2)
    stacks = {each[0].tobytes(): each for row in written for each in row}
    batch = memory.sample(500, np.random.default_rng(1), 0.9)
    for b in range(500):
        each = stacks[batch.observations[b].tobytes()]
        if batch.discounts[b] > 0:
            assert np.array_equal(batch.next_observations[b], each[3])


@pytest.mark.parametrize(
    "wrap",
    [
        lambda env: FrameStackObservation(env, 3, padding_type="zero"),
        lambda env: FrameStackObservation(env, 3, padding_type=np.ones(2, np.float32)),
        lambda env: Flicker(FrameStackObservation(env, 3)),
    ],
    ids=["zeros first", "ones first", "changed afterwards"],
)
def test_stacks_that_single_frames_do_not_make_again_are_stored_whole(wrap):
    vector = SyncVectorEnv([lambda: wrap(Numbered(0, (2,)))] * 2, autoreset_mode=AutoresetMode.SAME_STEP)
    env = RecordEpisodeStatistics(vector)
    memory = Replay.of(env, 40)
    assert memory.stack == 1
    written = gather(memory, env, [2] * 60, np.random.default_rng(0))
    seen = {each[0].tobytes() for row in written for each in row}
    assert all(observation.tobytes() in seen for observation in memory.sample(200, np.random.default_rng(1), 0.9).observations)
    assert stack_size(gym.wrappers.TimeLimit(FrameStackObservation(Numbered(0), 3), 5)) == 3
    assert stack_size(gym.vector.VectorWrapper(env)) == 1, "it may change observations"


def test_a_saved_memory_goes_on_as_the_one_that_was_not_interrupted():
    for kind in (Replay, PrioritizedReplay):
        env = vector(2)
        memory = kind(env.single_observation_space, env.single_action_space, 2, 20)
        gather(memory, env, [2] * 30, np.random.default_rng(0))
        copied = kind(env.single_observation_space, env.single_action_space, 2, 20)
        copied.load_state_dict({name: np.array(value) for name, value in memory.state_dict().items()})
        one, two = (each.sample(64, np.random.default_rng(5), 0.9, 3) for each in (memory, copied))
        for a, b in zip(one, two, strict=True):
            assert np.array_equal(a, b)
    small = Replay(env.single_observation_space, env.single_action_space, 2, 8)
    with pytest.raises(ValueError, match="buffer_size"):
        small.load_state_dict(memory.state_dict())


def test_beginning_anew_cuts_the_episodes_under_way_where_they_were():
    env = vector(1)
    memory = Replay(env.single_observation_space, env.single_action_space, 1, 20)
    written = gather(memory, env, [1], np.random.default_rng(0))
    observation, infos = env.reset(seed=3)
    memory.begin(observation, infos)
    batch = memory.take(np.array([0]), 0.9, 3)
    assert batch.next_observations[0] == written[0][0][3]
    assert batch.discounts[0] == pytest.approx(0.9)
    assert memory.observations[1, 0] == observation[0]


def test_priorities_are_the_frequencies_and_the_weights_their_inverse():
    env = vector(1)
    memory = PrioritizedReplay(env.single_observation_space, env.single_action_space, 1, 4, alpha=0.5)
    gather(memory, env, [1] * 3, np.random.default_rng(0))
    memory.correct(np.array([0, 1, 2]), np.array([1.0, 4.0, -9.0]))
    memory.beta = 1.0
    batch = memory.sample(60_000, np.random.default_rng(0), 0.9)
    shares = np.bincount(batch.slots, minlength=3) / 60_000
    np.testing.assert_allclose(shares, np.array([1.0, 2.0, 3.0]) / 6.0, atol=0.005)
    for slot, priority in enumerate((1.0, 2.0, 3.0)):
        np.testing.assert_allclose(batch.weights[batch.slots == slot], 1.0 / priority, rtol=1e-4)
    gather_more = memory.tree[len(memory.tree) // 2 :]
    assert gather_more[3] == 0.0, "the current row is never drawn"
