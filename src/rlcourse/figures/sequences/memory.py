"""Memories side by side: a sign to remember, observations that flicker, and hidden velocities.

Left: the T-maze (Bakker 2002), whose sign at the beginning of a corridor tells which arm of the junction pays. Recurrent PPO with four
memories, PPO with the last 8 observations side by side, PPO with the last one; nothing else differs. Success is that of the greedy policy
over both signs, exact. Without a memory 1/2 is the most that there is, and so it is for a window that is not longer than the corridor: all
that it shows at the junction is the same under both signs. A run ends where it has succeeded at two evaluations in a row.
Middle: CartPole whose observation is blank half of the time (Hausknecht & Stone 2015); a policy that has learned with full sight meets the
flicker as well. Right: CartPole without velocities. Settings are those of the preset `maskedcartpole`, with longer rollouts for the
flicker; returns are those of the best evaluation's policy in 100 fresh episodes. A memory helps against the flicker, but within these
steps it does not make up for it. `python benchmarks/pass_rates.py tmaze:recurrent_ppo` measures ten seeds of the maze.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rlcourse import presets
from rlcourse.core.config import Config, Count
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.envs import CartPole, t_maze
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, less, mean, true
from rlcourse.figures.experiment import Lab
from rlcourse.wrappers import flickering, masked, windowed

__all__ = ["FAST", "FULL", "SECONDS", "Settings", "claims", "draw", "run"]

NONE = "no memory"
REMEMBER = ("lstm", "gru", "attention")
CONTROL = ("flicker", "mask")
LIMIT = 200  # steps of an episode in the T-maze
EVERY = 4_096  # steps between evaluations
SOLVED = 475.0  # return in CartPole
FLICKER = {"n_envs": 16, "n_steps": 64, "batch_size": 512, "n_epochs": 8, "gae_lambda": 0.9}  # in the place of the preset's


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 2
    memories: tuple[str, ...] = (NONE, "last 8", "rnn", "lstm", "gru", "attention:32")  # in the T-maze
    lengths: tuple[int, ...] = (2, 5, 10, 20)
    steps: Count = 160_000
    control: tuple[str, ...] = (NONE, "last 4", "rnn", "lstm", "gru", "attention:8")  # in CartPole; none: it is left out
    control_steps: Count = 60_000


FAST = {"runs": 2, "memories": (NONE, "attention:8"), "lengths": (3,), "steps": 40_000, "control": ()}
FULL = {"runs": 10, "lengths": (2, 5, 10, 20, 30)}
SECONDS = 330.0  # 660 of CPU, on two cores


class Job(NamedTuple):
    """A run."""

    task: str  # "maze", or CartPole: "flicker", "mask", "full"
    memory: str
    length: int  # of the maze
    steps: int
    seed: int


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return success and steps taken [memories, lengths, runs], and returns in CartPole.

    Those are [2, arms, runs]; and of full sight [2, runs], without and with flicker.
    """
    s, seeds = settings, [1000 * lab.seed + i for i in range(settings.runs)]
    maze = [Job("maze", memory, length, s.steps, seed) for memory in s.memories for length in s.lengths for seed in seeds]
    cart = [Job(task, memory, 0, s.control_steps, seed) for task in CONTROL for memory in s.control for seed in seeds]
    full = [Job("full", NONE, 0, s.control_steps, seed) for seed in seeds if s.control]
    jobs = sorted(maze + cart + full, key=_cost)
    found = dict(zip(jobs, lab.spread(learned, jobs), strict=True))
    scores = np.array([found[job] for job in maze]).reshape(len(s.memories), len(s.lengths), s.runs, 2)
    return {
        "success": scores[..., 0],
        "steps": scores[..., 1],
        "returns": np.array([found[job][0] for job in cart]).reshape(2, len(s.control), s.runs),
        "full": np.array([found[job] for job in full]).reshape(len(full), 2).T,
    }


def _cost(job: Job) -> tuple[bool, int]:
    """Return what sorts the longest runs to the front."""
    return job.task == "maze", -job.length


def learned(job: Job) -> tuple[float, float]:
    """Learn; return success and steps in the maze, in CartPole the greedy return, of full sight also with flicker."""
    agent, world = agent_of(job)
    if job.task != "maze":
        return _best_of_cartpole(agent, world, job)
    successes = [0.0]

    def goes_on(agent: Any) -> bool:
        if agent.num_timesteps >= EVERY * len(successes):
            successes.append(success(agent, world))
        return sum(successes[-2:]) < 2.0

    agent.learn(job.steps, callback=goes_on)
    return success(agent, world), float(agent.num_timesteps)


def _best_of_cartpole(agent: Any, world: Any, job: Job) -> tuple[float, float]:
    """Learn up to SOLVED; return what the best policy by the evaluations has in fresh episodes, that of full sight also with flicker."""
    evaluations, judged = [0.0], (0.0, np.nan)

    def goes_on(agent: Any) -> bool:
        nonlocal judged
        if agent.num_timesteps >= EVERY * len(evaluations):
            evaluations.append(balanced(agent, world, 40, seed=0))
            if evaluations[-1] > max(evaluations[:-1]):
                tried = balanced(agent, flickering(CartPole()), 100, seed=1) if job.task == "full" else np.nan
                judged = balanced(agent, world, 100, seed=1), tried
        return evaluations[-1] < SOLVED

    agent.learn(job.steps, callback=goes_on)
    return judged


def agent_of(job: Job) -> tuple[Any, Any]:
    """Return an agent, and the world that it learns."""
    from rlcourse.agents import PPO, RecurrentPPO

    preset = presets.load("tmaze" if job.task == "maze" else "maskedcartpole")
    world: Any = t_maze(job.length) if job.task == "maze" else CartPole()
    if job.task != "maze":
        world = {"flicker": flickering(world), "mask": masked(world), "full": world}[job.task]
    kind, _, k = job.memory.partition(" ")
    if kind == "last":
        world = windowed(world, int(k))
    recurrent = kind not in ("last", "no")
    settings = {**preset.agents["recurrent_ppo" if recurrent else "ppo"], "seed": job.seed, "device": "cpu"}
    settings |= FLICKER if job.task in ("flicker", "full") else {}
    copies = WorldVectorEnv(world, settings["n_envs"], LIMIT if job.task == "maze" else 500, copy=False)
    return (RecurrentPPO(copies, **settings | {"memory": job.memory}) if recurrent else PPO(copies, **settings)), world


def success(agent: Any, world: Any) -> float:
    """Return how often the greedy policy finds the arm that pays in a T-maze, or one behind windows: exact, over both signs."""
    blank = getattr(world, "blank", ())
    states, memory, won = [(sign, 0.0, *blank) for sign in (0.0, 1.0)], None, np.zeros(2)
    going, begins = np.ones(2, bool), np.ones(2, bool)
    for _ in range(LIMIT):
        seen = np.stack([np.asarray(world.observe(state), dtype=world.observation_space.dtype) for state in states])
        actions, memory = agent.predict(seen, memory, episode_start=begins, deterministic=True)
        begins = np.zeros(2, bool)
        for i in np.flatnonzero(going):
            states[i], reward, ended, _ = world.step(states[i], int(actions[i]), None)
            won[i], going[i] = won[i] + reward, not ended
        if not going.any():
            break
    return float(won.mean())


def balanced(agent: Any, world: Any, episodes: int, seed: int) -> float:
    """Return the mean return of the greedy policy in CartPole, over one episode in each of some copies."""
    copies = WorldVectorEnv(world, episodes, 500)
    seen, _ = copies.reset(seed=seed)
    memory, returns, going, begins = None, np.zeros(episodes), np.ones(episodes, bool), np.ones(episodes, bool)
    while going.any():
        actions, memory = agent.predict(seen, memory, episode_start=begins, deterministic=True)
        seen, rewards, terminated, truncated, _ = copies.step(actions)
        returns += going * rewards
        begins = terminated | truncated
        going &= ~begins
    return float(returns.mean())


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw success against length, one strip a memory; beside it CartPole's returns, one dot a run."""
    figure.set_size_inches(11.2 if settings.control else 6.4, 4.5)
    axes = figure.subplots(1, 3 if settings.control else 1, squeeze=False, width_ratios=(1.5, 1, 1) if settings.control else None)[0]
    maze = style.panel(axes[0], "T-maze: success of the greedy policy", "steps from the sign to the junction", "")
    places = np.arange(len(settings.lengths))
    for i, memory in enumerate(settings.memories):
        bottom = len(settings.memories) - 1 - i
        maze.axhline(bottom + 0.5, color=style.GREY, linestyle="--", linewidth=0.9)
        style.curve(maze, places, bottom + data["success"][i].T, "", _color(memory), False, marker="o", markersize=5)
        maze.text(-0.42, bottom + 0.62, memory, fontsize=8.5, color=_color(memory), fontweight="bold")
    bottoms = np.arange(len(settings.memories))
    maze.set_yticks(np.sort([*(bottoms + 0.5), *(bottoms + 1)]), ["½", "1"] * len(bottoms), fontsize=8)
    maze.set_xticks(places, [str(length) for length in settings.lengths])
    maze.set(ylim=(0.2, bottoms[-1] + 1.25), xlim=(-0.45, len(places) - 0.6))
    titles = ("CartPole, half of it blank", "CartPole without velocities")
    for k, (panel, title) in enumerate(zip(axes[1:], titles, strict=False)):
        _dots(style.panel(panel, title, "return of the greedy policy"), data["returns"][k], settings.control)
        if k == 0:
            _dots(panel, data["full"], ("full sight", "full sight, tried blank"), len(settings.control))
        panel.set_yticks([])
        panel.set(xlim=(0, 515), ylim=(len(settings.control) + 1.6, -0.6))


def _dots(panel: Any, returns: np.ndarray, names: Sequence[str], first: int = 0) -> None:
    """Draw a row of dots for each arm [arms, runs], its name above it and a bar at its mean."""
    for i, (name, row) in enumerate(zip(names, returns, strict=True)):
        color = _color(name)
        panel.plot(row, np.full(len(row), first + i + 0.1), "o", color=color, markersize=5.5, alpha=0.7, markeredgewidth=0, clip_on=False)
        panel.plot([row.mean()] * 2, [first + i - 0.06, first + i + 0.26], color=color, linewidth=2.2)
        panel.text(8, first + i - 0.27, f"{name}: {row.mean():.0f}", fontsize=8, color=color, va="center")


def _color(memory: str) -> str:
    kinds = ("last", "rnn", "lstm", "gru", "attention")
    kind = memory.replace(":", " ").partition(" ")[0]
    return style.COLORS[kinds.index(kind)] if kind in kinds else style.GREY


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what is said of memories."""
    at = {memory: i for i, memory in enumerate(settings.memories)}
    success, chosen = data["success"], 10 if 10 in settings.lengths else settings.lengths[-1]
    length = settings.lengths.index(chosen)
    found = [
        true(
            f"with {memory} every run finds the arm that pays, {chosen} steps after the sign",
            success[i, length].mean() >= 0.95,
            f"success {success[i, length].mean():.2f}",
        )
        for memory, i in at.items()
        if memory.startswith(REMEMBER)
    ]
    found.append(true("without a memory none succeeds more than half of the time, at any length", success[at[NONE]].max() <= 0.5))
    if "last 8" in at:
        short = np.array(settings.lengths) < 8
        found += [
            true("with the last 8 all do where 8 reach back to the sign", success[at["last 8"], short].min() == 1.0),
            true("and none more than half of the time where they do not", success[at["last 8"], ~short].max() <= 0.5),
        ]
    return found + (_of_control(data, settings) if settings.control else [])


def _of_control(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    arm = {memory: i for i, memory in enumerate(settings.control)}
    (flicker, mask), full = data["returns"], data["full"]
    return [
        less("with flicker the last observation alone has less than the LSTM", mean(flicker[arm[NONE]]), mean(flicker[arm["lstm"]])),
        less("and so has a policy that has learned with full sight", mean(full[1]), mean(flicker[arm["lstm"]])),
        true("without velocities the LSTM balances: 475 of 500", mask[arm["lstm"]].mean() >= 475.0, f"{mask[arm['lstm']].mean():.0f}"),
        true("without velocities and memory no run gets to 100", mask[arm[NONE]].max() < 100.0, f"at most {mask[arm[NONE]].max():.0f}"),
    ]
