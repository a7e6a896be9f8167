"""`choose`: on which device an agent with ``device="auto"`` trains, by training for a moment on both.

What is faster depends on the environment, the network, the number of copies and the machine, so it is measured: whole rounds of
environment, inference and update, by throw-away agents of the same class and settings. Without a GPU there is nothing to measure.
"""

from __future__ import annotations

import copy
import os
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import gymnasium as gym
import torch

from rlcourse.agents.deep.state import rebuilt
from rlcourse.core.vector import WorldVectorEnv

__all__ = [
    "Choice",
    "Measure",
    "afresh",
    "choose",
    "cores",
    "has_gpu",
    "measured",
    "rate",
    "round_of",
    "settle",
    "throw_away",
    "warm_up_of",
]

Measure = Callable[[Any, str, int], float]  # (agent, "cpu" or "cuda", seeds) -> environment steps/s of all seeds
_RECORDED = 7  # rounds of a program on a GPU before all of them are replayed
_BUFFER, _STARTS = 20_000, 256  # a replay memory that is quickly made, and random steps that are quickly over


class Choice(NamedTuple):
    """A device, and in one sentence why.

    Attributes
    ----------
    device : str
        "cpu" or "cuda".
    because : str
    rates : dict of str to float
        Environment steps/s of training that were measured, by device.
    measured : bool
        Whether there were two devices to compare.
    """

    device: str
    because: str
    rates: dict[str, float]
    measured: bool = True


_chosen: dict[tuple[str, ...], Choice] = {}


def choose(agent: Any, seeds: int = 1, measure: Measure | None = None, available: bool | None = None) -> Choice:
    """Return where an agent trains faster; measured once in a process for each class, settings, environment and number of seeds.

    Parameters
    ----------
    agent : DeepAgent
        It learns nothing by this.
    seeds : int
        So many agents: as one program on the GPU, where they can be one, against as many processes at once as there are cores.
    measure : callable, optional
        ``measure(agent, device, seeds)``, environment steps/s of all seeds; `measured` unless a test has another.
    available : bool, optional
        Whether there is a GPU; asked where None.
    """
    if not (has_gpu() if available is None else available):
        return Choice("cpu", "there is no CUDA device here", {}, measured=False)
    key = (type(agent).__name__, repr(agent.config), repr(getattr(agent.venv.unwrapped, "world", agent.env)), str(seeds))
    if key not in _chosen:
        _chosen[key] = _compared(agent, seeds, measured if measure is None else measure)
    return _chosen[key]


def _compared(agent: Any, seeds: int, measure: Measure) -> Choice:
    rates: dict[str, float] = {}
    for device in ("cuda", "cpu"):
        try:
            rates[device] = measure(agent, device, seeds)
        except Exception as error:  # out of memory, a driver too old for the kernels, ...: learning must go on
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            return Choice("cpu", f"measuring on {device} failed: {reason}", rates)
    device = max(rates, key=lambda name: rates[name])
    return Choice(device, f"training makes {rates['cuda']:,.2g} steps/s on the GPU and {rates['cpu']:,.2g} on the CPU", rates)


def settle(agents: Sequence[Any], measure: Measure | None = None, available: bool | None = None) -> Choice | None:
    """Let agents whose device is "auto" move to where they train faster; return the choice, or None where there is none to make.

    All go where the first one goes; see `choose` for the parameters.
    """
    first, choice = agents[0], None
    if first.config.device == "auto" and first.settled is None and first.ranks.size == 1:
        choice = choose(first, len(agents), measure, available)
        first.settled = choice.device if choice.measured else None
    device = first.device.type if choice is None else choice.device
    for agent in agents:
        if agent.config.device == "auto":
            agent.settled = first.settled
            if agent.device.type != device:
                rebuilt(agent, torch.device(device))
    return choice


def measured(agent: Any, device: str, seeds: int = 1) -> float:
    """Return environment steps/s of training on a device, of agents with the settings of this one."""
    from rlcourse.agents.deep.programs.together import hindrance, learn_together

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what there is to say is said when it learns
        agents = [throw_away(agent, device, agent.seed)]
        resides = device == "cuda" and not hindrance(agents)
        agents += [throw_away(agent, device, agent.seed + s) for s in range(1, seeds if resides else 1)]
        unit, warm = round_of(agents[0]), warm_up_of(agents[0], resides)
        if resides:
            return seeds * rate(lambda steps: learn_together(agents, steps), unit, warm)
        return min(seeds, cores() if device == "cpu" else 1) * rate(lambda steps: agents[0].learn(steps), unit, warm)


def round_of(agent: Any) -> int:
    """Return how many steps an agent takes before it learns from them, about."""
    c = agent.config
    return int(agent.venv.num_envs) * max(getattr(c, "n_steps", 1), getattr(c, "train_freq", 1))


def warm_up_of(agent: Any, recorded: bool) -> int:
    """Return how many rounds it takes until an agent runs as it will: it compiles, begins to replay, and a GPU records its rounds."""
    starts = getattr(agent.config, "learning_starts", 0)
    return -(-starts // round_of(agent)) + (_RECORDED if recorded else 1)


def throw_away(agent: Any, device: str, seed: int) -> Any:
    """Return an agent of the same class and settings in copies of its own; it soon begins to replay, from a small memory."""
    changes: dict[str, Any] = {"device": device}
    c = agent.config
    if hasattr(c, "buffer_size"):
        size = min(c.buffer_size, max(_BUFFER, 100 * agent.venv.num_envs))
        changes |= {"buffer_size": size, "learning_starts": min(c.learning_starts, _STARTS)}
    return type(agent)(afresh(agent), seed=seed, config=replace(c, **changes))


def rate(
    learn: Callable[[int], Any], unit: int, warm: int = 1, seconds: float = 1.0, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Return steps/s of the last of ever longer stretches of learning: 1, 2, 4, ... rounds.

    Parameters
    ----------
    learn : callable
        ``learn(steps)`` returns when they are done.
    unit : int
        Steps of a round.
    warm : int
        Rounds until it runs as it will: nothing before is counted.
    seconds : float
        The last stretch takes at least half of this, unless rounds are so slow that all took twice as long.
    """
    began, rounds, done = clock(), 1, 0
    while True:
        before = clock()
        learn(rounds * unit)
        after = clock()
        if done >= warm and (after - before >= seconds / 2 or after - began >= 2 * seconds):
            return rounds * unit / max(after - before, 1e-9)
        done += rounds
        rounds *= 2


def afresh(agent: Any) -> Any:
    """Return an environment like that of an agent, whose copies share nothing with its own.

    Raises
    ------
    ValueError
        Where it cannot be made.
    """
    inner = agent.venv.unwrapped
    if isinstance(agent.env, gym.vector.VectorEnv) and isinstance(inner, WorldVectorEnv):
        world = copy.deepcopy(inner.world)
        return WorldVectorEnv(world, inner.num_envs, inner.max_episode_steps, copy=False, action_masks=inner.action_masks)
    if agent.env.spec is not None:
        return gym.make(agent.env.spec)
    if isinstance(inner, WorldVectorEnv):
        return copy.deepcopy(agent.env)
    raise ValueError("this environment cannot be made a second time; device='cuda' takes the GPU without measuring")


def has_gpu() -> bool:
    """Whether torch finds a CUDA device."""
    return torch.cuda.is_available()


def cores() -> int:
    """Return how many cores this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
