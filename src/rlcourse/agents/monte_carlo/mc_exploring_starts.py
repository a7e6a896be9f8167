"""Monte Carlo ES: control with exploring starts (Sec. 5.3).

The problem is control without a model. A greedy policy never tries what it holds to be worse, so its estimates may never be
corrected. Exploring starts are one way out: every episode begins with a state and an action chosen at random, and then follows
the policy, which becomes greedy after each episode in the states that were visited:

    Q(S_t, A_t) <- average of the returns that followed the pair,        pi(S_t) <- argmax_a Q(S_t, a)

A world's state is explicit, so an episode is put into any state of it. A Gymnasium environment has `reset()` only: there the
first action is random and the first state is where `reset()` puts the agent, which explores enough only where that is everywhere
(`start_anywhere=False` asks for the same of a world); otherwise take `MCControl`. A deterministic policy may go round in circles: use a
time limit. Where it strikes, G begins with Q(S, pi(S)).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.tabular import TabularAgent
from rlcourse.core.box import box, is_data
from rlcourse.core.config import Config, Discount
from rlcourse.core.mdp import MDP
from rlcourse.core.policies import epsilon_greedy, greedy
from rlcourse.core.trial import Trial

__all__ = ["MCExploringStarts", "MCExploringStartsConfig", "mc_exploring_starts", "states_of"]


@box
def mc_exploring_starts(world, pi, Q, N, starts, gamma, rng):
    """Monte Carlo ES (Exploring Starts), for estimating pi ~ pi*, the box of Sec. 5.3."""
    episode = [(0, 0, 0.0)]  # (S_t, A_t, R_t+1)
    episode.pop()
    visits = np.zeros(Q.shape, np.int64)  # in this episode up to time t
    while world.more():  # Loop forever (for each episode):
        S = world.reset(rng)  # Choose S_0, A_0 randomly such that all pairs have probability > 0
        if len(starts) > 0:
            S = int(starts[int(rng.random() * len(starts))])
        A = epsilon_greedy(Q[S], 1.0, rng)
        done = terminated = False
        while not done:  # Generate an episode from S_0, A_0, following pi: S_0, A_0, R_1, ..., S_T-1, A_T-1, R_T
            S_, R, terminated, truncated = world.step(S, A, rng)
            episode.append((S, A, R))
            visits[S, A] += 1
            S, A, done = S_, int(pi[S_]), terminated or truncated
        G = 0.0 if terminated else Q[S, A]  # G <- 0, or what the time limit has cut off
        while len(episode) > 0:  # Loop for each step of episode, t = T-1, T-2, ..., 0:
            S, A, R = episode.pop()
            G = gamma * G + R  # G <- gamma G + R_t+1
            visits[S, A] -= 1
            if visits[S, A] == 0:  # Unless the pair S_t, A_t appears in S_0, A_0, ..., S_t-1, A_t-1:
                N[S, A] += 1.0
                Q[S, A] += (G - Q[S, A]) / N[S, A]  # Q(S_t, A_t) <- average(Returns(S_t, A_t))
                pi[S] = greedy(Q[S], rng)  # pi(S_t) <- argmax_a Q(S_t, a)


def states_of(world: Any) -> np.ndarray:
    """Return the states that an episode can be put into; none where states cannot be set or are not what is observed."""
    if not is_data(world) or not isinstance(s := world.reset(np.random.default_rng(0)), int) or world.observe(s) != s:
        return np.zeros(0, np.int64)
    S = int(world.observation_space.n)
    if isinstance(world, MDP):  # not those where the episode is over whatever is done
        return np.flatnonzero(~np.all(world.terminal | (world.probability == 0.0), axis=(1, 2)) | (np.diff(world.start, prepend=0.0) > 0))
    return np.arange(S)


@dataclass(frozen=True)
class MCExploringStartsConfig(Config):
    """Settings of `MCExploringStarts`, named as in the book."""

    gamma: Discount = 1.0  # discount rate
    start_anywhere: bool = True  # begin in any state where the world's state can be set; else where reset() puts the agent


class MCExploringStarts(TabularAgent):
    """Monte Carlo control with exploring starts (Sec. 5.3); `initial` is the policy to begin with.

    Attributes
    ----------
    Q : ndarray of float64, shape [S, A]
        Action values.
    pi : ndarray of int64, shape [S]
        The policy.
    N : ndarray of float64, shape [S, A]
        Returns averaged in each.
    """

    Config = MCExploringStartsConfig
    tables = ("Q", "pi", "N")
    inputs = ("initial",)
    initial: np.ndarray

    def _build(self) -> None:
        super()._build()
        self.N, self.pi = np.zeros(self.Q.shape), np.argmax(self.initial, axis=1)
        self.starts = states_of(self.world) if self.config.start_anywhere else np.zeros(0, np.int64)

    def _run(self, trial: Trial) -> None:
        mc_exploring_starts(trial, self.pi, self.Q, self.N, self.starts, self.config.gamma, self.rng)
