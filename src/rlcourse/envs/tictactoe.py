"""Tic-tac-toe (Sec. 1.5): three in a row against an imperfect, or a perfect, opponent; or against oneself.

State = the board as the side to move sees it: the sum over squares i of mark_i 3^i, squares row by row; 1 is an own mark, 2 one of the
other side. An action is the square to mark. Three in a row earn 1 and end the game, a full board without them earns `draw`, a loss 0. A
mark on a square that is taken loses the game at once; `legal` says which are free. The opponent is part of the environment: a table of
its policy, so it may be uniformly random, optimal, or one that was learned. An afterstate is the position after the own move and
before the answer (Sec. 6.8); it is coded like a state, with the side that has just moved as 1. In self-play nobody answers: each step is
the move of another side, rewards are those of the side that moves, and the next state is the board as the other side sees it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core.arguments import checked
from rlcourse.core.mdp import MDP
from rlcourse.core.policies import sample
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv
from rlcourse.envs.tictactoe_exact import LEVELS, POWERS, STATUS, TURNED, check_policy, model, random_policy, solve

__all__ = ["TicTacToe", "make_env", "make_vec", "tic_tac_toe"]


class TicTacToe(NamedTuple):
    """Tic-tac-toe against an opponent; make one with `tic_tac_toe`.

    Attributes
    ----------
    opponent : ndarray of float64, shape [3^9, 9]
        Its policy, over boards as it sees them.
    draw : float
        Reward of a draw.
    second : bool
        Whether the opponent moves first.
    self_play : bool
        Whether there is no opponent, and sides move in turn.
    """

    opponent: np.ndarray
    draw: float = 0.5
    second: bool = False
    self_play: bool = False

    @property
    def observation_space(self) -> gym.spaces.Discrete:
        """All codes of boards, reachable or not."""
        return gym.spaces.Discrete(3**9)

    @property
    def action_space(self) -> gym.spaces.Discrete:
        """The squares."""
        return gym.spaces.Discrete(9)

    def reset(self, rng):
        """Return the empty board, or the board after the opponent's first mark."""
        return int(TURNED[POWERS[sample(self.opponent[0], rng)]]) if self.second else 0

    def step(self, state, action, rng):
        """Mark a square; then the opponent answers, or in self-play the board is turned."""
        if (state // POWERS[action]) % 3 != 0:
            return state, 0.0, True, False
        after = state + POWERS[action]
        reward = 1.0 if STATUS[after] == 1 else self.draw if STATUS[after] == 3 else 0.0
        if self.self_play:
            return int(TURNED[after]), reward, STATUS[after] != 0, False
        if STATUS[after] != 0:
            return after, reward, True, False
        seen = int(TURNED[after])
        answered = seen + POWERS[sample(self.opponent[seen], rng)]
        return int(TURNED[answered]), self.draw if STATUS[answered] == 3 else 0.0, STATUS[answered] != 0, False

    def observe(self, state):
        """Return the board."""
        return state

    def moves(self):
        """Return the number of moves, legal or not."""
        return 9

    def legal(self, state):
        """Return which squares are free, bool [9]."""
        free = np.empty(9, np.bool_)
        for a in range(9):
            free[a] = (state // POWERS[a]) % 3 == 0
        return free

    def afterstate(self, state, action):
        """Return the position after a move and before the answer; -1 where the square is taken."""
        return state + POWERS[action] if (state // POWERS[action]) % 3 == 0 else -1

    def outcome(self, after):
        """Return what an afterstate earns where it ends the game, else nan."""
        return 1.0 if STATUS[after] == 1 else self.draw if STATUS[after] == 3 else np.nan

    def alternates(self):
        """Whether the next step is the other side's."""
        return self.self_play

    def rival(self, reward):
        """Return what the other side earns at the end."""
        return self.draw if reward == self.draw else 1.0 - reward

    def model(self) -> MDP | None:
        """Return the exact model, all 3^9 codes and 9 answers (50 MB); None in self-play, where the rewards are not one side's."""
        return None if self.self_play else model(self.opponent, self.draw, self.second)


@checked
def tic_tac_toe(opponent: str | np.ndarray = "random", draw: float = 0.5, second: bool = False) -> TicTacToe:
    """Make a game.

    Parameters
    ----------
    opponent : {"random", "optimal", "self"} or ndarray, shape [3^9, 9]
        "self" is self-play; a table is the opponent's policy over boards as it sees them.
    draw : float
        Reward of a draw, 0 to 1; with 0 a value is the probability of winning.
    second : bool
        Whether the opponent moves first.
    """
    if not 0.0 <= draw <= 1.0:
        raise ValueError(f"draw must lie in [0, 1], not {draw!r}")
    if isinstance(opponent, str):
        if opponent == "self":
            return TicTacToe(np.zeros((1, 9)), float(draw), False, True)
        if opponent not in ("random", "optimal"):
            raise ValueError(f"opponent must be 'random', 'optimal', 'self' or a policy, not {opponent!r}")
        opponent = random_policy() if opponent == "random" else solve()[2]
    return TicTacToe(check_policy(opponent, LEVELS), float(draw), bool(second))


def make_env(render_mode: str | None = None, **game: Any) -> WorldEnv:
    """Make ``rlcourse/TicTacToe-v0``; further arguments are those of `tic_tac_toe`."""
    from rlcourse.envs import drawing_tictactoe as drawing

    return WorldEnv(tic_tac_toe(**game), render_mode=render_mode, picture=drawing.picture, text=drawing.text, fps=2)


def make_vec(num_envs: int = 1, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    game = {name: options.pop(name) for name in ("opponent", "draw", "second") if name in options}
    return WorldVectorEnv(tic_tac_toe(**game), num_envs, **options)
