"""Section 13.7: a Gaussian policy learns where to aim, and becomes sure of it.

The book has no figure of continuous actions; this one is ours. The reward is minus the squared distance of the action from 1 + 2 s,
where s, uniform in [-1, 1], is seen. The policy has a mean linear in s and a deviation, and all is known exactly: with a mean b + m s it
is worth J = -(b - 1)^2 - (m - 2)^2 / 3 - sigma^2. The gradient gives the path on which an infinitely small step size would go (dashed): b
and m approach 1 and 2, and d ln sigma / dt = -2 sigma^2, so that sigma = 1 / sqrt(1 + 4 t) shrinks for ever; t is the step size times the
episode. REINFORCE and the actor-critic both follow it on average; as episodes have one step, its critic is a baseline here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.policy_gradient.gaussian_actor_critic import gaussian_actor_critic
from rlcourse.agents.policy_gradient.gaussian_reinforce import gaussian_reinforce
from rlcourse.core.config import Config, Count, StepSize
from rlcourse.core.trial import Trial
from rlcourse.envs import Aiming
from rlcourse.features import Vector
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, mean
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "path", "run"]

NAMES = ("REINFORCE", "actor-critic")
POINTS = 40  # of a curve


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 100
    episodes: Count = 8000
    alpha: StepSize = 0.0005  # of the policy
    alpha_w: StepSize = 0.01  # of the values


FAST = {"runs": 30}


def path(settings: Settings) -> np.ndarray:
    """Return b, m and sigma along the exact gradient at the points of the curves, shape [points, 3]: t = alpha times episodes."""
    t = settings.alpha * np.linspace(0, settings.episodes, POINTS + 1)
    return np.stack([1.0 - np.exp(-2.0 * t), 2.0 - 2.0 * np.exp(-2.0 / 3.0 * t), 1.0 / np.sqrt(1.0 + 4.0 * t)], axis=1)


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return b, m and ln sigma of each run, [algorithm, runs, points, 3]; the features are (1, s), and sigma depends on s a little too."""

    def experiment(name: str, rng: np.random.Generator, size: int) -> np.ndarray:
        found = np.zeros((size, POINTS + 1, 3))
        low, high = np.full(1, -20.0), np.full(1, 20.0)
        for i in range(size):
            mu, sigma, w = np.zeros((1, 2)), np.zeros((1, 2)), np.zeros(2)
            for point in range(1, POINTS + 1):
                trial = Trial.of(Aiming(), episodes=settings.episodes // POINTS)
                if name == "REINFORCE":
                    gaussian_reinforce(trial, Vector(1), mu, sigma, low, high, settings.alpha, 1.0, rng)
                else:
                    gaussian_actor_critic(trial, Vector(1), mu, sigma, w, low, high, settings.alpha, settings.alpha_w, 1.0, 0.0, 0.0, rng)
                found[i, point] = mu[0, 0], mu[0, 1], sigma[0, 0]
        return found

    return {"parameters": np.array(lab.study(experiment, list(NAMES), settings.runs, chunk=10))}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the mean's two parameters and the deviation against the episode, beside the exact path."""
    figure.set_size_inches(10.5, 4.2)
    left, right = figure.subplots(1, 2)
    at, exact_path = np.linspace(0, settings.episodes, POINTS + 1), path(settings)
    style.panel(left, "The mean, b + m s", "episode", "parameters of the mean")
    style.panel(right, "The deviation", "episode", "standard deviation σ at s = 0")
    for i, name in enumerate(NAMES):
        each = data["parameters"][i]
        style.curve(left, at, each[:, :, 0], name, style.COLORS[i])
        style.curve(left, at, each[:, :, 1], "", style.COLORS[i])
        style.curve(right, at, np.exp(each[:, :, 2]), name, style.COLORS[i])
    for k, axes in ((0, left), (1, left), (2, right)):
        axes.plot(at, exact_path[:, k], "--", color=style.INK, linewidth=1.2, label="exact gradient's path" if k != 1 else None)
    left.annotate("m → 2", (settings.episodes, 1.6), (-4, 0), textcoords="offset points", ha="right", fontsize=9)
    left.annotate("b → 1", (settings.episodes, 0.85), (-4, 0), textcoords="offset points", ha="right", fontsize=9)
    left.set(xlim=(0, settings.episodes), ylim=(0, 2.2))
    right.set(xlim=(0, settings.episodes), ylim=(0, 1.05))
    right.legend(frameon=False, fontsize=9)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return that both follow the exact path, after a quarter of the episodes and at the end."""
    found, wanted = [], path(settings)
    for i, name in enumerate(NAMES):
        each = data["parameters"][i]
        for point in (POINTS // 4, POINTS):
            when = f"{name}, episode {point * (settings.episodes // POINTS)}"
            found += [
                equal(f"{when}: the mean at s = 0 is that of the exact path", mean(each[:, point, 0]), float(wanted[point, 0]), 0.02),
                equal(f"{when}: its slope too", mean(each[:, point, 1]), float(wanted[point, 1]), 0.03),
                equal(f"{when}: the deviation too", mean(np.exp(each[:, point, 2])), float(wanted[point, 2]), 0.02),
            ]
    return found
