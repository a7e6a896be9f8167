"""Every world that shows arrays, registered or behind a wrapper, paints them, all of them, into whatever array it is given."""

import numpy as np
import pytest
from every_world import WORLDS, WRAPPED


def states(world, n=60):
    """States of some episodes under random actions."""
    rng, actions = np.random.default_rng(0), world.action_space
    actions.seed(0)
    state = world.reset(rng)
    for _ in range(n):
        yield state
        state, _, terminated, truncated = world.step(state, actions.sample(), rng)
        if terminated or truncated:
            state = world.reset(rng)


@pytest.mark.parametrize("name", WORLDS)
def test_it_paints_exactly_if_it_shows_arrays_and_then_every_element_whatever_was_there_before(name):
    world = WORLDS[name]()
    space = world.observation_space
    garbage = (np.full(space.shape, value, space.dtype) for value in (0, 77))
    first, second = garbage
    for state in states(world):
        shown = world.observe(state)
        assert hasattr(world, "paint") == isinstance(shown, np.ndarray)
        if isinstance(shown, np.ndarray):
            world.paint(state, first)
            world.paint(state, second)
            assert shown.shape == first.shape == space.shape
            assert np.array_equal(first, second), "an element keeps what was there before"
            assert np.array_equal(first, shown.astype(space.dtype)), "observe returns something else"
            first[...], second[...] = second * 0 + 1, 200 if space.dtype == np.uint8 else -5


def test_the_worlds_include_some_that_paint_and_some_that_do_not():
    paint = [hasattr(make(), "paint") for make in WORLDS.values()]
    assert sum(paint) >= len(WRAPPED) + 8
    assert paint.count(False) > 20
