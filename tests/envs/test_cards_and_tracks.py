"""Blackjack and the tasks with one state: their exact models against hand-made sums, the printed strategy and simulated cards."""

import numpy as np
import pytest

from rlcourse.core import exact
from rlcourse.envs import blackjack_game, blackjack_state, infinite_variance, staying
from rlcourse.envs.blackjack import HIT, STICK, dealers_chances, make_env, sticks_from
from rlcourse.envs.drawing_cards import hand

GAME = blackjack_game()


def play_out(rng, total, usable):
    """Play the dealer by counting cards by hand: aces as 1, plus 10 where that does not go bust."""
    cards = [total - 10 if usable else total]
    has_ace = usable
    while True:
        hard = sum(cards)
        best = hard + 10 if has_ace and hard + 10 <= 21 else hard
        if best >= 17:
            return best
        card = min(int(rng.random() * 13) + 1, 10)
        has_ace = has_ace or card == 1
        cards.append(card)


def test_the_dealers_chances_are_those_of_cards_dealt_by_hand():
    rng = np.random.default_rng(0)
    for total, usable in ((6, False), (11, True), (10, False)):
        ends = np.minimum([play_out(rng, total, usable) for _ in range(20_000)], 22)
        counted = np.bincount(ends, minlength=23)[17:23] / 20_000
        np.testing.assert_allclose(counted, dealers_chances(total, usable), atol=4 * 0.5 / np.sqrt(20_000))
        assert sum(dealers_chances(total, usable)) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize(
    ("total", "dealer", "usable", "value"),
    [(21, 1, True, 0.638), (21, 2, False, 0.882), (21, 10, False, 0.889), (20, 1, False, 0.146), (20, 2, False, 0.640),
     (20, 10, True, 0.435),
     (12, 1, False, -0.640), (12, 2, False, -0.545), (12, 10, False, -0.571), (12, 1, True, -0.404)],
)  # fmt: skip
def test_values_of_sticking_on_20_or_21(total, dealer, usable, value):
    V = exact.v_pi(GAME, sticks_from(20), 1.0)
    assert V[blackjack_state(total, dealer, usable)] == pytest.approx(value, abs=5e-4)


def test_the_state_of_example_5_4_is_worth_what_the_book_found_with_a_hundred_million_games():
    assert exact.v_pi(GAME, sticks_from(20), 1.0)[blackjack_state(13, 2, True)] == pytest.approx(-0.27726, abs=1e-4)


def test_the_optimal_policy_is_the_printed_one():
    Q = exact.q_star(GAME, 1.0)
    for usable, printed in ((True, [19, *[18] * 7, 19, 19]), (False, [17, 13, 13, 12, 12, 12, 17, 17, 17, 17])):
        for dealer, first in enumerate(printed, start=1):
            for total in range(12, 22):
                best = int(np.argmax(Q[blackjack_state(total, dealer, usable)]))
                assert best == (STICK if total >= first else HIT), (total, dealer, usable)


def test_cards_are_dealt_until_twelve():
    start = np.diff(GAME.start, prepend=0.0)
    rng = np.random.default_rng(1)
    counted = np.zeros(200)
    for _ in range(40_000):
        hard, ace = 0, False
        while hard + (10 if ace else 0) < 12:
            card = min(int(rng.random() * 13) + 1, 10)
            hard, ace = hard + card, ace or card == 1
        usable = ace and hard + 10 <= 21
        counted[blackjack_state(hard + 10 * usable, min(int(rng.random() * 13) + 1, 10), usable)] += 1 / 40_000
    assert np.abs(counted - start).max() < 4 * np.sqrt(start.max() / 40_000)
    assert start.sum() == pytest.approx(1.0)


def test_an_episode_may_begin_in_any_state():
    s = blackjack_state(13, 2, True)
    assert blackjack_game(s).reset(np.random.default_rng(0)) == s
    for wrong in ((11, 1), (22, 1), (12, 0), (12, 11)):
        with pytest.raises(ValueError, match="total must be"):
            blackjack_state(*wrong, False)


def test_a_hand_that_is_drawn_has_the_sum_of_the_state():
    for total in range(12, 22):
        assert sum(hand(total, False)) == total
        assert sum(hand(total, True)) + 10 == total
        assert all(1 <= card <= 10 for card in hand(total, True) + hand(total, False))


def test_the_picture_of_the_table_shows_cards_values_policy_and_path():
    draw = make_env(render_mode="rgb_array")._picture
    plain = draw(GAME, 6)
    assert not np.array_equal(plain, draw(GAME, 7)), "the ace"
    assert not np.array_equal(plain, draw(GAME, None))
    valued = draw(GAME, 6, values=np.linspace(-1, 1, 200))
    assert valued.shape[1] > plain.shape[1]
    assert not np.array_equal(draw(GAME, 6, arrows=sticks_from(20)), draw(GAME, 6, arrows=sticks_from(17)))
    assert not np.array_equal(draw(GAME, 6, path=[6, 26]), draw(GAME, 6, path=[6, 46]))


def test_always_left_is_worth_one_and_staying_as_many_steps_as_it_lasts():
    assert exact.v_pi(infinite_variance(), np.array([0]), 1.0)[0] == pytest.approx(1.0)
    assert exact.exact_return(infinite_variance(), np.array([[0.5, 0.5]])) == pytest.approx(1 / 11)
    assert exact.v_pi(staying(0.75), np.array([0]), 1.0)[0] == pytest.approx(4.0)
