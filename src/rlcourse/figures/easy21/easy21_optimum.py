"""Easy21: the optimum, exactly: values and policy by dynamic programming.

The assignment asks learners for V*; but the game has only 210 states, and its dealer's turn is a small linear system, so that the
optimum is exact and everything else can be measured against it. The policy sticks on high sums as in blackjack, and on low ones too: red
cards make a sum below 1 possible, so a small sum is better left to a dealer that may bust. Between them lies the island of
hitting, wider where the dealer's first card is high.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents import ValueIteration
from rlcourse.core import exact
from rlcourse.core.config import Config
from rlcourse.envs import easy21_game
from rlcourse.envs.easy21 import dealer_results
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

STICK, HIT = 0, 1


@dataclass(frozen=True)
class Settings(Config):
    """There is nothing to choose: all is exact."""


FAST: dict[str, Any] = {}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return q* [10, 21, 2] by dealer's card, player's sum and action, and returns from the start."""
    world = easy21_game()
    Q = exact.q_star(world, 1.0)
    agent = ValueIteration(world, theta=1e-12).learn()
    hit_below_17 = (np.arange(210) % 21 + 1 < 17).astype(int)
    return {
        "Q": Q.reshape(10, 21, 2),
        "value_iteration": agent.V.reshape(10, 21),
        "optimum": np.array(exact.exact_return(world, exact.greedy_policy(Q))),
        "random": np.array(exact.exact_return(world, np.full((210, 2), 0.5))),
        "as_dealer": np.array(exact.exact_return(world, hit_below_17)),
    }


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw V* as a surface, and the optimal policy."""
    figure.set_size_inches(9.4, 4.3)
    left, right = figure.add_gridspec(1, 2, width_ratios=(1, 1.25))
    V = data["Q"].max(axis=2)  # [dealer, player]
    axes = figure.add_subplot(left, projection="3d")
    labels = ("player's sum", "dealer's first card", "V*")
    style.surface(axes, np.arange(1, 22), np.arange(1, 11), V, "", labels)
    axes.view_init(28, -122)
    axes.set_xticks((1, 6, 11, 16, 21))
    axes.set_yticks((1, 4, 7, 10))
    axes.set_box_aspect(None, zoom=0.88)
    axes.set_title("V*", loc="left", fontsize=10.5, fontweight="bold", color=style.INK)
    policy(figure.add_subplot(right), data["Q"], f"best action: expected return {float(data['optimum']):.5f}")


def policy(axes: Any, Q: np.ndarray, title: str) -> None:
    """Draw where the greedy policy of Q [10, 21, 2] hits; player's sum to the right, dealer's card upwards."""
    hits = Q[:, :, HIT] > Q[:, :, STICK]
    axes.pcolormesh(np.arange(0.5, 22), np.arange(0.5, 11), hits, cmap=style._warm(), edgecolors="white", linewidth=0.6, vmin=0, vmax=1)
    style.panel(axes, title, "player's sum", "dealer's first card")
    axes.set_xticks(range(1, 22, 2))
    axes.set_yticks(range(1, 11))
    axes.grid(visible=False)
    for x, y, word in ((19.0, 8.0, "stick"), (3.0, 8.0, "stick"), (11.0, 8.0, "hit")):
        axes.text(x, y, word, ha="center", va="center", fontsize=9, color=style.INK)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what is known of the optimum."""
    Q, V = data["Q"], data["Q"].max(axis=2)
    hits = Q[:, :, HIT] > Q[:, :, STICK]
    islands = [np.flatnonzero(row) for row in hits]
    no_21 = 1.0 - dealer_results()[1:, 21]
    bellman = np.abs(exact.action_values(easy21_game(), V.ravel(), 1.0).max(axis=1) - V.ravel()).max()
    return [
        equal("the optimum is worth 0.06308 from the start", float(data["optimum"]), 0.06308, 5e-6),
        equal("Q = 0 is off by an MSE of 0.09961, the mean over 420 pairs", np.mean(Q**2), 0.09961, 5e-6),
        equal("V* solves the Bellman optimality equation", bellman, 0.0, 1e-10),
        equal("the agent of value iteration finds the same values", np.abs(data["value_iteration"] - V).max(), 0.0, 1e-9),
        equal("21 never loses: its value is the chance that the dealer has no 21", np.abs(Q[:, 20, STICK] - no_21).max(), 0.0, 1e-12),
        true("the best policy sticks on 17 and more, whatever the dealer shows", not hits[:, 16:].any()),
        true("it sticks on 6 and less too", not hits[:, :6].any()),
        true("it hits on 10, 11 and 12, which cannot lose by one card", hits[:, 9:12].all()),
        true("where it hits is one interval of sums", all(np.all(np.diff(island) == 1) for island in islands)),
        true("the interval widens as the dealer's card rises", np.all(np.diff([len(island) for island in islands]) >= 0)),
        true("a better card of the dealer is worse from every first card", np.all(np.diff(V[:, :10], axis=0) < 0)),
        true(
            "playing at random, or as the dealer does, loses on average",
            data["random"] < 0.0 and data["as_dealer"] < data["optimum"],
            f"{float(data['random']):.4f} and {float(data['as_dealer']):.4f}",
        ),
    ]
