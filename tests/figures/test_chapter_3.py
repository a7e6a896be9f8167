"""Mutants of chapter 3: each mistaken update rule, or model, breaks a claim of its figure."""

from unittest import mock

import numpy as np
import pytest
from harness import broken_claims, mutated

from rlcourse.agents.dynamic_programming.policy_evaluation import policy_evaluation
from rlcourse.agents.dynamic_programming.value_iteration import value_iteration
from rlcourse.envs import golf, gridworld, recycling

EVALUATE, OPTIMIZE = "expected_backup(model, policy, s, V, gamma)", "optimal_backup(model, s, V, gamma)"
MUTANTS = {  # what is wrong: figures, box, text, its replacement
    "the discount is squared in evaluation": (
        ("3.2", "exercise-3.22"),
        policy_evaluation,
        EVALUATE,
        EVALUATE.replace("gamma", "gamma * gamma"),
    ),
    "evaluation ends too early": (("3.2",), policy_evaluation, "< theta", "< 0.5"),
    "evaluation takes the best action": (
        ("3.2",),
        policy_evaluation,
        EVALUATE,
        "max([model.expected(s, a, V, gamma) for a in range(policy.shape[1])])",
    ),
    "the discount is squared in value iteration": (
        ("3.5", "example-3.3"),
        value_iteration,
        OPTIMIZE,
        OPTIMIZE.replace("gamma", "gamma * gamma"),
    ),
    "value iteration has the sign of what follows wrong": (
        ("3.5", "example-3.3"),
        value_iteration,
        OPTIMIZE,
        OPTIMIZE.replace("V, g", "-V, g"),
    ),
    "value iteration takes the first action": (("3.5", "example-3.3"), value_iteration, OPTIMIZE, "model.expected(s, 0, V, gamma)"),
    "value iteration ends too early": (("3.5", "example-3.3"), value_iteration, "< theta", "< 0.5"),
}


@pytest.mark.parametrize("what", sorted(MUTANTS))
def test_a_mutant_breaks_a_claim_of_each_figure(what):
    names, box, old, new = MUTANTS[what]
    with mutated(box, old, new):
        for figure in names:
            assert broken_claims(figure), f"{what}: {figure}"


def test_first_index_ties_break_the_claim_on_all_optimal_actions():
    def first(Q, tolerance=0.0):
        return np.arange(Q.shape[1]) == Q.argmax(axis=1)[:, None]

    with mock.patch("rlcourse.core.exact.optimal_actions", first):
        for figure in ("3.5", "exercise-3.22"):
            assert broken_claims(figure), figure


@pytest.mark.parametrize(
    ("figure", "module", "name", "value"),
    [
        ("3.2", gridworld, "B_", 14),
        ("3.5", gridworld, "A_", 16),
        ("example-3.3", recycling, "RESCUE", -2.0),
        ("3.3", golf, "DRIVE", 24.0),
        ("3.3", golf, "PUTT", 20.0),
    ],
)
def test_a_wrong_constant_of_a_world_breaks_a_claim(figure, module, name, value):
    with mock.patch.object(module, name, value):
        assert broken_claims(figure)
