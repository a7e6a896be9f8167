"""The racetracks of Figure 5.5 (Exercise 5.12): drive around the bend as fast as possible, but not off the road.

Every step costs 1. An action changes both components of the velocity by -1, 0 or 1 (it is 3 * (change of vx + 1) + change of vy + 1),
but with probability `noise` nothing changes. Components stay in 0..`max_velocity` and are not both 0 except on the starting line: what
would stop the car elsewhere leaves its velocity as it was. If the path meets the finish line, the episode ends; if it leaves the track
first, the car goes back to a random cell of the starting line, at rest, and the episode goes on.

A state is one whole number: the states that can be reached are numbered, starts first, and `Racetrack.places` says what each one is.
So a world is two small tables, and a step one look-up. For planning, `Racetrack.expected` is the exact backup of one pair and
`Racetrack.action_values` that of all pairs at once; `Racetrack.model` makes the whole table of outcomes (a crash has one per start).

>>> racetrack("right", max_velocity=None, backwards=True)   # no speed limit, velocities of any sign, stopping allowed: Example 8.6
>>> racetrack(("..G", "..#", "SS#"), max_velocity=2)        # a track of one's own: # off, . track, S start, G finish
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core.arguments import checked
from rlcourse.core.mdp import MDP
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["TRACKS", "Racetrack", "make_env", "make_vec", "racetrack"]

CRASH, FINISH = -1, -2  # in place of a successor
SIGNS = "#.SG"  # off the track, track, starting line, finish line: 0, 1, 2, 3
COAST = 4  # the action that changes nothing


def _track(width: int, rows: Sequence[tuple[int, int, int]], starts: int, finish: int) -> tuple[str, ...]:
    """Draw a track from runs of equal rows, bottom first: (how many, first column, last column)."""
    spans = [(first, last) for count, first, last in rows for _ in range(count)]
    lines = []
    for y, (first, last) in enumerate(spans):
        road = ["S" if y < starts else "G" if y >= finish and x == width - 1 else "." for x in range(first, last + 1)]
        lines.append("#" * first + "".join(road) + "#" * (width - 1 - last))
    return tuple(reversed(lines))


LEFT = [(3, 3, 8), (7, 2, 8), (8, 1, 8), (7, 0, 8), (1, 0, 9), (2, 0, 16), (1, 1, 16), (2, 2, 16), (1, 3, 16)]
RIGHT = [(3, 0, 22), *((1, x, 22) for x in range(1, 14)), (1, 14, 22), (1, 14, 23), (1, 14, 25), (1, 14, 26), (1, 14, 29), (1, 13, 31)]
RIGHT += [(1, 12, 31), (4, 11, 31), (1, 12, 31), (1, 13, 31), (1, 16, 31)]
TRACKS = {"left": _track(17, LEFT, 1, 26), "right": _track(32, RIGHT, 1, 21)}  # the two of Figure 5.5, as lines of text


class Racetrack(NamedTuple):
    """A racetrack; a world whose states and actions are integers.

    Attributes
    ----------
    successor : ndarray of int64, shape [S, 9]
        The state after an action that takes effect; CRASH (-1) or FINISH (-2) where the path ends there.
    starts : ndarray of int64
        The states at rest on the starting line.
    places : ndarray of int64, shape [S, 4]
        Column, row (from the bottom) and both components of the velocity of each state.
    track : ndarray of int64, shape [rows, columns]
        0 off, 1 track, 2 start, 3 finish; row 0 is the bottom.
    noise : float
        Probability that an action has no effect.
    """

    successor: np.ndarray
    starts: np.ndarray
    places: np.ndarray
    track: np.ndarray
    noise: float

    @property
    def observation_space(self) -> gym.spaces.Discrete:
        """All states that can be reached."""
        return gym.spaces.Discrete(len(self.successor))

    @property
    def action_space(self) -> gym.spaces.Discrete:
        """Nine changes of the velocity."""
        return gym.spaces.Discrete(9)

    def reset(self, rng):
        """Stand on a random cell of the starting line."""
        return int(self.starts[int(rng.random() * len(self.starts))])

    def step(self, state, action, rng):
        """Change the velocity, perhaps, and drive on."""
        taken = COAST if rng.random() < self.noise else int(action)
        s_next = int(self.successor[state, taken])
        if s_next == FINISH:
            return state, -1.0, True, False
        if s_next == CRASH:
            s_next = int(self.starts[int(rng.random() * len(self.starts))])
        return s_next, -1.0, False, False

    def observe(self, state):
        """Return the state: the driver knows place and velocity."""
        return state

    def expected(self, state, action, V, gamma):
        """Return the expected return of (state, action) with V beyond, as `MDP.expected` (Eq. 4.10)."""
        total = -1.0
        for i in range(2):
            p = self.noise if i == 0 else 1.0 - self.noise
            s_next = self.successor[state, COAST if i == 0 else action]
            if s_next >= 0:
                total += p * gamma * V[s_next]
            elif s_next == CRASH:
                for start in self.starts:
                    total += p * gamma * V[start] / len(self.starts)
        return total

    # The rest is for Python only: it is never called from a box.

    def action_values(self, V: np.ndarray, gamma: float = 1.0) -> np.ndarray:
        """Return `expected` for all states and actions, shape [S, 9]."""
        beyond = np.append(V, [0.0, V[self.starts].mean()])[self.successor]  # FINISH and CRASH index from the end
        result: np.ndarray = -1.0 + gamma * ((1.0 - self.noise) * beyond + self.noise * beyond[:, COAST : COAST + 1])
        return result

    def model(self) -> MDP:
        """Make the table of all outcomes; crashes lead to every start."""
        n, S = len(self.starts), len(self.successor)
        K = n + 1 if self.noise == 0 else n + 2
        p, following = np.zeros((S, 9, K)), np.zeros((S, 9, K), dtype=np.int64)
        for k, (share, after) in enumerate(((1.0 - self.noise, self.successor), (self.noise, self.successor[:, [COAST] * 9]))[: K - n]):
            p[:, :, k] = np.where(after == CRASH, 0.0, share)
            following[:, :, k] = np.where(after < 0, np.arange(S)[:, None], after)
            p[:, :, K - n :] += np.where(after == CRASH, share / n, 0.0)[:, :, None]
        following[:, :, K - n :] = self.starts
        terminal = np.zeros(p.shape, dtype=np.bool_)
        terminal[:, :, 0] = self.successor == FINISH
        terminal[:, :, 1 : K - n] = (self.successor[:, COAST] == FINISH)[:, None, None]
        start = np.zeros(S)
        start[self.starts] = 1.0 / n
        return MDP.from_arrays(p, following, np.where(p > 0, -1.0, 0.0), terminal, start)


@checked
def racetrack(track: str | Sequence[str] = "left", max_velocity: int | None = 4, noise: float = 0.1, backwards: bool = False) -> Racetrack:
    """Make a racetrack.

    Parameters
    ----------
    track : {"left", "right"} or sequence of str
        One of Figure 5.5, or lines of text from the top: # off, . track, S start, G finish.
    max_velocity : int or None
        Largest component of the velocity; None for no limit.
    noise : float
        Probability that an action has no effect.
    backwards : bool
        Whether components may be negative, down to -`max_velocity`; the car may then stop anywhere.

    Returns
    -------
    Racetrack
    """
    lines = TRACKS.get(track) if isinstance(track, str) else tuple(track)
    if lines is None or len({len(line) for line in lines}) != 1 or set("".join(lines)) - set(SIGNS) or "S" not in "".join(lines):
        raise ValueError(f"track must be 'left', 'right', or equally long lines of {SIGNS!r} with a start, not {track!r}")
    if not 0.0 <= noise < 1.0 or (max_velocity is not None and max_velocity < 1):
        raise ValueError(f"noise must be in [0, 1) and max_velocity at least 1, not {noise!r} and {max_velocity!r}")
    return _reachable(lines, max_velocity, backwards)._replace(noise=float(noise))


@functools.cache
def _reachable(lines: tuple[str, ...], limit: int | None, backwards: bool) -> Racetrack:
    """Number the states that can be reached."""
    track = np.array([[SIGNS.index(sign) for sign in line] for line in reversed(lines)], dtype=np.int64)
    high = limit or int(np.sqrt(2 * max(track.shape))) + 1  # nobody is faster: to reach v takes v (v + 1) / 2 cells
    number: dict[tuple[int, ...], int] = {(int(x), int(y), 0, 0): i for i, (y, x) in enumerate(np.argwhere(track == 2))}
    starts, places, successor = np.arange(len(number)), list(number), []
    for place in places:  # grows while it is walked through
        row = []
        for a in range(9):
            after = _drive(track, place, (a // 3 - 1, a % 3 - 1), -high if backwards else 0, high)
            if isinstance(after, tuple) and after not in number:
                number[after] = len(places)
                places.append(after)
            row.append(number[after] if isinstance(after, tuple) else after)
        successor.append(row)
    return Racetrack(np.array(successor, dtype=np.int64), starts, np.array(places, dtype=np.int64), track, 0.0)


def _drive(track: np.ndarray, place: tuple[int, ...], change: tuple[int, int], low: int, high: int) -> tuple[int, ...] | int:
    """Return the place after a change of velocity, CRASH or FINISH: whichever the straight path meets first."""
    x, y, vx, vy = place
    wx, wy = min(max(vx + change[0], low), high), min(max(vy + change[1], low), high)
    if low == 0 and wx == wy == 0 and track[y, x] != 2:
        wx, wy = vx, vy
    n = max(abs(wx), abs(wy))
    for k in range(1, n + 1):
        i, j = x + (2 * wx * k + n) // (2 * n), y + (2 * wy * k + n) // (2 * n)  # the nearest cell after k of n parts
        if not (0 <= j < track.shape[0] and 0 <= i < track.shape[1]) or track[j, i] == 0:
            return CRASH
        if track[j, i] == 3:
            return FINISH
    return x + wx, y + wy, wx, wy


def make_env(render_mode: str | None = None, track: str = "left", max_velocity: int | None = 4, noise: float = 0.1) -> WorldEnv:
    """Make ``rlcourse/Racetrack-v0``; ``track="right"`` is the other one of Figure 5.5."""
    from rlcourse.envs.drawing_track import Track

    world = racetrack(track, max_velocity, noise)
    picture = Track(world.track)
    return WorldEnv(world, render_mode=render_mode, picture=picture.picture, text=picture.text, fps=6)


def make_vec(num_envs: int = 1, track: str = "left", max_velocity: int | None = 4, noise: float = 0.1, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    return WorldVectorEnv(racetrack(track, max_velocity, noise), num_envs, **options)
