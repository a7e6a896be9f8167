"""Figure 5.2: the optimal policy and value function of blackjack, found by Monte Carlo ES.

Exploring starts draw the cards of dealer and player, the ace and the first action with equal probabilities; the initial policy sticks
on 20 and 21 only, and action values begin at 0. How many games the book played is not printed. The exact solution is drawn over what
was found: where a choice is close, a finite number of games may choose wrongly (hitting or sticking on 12 against a 4 differ by 0.0025).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.monte_carlo.mc_exploring_starts import mc_exploring_starts
from rlcourse.core import exact
from rlcourse.core.config import Config, Count
from rlcourse.envs import blackjack_game
from rlcourse.envs.blackjack import sticks_from
from rlcourse.figures import style
from rlcourse.figures.ch05.figure_5_1 import surface
from rlcourse.figures.claims import Claim, equal, less, mean, true
from rlcourse.figures.experiment import Lab, checkpoints

__all__ = ["FAST", "PRINTED", "Settings", "claims", "draw", "run"]

PRINTED = {1: (19, 18, 18, 18, 18, 18, 18, 18, 19, 19), 0: (17, 13, 13, 12, 12, 12, 17, 17, 17, 17)}  # sticks from; dealer A, 2, ... 10


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 4  # of which the first is drawn
    episodes: Count = 5_000_000


FAST = {"episodes": 300_000}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return policies [runs, 200], action values [runs, 200, 2], their exact returns [runs], and the exact solution."""
    game = blackjack_game()
    q, starts = exact.q_star(game, 1.0), np.arange(200)

    def one(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        Q, N, pi = np.zeros((200, 2)), np.zeros((200, 2)), sticks_from(20)

        def learn(trial: Any) -> None:
            mc_exploring_starts(trial, pi, Q, N, starts, 1.0, rng)

        checkpoints(game, learn, lambda: 0, (settings.episodes,))
        return pi, Q

    def several(_: Any, rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        found = [one(rng) for _ in range(n)]
        return np.array([pi for pi, _ in found]), np.array([Q for _, Q in found])

    ((pi, Q),) = lab.study(several, [None], settings.runs, chunk=1)
    return {
        "pi": pi,
        "Q": Q,
        "q_star": q,
        "returns": np.array([exact.exact_return(game, each) for each in pi]),
        "best": np.array(exact.exact_return(game, exact.greedy_policy(q))),
    }


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw policies on the left and values on the right, with a usable ace above."""
    figure.set_size_inches(8.6, 7.0)
    right = data["q_star"].argmax(axis=1)
    for i, usable in enumerate((1, 0)):
        axes = figure.add_subplot(2, 2, 2 * i + 1)
        _draw_policy(axes, data["pi"][0, usable::2].reshape(10, 10), right[usable::2].reshape(10, 10), usable)
        surface(
            figure.add_subplot(2, 2, 2 * i + 2, projection="3d"),
            data["Q"][0, usable::2].max(axis=1).reshape(10, 10),
            f"v, {'usable ace' if usable else 'no usable ace'}",
        )


def _draw_policy(axes: Any, pi: np.ndarray, right: np.ndarray, usable: int) -> None:
    style.panel(axes, f"π, {'usable ace' if usable else 'no usable ace'}", "dealer showing", "player sum")
    axes.grid(False)
    from matplotlib.colors import ListedColormap

    axes.imshow(
        pi, origin="lower", extent=(0.5, 10.5, 11.5, 21.5), cmap=ListedColormap(["#faf9f5", "#f1dcb8"]), aspect="equal", vmin=0, vmax=1
    )
    edge = np.array([12 + int(np.argmin(column)) for column in right.T]) - 0.5  # where sticking begins
    axes.stairs(edge, np.arange(0.5, 11), baseline=None, color=style.INK, linewidth=1.8)
    for total, card in np.argwhere(pi != right):
        axes.plot(card + 1, total + 12, "x", color=style.COLORS[3], markersize=7)
    axes.text(5.5, 20, "STICK", ha="center", va="center", fontsize=10, color=style.INK)
    axes.text(8.6 if not usable else 5.5, 14, "HIT", ha="center", va="center", fontsize=10, color=style.INK)
    axes.set_xticks(range(1, 11), ["A", *map(str, range(2, 11))])
    axes.set_yticks(range(12, 22))
    axes.set_xlabel("dealer showing   (line: exact; ×: found otherwise)")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Example 5.3 says of the figure, against the exact solution."""
    q, pi = data["q_star"], data["pi"]
    right, margin = q.argmax(axis=1), np.abs(q[:, 0] - q[:, 1])
    lost = np.where(pi != right, margin, 0.0).max(axis=1)
    noise = np.sqrt(400 / settings.episodes)  # standard error of a pair's average is at most this: each starts 1 in 400 games
    error = data["Q"] - q
    printed = np.array([PRINTED[s % 2][s // 2 % 10] for s in range(200)]) <= np.arange(200) // 20 + 12
    return [
        true("the exact solution is the printed policy", np.array_equal(right == 0, printed)),
        true(
            "the policy found is wrong only where both actions are nearly equal",
            lost.max() < 4 * noise,
            f"loses {lost.max():.4f} in a state at most, allowed {4 * noise:.4f}",
        ),
        equal("what the policy found earns is the optimum", mean(data["returns"]), float(data["best"]), 0.1 * noise),
        true("no policy earns more than the optimum", data["returns"].max() <= data["best"] + 1e-12),
        less("it earns more than sticking on 20 and 21 does, -0.354", -0.3535540177, mean(data["returns"])),
        true(
            "the action values are q*, within the noise of a finite number of games",
            np.sqrt((error * error).mean()) < 1.2 * noise,
            f"{np.sqrt((error * error).mean()):.4f} on average, allowed {1.2 * noise:.4f}",
        ),
    ]
