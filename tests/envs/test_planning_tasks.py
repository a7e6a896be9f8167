"""The worlds of the second half of chapter 8: random tasks, and the rod among its obstacles."""

import time

import numpy as np
import pytest

from rlcourse.core import exact
from rlcourse.core.mdp import MDP
from rlcourse.envs import branching_task, rod_maneuvering
from rlcourse.envs.drawing_planning import Branches, Room
from rlcourse.envs.rod import OBSTACLES, SIZE, START, TURNS, moves_to_goal, place, state_at


def as_table(world: MDP) -> MDP:
    """Build it again by the validating constructor."""
    S, A, K = world.successor.shape
    table = {
        s: {
            a: [
                (
                    float(world.probability[s, a, k]),
                    int(world.successor[s, a, k]),
                    float(world.reward[s, a, k]),
                    bool(world.terminal[s, a, k]),
                )
                for k in range(K)
            ]
            for a in range(A)
        }
        for s in range(S)
    }
    return MDP.of(table, np.diff(world.start, prepend=0.0))


@pytest.mark.parametrize("world", [branching_task(20, 1), branching_task(7, 7, seed=3), branching_task(30, 4), rod_maneuvering()])
def test_tables_made_with_numpy_are_those_of_the_validating_constructor(world):
    for mine, theirs in zip(world, as_table(world), strict=True):
        assert mine.dtype == theirs.dtype
        np.testing.assert_allclose(mine, theirs, atol=1e-12)


def test_every_pair_of_a_random_task_leads_to_b_different_states():
    for states, branches in ((5, 5), (40, 3), (1000, 10)):
        world = branching_task(states, branches, seed=1)
        going_on = np.sort(world.successor[..., :-1], axis=-1)
        assert world.successor.shape == (states, 2, branches + 1)
        assert np.all(np.diff(going_on, axis=-1) > 0)
        assert going_on.min() >= 0
        assert going_on.max() < states
        np.testing.assert_allclose(world.probability[..., -1], 0.1)
        assert world.terminal[..., -1].all()
        assert not world.terminal[..., :-1].any()


def test_all_sets_of_successors_are_equally_likely():
    drawn = np.bincount(branching_task(2000, 3, seed=5).successor[..., :-1].ravel(), minlength=2000)
    assert abs(drawn.mean() - 6.0) < 1e-9
    assert 0.85 < drawn.var() / (6.0 * (1 - 3 / 2000)) < 1.15, "binomial; measured over 20 seeds: 0.95 to 1.06"


def test_rewards_are_standard_normal_and_a_seed_is_a_task():
    world = branching_task(1000, 10, seed=2)
    assert abs(world.reward.mean()) < 0.03
    assert abs(world.reward.std() - 1.0) < 0.03
    assert np.array_equal(world.reward, branching_task(1000, 10, seed=2).reward)
    assert not np.array_equal(world.successor, branching_task(1000, 10, seed=3).successor)


def test_a_task_of_ten_thousand_states_is_made_at_once_and_wrong_sizes_are_refused():
    start = time.process_time()
    branching_task(10_000, 1)
    assert time.process_time() - start < 1.0
    for states, branches in ((10, 0), (10, 11)):
        with pytest.raises(ValueError, match="branches must lie in"):
            branching_task(states, branches)


def test_episodes_of_a_random_task_last_ten_steps_on_average():
    v = exact.v_pi(branching_task(50, 3)._replace(reward=np.ones((50, 2, 4))), np.full((50, 2), 0.5), 1.0)
    np.testing.assert_allclose(v, 10.0, atol=1e-8)


def test_the_rod_has_14400_states_and_its_shortest_way_takes_41_moves():
    world = rod_maneuvering()
    assert world.successor.shape == (14_400, 6, 1)
    distance = moves_to_goal(world)
    assert distance[state_at(*START)] == 41
    assert moves_to_goal(rod_maneuvering(across=False))[state_at(*START)] == 46
    reached = distance >= 0
    V = exact.v_star(world._replace(reward=np.where(reached[:, None, None], -1.0, 0.0)), 1.0)
    np.testing.assert_allclose(V[reached & (distance > 0)], -distance[reached & (distance > 0)], atol=1e-9)


def test_every_move_of_the_rod_can_be_taken_back_unless_it_ends_the_episode():
    world = rod_maneuvering()
    back = [1, 0, 3, 2, 5, 4]
    for a in range(6):
        s = np.flatnonzero((world.successor[:, a, 0] != np.arange(14_400)) & ~world.terminal[:, a, 0])
        assert np.array_equal(world.successor[world.successor[s, a, 0], back[a], 0], s)


def test_the_rod_moves_along_and_across_by_at_most_one_position_and_turns_by_ten_degrees():
    world = rod_maneuvering()
    for s in np.random.default_rng(0).integers(0, 14_400, 300):
        x, y, angle = place(s)
        for a in range(6):
            x_, y_, angle_ = place(world.successor[s, a, 0])
            moved = np.array([x_ - x, y_ - y])
            if world.successor[s, a, 0] == s:
                continue
            if a < 4:
                direction = angle + (0.0 if a < 2 else np.pi / 2)
                ahead = moved @ [np.cos(direction), np.sin(direction)] * (1 if a % 2 == 0 else -1)
                assert ahead / np.hypot(*moved) > np.cos(np.pi / 8), "the nearest of eight neighbours"
                assert angle_ == angle
            else:
                assert not moved.any()
                assert np.isclose(np.cos(angle_ - angle), np.cos(2 * np.pi / TURNS))


def test_no_place_of_the_rod_that_can_be_reached_touches_an_obstacle():
    """An independent check: no corner of an obstacle within the rod's thickness, and no point of its axis inside one."""
    distance = moves_to_goal(rod_maneuvering())
    for s in np.flatnonzero(distance >= 0)[::7]:
        x, y, angle = place(s)
        axis = np.array([np.cos(angle), np.sin(angle)])
        points = np.array([x, y]) + np.linspace(-2.5, 2.5, 21)[:, None] * axis
        assert points.min() >= 0.2
        assert points.max() <= SIZE - 0.2
        for polygon in OBSTACLES:
            corners = np.array(polygon)
            edges = np.roll(corners, -1, axis=0) - corners
            offsets = points[:, None] - corners
            crosses = edges[:, 0] * offsets[..., 1] - edges[:, 1] * offsets[..., 0]
            assert not (crosses >= 0).all(axis=1).any()
            assert np.linalg.norm(offsets, axis=-1).min() > 0.2


def test_pictures_show_the_path_values_and_actions():
    room, states = Room(), [state_at(*START), state_at(2, 4, 9), state_at(2, 5, 9)]
    plain = room.picture(None, states[0])
    assert not np.array_equal(plain, room.picture(None, None))
    assert not np.array_equal(plain, room.picture(None, states[0], path=states))
    assert not np.array_equal(plain, room.picture(None, states[0], values=np.arange(14_400.0)))
    text = room.text(None, states[1])
    assert len(text.splitlines()) == SIZE
    assert text.count("A") == 1
    world = branching_task()
    field = Branches(world)
    plain = field.picture(world, 5)
    for options in ({"values": np.arange(100.0)}, {"arrows": np.zeros(100, int)}, {"path": [5, 9, 40]}):
        assert not np.array_equal(plain, field.picture(world, 5, **options))
    assert field.text(world, 5).count("A") == 1
    assert len(field.text(world, 5).splitlines()) == 10
