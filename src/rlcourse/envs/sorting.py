"""Sequence sorting: some letters are shown, and have to be said in the order of the alphabet, then the end (the course notes' sequences).

An episode shows a sequence of `shortest` to `longest` letters, of uniform length, each letter uniform: some may occur twice. Each step says
one sign, a letter or the end. A right letter in its place earns 1 / (longest + 1), the end sign 1 where nothing was wrong before it. So a
return of 1 or more is an exact match, and no other is. The episode ends with the end sign, or with what is said in its place. The optimum
is 1 + E[length] / (longest + 1), which is 1.5 for up to six letters.

What is seen are tokens, as sequence models take them: the sign that was said last, then the letters; 0 is padding, 1 nothing said
yet, 2 the end, 3, 4, ... are the letters. Where a letter occurs twice, they do not tell how often it was said: that takes a memory.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core.arguments import checked
from rlcourse.core.box import kernel
from rlcourse.core.config import Count, whole
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["SortSequence", "demonstrations", "make_env", "make_vec", "sort_sequence"]

GO, END = 1, 2  # tokens; an action is the token that it says, less END


@kernel
def wanted(number, position, letters):
    """Return the sign that belongs in a place of the answer: a letter from 1, or 0 for the end."""
    before = 0
    for letter in range(1, letters + 1):
        rest = int(number)
        while rest > 0:
            if rest % (letters + 1) == letter:
                before += 1
            rest //= letters + 1
        if position < before:
            return letter
    return 0


class SortSequence(NamedTuple):
    """The task; make one with `sort_sequence`.

    State = (number, position, said, faultless). The number's digits to the base letters + 1 are the sequence, its first letter last;
    said is the last action, -1 before the first.

    Attributes
    ----------
    letters : int
        Of the alphabet.
    longest, shortest : int
        Letters of a sequence.
    """

    letters: int = 8
    longest: int = 6
    shortest: int = 1

    @property
    def observation_space(self) -> gym.spaces.MultiDiscrete:
        """The token said last, and those of the sequence."""
        return gym.spaces.MultiDiscrete(np.full(self.longest + 1, self.letters + 3))

    @property
    def action_space(self) -> gym.spaces.Discrete:
        """The end (0), or a letter (1, 2, ...)."""
        return gym.spaces.Discrete(self.letters + 1)

    def reset(self, rng):
        """Show a sequence."""
        length = self.shortest + int((self.longest - self.shortest + 1) * rng.random())
        number, place = 0, 1
        for _ in range(length):
            number += place * (1 + int(self.letters * rng.random()))
            place *= self.letters + 1
        return float(number), 0.0, -1.0, 1.0

    def step(self, state, action, rng):
        """Say a sign."""
        number, position, _, faultless = state
        right = wanted(number, position, self.letters)
        faultless = faultless if action == right else 0.0
        if right == 0:
            reward, over = faultless, True
        else:
            reward, over = (1.0 / (self.longest + 1) if action == right else 0.0), action == 0
        return (number, position + 1.0, float(action), faultless), reward, over, False

    def observe(self, state):
        """Return the tokens."""
        seen = np.empty(self.longest + 1, np.int64)
        self.paint(state, seen)
        return seen

    def paint(self, state, seen):
        """Write the tokens."""
        seen[:] = 0
        seen[0] = int(state[2]) + END
        rest, i = int(state[0]), 1
        while rest > 0:
            seen[i] = rest % (self.letters + 1) + END
            rest //= self.letters + 1
            i += 1

    # The rest is for Python only: it is never called from a box.

    @property
    def optimum(self) -> float:
        """The expected return of the best policy, which makes no mistake."""
        return 1.0 + 0.5 * (self.shortest + self.longest) / (self.longest + 1)

    def right(self, state: tuple[float, ...]) -> int:
        """Return the best action in a state that has seen no mistake."""
        return int(wanted(state[0], state[1], self.letters))


@checked
def sort_sequence(letters: Count = 8, longest: Count = 6, shortest: Count = 1) -> SortSequence:
    """Make the task.

    Parameters
    ----------
    letters : int
        Of the alphabet, 1 to 26.
    longest, shortest : int
        Letters of a sequence.
    """
    letters, longest, shortest = whole("letters", letters, 1, 26), whole("longest", longest, 1), whole("shortest", shortest, 1)
    if shortest > longest:
        raise ValueError(f"shortest must be from 1 to longest, which is {longest}, not {shortest}")
    if (letters + 1) ** longest > 2**53:
        raise ValueError(f"{longest} of {letters} letters do not fit into a state: lower longest or letters")
    return SortSequence(letters, longest, shortest)


def demonstrations(world: SortSequence, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return sequences, int64 [n, longest], and their answers with the end sign, int64 [n, longest + 1]; both padded by 0.

    The sequences are drawn as the world draws them, and numbered as it shows them.
    """
    lengths = rng.integers(world.shortest, world.longest + 1, n)
    there = np.arange(world.longest) < lengths[:, None]
    drawn = np.where(there, rng.integers(END + 1, END + 1 + world.letters, (n, world.longest)), 0)
    answers = np.zeros((n, world.longest + 1), np.int64)
    ordered = np.sort(np.where(there, drawn, np.iinfo(np.int64).max), axis=1)
    answers[:, :-1] = np.where(there, ordered, 0)
    answers[np.arange(n), lengths] = END
    return drawn, answers


def make_env(render_mode: str | None = None, letters: int = 8, longest: int = 6, shortest: int = 1) -> WorldEnv:
    """Make ``rlcourse/SortSequence-v0``."""
    from rlcourse.envs.drawing_letters import picture, text

    return WorldEnv(sort_sequence(letters, longest, shortest), render_mode=render_mode, picture=picture, text=text, fps=2)


def make_vec(num_envs: int = 1, letters: int = 8, longest: int = 6, shortest: int = 1, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    return WorldVectorEnv(sort_sequence(letters, longest, shortest), num_envs, **options)
