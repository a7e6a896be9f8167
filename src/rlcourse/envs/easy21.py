"""Easy21, the card game of David Silver's assignment: blackjack with red cards, exactly solvable.

Cards are 1 to 10 with equal probability from a deck that never ends; a black one (2/3) adds its value, a red one (1/3) subtracts it.
Player and dealer begin with one black card each. The player hits (draws) or sticks; a sum below 1 or above 21 is bust and
loses. Then the dealer hits until the sum is 17 or more. The higher sum wins: reward +1, 0, -1. Undiscounted.

State = 21 * (dealer's first card - 1) + player's sum - 1; actions are 0 stick, 1 hit, as in Gymnasium's Blackjack. The dealer's turn
is folded into the outcomes of sticking: a sum may fall as well as rise, so its distribution is the solution of a linear system.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rlcourse.core.arguments import checked
from rlcourse.core.config import Natural
from rlcourse.core.mdp import MDP, Outcome
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["dealer_results", "easy21_features", "easy21_game", "make_env", "make_vec"]

STICK, HIT = 0, 1
CARDS, SUMS, BUST = 10, 21, 0  # cards 1..10, sums 1..21; BUST stands for a sum outside them
BLACK, RED = 2.0 / 3.0, 1.0 / 3.0
DEALER_INTERVALS = ((1, 4), (4, 7), (7, 10))
PLAYER_INTERVALS = ((1, 6), (4, 9), (7, 12), (10, 15), (13, 18), (16, 21))


@checked
def easy21_game(dealer_sticks: Natural = 17) -> MDP:
    """Make Easy21: 210 states, 2 actions, the exact model.

    Parameters
    ----------
    dealer_sticks : int
        The dealer hits below this sum.
    """
    results = dealer_results(dealer_sticks)
    table = {}
    for dealer in range(1, CARDS + 1):
        for player in range(1, SUMS + 1):
            s = SUMS * (dealer - 1) + player - 1
            table[s] = {STICK: _stick(s, player, results[dealer]), HIT: _hit(s, dealer, player)}
    start = np.zeros((CARDS, SUMS))
    start[:, :CARDS] = 1.0 / CARDS**2  # one black card each
    return MDP.of(table, start.ravel())


def draw(total: int) -> list[tuple[float, int]]:
    """Return (probability, new sum) after drawing a card; `BUST` gathers what lies outside 1..21."""
    chances = dict.fromkeys(range(SUMS + 1), 0.0)
    for card in range(1, CARDS + 1):
        for probability, value in ((BLACK, card), (RED, -card)):
            after = total + value
            chances[after if 1 <= after <= SUMS else BUST] += probability / CARDS
    return [(probability, after) for after, probability in chances.items() if probability > 0.0]


def dealer_results(sticks: int = 17) -> np.ndarray:
    """Return P(dealer ends with sum j | first card i), shape [11, 22]; column 0 is a bust, row 0 is not used.

    With transient sums T below `sticks`: the matrix X of results solves (I - P_TT) X = P_T,end.
    """
    going, ending = np.zeros((SUMS + 1, SUMS + 1)), np.zeros((SUMS + 1, SUMS + 1))
    for total in range(1, min(sticks, SUMS + 1)):
        for probability, after in draw(total):
            (going if 0 < after < sticks else ending)[total, after] += probability
    for total in range(max(sticks, 1), SUMS + 1):
        ending[total, total] = 1.0
    solved: np.ndarray = np.linalg.solve(np.eye(SUMS + 1) - going, ending)
    return solved[: CARDS + 1]


def easy21_features() -> np.ndarray:
    """Return the assignment's 36 binary features as active indices, shape [210, 2, 4]; -1 fills up.

    Feature (i, j, a) is on where the dealer's card is in interval i, the player's sum in interval j, and the action is a; the intervals
    overlap, so one to four of them are on.
    """
    active = np.full((CARDS * SUMS, 2, 4), -1, dtype=np.int64)
    for s in range(CARDS * SUMS):
        dealer, player = s // SUMS + 1, s % SUMS + 1
        cuboids = [
            6 * i + j
            for i, (low, high) in enumerate(DEALER_INTERVALS)
            for j, (least, most) in enumerate(PLAYER_INTERVALS)
            if low <= dealer <= high and least <= player <= most
        ]
        for a in (STICK, HIT):
            active[s, a, : len(cuboids)] = [2 * cuboid + a for cuboid in cuboids]
    return active


def _stick(s: int, player: int, dealer: np.ndarray) -> list[Outcome]:
    win = float(dealer[BUST] + dealer[1:player].sum())
    return [(win, s, 1.0, True), (float(dealer[player]), s, 0.0, True), (float(dealer[player + 1 :].sum()), s, -1.0, True)]


def _hit(s: int, dealer: int, player: int) -> list[Outcome]:
    return [
        (probability, s if after == BUST else SUMS * (dealer - 1) + after - 1, -1.0 if after == BUST else 0.0, after == BUST)
        for probability, after in draw(player)
    ]


def make_env(render_mode: str | None = None) -> WorldEnv:
    """Make ``rlcourse/Easy21-v0``."""
    from rlcourse.envs.drawing_easy21 import picture, text

    return WorldEnv(easy21_game(), render_mode=render_mode, picture=picture, text=text, fps=2)


def make_vec(num_envs: int = 1, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    return WorldVectorEnv(easy21_game(), num_envs, **options)
