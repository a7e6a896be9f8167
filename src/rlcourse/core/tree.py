"""Search trees (Sec. 8.11) as arrays: one row per node, children as linked lists, the root always in row 0."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rlcourse.core.box import kernel

__all__ = ["Tree", "add", "child_of", "is_full", "move_root", "new_tree", "plant", "uct"]


class Tree(NamedTuple):
    """Nodes of a search tree; a node is a state, reached from a parent's state by an action.

    Attributes
    ----------
    size : ndarray of int64, shape [1]
        How many rows are in use.
    state, parent, action, sibling : ndarray of int64, shape [nodes]
        The state; the node and the action that lead to it; the next node below the same pair, or -1.
    reward : ndarray of float64, shape [nodes]
        The last reward on the way into the node.
    child : ndarray of int64, shape [nodes, A]
        The first node below a pair, or -1; a child's row is always larger than its parent's.
    N, Q : ndarray, shape [nodes, A]
        Visits and mean returns.
    """

    size: np.ndarray
    state: np.ndarray
    parent: np.ndarray
    action: np.ndarray
    sibling: np.ndarray
    reward: np.ndarray
    child: np.ndarray
    N: np.ndarray
    Q: np.ndarray


@kernel
def new_tree(nodes, actions):
    """Return a tree with room for some nodes."""
    return Tree(
        np.zeros(1, dtype=np.int64),
        np.zeros(nodes, dtype=np.int64),
        np.zeros(nodes, dtype=np.int64),
        np.zeros(nodes, dtype=np.int64),
        np.zeros(nodes, dtype=np.int64),
        np.zeros(nodes),
        np.zeros((nodes, actions), dtype=np.int64),
        np.zeros((nodes, actions), dtype=np.int64),
        np.zeros((nodes, actions)),
    )


@kernel
def plant(tree, S):
    """Forget everything; the root is S."""
    tree.size[0] = 0
    _new_node(tree, S, -1, -1, -1)


@kernel
def _new_node(tree, S, parent, action, sibling):
    node = tree.size[0]
    tree.size[0] = node + 1
    tree.state[node] = S
    tree.parent[node] = parent
    tree.action[node] = action
    tree.sibling[node] = sibling
    tree.child[node] = -1
    tree.N[node] = 0
    tree.Q[node] = 0.0
    return node


@kernel
def is_full(tree):
    """Whether there is no room for another node."""
    return tree.size[0] == len(tree.state)


@kernel
def child_of(tree, node, A, S_):
    """Return the node of the state S_ below (node, A), or -1."""
    found = tree.child[node, A]
    while found >= 0 and tree.state[found] != S_:
        found = tree.sibling[found]
    return found


@kernel
def add(tree, node, A, S_):
    """Put a node for the state S_ below (node, A)."""
    tree.child[node, A] = _new_node(tree, S_, node, A, tree.child[node, A])


@kernel
def move_root(tree, root):
    """Keep a node and what is below it, as the new root; a node's new row is never larger than its old one."""
    new = np.full(tree.size[0], -1)  # rows of the nodes that stay
    kept = 0
    for node in range(root, tree.size[0]):
        if node == root or (tree.parent[node] >= root and new[tree.parent[node]] >= 0):
            new[node] = kept
            kept += 1
    for node in range(root, tree.size[0]):
        to = new[node]
        if to >= 0:
            tree.state[to], tree.action[to], tree.reward[to] = tree.state[node], tree.action[node], tree.reward[node]
            tree.parent[to] = -1 if node == root else new[tree.parent[node]]
            tree.sibling[to] = -1 if node == root or tree.sibling[node] < 0 else new[tree.sibling[node]]
            for a in range(tree.N.shape[1]):
                tree.child[to, a] = -1 if tree.child[node, a] < 0 else new[tree.child[node, a]]
                tree.N[to, a], tree.Q[to, a] = tree.N[node, a], tree.Q[node, a]
    tree.size[0] = kept


@kernel
def uct(Q, N, c, rng):
    """Return the action with the largest upper confidence bound; untried ones first, ties broken randomly."""
    log_visits = math.log(max(np.sum(N), 1))
    best, action, ties = -math.inf, 0, 0
    for a in range(len(Q)):
        bound = Q[a] + c * math.sqrt(log_visits / N[a]) if N[a] > 0 else math.inf
        if bound > best:
            best, action, ties = bound, a, 1
        elif bound == best:
            ties += 1
            if rng.random() * ties < 1.0:
                action = a
    return action
