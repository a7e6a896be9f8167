"""Example 12.1: traces in a gridworld: one episode of Sarsa, 10-step Sarsa and Sarsa(lambda).

The path, the grid and the settings are those of figure 7.4: all values begin at zero, the goal gives the only reward, and the first,
wandering episode reaches it. One-step Sarsa strengthens the last action, 10-step Sarsa the last ten, and Sarsa(lambda) all of them, fading
with their distance from the goal: by gamma lambda with each step back, alpha times the accumulated trace exactly. Arrows shrink with the
root of their strength. The text says lambda = 0.9 in its last panel; alpha = 0.5 and gamma = 0.9 are not the book's, which prints none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.traces.sarsa_lambda import sarsa_lambda
from rlcourse.core.config import Config, Discount, Probability, StepSize
from rlcourse.core.recorder import Recorder
from rlcourse.core.traces import KINDS
from rlcourse.core.trial import Trial
from rlcourse.envs import open_grid
from rlcourse.features import OneHot
from rlcourse.figures.ch07.figure_7_4 import BACK, GOAL, LONGEST, SHAPE, draw_grids, first_episode, first_of_its_kind
from rlcourse.figures.claims import Claim, equal, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    alpha: StepSize = 0.5
    gamma: Discount = 0.9
    lam: Probability = 0.9


FAST: dict[str, Any] = {}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return the path [T + 1] of states, its actions [T], and the action values [S, A] that the three methods learn from it."""
    attempt = first_of_its_kind(settings.alpha, settings.gamma, lab)
    states, actions, one = first_episode(1, settings.alpha, settings.gamma, lab.rng(attempt))
    recorder, w = Recorder.of(open_grid(), LONGEST), np.zeros((4, SHAPE[0] * SHAPE[1]))
    trial, kind = Trial.of(recorder, episodes=1, limit=LONGEST, capacity=1), KINDS.index("accumulating")
    features = OneHot(w.shape[1])  # interpreted: these few steps take less time than compiling
    sarsa_lambda.python(trial, features, w, settings.alpha, settings.gamma, settings.lam, 0.0, kind, lab.rng(attempt))
    return {
        "states": states,
        "actions": actions,
        "path": np.append(recorder.transitions()[:, 0], recorder.transitions()[-1, 3]).astype(int),
        "one": one,
        "ten": first_episode(BACK, settings.alpha, settings.gamma, lab.rng(attempt))[2],
        "all": np.ascontiguousarray(w.T),
    }


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the path and the strengthened actions as arrows in four grids, as the book does."""
    figure.set_size_inches(11.5, 3.2)
    titles = ("Path taken", "Action values increased\nby one-step Sarsa", f"by {BACK}-step Sarsa", f"by Sarsa(λ) with λ = {settings.lam:g}")
    tables = (None, data["one"], data["ten"], data["all"])
    strongest = [1.0 if Q is None else float(Q.max()) for Q in tables]
    draw_grids(figure.subplots(1, 4), titles, tables, data["states"], strongest)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what the example says: one action, ten, and all of them; and by how much."""
    pairs = list(zip(data["states"][:-1].tolist(), data["actions"].tolist(), strict=True))
    one, ten, every = ({(int(s), int(a)) for s, a in np.argwhere(data[key] != 0.0)} for key in ("one", "ten", "all"))
    expected = np.zeros_like(data["all"])
    for back, (s, a) in enumerate(reversed(pairs)):
        expected[s, a] += settings.alpha * (settings.gamma * settings.lam) ** back
    early = [pair for pair in pairs[:-BACK] if pair not in pairs[-BACK:]]
    return [
        true("all methods take the same first path", np.array_equal(data["path"], data["states"])),
        true("the path ends in the goal", data["states"][-1] == GOAL),
        true("one-step Sarsa strengthens the last action only", one == {pairs[-1]}, f"{len(one)} pair"),
        true("10-step Sarsa strengthens exactly the last 10 pairs", ten == set(pairs[-BACK:]), f"{len(ten)} pairs"),
        true("Sarsa(lambda) strengthens every pair of the path and no other", every == set(pairs), f"{len(every)} pairs"),
        true("those before the last 10, too", bool(early) and all(data["all"][pair] > 0.0 for pair in early), f"{len(early)} of them"),
        equal(
            "each by alpha times its trace, which fades by gamma lambda a step",
            float(np.abs(data["all"] - expected).max()),
            0.0,
            1e-12,
        ),
    ]
