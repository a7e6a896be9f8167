"""Tic-tac-toe: the rules, the exact numbers, the model, and play against a table."""

import gymnasium as gym
import numpy as np
import pytest

from rlcourse.core import exact
from rlcourse.core.trial import Trial
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.envs import tic_tac_toe
from rlcourse.envs.tictactoe_exact import LEVELS, POWERS, STATUS, TURNED, greedy, positions, random_policy, solve


def code(board: str) -> int:
    """Return the code of a board as the side of 1 sees it: digits row by row, spaces ignored."""
    return sum(int(mark) * power for mark, power in zip(board.replace(" ", ""), POWERS, strict=True))


def test_there_are_5478_positions_and_765_without_symmetric_ones():
    assert positions() == 5478
    assert positions(symmetric=True) == 765


@pytest.mark.parametrize(
    ("board", "status"),
    [
        ("111 220 000", 1),
        ("120 120 100", 1),
        ("210 012 001", 0),
        ("221 012 212", 0),
        ("112 221 112", 3),
        ("112 122 201", 2),
        ("122 010 001", 1),
    ],
)
def test_the_end_of_a_game_is_seen(board, status):
    assert STATUS[code(board)] == status


def test_a_turned_board_swaps_the_marks_and_twice_is_the_same():
    assert TURNED[code("120 000 200")] == code("210 000 100")
    assert np.array_equal(TURNED[TURNED], np.arange(3**9))


def test_the_exact_shares_of_two_random_players_and_of_best_replies():
    R = random_policy()
    assert solve(R, R)[0][0] == pytest.approx([737 / 1260, 8 / 63, 121 / 420], abs=1e-12)
    assert solve(None, R, draw=0.0)[0][0, 0] == pytest.approx(0.99479, abs=5e-6)
    assert solve(R, None, draw=0.0)[0][0, 2] == pytest.approx(0.93862, abs=5e-6)
    assert solve()[0][0] == pytest.approx([0.0, 1.0, 0.0])


def test_random_games_are_counted_as_often_as_the_exact_shares_say():
    world, rng, R = tic_tac_toe("random"), np.random.default_rng(0), random_policy()
    results = []
    for _ in range(3000):
        state, over = world.reset(rng), False
        while not over:
            state, reward, over, _ = world.step(state, int(rng.choice(9, p=R[state])), rng)
        results.append(reward)
    shares = [np.mean(np.equal(results, r)) for r in (1.0, 0.5, 0.0)]
    assert np.abs(shares - solve(R, R)[0][0]).max() < 4 * 0.5 / np.sqrt(3000)


@pytest.mark.parametrize("second", [False, True])
def test_the_model_gives_the_exact_results_too(second):
    for draw in (0.0, 0.5):
        world, R = tic_tac_toe("random", draw=draw, second=second), random_policy()
        best = solve(R, None, draw) if second else solve(None, R, draw)
        expected = best[0][0] @ ([0.0, draw, 1.0] if second else [1.0, draw, 0.0])
        start = np.diff(world.model().start, prepend=0.0)
        assert start @ exact.v_star(world, 1.0) == pytest.approx(expected, abs=1e-12)


def test_the_model_is_what_the_game_does():
    world, rng = tic_tac_toe("random"), np.random.default_rng(1)
    model, policy = world.model(), random_policy()
    for _ in range(200):
        state, over = world.reset(rng), False
        while not over:
            action = int(9 * rng.random()) if rng.random() < 0.1 else int(rng.choice(9, p=policy[state]))
            after, reward, over, _ = world.step(state, action, rng)
            rows = zip(model.probability[state, action], model.successor[state, action], model.reward[state, action], strict=True)
            assert any(p > 0 and s == after and r == reward for p, s, r in rows)
            state = after


def test_a_mark_on_a_square_that_is_taken_loses_at_once():
    world, rng = tic_tac_toe("random"), np.random.default_rng(0)
    state = world.step(world.reset(rng), 4, rng)[0]
    assert not world.legal(state)[4]
    assert world.legal(state).sum() == 7
    assert world.step(state, 4, rng) == (state, 0.0, True, False)
    assert world.afterstate(state, 4) == -1


def test_an_optimal_opponent_never_loses_and_wins_what_can_be_won():
    world, rng = tic_tac_toe("optimal"), np.random.default_rng(0)
    assert exact.v_star(world, 1.0)[0] == 0.5
    policy, lost = random_policy(), 0
    for _ in range(300):
        state, over = world.reset(rng), False
        while not over:
            state, reward, over, _ = world.step(state, int(rng.choice(9, p=policy[state])), rng)
        assert reward < 1.0
        lost += reward == 0.0
    assert lost > 200


def test_in_self_play_sides_take_turns_and_the_board_is_turned():
    world, rng = tic_tac_toe("self"), np.random.default_rng(0)
    state = world.reset(rng)
    for action, board in ((0, "200 000 000"), (3, "100 200 000"), (1, "220 100 000"), (4, "110 220 000")):
        state, reward, over, _ = world.step(state, action, rng)
        assert (state, reward, over) == (code(board), 0.0, False)
    state, reward, over, _ = world.step(state, 2, rng)
    assert (state, reward, over) == (code("222 110 000"), 1.0, True)
    assert world.rival(1.0) == 0.0
    assert world.rival(0.5) == 0.5
    with pytest.raises(ValueError, match="no exact model"):
        exact.model(world)


def test_a_learned_policy_can_be_the_opponent():
    policy = greedy(solve(None, random_policy())[1])
    first = tic_tac_toe(policy, second=True)
    state = first.reset(np.random.default_rng(0))
    assert state in TURNED[list(POWERS)]
    assert exact.exact_return(first, random_policy() + (random_policy().sum(axis=1, keepdims=True) == 0) / 9) < 0.01


@pytest.mark.parametrize(
    ("game", "sentence"),
    [
        ({"opponent": "perfect"}, "opponent must be"),
        ({"opponent": np.ones((3, 3))}, "opponent must be probabilities"),
        ({"opponent": np.full((3**9, 9), 1 / 9)}, "free squares"),
        ({"draw": 2.0}, "draw must lie"),
    ],
)
def test_a_game_that_cannot_be_is_refused(game, sentence):
    with pytest.raises(ValueError, match=sentence):
        tic_tac_toe(**game)


def test_copies_and_arguments_reach_the_game():
    assert gym.make("rlcourse/TicTacToe-v0", draw=0.25).unwrapped.world.draw == 0.25
    envs = WorldVectorEnv(tic_tac_toe("self"), 3)
    envs.reset(seed=0)
    assert envs.step(np.array([0, 1, 2]))[0].tolist() == [2, 6, 18]
    assert not np.array_equal(
        *[gym.make("rlcourse/TicTacToe-v0", opponent=kind).unwrapped.world.opponent for kind in ("random", "optimal")]
    )


def test_the_text_shows_the_board_as_it_stands():
    env = gym.make("rlcourse/TicTacToe-v0", render_mode="ansi", second=True, opponent="optimal")
    env.reset(seed=0)
    assert env.render().count("X") == 1, "the opponent began"
    draw = gym.make("rlcourse/TicTacToe-v0").unwrapped._picture
    game = tic_tac_toe()
    assert not np.array_equal(draw(game, code("120 000 000"), 0), draw(game, code("120 000 000"), 0, values=np.linspace(0, 1, 9)))


def test_levels_alternate_and_hold_every_running_position_once():
    assert [len(level) for level in LEVELS] == [1, 9, 72, 252, 756, 1140, 1372, 696, 222]


def test_a_trial_counts_games():
    trial, rng = Trial.of(tic_tac_toe("self"), episodes=5), np.random.default_rng(0)
    while trial.more():
        state, over = trial.reset(rng), False
        while not over:
            state, _, over, _ = trial.step(state, int(np.argmax(trial.world.legal(state))), rng)
    assert trial.take_rows()[:, 1].tolist() == [7.0] * 5
