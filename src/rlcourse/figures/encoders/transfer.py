"""Transfer: an encoder trained before, on the same task, a re-coloured one and an unrelated one.

DQN with a linear head on the encoder `minatar`. The source is PixelCatch in four themes (12 x 12 x 3 bytes). Its encoder is taken over
frozen, fine-tuned (a tenth of the learning rate) or as a warm start, by agents that know nothing else: for the same task, for PixelCatch
in four other themes, and for PixelGrid (3 x 3 cells), which shares nothing with it but the size of an image. Beside them learning from
scratch, and the frozen encoder of an autoencoder that saw a random policy play the source: no rewards, no actions. Settings are the same
for all. The metrics are those of Taylor & Stone (2009): time to threshold (0.95 of what scratch reaches in the end), jump-start (the gain
over scratch in the first tenth of the steps, since heads begin at random), gain at last (asymptote), and the transfer ratio, the gain in
area under the curve as a share of scratch's, above what it begins with. A curve of PixelCatch stays at the optimum from where it was
reached. In five runs frozen features of the same task need 2,160 steps in the median where scratch needs 5,520, which is more than a third;
one of the five does not get there. What the autoencoder saw of its images is of no use to a linear head: a few pixels move.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np

from rlcourse.core.config import Config, Count, Interval
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.envs import pixel_catch, pixel_grid
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, less, mean, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "FULL", "SECONDS", "Settings", "claims", "draw", "run"]

SECONDS = 450.0
SIZE = 12  # pixels of a side
TARGETS = ("same", "re-coloured", "unrelated")
MODES = ("scratch", "frozen", "finetune", "warmstart", "autoencoder, frozen")
SHARE = 0.95  # of what scratch reaches in the end: the threshold
EPISODES = 100  # of an evaluation: 5 columns, 4 themes
AGENT: dict[str, Any] = {
    "encoder": "minatar",
    "hidden": (),
    "learning_rate": 5e-4,
    "buffer_size": 30_000,
    "learning_starts": 100,
    "train_freq": 1,
    "gradient_steps": 2,
    "target_update_interval": 50,
    "exploration_steps": 2_000,
    "n_steps": 3,
    "device": "cpu",
}


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 5
    steps: Count = 6_000
    every: Count = 240  # steps between evaluations
    themes: Annotated[int, Interval(0)] = 4  # of PixelCatch; 0: the plain game, for which the re-coloured one has a theme
    frames: Count = 4_000  # of a random policy, for the autoencoder
    epochs: Count = 10  # of it
    targets: tuple[str, ...] = TARGETS
    modes: tuple[str, ...] = MODES


FAST = {"runs": 2, "steps": 3_000, "every": 100, "themes": 0, "targets": ("same",), "modes": ("scratch", "frozen")}
FULL = {"runs": 20, "steps": 12_000}


class Job(NamedTuple):
    """A run: what is learned, from which encoder, and where its own is saved."""

    target: str
    mode: str
    source: str | None
    seed: int
    settings: Settings
    saved: str = ""


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return steps [M], greedy returns [targets, modes, runs, M], and those of a random policy [targets]."""
    seeds = [1000 * lab.seed + i for i in range(settings.runs)]
    with tempfile.TemporaryDirectory() as folder:
        files = [[str(Path(folder) / f"{kind}{seed}.safetensors") for seed in seeds] for kind in ("agent", "codes")]
        sources = [Job("same", "scratch", None, seed, settings, file) for seed, file in zip(seeds, files[0], strict=True)]
        codes = [Job("same", MODES[4], None, seed, settings, file) for seed, file in zip(seeds, files[1], strict=True)]
        first = lab.spread(learned, sources + (codes if MODES[4] in settings.modes else []))[: settings.runs]
        jobs = []
        for target in settings.targets:
            for mode in settings.modes:
                for i, seed in enumerate(seeds):
                    file = None if mode == "scratch" else files[mode == MODES[4]][i]
                    if (target, mode) != ("same", "scratch"):  # those are the sources themselves
                        jobs.append(Job(target, mode, file, 500 + seed, settings))
        found = dict(zip([(job.target, job.mode, job.seed) for job in jobs], lab.spread(learned, jobs), strict=True))
    found |= {("same", "scratch", 500 + seed): curve for seed, curve in zip(seeds, first, strict=True)}
    curves = [[[found[target, mode, 500 + seed] for seed in seeds] for mode in settings.modes] for target in settings.targets]
    return {
        "steps": settings.every * np.arange(settings.steps // settings.every + 1),
        "returns": np.array(curves),
        "random": np.array([_play(None, target, settings.themes, lab.rng(0)).mean() for target in settings.targets]),
    }


def world(target: str, themes: int) -> tuple[Any, int | None]:
    """Return a task, and its time limit."""
    if target == "unrelated":
        return pixel_grid(layout=("." * (SIZE // 4),) * (SIZE // 4)), 30
    return pixel_catch(themes=themes, seed=TARGETS.index(target), size=SIZE, channels=3), None


def learned(job: Job) -> np.ndarray:
    """Learn, and return greedy returns at every evaluation, shape [M]; or pre-train an autoencoder."""
    from rlcourse.agents import DQN
    from rlcourse.pretraining import Autoencoder, fit, gather

    s, (task, limit) = job.settings, world(job.target, job.settings.themes)
    if job.source is None and job.mode == MODES[4]:
        frames = gather(task, s.frames, seed=job.seed)
        model = Autoencoder(frames.space, AGENT["encoder"], seed=job.seed)
        fit(model, frames.observations, epochs=s.epochs, seed=job.seed)
        model.save(job.saved)
        return np.zeros(0)
    taken = {} if job.source is None else {"encoder_mode": job.mode.rpartition(" ")[2], "encoder_from": job.source}
    agent = DQN(WorldVectorEnv(task, 4, limit, copy=False), seed=job.seed, **AGENT | taken)
    best = _optimum(job.target)
    curve, rng = [], np.random.default_rng(job.seed)
    for step in range(0, s.steps + 1, s.every):
        if step:
            agent.learn(s.every)
        curve.append(_play(agent, job.target, s.themes, rng).mean())
        if curve[-1] >= best and not job.saved:
            break
    if job.saved:  # a source has learned to the end: its features have settled
        agent.save(job.saved, replay=False)
    best_at = next((k for k, score in enumerate(curve) if score >= best), len(curve) - 1)
    return np.array(curve[: best_at + 1] + [curve[best_at]] * (s.steps // s.every - best_at))


def _optimum(target: str) -> float:
    """Return a mean return that no policy exceeds, where it can be reached exactly."""
    return 1.0 if target != "unrelated" else np.inf


def _play(agent: Any, target: str, themes: int, rng: np.random.Generator) -> np.ndarray:
    """Return the returns of one episode in each of some copies, by the greedy policy, or by chance; shape [EPISODES]."""
    task, limit = world(target, themes)
    copies = WorldVectorEnv(task, EPISODES, limit)
    seen, _ = copies.reset(seed=int(rng.integers(2**31)))
    returns, going = np.zeros(EPISODES), np.ones(EPISODES, bool)
    while going.any():
        actions = rng.integers(0, task.action_space.n, EPISODES) if agent is None else agent.predict(seen)[0]
        seen, rewards, terminated, truncated, _ = copies.step(actions)
        returns += going * rewards
        going &= ~(terminated | truncated)
    return returns


class Metrics(NamedTuple):
    """Of one target, each of shape [modes, runs]; a time is in steps, nan where the threshold was not reached."""

    time: np.ndarray
    jump_start: np.ndarray
    gain: np.ndarray
    ratio: np.ndarray


def metrics(data: dict[str, np.ndarray], target: int) -> Metrics:
    """Return the metrics of Taylor & Stone (2009); the first mode is scratch."""
    returns, steps = data["returns"][target], data["steps"]  # [modes, runs, M]
    reached = returns >= SHARE * returns[0, :, -1].mean()
    time = np.where(reached.any(axis=2), steps[reached.argmax(axis=2)], np.nan)
    early = returns[:, :, 1 : 1 + max(1, (len(steps) - 1) // 10)].mean(axis=2)
    area = (returns - returns[0, :, 0].mean()).mean(axis=2)
    scratch = area[0].mean()
    return Metrics(time, early - early[0].mean(), returns[:, :, -1] - returns[0, :, -1].mean(), (area - scratch) / scratch)


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw a panel of learning curves for each target, and its metrics below."""
    n = len(settings.targets)
    figure.set_size_inches(4.3 * max(n, 2), 5.6)
    axes = figure.subplots(2, n, squeeze=False, height_ratios=(2.3, 1))
    titles = {"same": "the same task", "re-coloured": "re-coloured", "unrelated": "unrelated: PixelGrid"}
    for i, target in enumerate(settings.targets):
        top = style.panel(axes[0, i], titles[target], "steps", "" if i else "return of the greedy policy")
        for j, mode in enumerate(settings.modes):
            style.curve(top, data["steps"], data["returns"][i, j], mode, _color(j), linestyle="--" if j == 0 else "-")
        top.set_ylim(-1.1, 1.1)
        style.reference(top, float(data["random"][i]), "random policy", above=False)
        _table(axes[1, i], metrics(data, i), settings)
    axes[0, -1].legend(frameon=False, fontsize=8, loc="lower right")


def _table(axes: Any, m: Metrics, settings: Settings) -> None:
    """Write the metrics: medians of times (a run that did not get there is late), means of the others."""
    axes.axis("off")
    axes.set(xlim=(0, 1), ylim=(len(settings.modes) + 0.6, -1.0))
    for x, text in zip((0.52, 0.72, 0.86, 1.0), ("steps to 0.95", "jump-start", "gain", "ratio"), strict=True):
        axes.text(x, -0.4, text, ha="right", fontsize=7.5, color=style.GREY)
    for j, mode in enumerate(settings.modes):
        time = float(np.median(np.nan_to_num(m.time[j], nan=np.inf)))
        texts = (f"{time:,.0f}" if np.isfinite(time) else "not reached", *(f"{part[j].mean():+.2f}" for part in m[1:]))
        axes.text(0.0, j + 0.5, mode, fontsize=7.5, color=_color(j), va="center")
        for x, text in zip((0.52, 0.72, 0.86, 1.0), texts if j else (texts[0], "", "", ""), strict=True):
            axes.text(x, j + 0.5, text, ha="right", va="center", fontsize=8, color=style.INK)


def _color(j: int) -> str:
    return style.GREY if j == 0 else style.COLORS[j - 1]


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what is said of transfer."""
    at = {mode: j for j, mode in enumerate(settings.modes)}
    scratch = data["returns"][0, 0]
    time = np.nan_to_num(metrics(data, 0).time, nan=np.inf)
    medians = np.median(time, axis=1)
    detail = ", ".join(f"{mode} {median:,.0f}" for mode, median in zip(settings.modes, medians, strict=True))
    share = medians[at["frozen"]] / medians[0]
    reached = int(np.isfinite(time[at["frozen"]]).sum())
    found = [
        true("the sources have learned their task", scratch[:, -1].mean() >= SHARE, f"mean return {scratch[:, -1].mean():.2f}"),
        true(
            "frozen features suffice for the same task: most runs get to 0.95", 2 * reached > settings.runs, f"{reached} of {settings.runs}"
        ),
    ]
    if settings.targets != TARGETS:
        return found
    same, coloured, unrelated = (metrics(data, i) for i in range(3))
    last = data["returns"][2, :, :, -1]
    worse = last[at["frozen"]]
    return [
        *found,
        true("there they get there in fewer steps than scratch", share < 1.0, detail),
        less("there frozen features transfer: the area under the curve grows", 0.0, mean(same.ratio[at["frozen"]])),
        less("re-coloured, fine-tuned ones do", 0.0, mean(coloured.ratio[at["finetune"]])),
        less("on the unrelated task frozen features transfer negatively", mean(unrelated.ratio[at["frozen"]]), 0.0),
        less("they end below fine-tuned ones", mean(worse), mean(last[at["finetune"]])),
        less("and below scratch", mean(worse), mean(last[0])),
    ]
