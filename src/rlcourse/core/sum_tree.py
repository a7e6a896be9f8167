"""A sum tree: sampling in proportion to priorities, and changing one, in logarithmic time (Schaul et al. 2016, Appendix B.2.1).

The tree is one array of 2 L numbers, L a power of two: leaf i is ``tree[L + i]``, the parent of node k is node k // 2 and holds the sum
of its two children, node 1 the sum of all.
"""

from __future__ import annotations

import numpy as np

from rlcourse.core.box import box

__all__ = ["new_tree", "tree_find", "tree_set"]


def new_tree(leaves: int) -> np.ndarray:
    """Return a tree of zeros with at least this many leaves, shape [2 L]."""
    return np.zeros(2 << max(0, leaves - 1).bit_length())


@box
def tree_set(tree, slots, priorities):
    """Set the priorities of leaves, both shape [B], one after the other; the sums above them follow."""
    L = len(tree) // 2
    for b in range(len(slots)):
        k = L + slots[b]
        tree[k] = priorities[b]
        while k > 1:
            k //= 2
            tree[k] = tree[2 * k] + tree[2 * k + 1]


@box
def tree_find(tree, masses, slots):
    """Write into slots, shape [B], the leaves at which the running sum of priorities first exceeds the masses, shape [B].

    A leaf without priority is never found, whatever rounding does, as long as one has some.
    """
    L = len(tree) // 2
    for b in range(len(masses)):
        mass = masses[b]
        k = 1
        while k < L:
            k *= 2
            if mass >= tree[k] and tree[k + 1] > 0.0:
                mass -= tree[k]
                k += 1
        slots[b] = k - L
