"""Blackjack by the rules of Example 5.1: hit or stick, against a dealer who shows one card.

Cards come from an infinite deck; an ace counts 11 where that does not go bust ("usable"), else 1, a face card 10. The player begins with
two cards, hits while below 12, where nothing can go wrong, and then chooses: 0 = stick, 1 = hit. Above 21 he loses. When he sticks the
dealer hits below 17 and sticks from 17 on. The reward, +1, 0 or -1, comes at the end; no discount. Two cards that make 21 are worth what
any 21 is: an exact model over these 200 states could not tell them apart.

State = 2 * (10 * (sum - 12) + dealer's card - 1) + (1 with a usable ace, else 0): sums 12..21, cards 1 (ace) to 10. The chances of the
dealer are computed exactly, so `rlcourse.core.exact` gives the true values of any policy, and the best one.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from rlcourse.core.arguments import checked
from rlcourse.core.mdp import MDP, Outcome
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["HIT", "STICK", "blackjack_game", "blackjack_state", "dealers_chances", "make_env", "make_vec", "sticks_from"]

STICK, HIT = 0, 1
CARDS = {**dict.fromkeys(range(1, 10), 1 / 13), 10: 4 / 13}  # probability of each card; 10, jack, queen and king count 10


@checked
def blackjack_state(total: int, dealer: int, usable_ace: bool) -> int:
    """Return the number of a state: the player's sum 12..21, the dealer's card 1..10, whether the player has a usable ace."""
    if not (12 <= total <= 21 and 1 <= dealer <= 10):
        raise ValueError(f"total must be in 12..21 and dealer, whose card that is, in 1..10, not {total} and {dealer}")
    return 2 * (10 * (total - 12) + dealer - 1) + int(usable_ace)


def sticks_from(total: int) -> np.ndarray:
    """Return the policy that sticks from a sum on and hits below it, shape [200] of actions; Figure 5.1 has 20."""
    return np.where(np.arange(200) // 20 + 12 >= total, STICK, HIT)


def blackjack_game(start: int | None = None) -> MDP:
    """Make the game.

    Parameters
    ----------
    start : int, optional
        The state that every episode begins in (see `blackjack_state`); where None, cards are dealt.
    """
    table = {s: {STICK: _stick(s), HIT: _hit(s)} for s in range(200)}
    return MDP.of(table, _dealt() if start is None else start)


def _draw(total: int, usable: bool, card: int) -> tuple[int, bool]:
    """Return the sum with one more card; an ace that would go bust counts 1."""
    total += card
    if card == 1 and total + 10 <= 21:
        return total + 10, True
    return (total - 10, False) if usable and total > 21 else (total, usable)


@functools.cache
def dealers_chances(total: int, usable: bool) -> tuple[float, ...]:
    """Return the probabilities that a dealer of this sum ends with 17, 18, 19, 20, 21, or above."""
    if total >= 17:
        return tuple(float(end == min(total, 22)) for end in range(17, 23))
    chances = np.zeros(6)
    for card, p in CARDS.items():
        chances += p * np.array(dealers_chances(*_draw(total, usable, card)))
    return tuple(chances)


def _stick(s: int) -> list[Outcome]:
    total, dealer = s // 20 + 12, s // 2 % 10 + 1
    chances = dealers_chances(*_draw(0, False, dealer))
    lost = sum(p for end, p in zip(range(17, 22), chances[:5], strict=True) if end > total)
    drawn = chances[total - 17] if total >= 17 else 0.0
    return [(1.0 - lost - drawn, s, 1.0, True), (drawn, s, 0.0, True), (lost, s, -1.0, True)]


def _hit(s: int) -> list[Outcome]:
    total, dealer, usable = s // 20 + 12, s // 2 % 10 + 1, bool(s % 2)
    outcomes, bust = [], 0.0
    for card, p in CARDS.items():
        after, still = _draw(total, usable, card)
        if after > 21:
            bust += p
        else:
            outcomes.append((p, blackjack_state(after, dealer, still), 0.0, False))
    return [*outcomes, (bust, s, -1.0, True)]


def _dealt() -> np.ndarray:
    """Return the probability of each state after the deal, shape [200]."""
    start, hands = np.zeros(200), {(0, False): 1.0}
    while hands:  # hit until 12 or more
        (total, usable), share = hands.popitem()
        for card, p in CARDS.items():
            hand = _draw(total, usable, card)
            if hand[0] < 12:
                hands[hand] = hands.get(hand, 0.0) + share * p
            else:
                for dealer, q in CARDS.items():
                    start[blackjack_state(hand[0], dealer, hand[1])] += share * p * q
    return start


def make_env(render_mode: str | None = None, start: int | None = None) -> WorldEnv:
    """Make ``rlcourse/Blackjack-v0``."""
    from rlcourse.envs import drawing_cards

    world = blackjack_game(start)
    return WorldEnv(world, render_mode=render_mode, picture=drawing_cards.picture, text=drawing_cards.text, fps=2)


def make_vec(num_envs: int = 1, start: int | None = None, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    return WorldVectorEnv(blackjack_game(start), num_envs, **options)
