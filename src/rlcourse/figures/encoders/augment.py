"""Augmentation: what an agent learns from ten looks of a game, and from a mirror.

PPO plays PixelCatch on 14 x 14 pixels in ten themes, and is then tested on a hundred that it has never seen (Cobbe et al. 2019). One
agent sees the images as they are, one shifted and tinted at random (RAD, Laskin et al. 2020); both are tested on images as they are.
One would expect a smaller gap between both kinds of themes with augmentation. It is not so here, and therefore no claim: a small
convolutional network generalises without it (gap 0.05 +- 0.02 over five runs), and one that has to see through the tints has not
learned as much in the same steps (0.12 +- 0.03). The picture tells both gaps, and a claim their ratio, with its interval.

Right and wrong do not depend on either change. They do on a mirror: where half of the images are mirrored and left and right stay as they
were, one image asks for two actions. That delays an agent until it breaks the symmetry, such as by staying on one side as long as it can,
so that the image tells again; where left and right are swapped as well, nothing of that is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core.config import Config, Count, Probability
from rlcourse.core.world import WorldEnv
from rlcourse.envs.catch import PixelCatch, catch_themes, pixel_catch
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, less, mean, true
from rlcourse.figures.experiment import Lab
from rlcourse.wrappers import RandomFlip, RandomShift, Tint

__all__ = ["FAST", "FULL", "SECONDS", "Settings", "claims", "draw", "run"]

SECONDS = 300.0
LEARNED = 60_000  # below so many steps no agent has learned its themes, and gaps mean nothing
SWAP = (2, 1, 0)  # left, stay, right
POINTS = 10  # of a learning curve
MIRRORS = ("no mirror", "mirror, actions swapped", "mirror, actions as before")


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 5
    steps: Count = 160_000  # on the themes
    mirror_steps: Count = 60_000  # on the plain game
    themes: Count = 10  # to learn on
    unseen: Count = 100  # to be tested on
    pixels: Count = 14  # of a side; a cell is 2.8 wide and 1.4 high
    shift: Count = 1  # pixels
    tint: Probability = 0.5


FAST = {"runs": 3, "steps": 2_000, "mirror_steps": 30_000, "pixels": 10}
FULL = {"runs": 20}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return scores [plain or augmented, runs, learned or unseen themes], curves of mirrors [MIRRORS, runs, points], and images."""
    c = settings
    jobs = [(kind, lab.seed + run, c) for kind in ("plain", "augmented", *MIRRORS) for run in range(c.runs)]
    found = lab.spread(trained, jobs)
    return {
        "scores": np.array(found[: 2 * c.runs]).reshape(2, c.runs, 2),
        "steps": np.linspace(0, c.mirror_steps, POINTS + 1)[1:],
        "mirrors": np.array(found[2 * c.runs :]).reshape(len(MIRRORS), c.runs, POINTS),
        "images": examples(c, lab.seed),
    }


def worlds(kind: str, seed: int, c: Settings) -> tuple[PixelCatch, PixelCatch]:
    """Return the game to learn and the one of unseen themes; mirrors are learned in the plain game, which has one."""
    if kind in MIRRORS:
        return pixel_catch(size=c.pixels), pixel_catch(size=c.pixels)
    backgrounds, shades = catch_themes(c.themes + c.unseen, seed, c.pixels)
    return PixelCatch(backgrounds[: c.themes], shades[: c.themes]), PixelCatch(backgrounds[c.themes :], shades[c.themes :])


def wrapped(kind: str, world: PixelCatch, c: Settings) -> Any:
    """Return the environment that an agent learns in."""
    env: Any = WorldEnv(world)
    if kind == "augmented":
        return Tint(RandomShift(env, c.shift), c.tint)
    return env if kind in ("plain", MIRRORS[0]) else RandomFlip(env, SWAP if kind == MIRRORS[1] else None)


def trained(job: tuple[str, int, Settings]) -> list[float]:
    """Train one agent; return its greedy return on learned and on unseen themes, or again and again while it sees a mirror."""
    from rlcourse.agents import PPO

    kind, seed, c = job
    mine, unseen = worlds(kind, seed, c)
    options: dict[str, Any] = {"n_envs": 64, "n_steps": 18, "batch_size": 288, "n_epochs": 3, "learning_rate": 1e-3, "ent_coef": 0.01}
    agent = PPO(wrapped(kind, mine, c), seed=seed, encoder="minatar:64", device="cpu", **options)
    if kind in MIRRORS:
        return [score(agent.learn(c.mirror_steps // POINTS), mine) for _ in range(POINTS)]
    agent.learn(c.steps)
    return [score(agent, mine), score(agent, unseen)]


def score(agent: Any, world: PixelCatch) -> float:
    """Return the greedy return, the mean of all starts: five columns in every theme."""
    states = [(float(column), 0.0, 2.0, float(theme)) for theme in range(len(world.backgrounds)) for column in range(5)]
    total, ended, rng = 0.0, False, np.random.default_rng(0)
    while not ended:  # all episodes are equally long
        actions, _ = agent.predict(np.stack([world.observe(state) for state in states]), deterministic=True)
        for i, action in enumerate(actions):
            states[i], reward, ended, _ = world.step(states[i], int(action), rng)
            total += reward
    return total / len(states)


def examples(c: Settings, seed: int) -> np.ndarray:
    """Return one moment of the game as it is seen, uint8 [images, side, side]."""
    mine, unseen = worlds("plain", seed, c)
    plain, _ = worlds(MIRRORS[0], seed, c)
    state = (1.0, 4.0, 3.0, 0.0)
    env = wrapped("augmented", mine, c)
    changed = env.around(env.env.around(mine))
    rng = np.random.default_rng(seed)
    seen = [changed.observe((*state, *changed.reset(rng)[4:])) for _ in range(2)]
    images = [mine.observe(state), *seen, unseen.observe(state), unseen.observe((1.0, 4.0, 3.0, 1.0))]
    images += [plain.observe(state), plain.observe(state)[:, ::-1]]
    return np.stack(images)[..., 0]


def gaps(data: dict[str, np.ndarray]) -> np.ndarray:
    """Return what the unseen themes cost, shape [plain or augmented, runs]."""
    return data["scores"][..., 0] - data["scores"][..., 1]


def ratio(data: dict[str, np.ndarray]) -> tuple[float, float, float]:
    """Return the gap of plain images over that of augmented ones, with a 95 % interval (bootstrap over runs, which are paired)."""
    gap = gaps(data)
    drawn = np.random.default_rng(0).integers(gap.shape[1], size=(10_000, gap.shape[1]))
    plain, augmented = gap[0, drawn].mean(axis=1), gap[1, drawn].mean(axis=1)
    low, high = np.percentile(plain / np.maximum(augmented, 1e-3), (2.5, 97.5))
    return float(gap[0].mean() / max(gap[1].mean(), 1e-3)), float(low), float(high)


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw example images, returns on learned and unseen themes, and returns after mirrors."""
    figure.set_size_inches(9.6, 5.6)
    top, bottom = figure.subfigures(2, 1, height_ratios=(1, 2.3))
    names = ("a theme to\nlearn on", "the same,\naugmented", "and again", "unseen", "unseen", "plain game", "mirrored")
    for axes, image, name in zip(top.subplots(1, len(names)), data["images"], names, strict=True):
        axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        axes.set_title(name, fontsize=8.5, color=style.INK)
        axes.axis("off")
    left, right = bottom.subplots(1, 2, width_ratios=(1.25, 1))
    style.panel(left, f"{settings.themes} themes learned, {settings.unseen} unseen", "", "greedy return")
    labels = ("images as they are", f"shifted by {settings.shift}, tinted by {settings.tint:g}")
    for i, label in enumerate(labels):
        for j, color in enumerate(style.COLORS[:2]):
            _column(left, 2.6 * i + j, data["scores"][i, :, j], color)
        gap = mean(gaps(data)[i])
        left.text(2.6 * i + 0.5, 1.12, f"gap {gap.mean:.2f} ± {gap.error:.2f}", ha="center", fontsize=8.5, color=style.INK)
        left.text(2.6 * i + 0.5, -1.15, label, ha="center", fontsize=9, color=style.INK)
    if settings.steps >= LEARNED:
        left.text(1.8, -0.3, "ratio of gaps\n{:.1f} [{:.1f}, {:.1f}]".format(*ratio(data)), ha="center", fontsize=8.5, color=style.GREY)
    left.set_xticks((0, 1, 2.6, 3.6), ("learned", "unseen") * 2)
    style.panel(right, "plain game, half of the images mirrored", "thousand steps", "greedy return without a mirror")
    for i, name in enumerate(MIRRORS):
        style.curve(right, data["steps"] / 1000, data["mirrors"][i], name, style.COLORS[2 + i])
    right.legend(frameon=False, fontsize=8.5, loc="lower right", ncols=1, borderaxespad=0.2)
    for axes in (left, right):
        axes.set_ylim(-1.3, 1.3)
        style.reference(axes, -0.6, "random")


def _column(axes: Any, x: float, values: np.ndarray, color: str) -> None:
    """Draw a mean with its 95 % interval, and a dot for each run."""
    axes.plot(np.full(len(values), x - 0.14), values, "o", color=color, alpha=0.4, markersize=5, markeredgewidth=0)
    half = 1.96 * values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0
    axes.errorbar(x + 0.14, values.mean(), half, fmt="D", color=color, markersize=5, capsize=3)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what holds; gaps are judged only where the themes were learned."""
    none, swapped, wrong = data["mirrors"].mean(axis=2)  # [runs] while learning
    found = [
        less("a mirror that leaves the actions as they were delays learning", mean(wrong - none), 0.0),
        less("more than one that swaps them", mean(wrong - swapped), 0.0),
    ]
    if settings.steps < LEARNED:
        return found
    return [*found, *_of_gaps(data)]


def _of_gaps(data: dict[str, np.ndarray]) -> list[Claim]:
    learned = data["scores"][..., 0].mean(axis=1)
    told = "the gap as they are is {:.2f} [{:.2f}, {:.2f}] times that with augmentation".format(*ratio(data))
    return [true("both have learned their themes", learned.min() >= 0.9, f"mean returns {learned.round(3).tolist()}; {told}")]
