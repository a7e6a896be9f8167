"""What an agent sees in MiniGrid, by arrays: the same numbers as its own `gen_obs`, in a third of the time.

MiniGrid turns the world around the agent by making grids of objects anew, up to four times a step, which is most of a step's time. Here the
world is written as numbers once, and the array is turned. `tests/envs/test_minigrid_view.py` compares them step by step.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["see_by_arrays", "view"]

UNSEEN, EMPTY, WALL = (0, 0, 0), (1, 0, 0), (2, 5, 0)  # type, colour and state


def see_by_arrays(env: Any) -> None:
    """Let one of MiniGrid's environments make its observations by `view`, where it makes them as MiniGrid does."""
    from minigrid.minigrid_env import MiniGridEnv

    if type(env).gen_obs is MiniGridEnv.gen_obs and type(env).gen_obs_grid is MiniGridEnv.gen_obs_grid:
        env.gen_obs = lambda: {"image": view(env), "direction": env.agent_dir, "mission": env.mission}


def view(env: Any) -> np.ndarray:
    """Return what the agent sees, uint8 [size, size, 3]: column, row - the agent stands below in the middle -, type, colour and state."""
    grid, size = env.grid, env.agent_view_size
    codes = [EMPTY if thing is None else thing.encode() for thing in grid.grid]
    world = np.empty((grid.height + 2 * size, grid.width + 2 * size, 3), np.uint8)  # walls all around, as far as the eye reaches
    world[...] = WALL
    world[size:-size, size:-size] = np.array(codes, np.uint8).reshape(grid.height, grid.width, 3)
    left, top, _, _ = env.get_view_exts()
    seen = world.transpose(1, 0, 2)[left + size : left + 2 * size, top + size : top + 2 * size]
    seen = np.ascontiguousarray(np.rot90(seen, -1 - env.agent_dir))
    if not env.see_through_walls:
        seen[~_visible(seen)] = UNSEEN
    seen[size // 2, size - 1] = EMPTY if env.carrying is None else env.carrying.encode()
    return seen


def _visible(seen: np.ndarray) -> np.ndarray:
    """Return which cells light reaches from the agent, bool [size, size]; walls and closed doors stop it."""
    size = len(seen)
    clear = ((seen[..., 0] != WALL[0]) & ~((seen[..., 0] == 4) & (seen[..., 2] != 0))).tolist()
    lit = [[False] * size for _ in range(size)]
    lit[size // 2][size - 1] = True
    for row in range(size - 1, -1, -1):
        for way, columns in ((1, range(size - 1)), (-1, range(size - 1, 0, -1))):
            for column in columns:
                if lit[column][row] and clear[column][row]:
                    lit[column + way][row] = True
                    if row:
                        lit[column + way][row - 1] = lit[column][row - 1] = True
    return np.array(lit)
