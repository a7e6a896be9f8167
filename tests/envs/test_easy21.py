"""Easy21: the exact model against a game played card by card."""

import gymnasium as gym
import numpy as np
import pytest

from rlcourse.core import exact
from rlcourse.envs import easy21_features, easy21_game
from rlcourse.envs.easy21 import dealer_results, draw

STICK, HIT = 0, 1


def card(rng) -> int:
    value = int(rng.integers(1, 11))
    return value if rng.random() < 2 / 3 else -value


def play(dealer: int, player: int, hits: int, rng) -> float:
    """Play by the rules, card by card: hit so often, then stick."""
    for _ in range(hits):
        player += card(rng)
        if not 1 <= player <= 21:
            return -1.0
    while 1 <= dealer < 17:
        dealer += card(rng)
    if not 1 <= dealer <= 21:
        return 1.0
    return float(np.sign(player - dealer))


@pytest.mark.parametrize(("dealer", "player", "hits"), [(1, 21, 0), (10, 12, 0), (6, 11, 1), (3, 5, 2), (9, 18, 1)])
def test_the_model_agrees_with_games_played_card_by_card(dealer, player, hits):
    world, V = easy21_game(), np.zeros(210)
    policy_values = exact.action_values(world, V, 1.0)[:, STICK]
    for _ in range(hits):
        policy_values = exact.action_values(world, policy_values, 1.0)[:, HIT]
    rng = np.random.default_rng(5)
    returns = np.array([play(dealer, player, hits, rng) for _ in range(20_000)])
    difference = returns.mean() - policy_values[21 * (dealer - 1) + player - 1]
    assert abs(difference) < 4 * returns.std() / 20_000**0.5


def test_the_optimum_is_worth_0_06308_and_zero_values_are_off_by_0_09961():
    Q = exact.q_star(easy21_game(), 1.0)
    assert exact.exact_return(easy21_game(), exact.greedy_policy(Q)) == pytest.approx(0.06308, abs=5e-6)
    assert np.mean(Q**2) == pytest.approx(0.09961, abs=5e-6)  # mean over the 10 x 21 x 2 pairs; the sum is 41.84
    assert np.sum(Q**2) == pytest.approx(41.837, abs=1e-3)
    assert exact.optimal_actions(Q).sum() == 210, "no ties"


def test_the_best_fit_of_the_36_features_is_off_by_0_020470():
    Q, active = exact.q_star(easy21_game(), 1.0).ravel(), easy21_features().reshape(420, -1)
    X = np.zeros((420, 36))
    for row, indices in enumerate(active):
        X[row, indices[indices >= 0]] = 1.0
    weights, _, rank, _ = np.linalg.lstsq(X, Q, rcond=None)
    assert rank == 36
    assert np.mean((X @ weights - Q) ** 2) == pytest.approx(0.020470, abs=5e-7)


def test_a_state_has_one_to_four_features_and_both_actions_have_none_in_common():
    active = easy21_features()
    assert set((active >= 0).sum(axis=2).ravel()) == {1, 2, 4}
    assert active.max() == 35
    assert not any(set(row[STICK][row[STICK] >= 0]) & set(row[HIT][row[HIT] >= 0]) for row in active)


def test_a_card_is_black_twice_as_often_as_red_and_ends_the_game_outside_1_to_21():
    chances = {after: p for p, after in draw(11)}
    assert chances[12] == pytest.approx(2 / 30)
    assert chances[1] == pytest.approx(1 / 30)
    assert 0 not in chances, "from 11 nothing is bust"
    assert {after: p for p, after in draw(21)}[0] == pytest.approx(2 / 3)
    assert all(sum(p for p, _ in draw(total)) == pytest.approx(1.0) for total in range(1, 22))


def test_the_dealer_stops_at_17_or_more_or_is_bust():
    results = dealer_results()[1:]
    np.testing.assert_allclose(results.sum(axis=1), 1.0)
    assert not results[:, 1:17].any()
    assert dealer_results(16)[1:, 16].all()


def test_both_begin_with_one_black_card():
    start = np.diff(easy21_game().start, prepend=0.0).reshape(10, 21)
    np.testing.assert_allclose(start[:, :10], 0.01)
    assert not start[:, 10:].any()


def test_a_dealer_that_sticks_earlier_is_another_game():
    def best(world):
        return exact.exact_return(world, exact.greedy_policy(exact.q_star(world, 1.0)))

    assert best(easy21_game(16)) < 0.0 < best(easy21_game()) < best(easy21_game(18))


def test_the_picture_shows_card_sum_values_and_policy():
    env = gym.make("rlcourse/Easy21-v0", render_mode="rgb_array").unwrapped
    env.reset(seed=0)
    plain = env.render()
    env.step(HIT)
    assert not np.array_equal(env.render(), plain)
    Q = exact.q_star(env, 1.0)
    both = env._picture(None, 0, values=Q.max(axis=1), arrows=Q.argmax(axis=1))
    assert both.shape[0] > plain.shape[0]
    assert np.array_equal(both, env._picture(None, 0, values=Q.max(axis=1), arrows=exact.optimal_actions(Q)))
    assert not np.array_equal(env._picture(None, None), plain)
