"""Monte Carlo tree search: rollouts that remember where they did well (Sec. 8.11).

Like rollout it plans at decision time with a sample model, but a tree grows from the present state along the trajectories that went
well, and within it the choices improve from one simulation to the next. Each of n simulations has four parts: *selection* down
the tree by upper confidence bounds (UCT; untried actions first),

    A <- argmax_a [Q(s, a) + c sqrt(ln N(s) / N(s, a))]        (after 2.10)

*expansion* by one node, *simulation* with random actions to the end or the depth limit, and *backup* of the return to all pairs on the
way. With ever more simulations the root's values approach q*, not q_base. Returns should be of the order of c. A subtree may be kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.tabular import TabularAgent
from rlcourse.core.box import box, kernel
from rlcourse.core.config import Config, Count, Discount, NonNegative
from rlcourse.core.policies import greedy, uniform
from rlcourse.core.tree import add, child_of, is_full, move_root, new_tree, plant, uct
from rlcourse.core.trial import Trial
from rlcourse.core.work import spend

__all__ = ["MCTS", "MCTSConfig", "mcts", "search_values"]

ROOM = 8  # a kept tree may have this many times n nodes; a full one grows no further


@kernel
def _search(model, tree, n, c, depth, gamma, rng):
    """Grow the tree by n simulations from its root."""
    for _ in range(n):
        node, steps, inside = 0, 0, True
        while inside:  # Selection: down the tree
            A = uct(tree.Q[node], tree.N[node], c, rng)
            S_, R, terminated, truncated = model.step(tree.state[node], A, rng)
            steps += 1
            child = child_of(tree, node, A, S_)
            inside = child >= 0 and not (terminated or truncated or steps >= depth)
            if inside:
                node, tree.reward[child] = child, R
        G, discount, done = 0.0, 1.0, terminated or truncated or steps >= depth
        if not done and not is_full(tree):  # Expansion: one node
            add(tree, node, A, S_)
        while not done:  # Simulation: random actions
            S_, R_, terminated, truncated = model.step(S_, uniform(tree.N.shape[1], rng), rng)
            G += discount * R_
            discount, steps = discount * gamma, steps + 1
            done = terminated or truncated or steps >= depth
        while node >= 0:  # Backup: the return, to every pair on the way
            G = R + gamma * G
            tree.N[node, A] += 1
            tree.Q[node, A] += (G - tree.Q[node, A]) / tree.N[node, A]
            node, A, R = tree.parent[node], tree.action[node], tree.reward[node]


@box
def mcts(world, model, Q, n, c, depth, keep, gamma, rng):
    """Monte Carlo tree search; Q keeps the last values at the root of each state, to be looked at."""
    tree = new_tree(ROOM * n + 1, Q.shape[1])
    while world.more():  # Loop for each episode:
        S = world.reset(rng)
        plant(tree, S)
        done = False
        while not done:  # Loop for each decision:
            _search(model, tree, n, c, depth, gamma, rng)
            Q[S] = tree.Q[0]
            A = greedy(Q[S], rng)  # A <- argmax_a of the values at the root
            S, _, terminated, truncated = world.step(S, A, rng)  # Take action A
            if keep and child_of(tree, 0, A, S) >= 0:  # what was found below is of use again
                move_root(tree, child_of(tree, 0, A, S))
            else:
                plant(tree, S)
            done = terminated or truncated


@box
def search_values(model, S, Q, n, c, depth, gamma, rng):
    """Write into Q[S] what `mcts` would find there with a new tree."""
    tree = new_tree(n + 1, Q.shape[1])
    plant(tree, S)
    _search(model, tree, n, c, depth, gamma, rng)
    Q[S] = tree.Q[0]


@dataclass(frozen=True)
class MCTSConfig(Config):
    """Settings of `MCTS`."""

    n: Count = 200  # simulations per decision
    c: NonNegative = 1.0  # exploration, in units of the return
    depth: Count = 100  # steps after which a simulation is cut off
    keep: bool = True  # whether the tree below the action taken is kept for the next decision
    gamma: Discount = 1.0  # discount rate


class MCTS(TabularAgent):
    """Monte Carlo tree search (UCT) on any world that can be stepped from every state (Sec. 8.11).

    It learns nothing: `learn` acts, planning before each step, and keeps the values at the root in `Q`; a tree outlives no episode.
    `predict` plans too, from a new tree, with a generator made from seed and state: a decision depends on nothing else.
    """

    Config = MCTSConfig

    def _build(self) -> None:
        super()._build()
        self.model = self._sample_model()
        if self.config.n < self.Q.shape[1]:
            raise ValueError(f"n must be at least {self.Q.shape[1]}, the number of actions: each is tried once; it is {self.config.n}")

    def _run(self, trial: Trial) -> None:
        c = self.config
        mcts(trial, self.model, self.Q, c.n, c.c, c.depth, c.keep, c.gamma, self.rng)

    def action_values(self, states: np.ndarray) -> np.ndarray:
        """Plan in each state; return the values at the root, shape [n, A]."""
        c, Q = self.config, np.zeros_like(self.Q)
        spend(30 * c.n * c.depth * len(states))
        for s in states:
            search_values(self.model, int(s), Q, c.n, c.c, c.depth, c.gamma, np.random.default_rng([self.seed, int(s)]))
        return Q[states]
