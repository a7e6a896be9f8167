"""TD(0) on afterstates: learn to play a game from the positions that one's moves make (Sec. 1.5 and 6.8).

A value of a position *after* one's own move serves all moves that lead there, from whatever position. The player looks one move
ahead, takes the move to the afterstate of greatest value, or now and then a random one, and backs up from each to the next:

    V(S_t) <- V(S_t) + alpha [V(S_{t+1}) - V(S_t)]

After an exploratory move nothing is backed up, so V tends to the values of greedy play; with `learn_from_exploration` it tends to those
of play with exploration (Exercise 1.4). Where sides alternate (self-play, Exercise 1.1), both learn in one table. An afterstate that ends
the game has its value from the beginning; one after which the other side ends it tends to what was earned. The last of a game that a
time limit cuts keeps its value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from rlcourse.agents.tabular import TabularAgent
from rlcourse.core.box import box, kernel
from rlcourse.core.config import Config, Probability, StepSize
from rlcourse.core.trial import Trial

__all__ = ["AfterstateTD", "AfterstateTDConfig", "afterstate_td", "afterstate_values", "choose"]


@kernel
def choose(game, V, state, exploring, rng):
    """Return the legal move to the greatest afterstate, or any legal one; ties break uniformly."""
    best = -math.inf
    move = 0
    ties = 0
    for a in range(game.moves()):
        after = game.afterstate(state, a)
        if after >= 0:
            value = 0.0 if exploring else V[after]
            if value > best:
                best = value
                move = a
                ties = 1
            elif value == best:
                ties += 1
                if rng.random() * ties < 1.0:
                    move = a
    return move


@box
def afterstate_td(world, game, V, alpha, epsilon, learn_from_exploration, rng):
    """TD(0) on afterstates, as told in Sec. 1.5."""
    while world.more():  # Loop for each game:
        S = world.reset(rng)
        mine, theirs = -1, -1  # the latest afterstates of the side to move and of the other one
        done = False
        while not done:  # Loop for each move:
            exploring = rng.random() < epsilon
            A = choose(game, V, S, exploring, rng)
            after = game.afterstate(S, A)
            if mine >= 0 and (learn_from_exploration or not exploring):
                V[mine] += alpha * (V[after] - V[mine])  # V(S_t) <- V(S_t) + alpha [V(S_{t+1}) - V(S_t)]
            S, R, terminated, truncated = world.step(S, A, rng)
            mine = after
            if terminated:
                V[mine] += alpha * (R - V[mine])
                if theirs >= 0:
                    V[theirs] += alpha * (game.rival(R) - V[theirs])
            if game.alternates():
                mine, theirs = theirs, mine
            done = terminated or truncated


@box
def afterstate_values(game, V, states, Q):
    """Write the value of each move's afterstate in each of `states` into Q [states, moves]; -inf for an illegal move."""
    for i in range(len(states)):
        for a in range(game.moves()):
            after = game.afterstate(states[i], a)
            Q[i, a] = V[after] if after >= 0 else -math.inf


@dataclass(frozen=True)
class AfterstateTDConfig(Config):
    """Settings of `AfterstateTD`."""

    alpha: StepSize = 0.1  # step size
    epsilon: Probability = 0.1  # probability of an exploratory move
    initial: float = 0.5  # value of an afterstate in which the game goes on
    learn_from_exploration: bool = False  # whether exploratory moves are backed up from too


class AfterstateTD(TabularAgent):
    """TD(0) on afterstates (Sec. 1.5) for a game: a world whose integers are states and afterstates (as `rlcourse.envs.tictactoe`).

    It has `moves()`, their number; `afterstate(state, move)`, -1 for an illegal one; `outcome(afterstate)`, what it earns where it ends
    the game, else nan; `alternates()`, whether the next step is the other side's; and `rival(reward)`, what that side earns at the end.
    The agent's V [S] holds the values of afterstates.
    """

    Config = AfterstateTDConfig
    tables = ("V",)

    def _build(self) -> None:
        super()._build()
        self.game = game = cast("Any", self.world)
        if not all(hasattr(game, name) for name in ("moves", "afterstate", "outcome", "alternates", "rival")):
            raise ValueError(
                "AfterstateTD needs a game with afterstates: this environment has none; take rlcourse/TicTacToe-v0 or QLearning"
            )
        outcomes = np.array([game.outcome(after) for after in range(len(self.V))])
        self.V = np.where(np.isnan(outcomes), float(self.config.initial), outcomes)

    def _run(self, trial: Trial) -> None:
        c = self.config
        afterstate_td(trial, self.game, self.V, c.alpha, c.epsilon, c.learn_from_exploration, self.rng)

    def action_values(self, states: np.ndarray) -> np.ndarray:
        """Return the values of the afterstates of all moves, shape [n, A]; -inf where a move is illegal."""
        Q = np.empty((len(states), self.Q.shape[1]))
        afterstate_values(self.game, self.V, np.asarray(states), Q)
        return Q
