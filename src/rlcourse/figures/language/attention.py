"""Where the agent looks in its instruction: at the sentence about the room that it is in.

Errands (`rlcourse.envs.errands`): an instruction of three sentences; a sign tells the room, then in the dark a thing is to be taken, the
one that the sentence about this room names. Recurrent PPO, whose GRU of 32 remembers the sign; its output is the query of Luong's attention
(2015) over what LSTMs make of the 18 words. Beside the scores of the paper, "final" has the LSTMs' last output in the place of the context,
all else equal: one vector that must hold what all three sentences say. Whoever does not know the room has 9/16 at best. "Uniform" is the
network that learned with "general", looking at all words alike.

The mass on the sentence of the room is what the claim is about. Which of its six words it lies on differs from run to run: an LSTM's output
at any word of a sentence has read the others, so that "take" can tell the thing as well as the thing's own name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rlcourse.core.config import Config, Count
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.envs import three_errands
from rlcourse.envs.errands import ROOM, SENTENCES, THING, WORDS
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, less, mean, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "FULL", "SECONDS", "Settings", "claims", "draw", "run"]

SECONDS = 260.0
LOOKS = ("general", "dot", "concat", "final")
BLIND = 9 / 16  # the best return of who does not know the room
EPISODES = 300  # of the evaluation
POINTS = 24  # of a learning curve
AGENT: dict[str, Any] = {
    "memory": "gru",
    "memory_size": 32,
    "n_envs": 64,
    "n_steps": 6,
    "batch_size": 192,
    "n_epochs": 4,
    "ent_coef": 0.01,
    "gamma": 0.0,
    "gae_lambda": 0.0,
    "hidden": (32,),
    "device": "cpu",
}


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 5
    steps: Count = 30_000
    learning_rate: float = 0.01  # at first; it falls to zero
    looks: tuple[str, ...] = LOOKS


FAST = {"runs": 2, "steps": 15_000, "looks": ("general", "final")}
FULL = {"runs": 20}


class Seen(NamedTuple):
    """What one run gives.

    Attributes
    ----------
    curve : ndarray, shape [POINTS]
        Mean return of the episodes that ended in each part of the steps.
    greedy, uniform : float
        Mean return of the greedy policy afterwards, and with uniform weights; nan where there are none.
    mass : ndarray, shape [2, WORDS]
        Mean weight of each word of the sentence about the room, at its door and inside.
    episode : tuple of ndarray
        The words [18] of one, its sentences in the order of the visits [3], and the weights at every step [6, 18].
    """

    curve: np.ndarray
    greedy: float
    uniform: float
    mass: np.ndarray
    episode: tuple[np.ndarray, np.ndarray, np.ndarray]


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return curves [looks, runs, POINTS] and greedy returns [looks, runs]; of "general" uniform ones [runs], mass, and an episode."""
    jobs = [(look, 1000 * lab.seed + i, settings) for look in settings.looks for i in range(settings.runs)]
    found = lab.spread(learned, jobs)
    rows = [found[i : i + settings.runs] for i in range(0, len(found), settings.runs)]
    general = rows[settings.looks.index("general")]
    return {
        "steps": (np.arange(POINTS) + 1) * settings.steps / POINTS,
        "curves": np.array([[each.curve for each in row] for row in rows]),
        "greedy": np.array([[each.greedy for each in row] for row in rows]),
        "uniform": np.array([each.uniform for each in general]),
        "mass": np.array([each.mass for each in general]),
    } | dict(zip(("mission", "visits", "weights"), general[0].episode, strict=True))


def learned(job: tuple[str, int, Settings]) -> Seen:
    """Learn, and look."""
    from rlcourse.agents import RecurrentPPO

    look, seed, s = job
    encoder = "instruction:32" if look == "general" else f"instruction-{look}:32"
    rate = f"linear({s.learning_rate}, 0, {s.steps})"
    agent: Any = RecurrentPPO(three_errands(), encoder=encoder, learning_rate=rate, seed=seed, **AGENT).learn(s.steps)
    ends, returns = agent.history["timesteps"], agent.history["return"]
    parts = np.minimum((ends - 1) * POINTS // s.steps, POINTS - 1).astype(int)
    curve = np.bincount(parts, returns, POINTS) / np.maximum(np.bincount(parts, minlength=POINTS), 1)
    greedy, mass, episode = played(agent, seed)
    uniform = np.nan
    if look == "general":
        agent.policy.memory.encoder.attention.weight.weight.data.zero_()  # every score is 0
        uniform = played(agent, seed)[0]
    return Seen(curve, greedy, uniform, mass, episode)


def played(agent: Any, seed: int) -> tuple[float, np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return the mean return of an episode in each of some copies, where the agent looked, and the first episode; see `Seen`."""
    copies = WorldVectorEnv(three_errands(), EPISODES)
    seen, _ = copies.reset(seed=seed)
    sentences = copies.states[:, 7:].astype(int)
    mission, score = seen[0, : SENTENCES * WORDS].astype(int), 0.0
    mass, shown, state = np.zeros((2, WORDS)), [], None
    for step in range(2 * SENTENCES):
        parts = {"mission": seen[:, : SENTENCES * WORDS].astype(np.int64), "sign": seen[:, SENTENCES * WORDS :]}
        actions, state = agent.predict(parts, state, np.full(EPISODES, step == 0))
        seen, rewards, *_ = copies.step(actions)
        score += float(rewards.mean())
        looked = agent.policy.memory.encoder.weights
        if looked is not None:
            by_sentence = looked.numpy().reshape(EPISODES, SENTENCES, WORDS)
            mass[step % 2] += by_sentence[np.arange(EPISODES), sentences[:, step // 2]].mean(0) / SENTENCES
            shown.append(looked[0].numpy().copy())
    return score, mass, (mission, sentences[0], np.array(shown))


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw where the agent looks in one instruction, step by step; learning curves; and what is left without attention."""
    figure.set_size_inches(9.6, 6.4)
    top, bottom = figure.subfigures(2, 1, height_ratios=(1.25, 1))
    _gaze(top.subplots(), data)
    left, right = bottom.subplots(1, 2, width_ratios=(1.5, 1))
    style.panel(left, "learning", "steps", "return")
    for i, look in enumerate(settings.looks):
        style.curve(left, data["steps"], data["curves"][i], look, style.COLORS[i], linestyle="--" if look == "final" else "-")
    style.reference(left, BLIND, "9/16: not knowing the room")
    left.set_ylim(0.2, 1.04)
    left.legend(frameon=False, fontsize=8, loc="lower right", ncols=2)
    style.panel(right, "afterwards, without exploring", "", "return")
    names = [*settings.looks, "uniform"]
    bars = [*data["greedy"], data["uniform"]]
    for i, (name, samples) in enumerate(zip(names, bars, strict=True)):
        color = style.GREY if name == "uniform" else style.COLORS[i]
        right.bar(i, samples.mean(), 0.62, color=color, alpha=0.35)
        right.plot(np.full(len(samples), i), samples, ".", color=color, markersize=6)
    right.set_xticks(range(len(names)), names, fontsize=8)
    right.axhline(BLIND, color=style.GREY, linestyle="--", linewidth=1)
    right.set_ylim(0.0, 1.04)


def _gaze(axes: Any, data: dict[str, np.ndarray]) -> None:
    """Draw the weights of an episode: a row for each step, a column for each word."""
    words = ("", "?", *three_errands().vocabulary)
    mission = [words[token] for token in data["mission"]]
    axes.imshow(data["weights"], cmap="Blues", vmin=0.0, vmax=1.0, aspect="auto")
    axes.set_xticks(range(len(mission)), mission, rotation=40, ha="right", rotation_mode="anchor", fontsize=9)
    rooms = [mission[WORDS * int(sentence) + ROOM] for sentence in data["visits"]]
    steps = [f"{where} the {room}" for room in rooms for where in ("at the door of", "inside")]
    axes.set_yticks(range(len(steps)), steps, fontsize=9)
    for i, row in enumerate(data["weights"]):
        here = WORDS * int(data["visits"][i // 2])
        axes.add_patch(_frame(here - 0.5, i - 0.5, WORDS, style.COLORS[1]))
        for j, weight in enumerate(row):
            if weight >= 0.05:
                axes.text(j, i, f"{weight:.2f}", ha="center", va="center", fontsize=7.5, color="white" if weight > 0.55 else style.INK)
    for boundary in range(WORDS, len(mission), WORDS):
        axes.axvline(boundary - 0.5, color=style.GREY, linewidth=0.8)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(
        "where the agent looks (framed: the sentence about this room)", loc="left", fontsize=10.5, fontweight="bold", color=style.INK
    )


def _frame(x: float, y: float, width: float, color: str) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), width, 1, fill=False, edgecolor=color, linewidth=1.4, zorder=3, clip_on=False)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what is said of attention."""
    greedy, final = data["greedy"][settings.looks.index("general")], data["greedy"][settings.looks.index("final")]
    inside = data["mass"][:, 1]
    named = inside[:, [ROOM, THING]].sum(axis=1).mean()
    mass = inside.sum(axis=1)
    return [
        true("whoever looks is right nearly always", greedy.min() > 0.9, f"{greedy.min():.3f} in the worst run"),
        true(
            "inside, at least 0.7 of the attention is on the sentence about the room",
            mass.mean() >= 0.7,
            f"{mass.mean():.2f}; on the room's and the thing's name {named:.2f}; uniform: {1 / SENTENCES:.2f} and {2 / 18:.2f}",
        ),
        less("what the sign said is remembered: in the dark it is more than a third", 1 / SENTENCES, mean(mass)),
        less("who learns with the LSTMs' last output in the place of the context ends below", mean(final), mean(greedy)),
        less("and so does who has learned to look, and may not", mean(data["uniform"]), mean(greedy)),
    ]
