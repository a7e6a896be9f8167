"""Tic-tac-toe solved: all positions, the exact result of any two policies, best replies, optimal play, and the model as tables.

Boards are coded as in `rlcourse.envs.tictactoe`: the side to move is 1. Whose turn it is follows from the number of marks, so one table
of a policy [3^9, 9] holds both sides' play. Everything follows by going backwards from full boards.
"""

from __future__ import annotations

import functools

import numpy as np

from rlcourse.core.mdp import MDP

__all__ = ["LEVELS", "POWERS", "STATUS", "TURNED", "check_policy", "greedy", "model", "positions", "random_policy", "solve"]

CODES = 3**9
POWERS = (1, 3, 9, 27, 81, 243, 729, 2187, 6561)
LINES = ((0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6))


def _tables() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    marks = np.arange(CODES)[:, None] // np.array(POWERS) % 3  # [code, square]
    three = [np.any([np.all(marks[:, line] == side, axis=1) for line in LINES], axis=0) for side in (1, 2)]
    status = np.select([three[0], three[1], np.all(marks > 0, axis=1)], [1, 2, 3], 0).astype(np.int8)
    turned = (np.array([0, 2, 1])[marks] @ np.array(POWERS)).astype(np.int16)
    return marks, status, turned


MARKS, STATUS, TURNED = (
    _tables()
)  # STATUS: 0 goes on, 1 three own marks, 2 three of the other side, 3 full. TURNED: as the other side sees it


def _levels() -> tuple[np.ndarray, ...]:
    """Return the codes of reachable positions in which the game goes on, by their number of marks, 0 to 8."""
    levels = [np.array([0])]
    while len(levels) < 9:
        after = np.unique([code + power for code in levels[-1] for a, power in enumerate(POWERS) if MARKS[code, a] == 0])
        levels.append(np.unique(TURNED[after[STATUS[after] == 0]]).astype(np.int64))
    return tuple(levels)


LEVELS = _levels()


def positions(symmetric: bool = False) -> int:
    """Return the number of positions that a game can come to, the empty board and the ends of games included.

    Parameters
    ----------
    symmetric : bool
        Count positions that are turned or mirrored images of each other once (Exercise 1.2).
    """
    codes = np.concatenate(LEVELS)
    after = np.unique(np.concatenate([codes[MARKS[codes, a] == 0] + power for a, power in enumerate(POWERS)]))
    reached = np.concatenate([codes, TURNED[after[STATUS[after] != 0]]])
    squares = np.arange(9).reshape(3, 3)
    images = [np.rot90(board, k).ravel() for board in (squares, squares.T) for k in range(4)]
    kept = np.min([MARKS[reached][:, image] @ np.array(POWERS) for image in images], axis=0) if symmetric else reached
    return len(np.unique(kept))


def random_policy() -> np.ndarray:
    """Return the policy that marks each free square with equal probability, shape [3^9, 9]; zero where the game is over."""
    free = (MARKS == 0) & (STATUS == 0)[:, None]
    policy: np.ndarray = free / np.maximum(free.sum(axis=1, keepdims=True), 1)
    return policy


def check_policy(policy: np.ndarray, levels: tuple[np.ndarray, ...]) -> np.ndarray:
    """Return a policy as an array; raises ValueError where it is none, or marks a square that is taken."""
    codes, table = np.concatenate(levels), np.asarray(policy, dtype=float)
    right = table.shape == (CODES, 9) and np.all(table[codes] >= 0) and np.allclose(table[codes].sum(axis=1), 1)
    if not right or np.any(table[codes][MARKS[codes] > 0] > 0):
        raise ValueError(f"opponent must be probabilities of free squares for each board, shape {(CODES, 9)}, not {table.shape}")
    return table


def solve(
    first: np.ndarray | None = None, second: np.ndarray | None = None, draw: float = 0.5, epsilon: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Let two policies play each other, exactly.

    Parameters
    ----------
    first, second : ndarray, shape [3^9, 9], optional
        Policies of the side that begins and of the other one, over boards as they see them. Where None, that side plays as well as
        it can, knowing the other's policy; where both are, play is optimal.
    draw : float
        What a draw is worth; a win is worth 1, a loss 0.
    epsilon : float
        A side without a policy explores: with this probability it marks a random free square.

    Returns
    -------
    shares : ndarray, shape [3^9, 3]
        Probability that the side to move wins, draws, loses; zero for positions that are not reached or over.
    Q : ndarray, shape [3^9, 9]
        Expected score of each move; -inf for a square that is taken.
    policy : ndarray, shape [3^9, 9]
        What both sides play; equally good moves share.
    """
    shares, Q, played = np.zeros((CODES, 3)), np.full((CODES, 9), -np.inf), np.zeros((CODES, 9))
    worth = np.array([1.0, draw, 0.0])
    for n in range(8, -1, -1):
        codes = LEVELS[n]
        free, turned, result, going = _moves(n)
        result = result.copy()  # [m, 9, 3]
        result[going] = shares[turned[going]][:, ::-1]  # the other side's loss is my win
        score = np.where(free, result @ worth, -np.inf)
        given = (first, second)[n % 2]
        if given is None:
            best = score >= score.max(axis=1, keepdims=True) - 1e-9
            soft = (1.0 - epsilon) * best / best.sum(axis=1, keepdims=True) + epsilon * free / free.sum(axis=1, keepdims=True)
        Q[codes], played[codes] = score, soft if given is None else given[codes]
        shares[codes] = np.matmul(played[codes][:, None, :], result)[:, 0]
    return shares, Q, played


@functools.cache
def _moves(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return for each position of n marks and each square: is it free, the turned board after it, the result, does it go on."""
    codes = LEVELS[n]
    free = MARKS[codes] == 0  # [m, 9]
    after = np.where(free, codes[:, None] + np.array(POWERS), 0)
    result = np.zeros((len(codes), 9, 3))
    result[..., 0], result[..., 1] = STATUS[after] == 1, STATUS[after] == 3
    result[~free] = [0.0, 0.0, 1.0]  # a square that is taken loses
    return free, TURNED[after], result, free & (STATUS[after] == 0)


def greedy(Q: np.ndarray) -> np.ndarray:
    """Return the policy that is greedy in action values [3^9, 9] (-inf: taken); equals share; zero where the game is over."""
    codes = np.concatenate(LEVELS)
    best = Q[codes] == Q[codes].max(axis=1, keepdims=True)
    policy = np.zeros((CODES, 9))
    policy[codes] = best / best.sum(axis=1, keepdims=True)
    return policy


@functools.lru_cache(maxsize=1)
def _layout(second: bool) -> np.ndarray:
    return np.concatenate([LEVELS[n] for n in range(int(second), 9, 2)])


def model(opponent: np.ndarray, draw: float, second: bool) -> MDP:
    """Return the game against an opponent as an exact finite model."""
    probability, reward = np.zeros((CODES, 9, 9)), np.zeros((CODES, 9, 9))
    terminal = np.ones((CODES, 9, 9), dtype=np.bool_)
    successor = np.broadcast_to(np.arange(CODES)[:, None, None], (CODES, 9, 9)).copy()
    probability[:, :, 0] = 1.0  # boards that are over or never reached, and squares that are taken: the end, with reward 0
    for a in range(9):
        codes = _layout(second)[MARKS[_layout(second), a] == 0]
        after = codes + POWERS[a]
        over = STATUS[after] != 0
        successor[codes[over], a], reward[codes[over], a, 0] = after[over, None], np.where(STATUS[after[over]] == 1, 1.0, draw)
        codes, seen = codes[~over], TURNED[after[~over]].astype(np.int64)
        for b in range(9):
            answered = np.where(MARKS[seen, b] == 0, seen + POWERS[b], seen)
            probability[codes, a, b], successor[codes, a, b] = opponent[seen, b], TURNED[answered]
            terminal[codes, a, b] = STATUS[answered] != 0
            reward[codes, a, b] = np.where(STATUS[answered] == 3, draw, 0.0)
    start = np.zeros(CODES)
    if second:
        start[TURNED[list(POWERS)]] = opponent[0]
    else:
        start[0] = 1.0
    return MDP.from_arrays(probability, successor, reward, terminal, start)
