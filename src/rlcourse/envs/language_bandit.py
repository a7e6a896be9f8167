"""LingoBandit: one choice, asked for in one of several languages, for one of several tasks.

Four objects, each a colour and a kind, no two alike, lie in the places 0, 1, 2, 3 of a circle. A mission names one of them in one of the
languages; the target token before it says what is to be chosen: that object's own place, the next one, the one opposite, or the previous.
Reward 1 for that place, 0 for another, and the episode ends. Chance is 1/4, the optimum 1. See `rlcourse.envs.languages` for the languages.

``rlcourse/LingoBandit-v0`` shows the mission as text, ``rlcourse/LingoBanditTokens-v0`` as tokens, which networks read. `pairs` says
which (language, task) pairs are drawn: the same world with another table trains, or tests what was never trained.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core.packing import Packed
from rlcourse.core.spoken import SpokenEnv
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv
from rlcourse.envs import languages as lingo
from rlcourse.envs.languages import drawn_below, drawn_pair, write_mission

__all__ = ["LingoBandit", "lingo_bandit", "make_env", "make_text_env", "make_vec"]

PLACES = 4
TASKS = ("2same", "2next", "2opposite", "2previous")  # the right place is so many places on


class LingoBandit(NamedTuple):
    """The world; state = (language, task, place of the named object, the four objects). Make one with `lingo_bandit`.

    An object's number is ``kinds * colour + kind``.

    Attributes
    ----------
    pairs : ndarray of bool, shape [languages, tasks]
        Which are drawn, all alike.
    targets : ndarray of int64, shape [tasks]
        Target tokens.
    words : ndarray of int64, shape [languages, 10]
        Tokens of the article, please, the colours and the kinds.
    orders : ndarray of int64, shape [languages, 4]
        What stands where in a sentence: 0 the article, 1 please, 2 the colour, 3 the kind.
    colors, kinds : int
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
    colors: int
    kinds: int
    length: int
    tokens: int
    tell: int = 0

    @property
    def observation_space(self) -> Packed:
        """Vectors that stand for a Dict: mission, tokens; scene, colour and kind in each place, one-hot; perhaps task, one-hot."""
        parts: dict[str, gym.Space[Any]] = {
            "mission": gym.spaces.MultiDiscrete(np.full(self.length, self.tokens)),
            "scene": gym.spaces.Box(0, 1, (PLACES, self.colors + self.kinds), np.float32),
        }
        if self.tell == 1:
            parts["task"] = gym.spaces.Box(0, 1, self.targets.shape, np.float32)
        return Packed(gym.spaces.Dict(parts))

    @property
    def action_space(self) -> gym.spaces.Discrete:
        """A place."""
        return gym.spaces.Discrete(PLACES)

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
        """Draw a pair, four different objects, and which of them is named."""
        language, task = drawn_pair(self.pairs, rng)
        n = self.colors * self.kinds
        a = drawn_below(n, rng)
        b = c = d = a
        while b == a:
            b = drawn_below(n, rng)
        while c in (a, b):
            c = drawn_below(n, rng)
        while d in (a, b, c):
            d = drawn_below(n, rng)
        return float(language), float(task), float(drawn_below(PLACES, rng)), float(a), float(b), float(c), float(d)

    def step(self, state, action, rng):
        """Choose a place."""
        right = (state[1] + state[2]) % PLACES
        return state, 1.0 if action == right else 0.0, True, False

    def observe(self, state):
        """Return mission, scene and perhaps task, one after another."""
        told = len(self.targets) if self.tell == 1 else 0
        seen = np.empty(self.length + PLACES * (self.colors + self.kinds) + told)
        self.paint(state, seen)
        return seen

    def paint(self, state, seen):
        """Write mission, scene and perhaps task."""
        language, task, width = int(state[0]), int(state[1]), self.colors + self.kinds
        named = int(state[3 + int(state[2])])
        seen[:] = 0.0
        target = self.targets[task] if self.tell == 0 else 0
        write_mission(seen, self.length, target, self.words[language], self.orders[language], named // self.kinds, named % self.kinds)
        for place in range(PLACES):
            at, shown = self.length + place * width, int(state[3 + place])
            seen[at + shown // self.kinds] = 1.0
            seen[at + self.colors + shown % self.kinds] = 1.0
        if self.tell == 1:
            seen[self.length + PLACES * width + task] = 1.0


def lingo_bandit(
    languages: int = 4, tasks: int = 4, pairs: Any = "all", colors: int = 2, kinds: int = 2, tell: str = "token"
) -> LingoBandit:
    """Make the world.

    Parameters
    ----------
    languages : int
        1 to 6 of `rlcourse.envs.languages.LANGUAGES`.
    tasks : int
        1 to 4: same, next, opposite, previous.
    pairs : str or array_like of bool, shape [languages, tasks]
        Which are drawn, or the name of a split (`lingo_pairs`).
    colors, kinds : int
        2 to 4 of each.
    tell : {"token", "onehot", "none"}
        How the task is told: by the mission's first word, one-hot in a part "task" of its own, or not at all.
    """
    table = lingo.checked_pairs(pairs, languages, tasks, colors, kinds, tell)
    count = 2 + tasks + 10 * languages
    length = 5 if tell == "token" else 4
    return LingoBandit(
        table, colors=colors, kinds=kinds, length=length, tokens=count, tell=lingo.TELLS.index(tell), **lingo.token_tables(languages, tasks)
    )


def make_env(render_mode: str | None = None, **world: Any) -> WorldEnv:
    """Make ``rlcourse/LingoBanditTokens-v0``; further arguments are those of `lingo_bandit`."""
    from rlcourse.envs.drawing_lingo import bandit_picture, bandit_text

    return WorldEnv(lingo_bandit(**world), render_mode, bandit_picture, bandit_text, fps=1)


def make_text_env(render_mode: str | None = None, **world: Any) -> SpokenEnv:
    """Make ``rlcourse/LingoBandit-v0``; further arguments are those of `lingo_bandit`."""
    from rlcourse.envs.drawing_lingo import bandit_picture, bandit_text

    return SpokenEnv(lingo_bandit(**world), render_mode, picture=bandit_picture, text=bandit_text, fps=1)


def make_vec(num_envs: int = 1, **options: Any) -> WorldVectorEnv:
    """Make N copies of one world, whose missions are tokens."""
    names = ("languages", "tasks", "pairs", "colors", "kinds", "tell")
    world = {name: options.pop(name) for name in names if name in options}
    return WorldVectorEnv(lingo_bandit(**world), num_envs, **options)
