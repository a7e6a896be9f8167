"""The replay memory through resets, partial steps, saving and loading, against a list of all that happened; and mutants of it."""

import inspect
import itertools
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import FrameStackObservation
from gymnasium.wrappers.vector import RecordEpisodeStatistics

from rlcourse.agents.deep.prioritized import PrioritizedReplay
from rlcourse.agents.deep.replay import Replay
from rlcourse.core import memory
from rlcourse.core.windows import n_step_windows

GAMMA = 0.9


class Counter(gym.Env):
    """Shows (copy, episode, step); episodes end at random, by termination, truncation, or both at once. Actions are masked at random."""

    observation_space = gym.spaces.Box(-1, 10_000, (3,), np.int32)
    action_space = gym.spaces.Discrete(3)

    def __init__(self, number: int, seed: int = 0, masked: bool = False) -> None:
        self.number, self.rng, self.episode, self.masked = number, np.random.default_rng([seed, number]), -1, masked

    def _seen(self):
        info = {"action_mask": mask_of(self.number, self.episode, self.t).astype(np.int8)} if self.masked else {}
        return np.array([self.number, self.episode, self.t], np.int32), info

    def reset(self, *, seed=None, options=None):
        self.episode, self.t = self.episode + 1, 0
        return self._seen()

    def step(self, action):
        self.t += 1
        terminated, truncated = self.rng.random(2) < 0.15
        observation, info = self._seen()
        return observation, float(self.rng.integers(100)), bool(terminated), bool(truncated), info


def mask_of(number: int, episode: int, t: int) -> np.ndarray:
    """Return legal actions, shape [3], of which at least one is."""
    bits = 1 + hash((number, episode, t)) % 7
    return (bits >> np.arange(3)) % 2 == 1


class Recorder(gym.vector.VectorEnv):
    """Hands a vector environment through, and remembers each step of each copy as the environment told it."""

    def __init__(self, env: Any) -> None:
        self.env, self.steps = env, []
        self.single_observation_space, self.single_action_space, self.num_envs = (
            env.single_observation_space,
            env.single_action_space,
            env.num_envs,
        )

    def reset(self, *, seed=None, options=None):
        observation, infos = self.env.reset(seed=seed)
        self.observation = observation.copy()
        return observation, infos

    def step(self, actions):
        before = self.observation
        observation, rewards, terminated, truncated, infos = self.env.step(actions)
        after = observation.copy()
        for i in np.flatnonzero(terminated | truncated):
            after[i] = infos["final_obs"][i]
        self.steps.append((before.copy(), actions.copy(), rewards.copy(), after, terminated.copy(), truncated.copy()))
        self.observation = observation.copy()
        return observation, rewards, terminated, truncated, infos


def vector(copies: int, seed: int, stack: int, masked: bool = False) -> Any:
    def make(i):
        env = Counter(i, seed, masked)
        return lambda: FrameStackObservation(env, stack) if stack > 1 else env

    made = SyncVectorEnv([make(i) for i in range(copies)], autoreset_mode=AutoresetMode.SAME_STEP, copy=False)
    return Recorder(RecordEpisodeStatistics(made))


def brute_force(steps: list, stored: list, breaks: set, t: int, i: int, n: int) -> tuple:
    """Return the n-step transition of copy i at step t, from the list alone."""
    total, discount, k = 0.0, 1.0, t
    while True:
        _, _, rewards, after, terminated, truncated = steps[k]
        total += discount * rewards[i]
        discount *= GAMMA
        ended = terminated[i] or truncated[i]
        goes_on = k + 1 < len(steps) and stored[k + 1][i] and k + 1 not in breaks
        if ended or k - t + 1 == n or not goes_on:
            return steps[t][0][i], steps[t][1][i], total, after[i], 0.0 if terminated[i] else discount, bool(terminated[i])
        k += 1


class Story:
    """A memory that has lived through some rounds of collecting, beside the list of what happened."""

    def __init__(self, copies: int, capacity: int, stack: int, seed: int, rounds: int, masked: bool = False, kind: type = Replay) -> None:
        self.rng = np.random.default_rng(seed)
        self.env = vector(copies, seed, stack, masked)
        self.memory = kind(self.env.single_observation_space, self.env.single_action_space, copies, capacity, stack, masked)
        self.memory.steps = 10
        self.stored: list[np.ndarray] = []
        self.breaks: set[int] = set()  # steps before which all copies were reset
        self.copies, self.capacity, self.stack = copies, capacity, stack
        self.restart()
        for _ in range(rounds):
            self.round()
            if self.rng.random() < 0.1:
                self.restart()

    def restart(self) -> None:
        self.breaks.add(len(self.stored))
        self.observation, infos = self.env.reset()
        self.memory.begin(self.observation, infos)

    def round(self) -> None:
        budget = int(self.rng.integers(1, 4 * self.copies + 1))
        self.observation, episodes = self.memory.collect(self.env, self.observation, self.act, budget)
        assert self.memory.valid == budget
        for left in range(budget, 0, -self.copies):
            self.stored.append(np.arange(self.copies) < left)
        assert np.all(episodes[:, -1] <= budget)

    def act(self, t, observations):
        actions = self.rng.integers(3, size=self.copies)
        return actions, actions

    def steps_of(self, slots: np.ndarray) -> list[tuple[int, int]]:
        """Return (step, copy) of slots: the current row is the one after the last step."""
        rows, row = {}, self.memory.row
        for t in range(len(self.stored) - 1, -1, -1):
            row -= 1
            if self.memory.row - row >= self.memory.rows:
                break
            rows[row % self.memory.rows] = t
        return [(rows[int(slot) // self.copies], int(slot) % self.copies) for slot in slots]

    def check(self, memory: Replay, n: int) -> set:
        """Compare a draw with the list; return what was drawn."""
        batch = memory.sample(300, np.random.default_rng(1), GAMMA, n)
        where = self.steps_of(batch.slots)
        for b, (t, i) in enumerate(where):
            s, a, total, after, discount, terminated = brute_force(self.env.steps, self.stored, self.breaks, t, i, n)
            assert self.stored[t][i]
            assert np.array_equal(batch.observations[b], s)
            assert batch.actions[b] == a
            assert batch.rewards[b] == pytest.approx(total, rel=1e-5)
            assert batch.discounts[b] == pytest.approx(discount, rel=1e-5)
            if not terminated:
                assert np.array_equal(batch.next_observations[b], after)
                if batch.next_masks is not None:
                    assert np.array_equal(batch.next_masks[b], mask_of(*after.reshape(-1, 3)[-1].tolist()))
        return set(where)


@pytest.mark.parametrize("stack", [1, 3])
@pytest.mark.parametrize("copies", [1, 3])
@pytest.mark.parametrize("seed", range(6))
def test_every_transition_is_what_a_brute_force_list_says(copies, stack, seed):
    rounds = [2, 8, 60][seed % 3]  # not full, about full, wrapped many times
    story = Story(copies, capacity=48, stack=stack, seed=seed, rounds=rounds, masked=seed % 2 == 0)
    for n in (1, 2, 5, 100):
        story.check(story.memory, n)


def test_priorities_draw_no_transition_that_is_not_there():
    for seed, (copies, stack) in enumerate(itertools.product((1, 3), (1, 3))):
        story = Story(copies, 48, stack, seed, rounds=40, kind=PrioritizedReplay)
        for _ in range(5):
            batch = story.memory.sample(64, np.random.default_rng(seed), GAMMA)
            story.memory.correct(batch.slots, np.random.default_rng(seed).normal(size=64))
            story.round()
        story.check(story.memory, 2)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("stack", [1, 3])
def test_the_length_counts_what_is_stored(stack, seed):
    story = Story(3, 48, stack, seed, rounds=2)
    for _ in range(30):
        story.round()
        assert len(story.memory) == int(story.memory.stored.sum())


@pytest.mark.parametrize("rounds", [1, 8, 60])
@pytest.mark.parametrize("stack", [1, 3])
def test_a_memory_that_was_saved_and_loaded_is_the_same_and_goes_on_the_same(stack, rounds):
    story = Story(3, 48, stack, seed=rounds, rounds=rounds, masked=True)
    state = {name: np.array(part) for name, part in story.memory.state_dict().items()}
    other = Story(3, 48, stack, seed=99, rounds=rounds + 5, masked=True).memory  # has lived another life
    other.load_state_dict(state)
    story.check(other, 3)
    assert np.array_equal(other.masks[other.row], story.memory.masks[other.row])
    story.memory = other
    for _ in range(20):
        story.round()
    story.check(story.memory, 3)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("0.0 if terminated[row, i] else discount", "discount"),
        ("ended[row, i] or not stored[following, i]", "not stored[following, i]"),
        ("ended[row, i] or not stored[following, i]", "ended[row, i]"),
        ("discount *= gamma", "pass"),
    ],
)
def test_a_mutant_of_the_window_is_noticed(wrong, right):
    source = inspect.getsource(n_step_windows.python)
    assert wrong in source
    scope: dict = {}
    exec(source.replace("@box", "").replace(wrong, right), scope)
    story = Story(3, 48, 1, seed=1, rounds=60)
    story.memory._windows = scope["n_step_windows"]
    with pytest.raises(AssertionError):
        story.check(story.memory, 5)


def test_a_mutant_that_bootstraps_from_the_reset_observation_is_noticed():
    story = Story(3, 48, 1, seed=1, rounds=60)
    story.memory.finals.clear()
    with pytest.raises(AssertionError):
        story.check(story.memory, 1)


def test_free_memory_is_asked_of_the_system_where_there_is_no_meminfo(monkeypatch):
    assert memory.free_memory() > 1_000_000

    def missing(*_):
        raise OSError

    monkeypatch.setattr(memory.Path, "read_text", missing)
    monkeypatch.setattr(memory.os, "sysconf", {"SC_AVPHYS_PAGES": 7, "SC_PAGE_SIZE": 4096}.__getitem__)
    assert memory.free_memory() == 7 * 4096
    monkeypatch.setattr(memory.os, "sysconf", missing)
    assert memory.free_memory() is None
    memory.require_memory("what nobody can judge", 10**15, "buffer_size")
