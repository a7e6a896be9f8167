"""Mutants of chapter 5: each mistaken Monte Carlo method breaks a claim of its figure; and the exact numbers of importance sampling."""

import numpy as np
import pytest
from harness import broken_claims, mutated

from rlcourse import figures
from rlcourse.agents import MCControl, OffPolicyMCPrediction
from rlcourse.agents.monte_carlo.importance_sampling import importance_sampling
from rlcourse.agents.monte_carlo.mc_control import mc_control
from rlcourse.agents.monte_carlo.mc_exploring_starts import mc_exploring_starts
from rlcourse.agents.monte_carlo.mc_prediction import mc_prediction
from rlcourse.agents.monte_carlo.off_policy_mc_control import off_policy_mc_control
from rlcourse.agents.monte_carlo.off_policy_mc_prediction import off_policy_mc_prediction
from rlcourse.core import exact
from rlcourse.envs import blackjack_game, blackjack_state
from rlcourse.envs.blackjack import sticks_from
from rlcourse.figures.ch05.figure_5_3 import second_moment

FIRST = "visits[S] == 0 or not first_visit"
MUTANTS = {  # what is wrong: figure, box, text, its replacement
    "prediction that counts every visit": ("exercise-5.5", mc_prediction, FIRST, "True"),
    "prediction with a constant step size": ("5.1", mc_prediction, "1.0 / N[S]", "0.05"),
    "prediction that takes the last state's value for the end": ("5.1", mc_prediction, "0.0 if terminated else V[S]", "V[S]"),
    "prediction from rewards instead of returns": ("exercise-5.5", mc_prediction, "gamma * G + R", "R"),
    "walks whose averages forget": ("example-5.2", mc_prediction, "1.0 / N[S]", "0.05"),
    "exploring starts whose first action follows the policy": ("5.2", mc_exploring_starts, "epsilon_greedy(Q[S], 1.0, rng)", "int(pi[S])"),
    "exploring starts without improvement": ("5.2", mc_exploring_starts, "pi[S] = greedy(Q[S], rng)", "pi[S] = pi[S]"),
    "exploring starts with a constant step size": ("5.2", mc_exploring_starts, "/ N[S, A]", "* 0.1"),
    "exploring starts whose states are dealt": ("5.2", mc_exploring_starts, "len(starts) > 0", "False"),
    "importance sampling without the ratio": ("5.3", importance_sampling, "W *= policy[S, A] / behavior[S, A]", "W *= 1.0"),
    "importance sampling with the ratio of the last action only": (
        "5.3",
        importance_sampling,
        "W *= policy[S, A] / behavior[S, A]",
        "W = policy[S, A] / behavior[S, A]",
    ),
    "weighted importance sampling over the number of visits": ("5.3", importance_sampling, "W if weighted else 1.0", "1.0"),
    "ordinary importance sampling over the sum of the ratios": ("5.4", importance_sampling, "W if weighted else 1.0", "W"),
    "importance sampling whose weights begin at a half": ("5.4", importance_sampling, "W = 1.0", "W = 0.5"),
    "off-policy control that goes on behind an action of the behaviour": (
        "5.5",
        off_policy_mc_control,
        "followed = int(pi[S]) == A",
        "followed = True",
    ),
    "off-policy control that takes the last state's value for the end": ("5.5", off_policy_mc_control, "0.0 if terminated else ", ""),
}


@pytest.mark.parametrize("what", sorted(MUTANTS))
def test_a_mutant_breaks_a_claim(what):
    figure, box, old, new = MUTANTS[what]
    with mutated(box, old, new):
        assert broken_claims(figure), what


def test_the_second_moment_of_example_5_4_is_that_of_games_played():
    s, policy, both = blackjack_state(13, 2, True), exact.as_policy(sticks_from(20), 200, 2), np.full((200, 2), 0.5)
    game, rng = blackjack_game(s), np.random.default_rng(0)
    assert second_moment(game, policy, both)[s] == pytest.approx(10.2331, abs=5e-5)
    squares = []
    for _ in range(20_000):
        state, over, rho, reward = s, False, 1.0, 0.0
        while not over:
            a = int(2 * rng.random())
            rho *= policy[state, a] / 0.5
            state, reward, over, _ = game.step(state, a, rng)
        squares.append((rho * reward) ** 2)
    assert np.mean(squares) == pytest.approx(10.2331, abs=3.5 * np.std(squares) / np.sqrt(20_000))


def test_other_printed_names_of_chapter_5():
    assert [figures.find(text) for text in ("example 5.1", "ex 5.3", "exercise 5.12")] == ["5.1", "5.2", "5.5"]


def prediction_error() -> float:
    """Distance of action values from the exact ones after two million games of another policy; the right box gives 0.03."""
    return OffPolicyMCPrediction(blackjack_game(), policy=sticks_from(20)).learn(episodes=2_000_000).true_error()


def soft_loss() -> float:
    """What on-policy control earns less than the best soft policy after 300,000 games; the right box loses 0.001 to 0.003."""
    game = blackjack_game()
    best, mine = exact.soft_policy(game, 0.1, 1.0), MCControl(game).learn(episodes=300_000).Q
    return float(np.subtract(*(exact.exact_return(game, exact.greedy_policy(Q, 0.1)) for Q in (best, mine))))


@pytest.mark.parametrize(
    ("measure", "right", "box", "old", "new"),
    [
        (prediction_error, 0.05, off_policy_mc_prediction, "W *= policy[S, A] / behavior[S, A]", "W *= 1.0"),
        (prediction_error, 0.05, off_policy_mc_prediction, "W / C[S, A]", "0.05 * W"),
        (prediction_error, 0.05, off_policy_mc_prediction, "0 if terminated else Q.shape[1]", "Q.shape[1]"),
        (soft_loss, 0.006, mc_control, "/ N[S, A]", "* 0.5"),
        (soft_loss, 0.006, mc_control, "0.0 if terminated else ", ""),
    ],
)
def test_a_mutant_of_a_box_without_a_figure_misses_the_exact_values(measure, right, box, old, new):
    assert measure() < right
    with mutated(box, old, new):
        assert measure() > right
