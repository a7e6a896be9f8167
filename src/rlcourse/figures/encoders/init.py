"""Initial weights: the notes' lesson, with an agent's return in the place of accuracy.

Ten ways to draw the weights of PPO's actor and critic (4-64-64-2, tanh) on CartPole; biases are zero, all else is the preset's. The notes
drew a classifier's (784-256-128-10, ReLU, two epochs of MNIST), whose accuracy stands beside. Zeros and ones leave all units of a layer
alike: they get the same gradient and stay so. At zero there is no gradient but the output's bias, and the policy never sees the state.
Large weights saturate tanh, which then hardly has a slope. The last row is what the agents begin with: orthogonal weights, and the
policy's head so small that all actions are about as likely at first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core.config import Config, Count
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, less, mean, true
from rlcourse.figures.experiment import Lab
from rlcourse.nn_numpy import INITIAL_WEIGHTS
from rlcourse.presets import load as preset

__all__ = ["FAST", "FULL", "SECONDS", "Settings", "claims", "draw", "run"]

SECONDS = 240.0
ORTHOGONAL = "orthogonal, small head"  # the agents' own
NAMES = (*(name for name in INITIAL_WEIGHTS if name != "orthogonal"), ORTHOGONAL)
LESSON = ("11.3", "9.9", "65.3", "89–91", "97.2", "95.7", "96.9", "97.2", "97.5", "")  # per cent, validation, as the notes print it
COLUMNS = (575, 675, 795)  # where texts stand in the picture
POINTS = 20  # of a learning curve
THRESHOLD = 475.0  # Gymnasium's: solved


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 10
    steps: Count = 60_000
    episodes: Count = 20  # of the greedy policy in the end


FAST = {"runs": 3, "steps": 10_000, "episodes": 5}
FULL = {"runs": 30}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return per kind of weights and run: returns in the end, curves, entropy [nats] and saturation at first, spread of units at last."""
    jobs = [(name, lab.seed + seed, settings.steps, settings.episodes) for name in NAMES for seed in range(settings.runs)]
    found = lab.spread(trained, jobs)
    keys = ("returns", "curves", "entropy", "saturated", "spread")
    shaped = {
        key: np.array([each[i] for each in found]).reshape(len(NAMES), settings.runs, *np.shape(found[0][i])) for i, key in enumerate(keys)
    }
    return {"steps": np.linspace(0, settings.steps, POINTS + 1)[1:]} | shaped


def trained(job: tuple[str, int, int, int]) -> tuple[Any, ...]:
    """Train one agent; return what `run` gathers."""
    from rlcourse.agents import PPO
    from rlcourse.core.evaluation import evaluate

    name, seed, steps, episodes = job
    agent = PPO("CartPole-v1", seed=seed, **preset("cartpole").agents["ppo"])
    if name != ORTHOGONAL:
        agent.load_state_dict(drawn(agent.state_dict(), name, np.random.default_rng(seed)))
    seen = wandered(np.random.default_rng(seed))
    hidden, logits = activity(agent.state_dict(), seen)
    p = np.exp(logits - np.logaddexp(logits[:, :1], logits[:, 1:]))
    entropy = -np.sum(p * np.log(p + 1e-30), axis=1).mean()
    agent.learn(steps)
    score = evaluate(agent, "CartPole-v1", episodes, seed=20_000_000).mean()
    when, returns = agent.history["timesteps"], agent.history["return"]
    parts = np.minimum((when - 1) * POINTS // steps, POINTS - 1).astype(int)
    curve = np.zeros(POINTS)
    for k in range(POINTS):  # where no episode ended, that of the time before still holds
        curve[k] = returns[parts == k].mean() if (parts == k).any() else curve[k - 1]
    units = agent.state_dict()["policy.weights.1"]  # [2, in, out]: units of the second hidden layer differ by their column
    return score, curve, entropy, np.mean(np.abs(hidden) > 0.95), np.ptp(units, axis=2).max()


def drawn(state: dict[str, Any], name: str, rng: np.random.Generator) -> dict[str, Any]:
    """Return an agent's state with weights drawn anew, for actor and critic; the critic has one output."""
    state = dict(state)
    layers = sorted(key for key in state if key.startswith("policy.weights."))
    for key in layers:
        for half, weights in enumerate(state[key]):
            outputs = 1 if half == 1 and key == layers[-1] else weights.shape[1]
            weights[:, :outputs] = INITIAL_WEIGHTS[name]((weights.shape[0], outputs), rng)
    return state


def activity(state: dict[str, Any], seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of the actor's last hidden layer [B, H], and the logits of its actions [B, A]."""
    W, b = ([state[f"policy.{kind}.{k}"][0].astype(float) for k in range(3)] for kind in ("weights", "biases"))
    hidden = np.tanh(np.tanh(seen @ W[0] + b[0]) @ W[1] + b[1])
    return hidden, hidden @ W[2] + b[2]


def wandered(rng: np.random.Generator, count: int = 200) -> np.ndarray:
    """Return observations that a policy of chance sees, shape [count, 4]."""
    import gymnasium as gym

    env = gym.make("CartPole-v1")
    found: list[np.ndarray] = []
    while len(found) < count:
        observation, ended = env.reset(seed=int(rng.integers(2**31)))[0], False
        while not ended:
            found.append(observation)
            observation, _, ended, *_ = env.step(int(rng.integers(2)))
    return np.array(found[:count], float)


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the return of each kind of weights, with the notes' accuracy beside it, and learning curves."""
    figure.set_size_inches(11.6, 4.9)
    left, right = figure.subplots(1, 2, width_ratios=(1.6, 1))
    style.panel(left, f"greedy return after {settings.steps:,} steps", "return, each dot a run")
    for i in range(len(NAMES)):
        color, returns = _color(i), data["returns"][i]
        left.plot(returns, np.full(len(returns), i), "o", color=color, alpha=0.35, markersize=5, markeredgewidth=0)
        half = 1.96 * returns.std(ddof=1) / np.sqrt(len(returns)) if len(returns) > 1 else 0.0
        low, high = np.clip([returns.mean() - half, returns.mean() + half], 0.0, 500.0)
        left.plot([low, high], [i, i], "-", color=color, linewidth=1.6)
        left.plot(returns.mean(), i, "D", color=color, markersize=5)
        texts = (f"{100 * data['saturated'][i].mean():.0f} %", f"{data['entropy'][i].mean():.2f}", LESSON[i] + (" %" if LESSON[i] else "—"))
        for x, text in zip(COLUMNS, texts, strict=True):
            left.text(x, i, text, va="center", ha="center", fontsize=8.5, color=style.INK)
    for x, text in zip(COLUMNS, ("saturated\nat first", "entropy\nat first", "accuracy of\nthe notes"), strict=True):
        left.text(x, -0.75, text, ha="center", va="bottom", fontsize=8, color=style.GREY)
    left.set(xlim=(0, 860), ylim=(len(NAMES) - 0.4, -0.6), xticks=range(0, 501, 100))
    left.set_yticks(range(len(NAMES)), NAMES)
    left.grid(axis="y", visible=False)
    left.axvline(THRESHOLD, color=style.GREY, linestyle="--", linewidth=1)
    style.panel(right, "return while learning", "thousand steps", "return of episodes")
    for name in ("zeros", "ones", "U[-1, 1)", "U±0.01", "1/sqrt(n)", ORTHOGONAL):
        row = NAMES.index(name)
        style.curve(right, data["steps"] / 1000, data["curves"][row], name, _color(row))
    right.legend(frameon=False, fontsize=8.5)


def _color(i: int) -> str:
    return style.COLORS[i % len(style.COLORS)]


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what the lesson says."""
    at = {name: i for i, name in enumerate(NAMES)}
    spread, entropy = data["spread"], data["entropy"]
    late = data["curves"][:, :, POINTS // 2 :].mean(axis=2)  # [kinds, runs] return of episodes in the second half
    zeros, ones, best = at["zeros"], at["ones"], at[ORTHOGONAL]
    found = [
        true("zeros: the units of a layer stay alike to the last bit", (spread[zeros] == 0.0).all(), f"{spread[zeros].max()}"),
        true("so do those of ones, but for rounding", (spread[ones] < 1e-3).all(), f"they differ by {spread[ones].max():.1g} at most"),
        true("those of weights that differ do not", spread[2:].min() > 0.01, f"they differ by {spread[2:].min():.2g} at least"),
        true(
            "a head of gain 0.01 begins with 0.99 of the greatest entropy or more",
            entropy[best].min() >= 0.99 * np.log(2.0),
            f"at least {entropy[best].min() / np.log(2.0):.5f} of ln 2",
        ),
        less("ones saturate more than half of the last hidden layer", 0.5, mean(data["saturated"][ones])),
        less("1/sqrt(n) saturates next to nothing", mean(data["saturated"][at["1/sqrt(n)"]]), 0.02),
        less("zeros learn nothing: 9 or 10 is what one action alone brings", mean(data["returns"][zeros]), 12.0),
        less("zeros stay behind orthogonal weights", mean(late[zeros] - late[best]), 0.0),
    ]
    if settings.runs >= 10:  # ones learn something, and runs differ much
        found.append(less("and so do ones", mean(late[ones] - late[best]), 0.0))
    return found
