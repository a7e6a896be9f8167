"""Mutants of Easy21: each mistaken rule breaks a claim of its figure."""

import pytest
from harness import broken_claims, mutated

from rlcourse import figures
from rlcourse.agents.monte_carlo.glie_control import glie_control
from rlcourse.agents.monte_carlo.off_policy_mc_control import off_policy_mc_control
from rlcourse.agents.temporal_difference.tabular_sarsa_lambda import tabular_sarsa_lambda
from rlcourse.agents.traces.sarsa_lambda import sarsa_lambda
from rlcourse.cli.figure import _names
from rlcourse.envs.easy21 import easy21_game

TABLE, LINEAR, COUNTS, OFF = "easy21-sarsa-lambda", "easy21-linear", "easy21-monte-carlo", "easy21-monte-carlo"

MUTANTS = {  # what is wrong: figure, box, text, its replacement
    "traces that do not fade with lambda": (TABLE, tabular_sarsa_lambda, "E *= gamma * lam", "E *= gamma"),
    "traces that live on in the next episode": (TABLE, tabular_sarsa_lambda, "E = np.zeros(Q.shape)", "E = N * 0.9"),
    "an error without the next value": (TABLE, tabular_sarsa_lambda, "R + gamma * Q[S_, A_]", "R"),
    "the greedy target": (TABLE, tabular_sarsa_lambda, "gamma * Q[S_, A_]", "gamma * np.max(Q[S_])"),
    "a step size that forgets the counts": (TABLE, tabular_sarsa_lambda, "1.0 / N[S, A]", "0.5"),
    "linear: weights that do not see the next value": (LINEAR, sarsa_lambda, "R + gamma * q_[A_]", "R"),
    "linear: traces that do not fade with lambda": (LINEAR, sarsa_lambda, "z, gamma * lam", "z, gamma"),
    "Monte Carlo: the last reward only": (COUNTS, glie_control, "G = gamma * G + R", "G = R"),
    "off-policy: tails that go on behind a greedy action": (OFF, off_policy_mc_control, "followed = int(pi[S]) == A", "followed = True"),
}


@pytest.mark.parametrize("what", sorted(MUTANTS))
def test_a_mutant_breaks_a_claim(what):
    figure, box, old, new = MUTANTS[what]
    with mutated(box, old, new):
        assert broken_claims(figure), what


def test_another_rule_of_the_dealer_breaks_claims_of_the_optimum(monkeypatch):
    for sticks in (16, 18):
        monkeypatch.setattr(figures.load("easy21-optimum"), "easy21_game", lambda sticks=sticks: easy21_game(sticks))
        assert len(broken_claims("easy21-optimum")) >= 2


def test_the_name_of_the_folder_makes_all_four():
    assert _names(["easy21"]) == ["easy21-linear", "easy21-monte-carlo", "easy21-optimum", "easy21-sarsa-lambda"]
    assert _names(["Easy21", "easy21-optimum"]) == _names(["easy21"])
