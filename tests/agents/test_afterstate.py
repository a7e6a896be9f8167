"""Afterstate learning against the exact solution of tic-tac-toe."""

import numpy as np
import pytest

from rlcourse.agents import AfterstateTD
from rlcourse.envs import cliff_walk, tic_tac_toe
from rlcourse.envs.tictactoe_exact import POWERS, greedy, random_policy, solve


def policy_of(agent) -> np.ndarray:
    return greedy(agent.action_values(np.arange(3**9)))


def test_self_play_becomes_unbeatable_on_both_sides():
    beaten = []
    for seed in range(10):
        agent = AfterstateTD(tic_tac_toe("self"), alpha=0.1, epsilon=0.3, seed=seed).learn(episodes=100_000)
        play = policy_of(agent)
        beaten.append((solve(play, None)[0][0, 2], solve(None, play)[0][0, 0]))  # by the best reply to it
    assert np.mean(np.array(beaten) == 0.0) >= 0.9, beaten  # measured: 20 of 20


@pytest.mark.parametrize("second", [False, True])
def test_against_a_random_opponent_it_wins_nearly_as_often_as_can_be(second):
    R, wins = random_policy(), []
    for seed in range(10):
        agent = AfterstateTD(tic_tac_toe(second=second, draw=0.0), alpha=0.1, epsilon=0.3, seed=seed).learn(episodes=50_000)
        play = policy_of(agent)
        wins.append(solve(R, play)[0][0, 2] if second else solve(play, R)[0][0, 0])
    assert np.mean(wins) > (0.91 if second else 0.98), wins  # the best are 0.9386 and 0.9948; measured 0.921 and 0.990


def test_values_tend_to_greedy_play_or_with_learning_from_exploration_to_exploring_play():
    R, found = random_policy(), {}
    for learn in (False, True):
        agents = [
            AfterstateTD(tic_tac_toe(draw=0.0), alpha=0.02, epsilon=0.3, learn_from_exploration=learn, seed=seed).learn(episodes=100_000)
            for seed in range(5)
        ]
        found[learn] = np.mean([agent.action_values(np.array([0])).max() for agent in agents])
    assert found[False] == pytest.approx(solve(None, R, 0.0)[0][0, 0], abs=0.02)
    assert found[True] == pytest.approx(solve(None, R, 0.0, epsilon=0.3)[1][0].max(), abs=0.04)
    assert found[True] < found[False] - 0.02


def test_what_ends_the_game_has_its_value_from_the_beginning_and_keeps_it():
    agent = AfterstateTD(tic_tac_toe(draw=0.25), seed=0)
    win = 1 + 3 + 9 + 2 * (27 + 81)
    assert agent.V[win] == 1.0
    assert agent.V[0] == 0.5
    agent.learn(episodes=500)
    assert agent.V[win] == 1.0
    assert np.all((agent.V >= 0.0) & (agent.V <= 1.0))


def test_a_backup_goes_from_afterstate_to_afterstate_and_skips_exploratory_moves():
    for learn in (False, True):
        agent = AfterstateTD(tic_tac_toe("self"), epsilon=1.0, alpha=1.0, learn_from_exploration=learn, seed=1)
        agent.V[list(POWERS)] = 0.9  # the first move of a game
        before = agent.V.copy()
        agent.learn(episodes=1)
        changed = np.flatnonzero(agent.V != before)
        assert (set(changed) & set(POWERS) != set()) == learn
        assert len(changed) >= 1, "the end of a game is learned from always"


def test_a_game_that_is_cut_teaches_nothing_more():
    agent = AfterstateTD(tic_tac_toe("self"), epsilon=0.0, alpha=1.0)
    before = agent.V.copy()
    agent.learn(total_timesteps=2)
    assert np.array_equal(agent.V, before), "neither side had a second move"


def test_its_moves_are_legal():
    agent = AfterstateTD("rlcourse/TicTacToe-v0", seed=0).learn(episodes=200)
    state = POWERS[0] + 2 * POWERS[4]
    for deterministic in (True, False):
        moves = agent.predict(np.full(200, state), deterministic=deterministic)[0]
        assert set(moves) <= {1, 2, 3, 5, 6, 7, 8}


def test_an_environment_that_is_no_game_is_refused_in_one_sentence():
    with pytest.raises(ValueError, match="needs a game with afterstates"):
        AfterstateTD(cliff_walk())
