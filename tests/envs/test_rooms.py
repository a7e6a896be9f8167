"""Four rooms: its cells, its distances, its slips, how it looks."""

import gymnasium as gym
import numpy as np
import pytest

from rlcourse.core import exact
from rlcourse.envs import four_rooms
from rlcourse.envs.rooms import EAST, FREE, MAP

ROOMS = {"north-west": (5, 5), "north-east": (6, 5), "south-west": (5, 5), "south-east": (4, 5)}  # rows, columns
HALLWAYS = [3 * 13 + 6, 6 * 13 + 2, EAST, 10 * 13 + 6]


def distances(goal):
    """Moves to the goal, from the optimal values: v*(s) = gamma^(d - 1)."""
    V = exact.v_star(four_rooms(goal), 0.5)
    return {s: 1 + round(-np.log2(V[s])) for s in FREE if s != goal}


def test_there_are_104_cells_in_four_rooms_and_four_hallways():
    assert len(FREE) == 104 == sum(rows * columns for rows, columns in ROOMS.values()) + len(HALLWAYS)
    assert all(hallway in FREE for hallway in HALLWAYS)
    assert all(len(row) == 13 for row in MAP)


def test_rooms_are_left_through_their_hallways_only():
    neighbours = {s: {s + move for move in (-13, 1, 13, -1)} & FREE for s in FREE}
    assert all(len(neighbours[hallway]) == 2 for hallway in HALLWAYS)
    left, sizes = set(FREE) - set(HALLWAYS), []
    while left:
        room = edge = {left.pop()}
        while edge:
            edge = set().union(*(neighbours[s] for s in edge)) & left
            room, left = room | edge, left - edge
        sizes.append(len(room))
    assert sorted(sizes) == [20, 25, 25, 30]


def test_distances_to_the_goal_are_those_of_the_grid():
    far = distances(EAST)
    assert len(far) == 103
    assert far[EAST - 13] == far[EAST + 13] == 1
    assert far[HALLWAYS[0]] == 7
    assert far[HALLWAYS[3]] == 6
    assert far[HALLWAYS[1]] == 7 + 7
    assert far[1 * 13 + 1] == 14, "from the north-west corner through the northern hallway"
    assert max(far.values()) == 14
    assert distances(HALLWAYS[1])[EAST] == 14


def test_slipping_makes_each_other_move_with_probability_one_ninth():
    model = four_rooms(slip=1 / 3)
    s = 2 * 13 + 2
    outcomes = dict(zip(model.successor[s, 1].tolist(), model.probability[s, 1].tolist(), strict=True))
    assert outcomes == pytest.approx({s + 1: 2 / 3, s - 13: 1 / 9, s + 13: 1 / 9, s - 1: 1 / 9})
    corner = 13 + 1
    stays = model.probability[corner, 1][model.successor[corner, 1] == corner].sum()
    assert stays == pytest.approx(2 / 9), "up and left are walls"
    assert exact.v_star(model, 0.9)[corner] < exact.v_star(four_rooms(), 0.9)[corner]


def test_the_start_is_any_free_cell_but_the_goal():
    starts = np.diff(four_rooms(goal=14).start, prepend=0.0)
    assert set(np.flatnonzero(starts > 1e-9).tolist()) == FREE - {14}
    assert starts[list(FREE - {14})] == pytest.approx(1 / 103)


def test_its_text_is_the_map_with_agent_and_goal():
    env = gym.make("rlcourse/FourRooms-v0", render_mode="ansi")
    env.reset(seed=0, options={"state": 14})
    lines = env.render().replace(" ", "").splitlines()
    assert lines[1] == "#A....#.....#"
    assert lines[7] == "#.....###G###"
    assert [line.replace("A", ".").replace("G", ".") for line in lines] == list(MAP)


@pytest.mark.parametrize(("options", "word"), [({"goal": 0}, "goal"), ({"goal": -3}, "goal"), ({"slip": 1.1}, "slip")])
def test_rooms_that_cannot_be_are_refused(options, word):
    with pytest.raises(ValueError, match=f"^{word} must be"):
        four_rooms(**options)
