"""Budgets, limits and the sheet of a trial."""

import threading
import time
from typing import NamedTuple

import gymnasium as gym
import numpy as np
import pytest

from rlcourse.agents import QLearning, Sarsa
from rlcourse.agents.temporal_difference.sarsa import sarsa
from rlcourse.core.trial import STEPS, Trial
from rlcourse.envs import cliff_walk


class Endless(NamedTuple):
    """An episode that never ends."""

    size: int = 4

    @property
    def observation_space(self):
        return gym.spaces.Discrete(self.size)

    @property
    def action_space(self):
        return gym.spaces.Discrete(2)

    def reset(self, rng):
        return 0

    def step(self, state, action, rng):
        return (state + 1) % self.size, 1.0, False, False

    def observe(self, state):
        return state


def run(trial: Trial, seed: int = 0) -> np.ndarray:
    Q = np.zeros((48, 4))
    sarsa(trial, Q, 0.5, 1.0, 0.1, np.random.default_rng(seed))
    return Q


@pytest.mark.parametrize("steps", [1, 7, 1000])
def test_the_step_budget_is_exact_and_cuts_the_last_episode(steps):
    trial = Trial.of(cliff_walk(), steps=steps)
    run(trial)
    rows = trial.take_rows()
    assert trial.sheet[STEPS] == steps == rows[:, 1].sum()
    assert trial.spent()
    assert steps == 1000 or rows[-1, 2] == 0.0


def test_the_episode_budget_is_exact():
    trial = Trial.of(cliff_walk(), episodes=13, limit=50)
    run(trial)
    rows = trial.take_rows()
    assert len(rows) == 13
    assert rows[:, 1].max() <= 50


def test_a_time_limit_truncates_and_does_not_terminate():
    trial = Trial.of(Endless(), episodes=3, limit=10)
    sarsa(trial, np.zeros((4, 2)), 0.5, 0.9, 0.1, np.random.default_rng(0))
    assert trial.take_rows()[:, :3].tolist() == [[10.0, 10.0, 0.0]] * 3


def test_the_size_of_the_sheet_bounds_nothing():
    small, large = Trial.of(cliff_walk(), episodes=100, capacity=4), Trial.of(cliff_walk(), episodes=100, capacity=1000)
    rng, Q, rows = np.random.default_rng(0), np.zeros((48, 4)), []
    while not small.spent():
        sarsa(small, Q, 0.5, 1.0, 0.1, rng)
        rows.append(small.take_rows())
    assert np.array_equal(Q, run(large))
    assert np.array_equal(np.concatenate(rows), large.take_rows())


@pytest.mark.parametrize("gently", [False, True])
def test_another_thread_stops_a_compiled_box_within_half_a_second(gently):
    agent = Sarsa(Endless() if not gently else cliff_walk(), gamma=0.9)
    agent.learn(10)  # compiled
    worker = threading.Thread(target=agent.learn, args=(10**15,), daemon=True)
    worker.start()
    time.sleep(0.2)
    agent.stop(at_episode_end=gently)
    asked = time.perf_counter()
    worker.join(5)
    assert not worker.is_alive()
    assert time.perf_counter() - asked < 0.5
    assert agent.num_timesteps > 10_000
    assert not gently or agent.history[-1]["terminated"] == 1.0


def test_a_callback_comes_at_the_first_episode_end_after_every_multiple_of_n_steps():
    seen = []
    agent = QLearning(cliff_walk())
    agent.learn(5000, callback=lambda agent: seen.append(agent.num_timesteps), callback_every=1000)
    ends = agent.history["timesteps"]
    assert seen[-1] == 5000
    previous = 0
    for step in seen:
        assert step == ends[np.searchsorted(ends, min((previous // 1000 + 1) * 1000, 5000))]
        previous = step
