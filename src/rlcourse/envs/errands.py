"""Errands: an instruction of three sentences, of which one matters now - which, the place says.

    "in the cellar take the lamp  in the attic take the book  in the kitchen take the lamp"

An episode visits the three rooms in an order of its own. At a door the sign tells the room; inside it is dark, nothing is seen, and one
of four things is taken. The right one, by the sentence about this room, pays 1/3, so that the optimum is a return of 1. Inside, a policy
without memory knows the mission and not the room. It can do no better than to take what is asked for most often, which is right for all
three rooms, two or one of them, with probability 1/16, 9/16 and 6/16: its return is at most 1/16 + 2/3 * 9/16 + 1/3 * 6/16 = 9/16.

The mission is the same all along, 18 words, and two of them decide: the room's and the thing's. Where to look changes with the agent's
state, so that this is a task for attention whose query is that state (`rlcourse.encoders.instruction`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core.packing import Packed
from rlcourse.core.spoken import SpokenEnv
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv
from rlcourse.envs.languages import drawn_below

__all__ = ["ROOMS", "THINGS", "Errands", "make_env", "make_text_env", "make_vec", "three_errands"]

ROOMS = ("kitchen", "cellar", "attic", "garden")
THINGS = ("lamp", "book", "key", "apple")
FILLERS = ("in", "the", "take")
SENTENCES, WORDS = 3, 6  # of a mission, of a sentence: in the ROOM take the THING
ROOM, THING = 2, 5  # where they stand in a sentence


class Errands(NamedTuple):
    """The world; state = (step, rooms of the three sentences, their things, the sentences in the order of the visits).

    At even steps the agent is at a door, at odd ones inside.

    Attributes
    ----------
    words : ndarray of int64, shape [11]
        Tokens of the fillers, the rooms and the things.
    length : int
        Tokens of a mission.
    tokens : int
        How many tokens there are, padding (0) and unknown (1) among them.
    """

    words: np.ndarray
    length: int
    tokens: int

    @property
    def observation_space(self) -> Packed:
        """Vectors that stand for a Dict: mission, tokens; sign, the room one-hot at its door, and zeros inside."""
        mission = gym.spaces.MultiDiscrete(np.full(self.length, self.tokens))
        return Packed(gym.spaces.Dict({"mission": mission, "sign": gym.spaces.Box(0, 1, (len(ROOMS),), np.float32)}))

    @property
    def action_space(self) -> gym.spaces.Discrete:
        """A thing to take; at a door it does not matter."""
        return gym.spaces.Discrete(len(THINGS))

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """Fillers, rooms, things."""
        return (*FILLERS, *ROOMS, *THINGS)

    @property
    def longest(self) -> int:
        """Characters of a mission, at most."""
        return SENTENCES * (len("in the  take the ") + max(map(len, ROOMS)) + max(map(len, THINGS)) + 1)

    def numbered(self, table, length, tokens):
        """Return the world with other tokens; see `rlcourse.core.spoken`."""
        return self._replace(words=table[self.words], length=length, tokens=tokens)

    def reset(self, rng):
        """Draw three rooms, a thing for each, and the order of the visits."""
        a = drawn_below(4, rng)
        b = c = a
        while b == a:
            b = drawn_below(4, rng)
        while c in (a, b):
            c = drawn_below(4, rng)
        first = drawn_below(3, rng)
        second = (first + 1 + drawn_below(2, rng)) % 3
        third = 3 - first - second
        x, y, z = drawn_below(4, rng), drawn_below(4, rng), drawn_below(4, rng)
        return 0.0, float(a), float(b), float(c), float(x), float(y), float(z), float(first), float(second), float(third)

    def step(self, state, action, rng):
        """Go in, or take a thing and walk to the next door."""
        step, a, b, c, x, y, z, first, second, third = state
        sentence = int(state[7 + int(step) // 2])
        right = int(step) % 2 == 1 and action == state[4 + sentence]
        return (step + 1.0, a, b, c, x, y, z, first, second, third), 1.0 / SENTENCES if right else 0.0, step == 2 * SENTENCES - 1, False

    def observe(self, state):
        """Return mission and sign, one after another."""
        seen = np.empty(self.length + len(ROOMS))
        self.paint(state, seen)
        return seen

    def paint(self, state, seen):
        """Write mission and sign."""
        seen[:] = 0.0
        for i in range(min(self.length, SENTENCES * WORDS)):
            sentence, place = i // WORDS, i % WORDS
            word = 0 if place == 0 else 2 if place == 3 else 1
            if place == ROOM:
                word = 3 + int(state[1 + sentence])
            elif place == THING:
                word = 7 + int(state[4 + sentence])
            seen[i] = self.words[word]
        step = int(state[0])
        if step % 2 == 0 and step < 2 * SENTENCES:
            seen[self.length + int(state[1 + int(state[7 + step // 2])])] = 1.0


def three_errands() -> Errands:
    """Make the world."""
    count = len(FILLERS) + len(ROOMS) + len(THINGS)
    return Errands(np.arange(2, 2 + count), SENTENCES * WORDS, 2 + count)


def text(world: Any, state: Any, action: Any = None) -> str:
    """Return the mission, a sentence a line, and where the agent is: > marks what is said of this room."""
    step = min(int(state[0]), 2 * SENTENCES - 1)
    here = int(state[7 + step // 2])
    lines = [
        f"{'>' if i == here else ' '} in the {ROOMS[int(state[1 + i])]} take the {THINGS[int(state[4 + i])]}\n" for i in range(SENTENCES)
    ]
    return "".join(lines) + f"{'inside' if step % 2 else 'at the door of'} the {ROOMS[int(state[1 + here])]}\n"


def picture(world: Any, state: Any, action: Any = None) -> np.ndarray:
    """Draw the three sentences, that of this room marked, and the sign; the agent does not see the mark."""
    from rlcourse.envs.canvas import BLUE, INK, OCHRE, PAPER, SAND, Canvas

    canvas, lines = Canvas(560, 230), (["nothing yet"] if state is None else text(world, state).splitlines())
    for i, line in enumerate(lines[:SENTENCES]):
        if line.startswith(">"):
            canvas.box(20, 20 + 44 * i, 540, 58 + 44 * i, OCHRE)
        canvas.text(280, 39 + 44 * i, line.strip("> "), INK, 20)
    if len(lines) > 1:
        canvas.box(150, 166, 410, 212, INK if lines[-1].startswith("inside") else SAND)
        canvas.text(280, 189, lines[-1], PAPER if lines[-1].startswith("inside") else BLUE, 18)
    return canvas.array()


def make_env(render_mode: str | None = None) -> WorldEnv:
    """Make ``rlcourse/ErrandsTokens-v0``."""
    return WorldEnv(three_errands(), render_mode, picture, text, fps=1)


def make_text_env(render_mode: str | None = None) -> SpokenEnv:
    """Make ``rlcourse/Errands-v0``."""
    return SpokenEnv(three_errands(), render_mode, picture=picture, text=text, fps=1)


def make_vec(num_envs: int = 1, **options: Any) -> WorldVectorEnv:
    """Make N copies, whose missions are tokens."""
    return WorldVectorEnv(three_errands(), num_envs, **options)
