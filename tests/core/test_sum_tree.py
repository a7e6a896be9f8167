"""The sum tree against a running sum, at its edges too."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlcourse.core.sum_tree import new_tree, tree_find, tree_set

WEIGHTS = st.lists(st.sampled_from([0.0, 0.0, 0.25, 1.0, 3.0]), min_size=1, max_size=20).filter(any)  # their sums are exact


def found(tree: np.ndarray, masses: np.ndarray) -> list[int]:
    slots = np.empty(len(masses), np.int64)
    tree_find.python(tree, masses, slots)
    return slots.tolist()


@settings(max_examples=60, deadline=None)
@given(WEIGHTS)
def test_a_leaf_is_found_where_the_running_sum_first_exceeds_the_mass_and_one_without_priority_never(priorities):
    tree = new_tree(len(priorities))
    tree_set.python(tree, np.arange(len(priorities)), np.array(priorities))
    sums = np.cumsum(priorities)
    assert tree[1] == sums[-1]
    inside = np.arange(0.0, sums[-1], 0.125)  # edges between leaves among them
    assert found(tree, inside) == np.searchsorted(sums, inside, side="right").tolist()
    beyond = found(tree, sums[-1] + np.array([0.0, 1e-9, 5.0]))  # rounding may draw the whole sum
    assert all(slot < len(priorities) and priorities[slot] > 0.0 for slot in beyond)


def test_changing_a_leaf_changes_all_sums_above_it():
    tree, rng = new_tree(13), np.random.default_rng(0)
    for _ in range(50):
        slots = rng.integers(13, size=4)
        tree_set.python(tree, slots, rng.random(4))
        leaves = tree[len(tree) // 2 :]
        assert tree[1] == pytest.approx(leaves.sum())
        for k in range(1, len(tree) // 2):
            assert tree[k] == tree[2 * k] + tree[2 * k + 1]
