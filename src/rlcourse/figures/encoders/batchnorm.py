"""Batch normalisation: what it does for a classifier, and what its modes do in Q-learning.

Left, the notes' lesson in small, by the networks in numpy (2-64-64-64-3, plain descent, batches of 60) on three spirals: without it the
learning rate and the initial weights must be right, with it nearly any will do. Right: DQN on CartPole, without it and in three modes.
Values at S' need statistics too: `separate` takes those of the batch of S', as a forgotten train mode does; `joint` those of S and S'
together, as CrossQ does; `target` the running ones, as acting does. Beside them discrete CrossQ: joint, twin critics, and no target
network. All of them have the same widths, batches, rates and exploration. No mode is claimed to be better: the picture shows how they did.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core.config import Config, Count
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, less, mean, true
from rlcourse.figures.experiment import Lab
from rlcourse.nn_numpy import MLP, SGD, softmax_cross_entropy

__all__ = ["FAST", "FULL", "SECONDS", "Settings", "claims", "draw", "run"]

SECONDS = 300.0
LESSONS = (  # activation, learning rate, deviation of bad initial weights or 0; the notes' accuracies without and with, per cent
    ("relu", 0.01, 0.0, "97.5", "98.0"),
    ("sigmoid", 0.01, 0.0, "82.7", "97.3"),
    ("relu", 1.0, 0.0, "9.8", "98.3"),
    ("relu", 2.0, 0.0, "10.1", "98.3"),
    ("relu", 0.01, 5.0, "9.8", "79.9"),
    ("relu", 1.0, 5.0, "11.4", "92.1 or 10.1"),
)
MODES = ("without", "separate", "joint", "target")
AGENTS = (*MODES, "discrete CrossQ")
POINTS = 20  # of a learning curve
SHARED: dict[str, Any] = {"batch_size": 64, "learning_rate": 1e-3, "exploration_steps": 5_000}


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 8
    batches: Count = 1_000  # of the classifier
    steps: Count = 10_000  # of the agents
    episodes: Count = 20  # of their greedy policies in the end


FAST = {"runs": 2, "batches": 400, "steps": 2_000, "episodes": 2}
FULL = {"runs": 20, "steps": 20_000}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return accuracies [lesson, without and with, runs], and of the agents returns [agent, runs] and curves [agent, runs, points]."""
    seeds = range(lab.seed, lab.seed + settings.runs)
    lessons = [(lesson[:3], norm, seed, settings.batches) for lesson in LESSONS for norm in (False, True) for seed in seeds]
    agents = [(name, seed, settings.steps, settings.episodes) for name in AGENTS for seed in seeds]
    found = lab.spread(trained, agents)
    return {
        "accuracy": np.array(lab.spread(classified, lessons)).reshape(len(LESSONS), 2, -1),
        "returns": np.array([score for score, _ in found]).reshape(len(AGENTS), -1),
        "curves": np.array([curve for _, curve in found]).reshape(len(AGENTS), settings.runs, POINTS),
        "steps": np.linspace(0, settings.steps, POINTS + 1)[1:],
    }


def classified(job: tuple[tuple[str, float, float], bool, int, int]) -> float:
    """Train the classifier; return its accuracy on points that it never saw."""
    (activation, rate, deviation), norm, seed, batches = job
    rng = np.random.default_rng(seed)
    (x, labels), (unseen, truth) = spirals(3_000, rng), spirals(2_000, rng)
    net = MLP((2, 64, 64, 64, 3), rng, activation, batch_norm=norm)
    if deviation:
        for W in net.weights:
            W[:] = rng.normal(0.0, deviation, W.shape)
    sgd = SGD(net.parameters)
    with np.errstate(all="ignore"):  # what diverges without it
        for _ in range(batches):
            batch = rng.integers(len(x), size=60)
            _, slope = softmax_cross_entropy(net.forward(x[batch]), labels[batch])
            net.backward(slope)
            sgd.step(net.gradients, rate)
        return float((net.forward(unseen, train=False).argmax(axis=1) == truth).mean())


def spirals(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return points [count, 2] on three arms of a spiral, and the arm of each."""
    arm, radius = rng.integers(3, size=count), rng.random(count)
    angle = arm * 2.0 * np.pi / 3.0 + 4.0 * radius + 0.2 * rng.standard_normal(count)
    return radius[:, None] * np.stack([np.sin(angle), np.cos(angle)], axis=1), arm


def trained(job: tuple[str, int, int, int]) -> tuple[float, np.ndarray]:
    """Train an agent on CartPole; return its greedy return in the end, and its learning curve."""
    from rlcourse.agents import DQN, DiscreteCrossQ
    from rlcourse.core.evaluation import evaluate

    name, seed, steps, episodes = job
    agent: Any
    if name == AGENTS[-1]:
        agent = DiscreteCrossQ("CartPole-v1", seed=seed, hidden=(64, 64), **SHARED)
    else:
        options: dict[str, Any] = {"encoder": "mlp:64"} if name == "without" else {"encoder": "mlp:64+bn", "bn_mode": name}
        options |= {
            "hidden": (),
            "train_freq": 1,
            "learning_starts": 1_000,
            "target_update_interval": 250,
        }  # 4-64-64-2, all of it the encoder
        agent = DQN("CartPole-v1", seed=seed, **SHARED | options)
    agent.learn(steps)
    when, returns = agent.history["timesteps"], agent.history["return"]
    parts, curve = np.minimum((when - 1) * POINTS // steps, POINTS - 1).astype(int), np.zeros(POINTS)
    for k in range(POINTS):  # where no episode ended, that of the time before still holds
        curve[k] = returns[parts == k].mean() if (parts == k).any() else curve[k - 1]
    return float(evaluate(agent, "CartPole-v1", episodes, seed=20_000_000).mean()), curve


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the lesson's accuracies, learning curves of the modes, and what their greedy policies reach."""
    figure.set_size_inches(12.6, 4.4)
    left, middle, right = figure.subplots(1, 3, width_ratios=(1.5, 1.1, 0.8))
    style.panel(left, f"three spirals, {settings.batches:,} batches", "accuracy on unseen points", "")
    for i, (*_, before, after) in enumerate(LESSONS):
        for norm, label in enumerate(("without", "with")):
            y, color = np.full(settings.runs, i + (-0.16, 0.16)[norm]), style.COLORS[norm]
            accuracy = data["accuracy"][i, norm]
            left.plot(accuracy, y, "o", color=color, alpha=0.35, markersize=4.5, markeredgewidth=0)
            left.plot(accuracy.mean(), y[0], "D", color=color, markersize=5, label=label if i == 0 else "")
        left.text(1.06, i, f"{before} → {after}", va="center", fontsize=8, color=style.GREY)
    left.text(1.06, -0.62, "the notes, MNIST, %", va="bottom", fontsize=8, color=style.GREY)
    names = [f"{a}, rate {r:g}" + (f"\nweights N(0, {d:g})" if d else "") for a, r, d, *_ in LESSONS]
    left.set(xlim=(0.25, 1.45), ylim=(len(LESSONS) - 0.5, -0.6), xticks=np.arange(0.4, 1.01, 0.2))
    left.set_yticks(range(len(LESSONS)), names)
    left.axvline(1 / 3, color=style.GREY, linestyle="--", linewidth=1)
    left.legend(frameon=False, fontsize=8.5, loc="lower left", bbox_to_anchor=(0.16, 0.03))
    style.panel(middle, "CartPole: return while learning", "thousand steps", "return of episodes")
    style.panel(right, "greedy, in the end", "", "")
    for i, name in enumerate(AGENTS):
        style.curve(middle, data["steps"] / 1000, data["curves"][i], name, style.COLORS[i])
        returns = data["returns"][i]
        right.plot(
            np.full(len(returns), i) + np.linspace(-0.15, 0.15, len(returns)), returns, "o", color=style.COLORS[i], alpha=0.4, ms=4.5
        )
        right.plot([i - 0.28, i + 0.28], [returns.mean()] * 2, color=style.COLORS[i], linewidth=2)
    right.set_xticks(range(len(AGENTS)), ["without", "separate", "joint", "target", "CrossQ"], rotation=45, ha="right", fontsize=8.5)
    right.set_ylim(0, 520)
    middle.set_ylim(bottom=0)
    middle.legend(frameon=False, fontsize=8.5)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what the lesson says, and that every agent learned something."""
    without, with_it = data["accuracy"].swapaxes(0, 1)  # [lesson, runs]
    gains = [mean(b - a) for a, b in zip(without, with_it, strict=True)]
    worst = with_it.mean(axis=1).min()
    return [
        true("with it every setting learns", worst > 0.5, f"{worst:.2f} at worst, and chance is a third"),
        less("a sigmoid at a small rate learns only with it", 0.1, gains[1]),
        less("at rate 2 it is better with it", 0.0, gains[3]),
        less("bad weights at a small rate learn only with it", 0.4, gains[4]),
        less("and at rate 1", 0.4, gains[5]),
    ]
