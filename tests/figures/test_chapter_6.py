"""Mutants of chapter 6: each mistaken update rule breaks a claim of its figure."""

import pytest
from harness import broken_claims, mutated

from rlcourse.agents.monte_carlo.batch_mc import batch_mc
from rlcourse.agents.monte_carlo.mc_prediction import mc_prediction
from rlcourse.agents.temporal_difference.batch_td0 import batch_td0
from rlcourse.agents.temporal_difference.double_expected_sarsa import double_expected_sarsa
from rlcourse.agents.temporal_difference.double_q_learning import double_q_learning
from rlcourse.agents.temporal_difference.expected_sarsa import expected_sarsa
from rlcourse.agents.temporal_difference.q_learning import q_learning
from rlcourse.agents.temporal_difference.sarsa import sarsa
from rlcourse.agents.temporal_difference.td0 import td0

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
    "TD(0) with the value of the state it left": ("6.1", td0, "gamma * V[S_]", "gamma * V[S]"),
    "TD(0) that ignores the step size": ("example-6.2", td0, "alpha * (target", "0.1 * (target"),
    "TD(0) that forgets that the end has no value": ("example-6.2", td0, "R if terminated else R + gamma * V[S_]", "R + gamma * V[S_]"),
    "Monte Carlo that ignores the step size": ("example-6.2", mc_prediction, "alpha if alpha > 0.0", "0.1 if alpha > 0.0"),
    "Monte Carlo with the last reward for a return": ("6.1", mc_prediction, "G = gamma * G + R", "G = R"),
    "batch TD that bootstraps from the state it left": (
        "6.2",
        batch_td0,
        "gamma * followed[s, s_] * V[s_]",
        "gamma * followed[s, s_] * V[s]",
    ),
    "batch TD that forgets that the end has no value": ("6.2", batch_td0, "if not terminated:", "if S_ >= 0:"),
    "batch TD without the repetition": ("6.2", batch_td0, "range(sweeps)", "range(1)"),
    "batch Monte Carlo with rewards for returns": ("6.2", batch_mc, "rewards[t + 1] + gamma * G", "rewards[t + 1]"),
    "batch Monte Carlo in place of batch TD": ("example-6.4", batch_td0, "if followed[s, s_] > 0.0", "if s_ < 0"),
    "Sarsa on the windy gridworld that ignores the step size": ("example-6.5", sarsa, "alpha * (target", "0.02 * (target"),
    "Sarsa of a king that ignores the step size": ("exercise-6.9", sarsa, "alpha * (target", "0.9 * (target"),
    "Sarsa in the unsteady wind that ignores the step size": ("exercise-6.10", sarsa, "alpha * (target", "0.01 * (target"),
    "Q-learning on the cliff with the target of the action taken": (
        "example-6.6",
        q_learning,
        "np.max(Q[S_])",
        "Q[S_, epsilon_greedy(Q[S_], epsilon, rng)]",
    ),
    "Q-learning that takes the first of equal actions": ("6.5", q_learning, "epsilon_greedy(Q[S], epsilon, rng)", "np.argmax(Q[S])"),
    "Double Q-learning that evaluates by the table that chose": (
        "6.5",
        double_q_learning,
        "Q2[S_, greedy(Q1[S_], rng)]",
        "Q1[S_, greedy(Q1[S_], rng)]",
    ),
    "Double Q-learning that ignores the step size": ("6.5", double_q_learning, "alpha * (target", "0.3 * (target"),
    "Double Expected Sarsa that evaluates by the table that chose": (
        "exercise-6.13",
        double_expected_sarsa,
        "expected_under(Q1[S_], Q2[S_], epsilon)",
        "expected_under(Q1[S_], Q1[S_], epsilon)",
    ),
}


@pytest.mark.parametrize("what", sorted(MUTANTS))
def test_a_mutant_breaks_a_claim(what):
    figure, box, old, new = MUTANTS[what]
    with mutated(box, old, new):
        assert broken_claims(figure), what
