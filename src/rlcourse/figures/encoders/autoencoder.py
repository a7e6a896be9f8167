"""Autoencoders: what they give back, what sparse units look for, and what frozen codes are worth.

Above, from observations of random play in PixelCatch: held-out images, and what the dense, the convolutional (4 x 4 x 8) and the denoising
(4 x 4 x 16) autoencoder make of them. Below, left: the 25 units of a sparse autoencoder (UFLDL: 8 x 8 patches, rho = 0.01, L-BFGS) of
PixelCatch's themes, whose waves are to it what the edges of photographs are. Right: PPO on PixelCatch with each code frozen, against the
same network learned from nothing: greedy return, exact. A run ends where it has caught all balls twice in a row, and is drawn on from
there; one that never does counts with all steps, which flatters the network that is learned from nothing.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rlcourse.core.config import Config, Count
from rlcourse.envs import pixel_catch
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, mean, true
from rlcourse.figures.encoders.pixels import greedy_return
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "FULL", "SECONDS", "Settings", "claims", "draw", "run"]

KINDS = ("ae-dense", "ae-conv", "ae-denoising")
SHOWN, UNITS, THEMES = 12, 25, 50
RHO, NOISE = 0.01, 0.5


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    size: Count = 28  # pixels of a side, of the autoencoders above
    frames: Count = 4_000
    epochs: Count = 20
    iterations: Count = 400  # of L-BFGS
    codes: tuple[str, ...] = ("ae-sparse", "ae-dense", "ae-conv")  # those that agents learn with
    runs: Count = 6
    steps: Count = 16_384
    every: Count = 512  # steps between evaluations


FAST = {"size": 14, "frames": 1_000, "iterations": 200, "codes": ("ae-sparse",), "runs": 2, "steps": 6_144}
FULL = {"runs": 20}
SECONDS = 400


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return images [SHOWN, C, H, W], losses, filters [UNITS, 8, 8] and mean activations, and greedy returns [codes, 2, runs, M]."""
    from rlcourse.pretraining import gather

    small = gather(pixel_catch(size=settings.size), settings.frames, lab.seed)
    jobs: list[Any] = [("autoencoder", kind, settings, lab.seed) for kind in KINDS] + [("filters", "ae-sparse", settings, lab.seed)]
    with tempfile.TemporaryDirectory() as folder:
        jobs += [("code", kind, settings, lab.seed, str(Path(folder) / kind)) for kind in settings.codes]
        made = lab.spread(_prepare, jobs)
        seeds = [1000 * lab.seed + i for i in range(settings.runs)]
        files = [(kind, mode, str(Path(folder) / kind)) for kind in settings.codes for mode in ("scratch", "frozen")]
        greedy = lab.spread(_learn, [(*job, seed, settings.steps, settings.every) for job in files for seed in seeds])
    data = {f"{kind}_{name}": value for kind, each in zip(KINDS, made, strict=False) for name, value in each.items()}
    returns = np.reshape(greedy, (len(settings.codes), 2, settings.runs, -1))[:, ::-1]  # frozen first
    steps = settings.every * np.arange(returns.shape[3])
    return data | made[len(KINDS)] | {
        "seen": _shown(small.observations).transpose(0, 3, 1, 2) / 255.0,
        "blank": np.array(_entropy(small.observations)),
        "steps": steps,
        "returns": returns,
        "needed": _needed(returns, settings),
    }  # fmt: skip


def _shown(observations: np.ndarray) -> np.ndarray:
    """Return some of the last tenth of observations, which are held out."""
    last = observations[len(observations) * 9 // 10 :]
    return last[np.linspace(0, len(last) - 1, SHOWN).astype(int)]


def _entropy(observations: np.ndarray) -> float:
    """Return the cross-entropy of an autoencoder that knows each pixel's mean and nothing else."""
    p = np.clip((observations / 255.0).mean(axis=0), 1e-9, 1 - 1e-9)
    return float(-(p * np.log(p) + (1 - p) * np.log(1 - p)).mean())


def _needed(returns: np.ndarray, settings: Settings) -> np.ndarray:
    """Return the steps of each run until the first of two evaluations in a row at which it catches all balls; all steps where never."""
    solved = (returns[..., :-1] >= 0.95) & (returns[..., 1:] >= 0.95)
    return np.where(solved.any(axis=-1), settings.every * solved.argmax(axis=-1), settings.steps)


def _prepare(job: tuple[Any, ...]) -> dict[str, np.ndarray]:
    """Train an autoencoder for the pictures, the sparse one for its filters, or one whose code agents take, which goes to a file."""
    from rlcourse.pretraining import Autoencoder, fit, fit_sparse, gather
    from rlcourse.pretraining.pictures import rows_of
    from rlcourse.pretraining.sparse import mean_activations

    what, kind, settings, seed, *file = job
    world = {"autoencoder": pixel_catch(size=settings.size), "filters": pixel_catch(themes=THEMES), "code": pixel_catch()}[what]
    frames = gather(world, settings.frames, seed)
    model = Autoencoder(frames.space, kind, NOISE if kind == "ae-denoising" else 0.0, seed)
    if kind == "ae-sparse":
        fit_sparse(model, frames.observations, iterations=settings.iterations, seed=seed)
    else:
        epochs = fit(model, frames.observations, epochs=settings.epochs, batch_size=25, learning_rate=2e-3, seed=seed)
    if what == "code":
        model.save(file[0])
        return {}
    if what == "filters":
        filters = model.encoder.linear.weight.detach().numpy().reshape(UNITS, 8, 8)
        return {"filters": filters, "activation": mean_activations(model.encoder, frames.observations, seed=seed + 1)}
    rows = dict(rows_of(model, _shown(frames.observations), seed))
    noisy = {"noisy": rows["with noise"]} if "with noise" in rows else {}
    return {"decoded": rows["decoded"], "loss": np.array(epochs[-1].test)} | noisy


def _learn(job: tuple[str, str, str, int, int, int]) -> np.ndarray:
    """Train one run of PPO; return its greedy returns."""
    from rlcourse.agents import PPO

    kind, mode, file, seed, steps, every = job
    settings: dict[str, Any] = {"n_envs": 8, "n_steps": 32, "batch_size": 64, "learning_rate": 1e-3, "ent_coef": 0.01, "device": "cpu"}
    settings |= {"encoder": kind, "encoder_mode": mode, "encoder_from": None if mode == "scratch" else file}
    agent = PPO(pixel_catch(), seed=seed, **settings)
    greedy = [greedy_return(agent)]

    def look(agent: Any) -> bool:
        if agent.num_timesteps >= every * len(greedy):
            greedy.append(greedy_return(agent))
        return min(greedy[-2:]) < 0.95

    agent.learn(steps, callback=look)
    return np.array(greedy + [greedy[-1]] * (1 + steps // every - len(greedy)))


def edges(side: int = 8) -> np.ndarray:
    """Return step edges and bars of every direction and place, shape [K, side * side], of mean 0 and length 1."""
    y, x = np.mgrid[:side, :side] - (side - 1) / 2.0
    found = []
    for angle in np.linspace(0.0, np.pi, 12, endpoint=False):
        for offset in np.arange(-3.0, 3.5, 0.5):
            away = x * np.cos(angle) + y * np.sin(angle) - offset
            found += [np.tanh(2.0 * away).ravel(), np.exp(-(away**2) / 2.0).ravel()]
    rows = np.array(found)
    rows -= rows.mean(axis=1, keepdims=True)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def edge_likeness(filters: np.ndarray) -> np.ndarray:
    """Return the largest correlation of each filter [n, 8, 8] with an edge or a bar."""
    rows = filters.reshape(len(filters), -1)
    rows = rows - rows.mean(axis=1, keepdims=True)
    best: np.ndarray = np.abs(rows / np.linalg.norm(rows, axis=1, keepdims=True) @ edges().T).max(axis=1)
    return best


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw reconstructions above, filters and learning curves below."""
    rows = [("seen", "seen"), *((kind, f"{kind}_decoded") for kind in KINDS[:2])]
    rows += [("with noise", "ae-denoising_noisy"), ("ae-denoising", "ae-denoising_decoded")]
    figure.set_size_inches(11.4, 7.6)
    above, below = figure.subfigures(2, 1, height_ratios=(1.25, 1))
    panels = above.subplots(len(rows), SHOWN)
    for line, (label, name) in zip(panels, rows, strict=True):
        for axes, image in zip(line, data[name], strict=True):
            axes.imshow(image[0], cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            axes.set(xticks=[], yticks=[])
        line[0].set_ylabel(label, rotation=0, ha="right", va="center", fontsize=9)
    left, right = below.subfigures(1, 2, width_ratios=(1, 2.3))
    left.suptitle("sparse: the 25 units", x=0.02, ha="left", fontsize=10.5, fontweight="bold", color=style.INK)
    for axes, each in zip(left.subplots(5, 5).ravel(), data["filters"], strict=True):
        axes.imshow(each - each.mean(), cmap="RdBu_r", vmin=-np.abs(each).max(), vmax=np.abs(each).max(), interpolation="nearest")
        axes.set(xticks=[], yticks=[])
    for i, (axes, kind) in enumerate(
        zip(right.subplots(1, len(settings.codes), sharey=True, squeeze=False)[0], settings.codes, strict=True)
    ):
        style.panel(axes, f"{kind}, PPO", "steps", "greedy return" if i == 0 else "")
        for j, label in enumerate(("frozen code", "from nothing")):
            style.curve(axes, data["steps"], data["returns"][i, j], label, style.COLORS[j])
        axes.set_ylim(-1.05, 1.08)
        axes.xaxis.set_major_formatter(lambda x, _: f"{x / 1e3:g}k" if x else "0")
    right.axes[0].legend(frameon=False, fontsize=8, loc="lower right", bbox_to_anchor=(1, 0.42))


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what must hold."""
    blank, sparse = float(data["blank"]), settings.codes.index("ae-sparse")
    frozen, scratch = data["needed"][sparse]
    likeness = edge_likeness(data["filters"])
    chance = edge_likeness(np.random.default_rng(0).standard_normal((1000, 8, 8)))
    found = [
        true(
            f"{kind} gives held-out images back: less than half the loss of one that knows each pixel's mean",
            float(data[f"{kind}_loss"]) < 0.5 * blank,
            f"{float(data[f'{kind}_loss']):.4f} of {blank:.4f}",
        )
        for kind in KINDS
    ]
    error = [float(((data[name] - data["seen"]) ** 2).mean()) for name in ("ae-denoising_decoded", "ae-denoising_noisy")]
    detail = f"mean square {error[0]:.4f} of {error[1]:.4f}"
    found += [
        true("the denoising autoencoder takes three quarters of the noise away", error[0] < 0.25 * error[1], detail),
        equal("the sparse units' mean activation is rho", float(data["activation"].mean()), RHO, 0.02),
        true("so is that of each unit", np.abs(data["activation"] - RHO).max() <= 0.02, f"at most {data['activation'].max():.4f}"),
        less("their filters are like edges and bars, more than noise is", mean(chance), mean(likeness)),
        true("most of them correlate with one by 0.7 or more", np.median(likeness) >= 0.7, f"median {np.median(likeness):.3f}"),
        true("with the frozen sparse code all runs catch all balls", (frozen < settings.steps).all(), f"after {frozen.tolist()} steps"),
        true("each sooner than the same network, learned from nothing", (frozen < scratch).all(), f"after {scratch.tolist()} steps"),
    ]
    if settings.steps >= 16_000:  # enough to see it
        found.append(less("in less than half of its steps", mean(frozen - scratch / 2.0), 0.0))
    return found
