"""Mutants of control in chapter 12: each mistaken trace or update breaks a claim of its figure."""

import pytest
from harness import broken_claims, mutated, mutated_kernel

from rlcourse.agents.traces.sarsa_lambda import sarsa_lambda
from rlcourse.agents.traces.true_online_sarsa_lambda import true_online_sarsa_lambda
from rlcourse.core.traces import imprint

MUTANTS = {  # what is wrong: figure, box, text, its replacement
    "traces that do not fade with lambda": ("12.10", sarsa_lambda, "z, gamma * lam", "z, gamma"),
    "a bootstrap beyond the goal": ("12.10", sarsa_lambda, "R if terminated else R + gamma * q_[A_]", "R + gamma * q_[A_]"),
    "ties to the first action": ("12.10", sarsa_lambda, "A_ = epsilon_greedy(q_, epsilon, rng)", "A_ = int(np.argmax(q_))"),
    "true online: no correction by Q - Q_old": ("12.11", true_online_sarsa_lambda, "delta + Q - Q_old", "delta"),
    "true online: traces that do not fade": ("12.11", true_online_sarsa_lambda, "z, gamma * lam", "z, gamma"),
    "an error without the next value": ("12.14", sarsa_lambda, "R + gamma * q_[A_]", "R"),
}


@pytest.mark.parametrize("what", sorted(MUTANTS))
def test_a_mutant_breaks_a_claim(what):
    figure, box, old, new = MUTANTS[what]
    with mutated(box, old, new):
        assert broken_claims(figure), what


@pytest.mark.parametrize(
    ("what", "old", "new"),
    [
        ("clearing that clears nothing", "if a != A", "if a < 0"),
        ("replacing traces that add up", "replace_action(z, x, A)", "add_action(z, 1.0, x, A)"),
    ],
)
def test_a_mutant_of_the_traces_breaks_a_claim(what, old, new):
    with mutated_kernel(sarsa_lambda, imprint, old, new):
        assert broken_claims("12.11"), what
