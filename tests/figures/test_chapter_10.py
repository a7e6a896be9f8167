"""Mutants of chapter 10: each mistaken update rule breaks a claim of its figure."""

import pytest
from harness import broken_claims, mutated

from rlcourse.agents.approximation.differential_sarsa import differential_sarsa
from rlcourse.agents.approximation.n_step_semi_gradient_sarsa import n_step_semi_gradient_sarsa
from rlcourse.agents.approximation.semi_gradient_sarsa import semi_gradient_sarsa

# Beyond the goal of mountain car some action is never tried, so that its optimistic zero is the greedy value: to forget the terminal case
# changes nothing there. tests/agents/test_every_linear_agent.py shows that no agent forgets it.
MUTANTS = {  # what is wrong: figure, box, text, its replacement
    "Sarsa that discounts": ("10.1", semi_gradient_sarsa, "R + gamma *", "R + 0.98 *"),
    "Sarsa that explores though it is told not to": (
        "10.1",
        semi_gradient_sarsa,
        "epsilon_greedy(q_hat(x_, w), epsilon, rng)",
        "epsilon_greedy(q_hat(x_, w), 0.3, rng)",
    ),
    "Sarsa that halves the step size": ("10.2", semi_gradient_sarsa, "alpha * (target", "0.5 * alpha * (target"),
    "Sarsa that corrects the action to come": ("10.2", semi_gradient_sarsa, "- q_hat_of(x, w, A)), x, A)", "- q_hat_of(x, w, A)), x, A_)"),
    "n-step Sarsa that looks one step ahead, whatever n": ("10.3", n_step_semi_gradient_sarsa, "m = n + 1", "n = 1; m = n + 1"),
    "n-step Sarsa that takes a quarter of a step": ("10.3", n_step_semi_gradient_sarsa, "alpha * (G", "0.25 * alpha * (G"),
    "differential Sarsa without the average": ("10.5", differential_sarsa, "R - R_bar[0] + after", "R + 0.9 * after"),
    "differential Sarsa that never moves the average": ("10.5", differential_sarsa, "beta * delta", "0.0 * delta"),
    "differential Sarsa that never looks ahead": ("10.5", differential_sarsa, "+ after", ""),
    "differential Sarsa that updates the action to come": ("10.5", differential_sarsa, "alpha * delta, x, A)", "alpha * delta, x, A_)"),
    "an average that is moved by R - R_bar": ("exercise-10.8", differential_sarsa, "beta * delta", "beta * (R - R_bar[0])"),
}


@pytest.mark.parametrize("what", sorted(MUTANTS))
def test_a_mutant_breaks_a_claim(what):
    figure, box, old, new = MUTANTS[what]
    with mutated(box, old, new):
        assert broken_claims(figure), what
