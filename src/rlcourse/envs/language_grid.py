"""LingoGrid: four objects on a small grid, and a mission in one of several languages.

An agent on 5 x 5 cells moves up, right, down or left, stops, or takes. Four objects lie there, a colour and a kind each, two of both, in
four different cells; the agent begins in a fifth. A mission names one of them, and the target token before it says what is to be done: go
to it (stop there), take it, avoid it (stop at another object), or go to its opposite (stop at the object that has neither its colour nor
its kind). The first object at which the agent stops, or that it takes, ends the episode, with reward 1 where that was asked for and 0
otherwise; on an empty cell both do nothing. The optimum is 1. See `rlcourse.envs.languages`; the registered environment ends an episode
after 40 steps.

What is seen lies around the agent, who stands in the middle of 9 x 9 cells: where a thing is tells how to get there. Borders are unseen.

``rlcourse/LingoGrid-v0`` shows the mission as text, ``rlcourse/LingoGridTokens-v0`` as tokens, which networks read. `pairs` says which
(language, task) pairs are drawn: the same world with another table trains, or tests what was never trained.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core.config import whole
from rlcourse.core.packing import Packed
from rlcourse.core.spoken import SpokenEnv
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv
from rlcourse.envs import languages as lingo
from rlcourse.envs.languages import drawn_below, drawn_pair, write_mission

__all__ = ["LingoGrid", "lingo_grid", "make_env", "make_text_env", "make_vec"]

OBJECTS = 4  # numbers 2 * colour + kind: the opposite of n is 3 - n
MOVES = np.array([(-1, 0), (0, 1), (1, 0), (0, -1)])  # up, right, down, left
STOP, TAKE = 4, 5
TASKS = ("2go", "2take", "2avoid", "2opposite")
PLANES = 4  # two colours, two kinds


class LingoGrid(NamedTuple):
    """The world; state = (language, task, named object, cell of the agent, cells of the four objects). Make one with `lingo_grid`.

    Cells are counted row by row; object n has colour n // 2 and kind n % 2.

    Attributes
    ----------
    pairs : ndarray of bool, shape [languages, tasks]
        Which are drawn, all alike.
    targets, words, orders : ndarray of int64
        Of the tokens, as of `LingoBandit`.
    side : int
        Cells of a side.
    length : int
        Tokens of a mission.
    tokens : int
        How many tokens there are, padding (0) and unknown (1) among them.
    tell : int
        How the task is told: 0 by the target token, 1 in a part of its own, 2 not at all.
    """

    pairs: np.ndarray
    targets: np.ndarray
    words: np.ndarray
    orders: np.ndarray
    side: int
    length: int
    tokens: int
    tell: int = 0

    @property
    def observation_space(self) -> Packed:
        """Vectors that stand for a Dict: mission, tokens; scene, planes of colours and kinds around the agent; perhaps task, one-hot."""
        parts: dict[str, gym.Space[Any]] = {
            "mission": gym.spaces.MultiDiscrete(np.full(self.length, self.tokens)),
            "scene": gym.spaces.Box(0, 1, (2 * self.side - 1, 2 * self.side - 1, PLANES), np.float32),
        }
        if self.tell == 1:
            parts["task"] = gym.spaces.Box(0, 1, self.targets.shape, np.float32)
        return Packed(gym.spaces.Dict(parts))

    @property
    def action_space(self) -> gym.spaces.Discrete:
        """Up, right, down, left, stop (4), take (5)."""
        return gym.spaces.Discrete(6)

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """Targets, then the words of each language."""
        return lingo.vocabulary(len(self.words), TASKS[: len(self.targets)])

    @property
    def longest(self) -> int:
        """Characters of a mission, at most."""
        return 5 * max(map(len, self.vocabulary)) + 4

    def numbered(self, table, length, tokens):
        """Return the world with other tokens; see `rlcourse.core.spoken`."""
        return self._replace(targets=table[self.targets], words=table[self.words], length=length, tokens=tokens)

    def reset(self, rng):
        """Draw a pair, which object is named, and five different cells."""
        language, task = drawn_pair(self.pairs, rng)
        named, n = drawn_below(OBJECTS, rng), self.side * self.side
        agent = a = b = c = d = drawn_below(n, rng)
        while a == agent:
            a = drawn_below(n, rng)
        while b in (agent, a):
            b = drawn_below(n, rng)
        while c in (agent, a, b):
            c = drawn_below(n, rng)
        while d in (agent, a, b, c):
            d = drawn_below(n, rng)
        return float(language), float(task), float(named), float(agent), float(a), float(b), float(c), float(d)

    def step(self, state, action, rng):
        """Move by one cell, stop, or take."""
        language, task, named, agent, a, b, c, d = state
        if action < STOP:
            cell = int(agent)
            row, column = cell // self.side + MOVES[action, 0], cell % self.side + MOVES[action, 1]
            if 0 <= row < self.side and 0 <= column < self.side:
                agent = float(row * self.side + column)
            return (language, task, named, agent, a, b, c, d), 0.0, False, False
        found = 0 if agent == a else 1 if agent == b else 2 if agent == c else 3 if agent == d else -1
        took = action == TAKE
        right = (
            (task == 0.0 and not took and found == named)
            or (task == 1.0 and took and found == named)
            or (task == 2.0 and not took and found != named)
            or (task == 3.0 and not took and found == 3.0 - named)
        )
        return state, 1.0 if right and found >= 0 else 0.0, found >= 0, False

    def observe(self, state):
        """Return mission, scene and perhaps task, one after another."""
        width, told = 2 * self.side - 1, len(self.targets) if self.tell == 1 else 0
        seen = np.empty(self.length + PLANES * width * width + told)
        self.paint(state, seen)
        return seen

    def paint(self, state, seen):
        """Write mission, scene and perhaps task."""
        language, task, named = int(state[0]), int(state[1]), int(state[2])
        width = 2 * self.side - 1
        seen[:] = 0.0
        target = self.targets[task] if self.tell == 0 else 0
        write_mission(seen, self.length, target, self.words[language], self.orders[language], named // 2, named % 2)
        middle = self.side - 1
        row, column = int(state[3]) // self.side - middle, int(state[3]) % self.side - middle  # of the cell that is seen top left
        for n in range(OBJECTS):
            where = int(state[4 + n])
            at = self.length + PLANES * (width * (where // self.side - row) + where % self.side - column)
            seen[at + n // 2] = 1.0
            seen[at + 2 + n % 2] = 1.0
        if self.tell == 1:
            seen[self.length + PLANES * width * width + task] = 1.0


def lingo_grid(languages: int = 4, tasks: int = 4, pairs: Any = "all", side: int = 5, tell: str = "token") -> LingoGrid:
    """Make the world.

    Parameters
    ----------
    languages : int
        1 to 6 of `rlcourse.envs.languages.LANGUAGES`.
    tasks : int
        1 to 4: go, take, avoid, opposite.
    pairs : str or array_like of bool, shape [languages, tasks]
        Which are drawn, or the name of a split (`lingo_pairs`).
    side : int
        Cells of a side, at least 3.
    tell : {"token", "onehot", "none"}
        How the task is told: by the mission's first word, one-hot in a part "task" of its own, or not at all.
    """
    table = lingo.checked_pairs(pairs, languages, tasks, 2, 2, tell)
    side = whole("side", side, 3)
    count = 2 + tasks + 10 * languages
    length = 5 if tell == "token" else 4
    told = lingo.TELLS.index(tell)
    return LingoGrid(table, side=side, length=length, tokens=count, tell=told, **lingo.token_tables(languages, tasks))


def make_env(render_mode: str | None = None, **world: Any) -> WorldEnv:
    """Make ``rlcourse/LingoGridTokens-v0``; further arguments are those of `lingo_grid`."""
    from rlcourse.envs.drawing_lingo import lingo_grid_picture, lingo_grid_text

    return WorldEnv(lingo_grid(**world), render_mode, lingo_grid_picture, lingo_grid_text, fps=4)


def make_text_env(render_mode: str | None = None, **world: Any) -> SpokenEnv:
    """Make ``rlcourse/LingoGrid-v0``; further arguments are those of `lingo_grid`."""
    from rlcourse.envs.drawing_lingo import lingo_grid_picture, lingo_grid_text

    return SpokenEnv(lingo_grid(**world), render_mode, picture=lingo_grid_picture, text=lingo_grid_text, fps=4)


def make_vec(num_envs: int = 1, **options: Any) -> WorldVectorEnv:
    """Make N copies of one world, whose missions are tokens."""
    world = {name: options.pop(name) for name in ("languages", "tasks", "pairs", "side", "tell") if name in options}
    return WorldVectorEnv(lingo_grid(**world), num_envs, **options)
