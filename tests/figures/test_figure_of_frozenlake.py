"""Mutants of the ladders: each mistaken rule breaks a claim of its figure."""

import pytest
from harness import broken_claims, mutated

from rlcourse.agents.temporal_difference.expected_sarsa import expected_sarsa
from rlcourse.agents.temporal_difference.noisy_q_learning import noisy_q_learning
from rlcourse.agents.temporal_difference.q_learning import q_learning

MUTANTS = {  # what is wrong: figure, box, text, its replacement
    "Q-learning with the least next value": ("frozenlake", q_learning, "np.max(Q[S_])", "np.min(Q[S_])"),
    "Expected Sarsa without the next value": ("frozenlake", expected_sarsa, "gamma * expected_value(Q[S_], epsilon)", "0.0"),
    "noise that does not fade": ("frozenlake", noisy_q_learning, "noise / episodes[0]", "noise"),
}


@pytest.mark.parametrize("what", sorted(MUTANTS))
def test_a_mutant_breaks_a_claim(what):
    figure, box, old, new = MUTANTS[what]
    with mutated(box, old, new):
        assert broken_claims(figure), what
