"""Mutants of chapter 6: each mistaken update rule breaks a claim of its figure."""

import pytest
from harness import broken_claims, mutated

from rlcourse.agents.temporal_difference.expected_sarsa import expected_sarsa
from rlcourse.agents.temporal_difference.q_learning import q_learning
from rlcourse.agents.temporal_difference.sarsa import sarsa

MUTANTS = {  # what is wrong: figure, box, text, its replacement
    "Sarsa with the greedy target": ("6.3", sarsa, "gamma * Q[S_, A_]", "gamma * max(Q[S_])"),
    "Sarsa that ignores the step size": ("6.3", sarsa, "alpha * (target", "0.05 * (target"),
    "Q-learning with the target of the action taken": ("6.3", q_learning, "np.max(Q[S_])", "Q[S_, epsilon_greedy(Q[S_], epsilon, rng)]"),
    "Expected Sarsa that expects the greedy action": (
        "6.3",
        expected_sarsa,
        "expected_value(Q[S_], epsilon)",
        "expected_value(Q[S_], 0.0)",
    ),
}


@pytest.mark.parametrize("what", sorted(MUTANTS))
def test_a_mutant_breaks_a_claim(what):
    figure, box, old, new = MUTANTS[what]
    with mutated(box, old, new):
        assert broken_claims(figure), what
