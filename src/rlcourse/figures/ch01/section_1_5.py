"""Section 1.5: an extended example, tic-tac-toe, with Exercises 1.1 to 1.5.

The book tells of a player that learns values of positions and prints no curve and no settings; chosen here are a step size of 0.1,
exploratory moves with probability 0.3, and 100,000 games. Learning is interrupted now and then, and the greedy play of the values learned
so far is judged exactly, by going backwards from all ends of the game. Left: self-play (Exercise 1.1) against the best reply to it. Middle:
the first player against a random opponent, without any exploration too (Exercise 1.3). Right: what the value of the best first move tends
to, with and without learning from exploratory moves (Exercise 1.4). Wins count 1; draws 1/2 in self-play, and 0 against the random
opponent, where a value is the probability of winning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents import AfterstateTD
from rlcourse.core.config import Config, Count, Probability, StepSize
from rlcourse.envs import tic_tac_toe
from rlcourse.envs.tictactoe_exact import greedy, positions, random_policy, solve
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, mean, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

STATES = np.arange(3**9)
LEARNERS = ("no learning from exploration", "learning from exploration", "no exploration")


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 20
    games: Count = 100_000
    alpha: StepSize = 0.1  # step size
    epsilon: Probability = 0.3  # probability of an exploratory move


FAST = {"runs": 10}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return games played [T], probabilities at these times, and exact numbers.

    "beaten" [2, runs, T]: that the best reply beats the greedy play of self-play, as the first and as the second player; "lost" [runs]:
    that an optimal opponent does in the end. "wins" and "value" [3, runs, T]: that the greedy play of each of `LEARNERS` beats a
    random opponent, and what it believes.
    """
    R, best = random_policy(), solve()[2]
    times = np.unique(np.geomspace(10, settings.games, 9).astype(int))

    def self_play(run: int) -> tuple[np.ndarray, float]:
        agent = AfterstateTD(tic_tac_toe("self"), alpha=settings.alpha, epsilon=settings.epsilon, seed=_seed(lab, run))
        plays = list(_plays(agent, times))
        rows = [[solve(play, None)[0][0, 2], solve(None, play)[0][0, 0]] for play in plays]
        return np.transpose(rows), (solve(plays[-1], best)[0][0, 2] + solve(best, plays[-1])[0][0, 0]) / 2

    def against_random(job: tuple[int, int]) -> np.ndarray:
        kind, run = job
        exploration = {"epsilon": 0.0 if kind == 2 else settings.epsilon, "learn_from_exploration": kind == 1}
        agent = AfterstateTD(tic_tac_toe(draw=0.0), alpha=settings.alpha, seed=_seed(lab, run), **exploration)
        rows = [[solve(play, R, 0.0)[0][0, 0], agent.action_values(STATES[:1]).max()] for play in _plays(agent, times)]
        return np.transpose(rows)

    alone = lab.map(self_play, range(settings.runs))
    others = lab.map(against_random, [(kind, run) for kind in range(3) for run in range(settings.runs)])
    curves = np.reshape(others, (3, settings.runs, 2, len(times)))
    return {
        "games": times,
        "beaten": np.array([curve for curve, _ in alone]).swapaxes(0, 1),
        "lost": np.array([share for _, share in alone]),
        "wins": curves[:, :, 0],
        "value": curves[:, :, 1],
        **_exact(settings.epsilon),
    }


def _seed(lab: Lab, run: int) -> int:
    return int(lab.rng(run).integers(2**31))


def _plays(agent: Any, times: np.ndarray) -> Any:
    """Let an agent learn, and yield its greedy policy after each number of games."""
    for games in np.diff(times, prepend=0):
        agent.learn(episodes=int(games))
        yield greedy(agent.action_values(STATES))


def _exact(epsilon: float) -> dict[str, np.ndarray]:
    R = random_policy()
    optimal_reply = solve(None, R, 0.0)[2]
    numbers = {
        "positions": positions(),
        "symmetric": positions(symmetric=True),
        "random": solve(R, R)[0][0],
        "optimal": solve()[0][0],
        "best_first": solve(None, R, 0.0)[0][0, 0],
        "best_second": solve(R, None, 0.0)[0][0, 2],
        "soft_value": solve(None, R, 0.0, epsilon)[1][0].max(),
        "soft_wins": solve(None, R, 0.0, epsilon)[0][0, 0],
        "explored_wins": solve((1 - epsilon) * optimal_reply + epsilon * R, R, 0.0)[0][0, 0],
    }
    return {name: np.asarray(value) for name, value in numbers.items()}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the three panels over the number of games."""
    figure.set_size_inches(11.5, 4.2)
    games, (left, middle, right) = data["games"], figure.subplots(1, 3)
    style.panel(left, "self-play", "games", "probability of losing to the best reply")
    for i, side in enumerate(("first", "second")):
        style.curve(left, games, data["beaten"][i], f"as the {side} player", style.COLORS[i])
    left.set_ylim(-0.03, 1.03)
    style.panel(middle, "against a random opponent", "games", "probability of winning, greedily")
    style.panel(right, "value of the best first move", "games", "")
    for i, name in enumerate(LEARNERS):
        style.curve(middle, games, data["wins"][i], name, style.COLORS[i])
        if i < 2:
            style.curve(right, games, data["value"][i], name, style.COLORS[i])
    style.reference(middle, float(data["best_first"]), "best reply, exact")
    style.reference(right, float(data["best_first"]), "greedy play, exact", side="left")
    style.reference(right, float(data["soft_value"]), "exploring play, exact", side="left", above=False)
    middle.set_ylim(0.8, 1.01)
    right.set_ylim(0.4, 1.05)
    for axes, place in ((left, "lower left"), (middle, "lower right"), (right, "lower right")):
        axes.set_xscale("log")
        axes.set_xlim(games[0], games[-1])
        axes.legend(frameon=False, fontsize=8, loc=place)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Section 1.5 and its exercises say, and the exact numbers."""
    beaten, wins, value = (data[name][..., -1] for name in ("beaten", "wins", "value"))
    best, soft = float(data["best_first"]), float(data["soft_value"])
    shares = np.round(data["random"], 4).tolist()
    return [
        true("there are 5,478 positions", data["positions"] == 5478, str(data["positions"])),
        true("765 of them are not alike (Exercise 1.2)", data["symmetric"] == 765, str(data["symmetric"])),
        true("of two random players the first wins 58.49 %, 12.70 % are draws", shares == [0.5849, 0.1270, 0.2881], str(shares)),
        true("two optimal players draw", np.allclose(data["optimal"], [0.0, 1.0, 0.0]), str(np.round(data["optimal"], 6))),
        equal("against a random opponent the first player can win 99.479 %", best, 0.99479, 5e-6),
        equal("and the second player 93.862 %", float(data["best_second"]), 0.93862, 5e-6),
        less("at first self-play can be beaten (Exercise 1.1)", 0.5, mean(data["beaten"][..., 0].mean(axis=0))),
        equal("in the end no opponent beats it as the first player", mean(beaten[0]), 0.0, 0.02),
        equal("nor as the second player", mean(beaten[1]), 0.0, 0.1),
        equal("an optimal opponent draws with it", mean(data["lost"]), 0.0, 0.02),
        equal("against a random opponent nearly the best play is found", mean(wins[0]), best, 0.012),
        less("who never explores gets stuck with worse play (Exercise 1.3)", mean(wins[2]), mean(wins[0])),
        equal("without learning from exploration, values tend to those of greedy play (Exercise 1.4)", mean(value[0]), best, 0.012),
        equal("with it, to those of play with exploration", mean(value[1]), soft, 0.012),
        less(
            "while one explores, the play best with exploration wins more, exactly", float(data["explored_wins"]), float(data["soft_wins"])
        ),
    ]
