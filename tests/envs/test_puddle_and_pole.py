"""Puddle world and the pole that stands in boxes: costs, walls, starts, edges."""

import math

import numpy as np
import pytest

from rlcourse.agents import SarsaLambda
from rlcourse.envs import CartPole, PuddleWorld, pole_balancing
from rlcourse.features import Boxes

STILL = PuddleWorld()._replace(noise=0.0)


@pytest.mark.parametrize(
    ("x", "y", "depth"),
    [
        (0.2, 0.75, 0.1),  # on the axis of the horizontal puddle
        (0.2, 0.8, 0.05),
        (0.05, 0.75, 0.05),  # its round end
        (0.45, 0.5, 0.1),  # on the axis of the vertical one
        (0.45, 0.35, 0.05),
        (0.45, 0.75, 0.2),  # where they meet, both count
        (0.7, 0.7, 0.0),
        (0.2, 0.851, 0.0),
    ],
)
def test_the_depth_of_a_puddle_is_the_distance_to_its_edge(x, y, depth):
    assert STILL.depth(x, y) == pytest.approx(depth, abs=1e-12)


def test_a_step_costs_one_and_400_times_the_depth_where_it_ends():
    rng = np.random.default_rng(0)
    state, reward, terminated, truncated = STILL.step((0.2, 0.7), 0, rng)
    assert state == pytest.approx((0.2, 0.75))
    assert reward == pytest.approx(-41.0)
    assert not terminated
    assert not truncated
    for action, (x, y) in enumerate([(0.7, 0.25), (0.7, 0.15), (0.75, 0.2), (0.65, 0.2)]):
        state, reward, _, _ = STILL.step((0.7, 0.2), action, rng)
        assert state == pytest.approx((x, y))
        assert reward == -1.0
    assert STILL.step((0.02, 0.2), 3, rng)[0] == (0.0, 0.2), "walls stop"
    assert STILL.step((0.96, 0.9), 0, rng)[2], "x + y >= 1.9 is the goal"


def test_noise_moves_along_both_axes():
    rng = np.random.default_rng(0)
    moved = np.array([PuddleWorld().step((0.7, 0.2), 2, rng)[0] for _ in range(4000)]) - [0.75, 0.2]
    np.testing.assert_allclose(moved.mean(axis=0), 0.0, atol=0.001)
    np.testing.assert_allclose(moved.std(axis=0), 0.01, rtol=0.05)


def test_episodes_begin_everywhere_but_in_the_goal():
    starts = np.array([PuddleWorld().reset(np.random.default_rng(seed)) for seed in range(2000)])
    assert starts.sum(axis=1).max() < 1.9
    np.testing.assert_allclose(starts.mean(axis=0), 0.5, atol=0.03)


def test_an_agent_learns_to_walk_around_the_puddles():
    agent = SarsaLambda("rlcourse/PuddleWorld-v0", traces="replacing", alpha=0.02, lam=0.8, epsilon=0.0, seed=0).learn(episodes=1500)
    assert agent.history["return"][-300:].mean() > -60.0
    assert agent.history["return"][:50].mean() < -100.0


def test_the_pole_begins_at_rest_and_falls_at_12_degrees():
    assert pole_balancing().reset(np.random.default_rng(0)) == (0.0, 0.0, 0.0, 0.0)
    assert type(pole_balancing()) is CartPole
    state, rng = pole_balancing().reset(np.random.default_rng(0)), np.random.default_rng(0)
    t, terminated = 0, False
    while not terminated:
        state, reward, terminated, _ = pole_balancing().step(state, 1, rng)
        t += 1
        assert reward == 1.0
    assert abs(state[2]) > 12 * math.pi / 180
    assert 5 < t < 15


def test_there_are_162_boxes_and_each_is_met():
    boxes = Boxes.of_the_pole()
    assert boxes.size == 162
    degree = math.pi / 180
    angles = [degrees * degree for degrees in (-9, -3, -0.5, 0.5, 3, 9)]
    found = {int(boxes.x((x, v, angle, spin))[0]) for x in (-1, 0, 1) for v in (-1, 0, 1) for angle in angles for spin in (-1.5, 0, 1.5)}
    assert found == set(range(162))
    assert boxes.x((0.0, 0.0, 0.0, 0.0))[0] == ((1 * 3 + 1) * 6 + 3) * 3 + 1, "on an edge is above it"


def test_edges_that_do_not_increase_are_refused():
    with pytest.raises(ValueError, match="increasing"):
        Boxes.of([[1.0, 0.5]])
    assert Boxes.of([[], [0.0]]).size == 2
