"""Figure 5.3: ordinary and weighted importance sampling estimate the value of one blackjack state.

The dealer shows a deuce, the player has 13 with a usable ace. The target policy sticks on 20 and 21, the behaviour hits or sticks with
equal probability; games begin in that state. Mean squared error over 100 runs against the number of games, on a logarithmic axis. The
book's true value, -0.27726, is itself an estimate from 100 million games; the exact one is -0.277204. The second moment of the scaled
return follows from dynamic programming too, so the error of ordinary importance sampling is known exactly: its variance over n.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.monte_carlo.importance_sampling import importance_sampling
from rlcourse.core import exact
from rlcourse.core.config import Config, Count
from rlcourse.core.mdp import MDP
from rlcourse.envs import blackjack_game, blackjack_state
from rlcourse.envs.blackjack import sticks_from
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, mean, true
from rlcourse.figures.experiment import Lab, checkpoints

__all__ = ["FAST", "Settings", "claims", "draw", "run", "second_moment"]


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 100
    episodes: Count = 10_000
    points: Count = 60  # at which the estimates are read


FAST = {"episodes": 3_000, "points": 30}


def second_moment(model: MDP, policy: np.ndarray, behavior: np.ndarray, sweeps: int = 100) -> np.ndarray:
    """Return E[(rho G)^2] under the behaviour, shape [S], where the only reward is the last one, without discount.

    M(s) = sum_a b(a|s) (pi(a|s) / b(a|s))^2 sum_s',r p(s', r|s, a) (r^2 at the end, else M(s')), swept; it may grow without a bound.
    """
    M = np.zeros(len(policy))
    for _ in range(sweeps):
        after = np.where(model.terminal, model.reward * model.reward, M[model.successor])
        M = (policy * policy / behavior * (model.probability * after).sum(axis=2)).sum(axis=1)
    return M


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return numbers of games [points] and estimates [2, runs, points]: ordinary, weighted; and what is exact."""
    s = blackjack_state(13, 2, usable_ace=True)
    game, policy, behavior = blackjack_game(s), exact.as_policy(sticks_from(20), 200, 2), np.full((200, 2), 0.5)
    games = np.unique(np.geomspace(1, settings.episodes, settings.points).astype(int))

    def estimate(weighted: bool, rng: np.random.Generator) -> np.ndarray:
        V, C = np.zeros(200), np.zeros(200)

        def learn(trial: Any) -> None:
            importance_sampling(trial, policy, behavior, V, C, weighted, True, 1.0, rng)

        return checkpoints(game, learn, lambda: V[s], games)

    def several(weighted: bool, rng: np.random.Generator, n: int) -> np.ndarray:
        return np.array([estimate(weighted, rng) for _ in range(n)])

    v = exact.v_pi(game, policy, 1.0)[s]
    second = second_moment(game, policy, behavior)[s]
    estimates = lab.study(several, [False, True], settings.runs, chunk=25)
    return {"games": games, "estimates": np.array(estimates), "exact": np.array(v), "second_moment": np.array(second)}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the mean squared error against the number of games, and the exact variance over n."""
    axes = style.panel(figure.subplots(), "", "episodes (log scale)", f"mean square error (average over {settings.runs} runs)")
    squared = (data["estimates"] - data["exact"]) ** 2
    for i, name in enumerate(("ordinary importance sampling", "weighted importance sampling")):
        style.curve(axes, data["games"], squared[i], name, ("#4e8c50", "#a43434")[i], interval=i == 0)
    variance = float(data["second_moment"] - data["exact"] ** 2)
    axes.plot(data["games"], variance / data["games"], color=style.GREY, linestyle="--", linewidth=1.2, label=f"exact: {variance:.3f} / n")
    axes.set_xscale("log")
    axes.set(ylim=(-0.1, 5), xlim=(1, settings.episodes))
    axes.legend(frameon=False, loc="upper right")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Example 5.4 says of the figure, and its exact numbers."""
    games, error, v = data["games"], data["estimates"] - data["exact"], float(data["exact"])
    variance = float(data["second_moment"]) - v * v
    ordinary = (games[games >= 10] * error[0][:, games >= 10] ** 2).mean(axis=1)  # of each run, in units of a single game
    early = int(np.searchsorted(games, 10))
    return [
        equal("the exact value is the book's estimate, -0.27726", v, -0.27726, 1e-4),
        equal("the exact second moment of a scaled return is 10.2331", float(data["second_moment"]), 10.2331, 5e-5),
        equal("ordinary importance sampling errs by its variance over the number of games", mean(ordinary), variance),
        equal("ordinary importance sampling is unbiased, in the end", mean(data["estimates"][0, :, -1]), v),
        equal("weighted importance sampling is right in the end", mean(data["estimates"][1, :, -1]), v, 3.0 / settings.episodes),
        less(
            "after ten games the weighted error is below that of ordinary importance sampling, which is known exactly",
            mean((error[1] ** 2)[:, early]),
            variance / float(games[early]),
        ),
        true("weighted estimates never leave the range of the returns", np.abs(data["estimates"][1]).max() <= 1.0),
        true("ordinary estimates do leave it", np.abs(data["estimates"][0]).max() > 1.0, f"up to {np.abs(data['estimates'][0]).max():.1f}"),
        less("the weighted error approaches zero", mean((error[1] ** 2)[:, -1]), 20.0 / settings.episodes),
    ]
