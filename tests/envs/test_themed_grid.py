"""PixelGrid: its optimum by breadth-first search, its images, its themes."""

import gymnasium as gym
import numpy as np
import pytest
from pixel_worlds import two_speeds_agree

from rlcourse.core.vector import WorldVectorEnv
from rlcourse.envs import grid_themes, pixel_grid

GRID = pixel_grid()
FREE = GRID.free.tolist()


def distances(grid, goal):
    """Moves from each cell to a goal, by breadth-first search on the steps themselves."""
    found, edge, moves = {goal: 0}, {goal}, 0
    while edge:
        moves += 1
        reach = {cell for cell in grid.free.tolist() if cell not in found and any(after(grid, cell, a) in edge for a in range(4))}
        found.update(dict.fromkeys(reach, moves))
        edge = reach
    return found


def after(grid, cell, action):
    return int(grid.step((float(cell), -1.0, -1.0, 0.0), action, None)[0][0])


def test_every_free_cell_is_reached_from_every_other():
    assert len(FREE) == 53
    assert all(len(distances(GRID, goal)) == 53 for goal in FREE)


@pytest.mark.parametrize("target", [0, 1])
def test_shortest_paths_have_the_best_return_exactly(target):
    grid, rng = pixel_grid(target=target), np.random.default_rng(0)
    for _ in range(50):
        state = grid.reset(rng)
        far = distances(grid, int(state[1 + target]))
        start, total, over = int(state[0]), 0.0, False
        while not over:
            action = min(range(4), key=lambda a: far[after(grid, int(state[0]), a)])
            state, reward, over, _ = grid.step(state, action, None)
            total += reward
        assert total == pytest.approx(1 - 0.01 * (far[start] - 1), abs=1e-12)


def test_the_mean_of_the_optimum_is_0_953():
    moves = [[distances(GRID, goal)[cell] for cell in FREE if cell != goal] for goal in FREE]
    assert 1 - 0.01 * (np.mean(moves) - 1) == pytest.approx(0.9531, abs=5e-5)


def test_walls_and_borders_stop_the_agent_and_the_other_object_does_not():
    assert after(GRID, 0, 0) == after(GRID, 0, 3) == 0
    assert after(GRID, 1, 2) == 1, "a wall below"
    state, reward, over, cut = GRID.step((0.0, 63.0, 1.0, 0.0), 1, None)
    assert (state[0], reward, over, cut) == (1.0, -0.01, False, False)


def test_agent_and_objects_begin_in_three_different_free_cells_all_alike():
    envs = WorldVectorEnv(GRID, 20_000)
    envs.reset(seed=0)
    cells = envs.states[:, :3].astype(int)
    assert all(len(set(row)) == 3 for row in cells[:500].tolist())
    for column in cells.T:
        counts = np.bincount(column, minlength=64)
        assert not counts[GRID.walls.ravel()].any()
        assert counts[FREE] == pytest.approx(20_000 / 53, abs=120)


def test_the_image_has_four_by_four_pixels_a_cell():
    image = GRID.observe((0.0, 10.0 + 1, 63.0, 0.0))
    cells = image.reshape(8, 4, 8, 4, 3)
    assert (cells == cells[:, :1, :, :1]).all()
    cells = cells[:, 0, :, 0]
    assert cells[0, 0].tolist() == [222, 120, 31]
    assert cells[1, 3].tolist() == [84, 180, 96]
    assert cells[7, 7].tolist() == [72, 132, 220]
    assert (cells[GRID.walls] == [128, 130, 136]).all()
    assert GRID.observe((5.0, 5.0, 5.0, 0.0))[0, 20].tolist() == [222, 120, 31], "the agent covers what is in its cell"


def test_colors_of_a_theme_are_apart_and_seeds_make_other_themes():
    themes = grid_themes(20, seed=1).astype(float)
    assert np.array_equal(grid_themes(5, seed=1), themes[:5])
    assert not (grid_themes(20, seed=2) == themes).all(axis=(1, 2)).any()
    for theme in themes:
        assert all(np.linalg.norm(a - b) >= 90 for i, a in enumerate(theme) for b in theme[:i])


def test_a_recolored_grid_differs_in_colors_only():
    other = pixel_grid(themes=1, seed=5)
    state, moved = (0.0, 11.0, 63.0, 0.0), []
    for grid in (GRID, other):
        moved.append(grid.step(state, 1, None))
    assert moved[0] == moved[1]
    assert not np.array_equal(GRID.observe(state), other.observe(state))
    assert GRID.observation_space == other.observation_space == gym.spaces.Box(0, 255, (32, 32, 3), np.uint8)


def test_both_speeds_agree_to_the_bit_on_the_grid():
    assert two_speeds_agree(pixel_grid(themes=3, target=1))


def test_its_text_is_the_grid():
    env = gym.make("rlcourse/PixelGrid-v0", render_mode="ansi")
    env.reset(seed=0, options={"state": (0.0, 3.0, 8.0, 0.0)})
    assert env.render().startswith("A . . G . . . .\nx # # . . # . .\n")


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"themes": -1}, "themes"),
        ({"target": 2}, "target"),
        ({"layout": ("..", "...")}, "layout"),
        ({"layout": ("..",)}, "layout"),
        ({"palette": [[0, 0, 0]]}, "palette"),
    ],
)
def test_a_grid_that_cannot_be_is_refused(options, word):
    with pytest.raises(ValueError, match=f"^{word} must"):
        pixel_grid(**options)
