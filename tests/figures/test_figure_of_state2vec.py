"""Mutants of the figure state2vec: each mistake breaks a claim."""

import pytest
from harness import broken_claims, mutated

from rlcourse.agents.approximation.semi_gradient_sarsa import semi_gradient_sarsa
from rlcourse.core.skip_gram import skip_gram
from rlcourse.core.walks import uniform_walk
from rlcourse.features import state_vectors
from rlcourse.figures import load

NEAR = "and is within 0.03 of proto-value functions, without the goal"
EQUAL = "the successor representation explains as much as proto-value functions, without the goal"
EARLY = "over vectors of next cells Sarsa has half of the best return in half the steps of tables"


@pytest.mark.parametrize(
    ("box", "old", "new"),
    [
        (skip_gram, "w += error", "w += 0.0 * error"),
        (skip_gram, "0.0, step, error)", "1.0, step, error)"),
        (skip_gram, "sentence[n] = tokens[t]", "sentence[n] = tokens[int(rng.random() * T)]"),
        (uniform_walk, "uniform(n, rng)", "0"),
    ],
    ids=["vectors that stay as drawn", "noise that counts as neighbours", "a shuffled walk", "a walk that only goes up"],
)
def test_vectors_that_have_not_learned_who_is_beside_whom_are_noticed(box, old, new):
    with mutated(box, old, new):
        assert NEAR in broken_claims("state2vec")


def test_the_roughest_functions_in_the_place_of_the_smoothest_are_noticed(monkeypatch):
    right = state_vectors.proto_value_functions
    monkeypatch.setattr(load("state2vec"), "proto_value_functions", lambda env, size: right(env, 104)[:, -size:])
    assert EQUAL in broken_claims("state2vec")


def test_sarsa_that_does_not_learn_is_noticed():
    with mutated(semi_gradient_sarsa, "add_action(w, alpha", "add_action(w, 0.0 * alpha"):
        assert EARLY in broken_claims("state2vec")
