"""Rows that hold one copy of a world each, read and written at both speeds."""

from typing import NamedTuple

import gymnasium as gym
import numpy as np
import pytest

from rlcourse.core.box import box
from rlcourse.core.rows import draw, show, unpack
from rlcourse.core.vector import WorldVectorEnv


class Shown(NamedTuple):
    """Its state is a number of steps; what is seen is made by `observe`."""

    n: int = 3

    @property
    def observation_space(self):
        return gym.spaces.Box(-np.inf, np.inf, (2, self.n), np.float32)

    @property
    def action_space(self):
        return gym.spaces.Discrete(1)

    def reset(self, rng):
        return (1.0,)

    def step(self, state, action, rng):
        return (state[0] + 1.0,), 0.0, state[0] == 5.0, False

    def observe(self, state):
        seen = np.zeros((2, self.n))
        seen[1, self.n - 1] = state[0]
        return seen


class Painted(NamedTuple):
    """The same, painted; what it returns itself is the negative, so that a test can tell."""

    n: int = 3
    observation_space, action_space, reset, step = Shown.observation_space, Shown.action_space, Shown.reset, Shown.step

    def paint(self, state, seen):
        for j in range(self.n):
            seen[0, j] = 0.0
            seen[1, j] = state[0] if j == self.n - 1 else 0.0

    def observe(self, state):
        seen = np.empty((2, self.n))
        self.paint(state, seen)
        return -seen


class Pair(NamedTuple):
    """It shows two numbers."""

    factor: float = 2.0

    def observe(self, state):
        return state[0], self.factor * state[0]


class Number(NamedTuple):
    """It shows a whole number."""

    plus: int = 1

    def observe(self, state):
        return int(state[0]) + self.plus


@box
def show_all(world, states, like, rows):
    """Write what every copy shows."""
    for i in range(len(states)):
        show(world, unpack(states, i, like), rows, i)


@box
def draw_last(world, states, like, rows):
    """Write what the last copy shows into the last row."""
    draw(world, unpack(states, len(states) - 1, like), rows[len(states) - 1])


STATES = np.array([[4.0], [7.0]])
IMAGES = np.array([[[0, 0, 0], [0, 0, 4]], [[0, 0, 0], [0, 0, 7]]], np.float32)
CASES = [  # world, rows as they are before, rows as they should be afterwards
    (Painted(), np.full((2, 2, 3), np.nan, np.float32), IMAGES),
    (Shown(), np.full((2, 2, 3), np.nan, np.float32), IMAGES),
    (Pair(), np.full((2, 2), np.nan), np.array([[4.0, 8.0], [7.0, 14.0]])),
    (Number(), np.full(2, -9), np.array([5, 8])),
]


@pytest.mark.parametrize("speed", ["python", "compiled"])
@pytest.mark.parametrize(("world", "before", "after"), CASES, ids=lambda each: type(each).__name__)
def test_every_kind_of_observation_reaches_its_row(world, before, after, speed):
    rows = before.copy()
    getattr(show_all, speed)(world, STATES, (0.0,), rows)
    assert np.array_equal(rows, after)


@pytest.mark.parametrize("speed", ["python", "compiled"])
@pytest.mark.parametrize(("world", "before", "after"), CASES[:3], ids=lambda each: type(each).__name__)
def test_an_observation_is_drawn_into_an_array_of_its_own_and_nowhere_else(world, before, after, speed):
    rows = before.copy()
    getattr(draw_last, speed)(world, STATES, (0.0,), rows)
    assert np.array_equal(rows[1], after[1])
    assert np.isnan(rows[0]).all()


def test_a_number_is_drawn_as_a_vector_of_one():
    for speed in ("python", "compiled"):
        rows = np.full((2, 1), np.nan)
        getattr(draw_last, speed)(Number(), STATES, (0.0,), rows)
        assert rows[1].tolist() == [8.0]


@pytest.mark.parametrize("interpreted", [False, True])
def test_copies_of_a_world_that_paints_are_painted_in_place_and_their_last_observations_kept(interpreted, monkeypatch):
    if interpreted:
        monkeypatch.setattr("rlcourse.core.box.is_data", lambda value: False)
    painted, shown = (WorldVectorEnv(world, 3, copy=False) for world in (Painted(), Shown()))
    painted.reset(seed=0)
    shown.reset(seed=0)
    for _ in range(12):
        (*ours, our_infos), (*theirs, their_infos) = (envs.step(np.zeros(3, int)) for envs in (painted, shown))
        assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))
        assert np.array_equal(our_infos.get("final_obs", 0), their_infos.get("final_obs", 0))
    assert painted.observations[0, 1, 2] > 0, "painted, not what observe returns"
