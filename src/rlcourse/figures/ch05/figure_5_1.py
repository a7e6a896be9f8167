"""Figure 5.1: approximate values of sticking on 20 or 21 in blackjack, by Monte Carlo evaluation.

First-visit Monte Carlo prediction of the policy that hits below 20, after 10,000 and after 500,000 games, beside the exact values,
which the book does not show: they follow from the chances of an infinite deck. The pictures are of one run; claims use all of them. An
average of N returns has the variance of one return divided by N, which is known exactly as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.monte_carlo.mc_prediction import mc_prediction
from rlcourse.core import exact
from rlcourse.core.config import Config, Count
from rlcourse.envs import blackjack_game
from rlcourse.envs.blackjack import sticks_from
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, mean, true
from rlcourse.figures.experiment import Lab, checkpoints

__all__ = ["FAST", "Settings", "claims", "draw", "run"]


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 20  # of which the first is drawn
    few: Count = 10_000  # games
    many: Count = 500_000


FAST = {"runs": 8, "many": 100_000}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return estimates and numbers of returns [runs, 2, 200], exact values and variances of a return [200]."""
    game, policy = blackjack_game(), exact.as_policy(sticks_from(20), 200, 2)

    def estimate(rng: np.random.Generator) -> np.ndarray:
        V, N = np.zeros(200), np.zeros(200)

        def learn(trial: Any) -> None:
            mc_prediction(trial, policy, V, N, True, 0.0, 1.0, rng)

        return checkpoints(game, learn, lambda: (V, N), (settings.few, settings.many))

    (found,) = lab.study(lambda _, rng, n: np.array([estimate(rng) for _ in range(n)]), [None], settings.runs, chunk=4)
    v = exact.v_pi(game, policy, 1.0)
    squares = exact.v_pi(game._replace(reward=game.reward * game.reward), policy, 1.0)  # of the return: the only reward is the last
    return {"V": found[:, :, 0], "N": found[:, :, 1], "exact": v, "variance": squares - v * v}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw values over sum and dealer's card: with a usable ace above, without below; few games, many games, exact."""
    figure.set_size_inches(9.6, 6.4)
    panels = [
        (f"after {settings.few:,} games", data["V"][0, 0]), (f"after {settings.many:,} games", data["V"][0, 1]), ("exact", data["exact"])
    ]  # fmt: skip
    for i, usable in enumerate((1, 0)):
        for j, (title, V) in enumerate(panels):
            axes = figure.add_subplot(2, 3, 3 * i + j + 1, projection="3d")
            surface(axes, V[usable::2].reshape(10, 10), f"{'usable ace' if usable else 'no usable ace'}, {title}")


def surface(axes: Any, V: np.ndarray, title: str) -> None:
    """Draw values [10 sums, 10 cards] as the book does."""
    style.surface(axes, np.arange(1, 11), np.arange(12, 22), V, title, ("dealer shows", "player sum", ""))
    axes.set_xticks([1, 4, 7, 10], ["A", "4", "7", "10"])
    axes.set_yticks([12, 15, 18, 21])
    axes.set(zlim=(-1, 1), zticks=[-1, 0, 1])
    axes.view_init(elev=28, azim=-42)
    axes.set_box_aspect((1, 1, 0.62), zoom=0.93)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Example 5.1 says of the figure, and that estimates err as averages do."""
    error = data["V"] - data["exact"]
    off = error * error * data["N"] / data["variance"]  # squared error in units of the variance of an average
    seen = data["N"] > 0
    V = data["V"][:, 1].reshape(-1, 10, 10, 2)
    rms = np.sqrt((error * error).mean(axis=2))
    usable = np.sqrt((error[:, 0, 1::2] ** 2).mean(axis=1)) - np.sqrt((error[:, 0, 0::2] ** 2).mean(axis=1))
    scaled = np.array([each[1][which[1]].mean() for each, which in zip(off, seen, strict=True)])
    return [
        equal("after many games the squared error is the variance of a return over the number of visits", mean(scaled), 1.0),
        true(
            "after many games every state is within six standard errors of its exact value",
            np.sqrt(off[:, 1][seen[:, 1]].max()) < 6,
            f"at most {np.sqrt(off[:, 1][seen[:, 1]].max()):.2f}",
        ),
        true("in many games every state is seen", seen[:, 1].all(), f"{int(data['N'][:, 1].min())} visits at least"),
        less("errors are smaller after many games than after few", mean(rms[:, 1]), mean(rms[:, 0])),
        less("with a usable ace estimates are less certain, because these states are less common", 0.0, mean(usable)),
        less("values jump up at 20, where the policy sticks", 0.5, mean((V[:, 8] - V[:, 7]).mean(axis=(1, 2)))),
        less("values drop where the dealer shows an ace", mean(V[:, 8:, 0].mean(axis=(1, 2))), mean(V[:, 8:, 1].mean(axis=(1, 2)))),
        less(
            "the frontmost values are higher with a usable ace",
            mean(V[:, 0, :, 0].mean(axis=1)),
            mean(V[:, 0, :, 1].mean(axis=1)),
        ),
    ]
