"""`rlcourse doctor`: what this machine has, how fast an agent would train on it in each mode, and what holds it back."""

from __future__ import annotations

import contextlib
import json
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from rlcourse.cli.diagnosis import bottleneck, show
from rlcourse.cli.judging import faults_said, playing_in
from rlcourse.cli.options import Parser, add_settings, count, settings_of
from rlcourse.cli.settings import algo_key, settings_of_agent
from rlcourse.cli.targets import Target
from rlcourse.cli.train import make_agent, scan
from rlcourse.cli.usage import UsageError
from rlcourse.core.contract import Checked

__all__ = ["diagnose", "doctor"]

_SEED = 0
_REHEARSED = 100  # steps


def doctor(argv: Sequence[str]) -> int:
    """Measure what training would be like; see ``rlcourse doctor --help``."""
    words = [word for word in argv if word != "--json"]
    target, name = scan(words, "cartpole")
    parser = Parser(prog="rlcourse doctor", description="Measure, in about ten seconds, how fast an agent trains on this machine.")
    parser.add_argument("env", nargs="?", help="preset, Gymnasium id, or file.py:Class [cartpole]")
    parser.add_argument("--algo", "-a", help=f"agent with a network [{name}]")
    parser.add_argument("--preset", metavar="NAME", help="another preset of this environment")
    parser.add_argument("--total-timesteps", "-n", type=count, metavar="N", help="budget whose time is told [that of the preset]")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    assert target is not None
    assert name is not None
    defaults = _preset_of(target, name)
    add_settings(parser, settings_of_agent(name), defaults, f"settings of {name}")
    parsed = parser.parse(words)
    if name.startswith("sb3:") or "device" not in {setting.name for setting in settings_of_agent(name)}:
        example = f"rlcourse doctor {target.text} --algo dqn"
        raise UsageError(f"doctor measures agents with a network of ours, not {name}, which trains on the CPU; for example: {example}")
    budget = parsed.total_timesteps or (target.preset.total_timesteps if target.preset else 100_000)
    json_asked = "--json" in argv
    with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings(), faults_said():  # what a large memory says, and others
        warnings.simplefilter("ignore")
        agent = make_agent(name, target, _SEED, defaults | settings_of(parsed))
        _rehearse(target)
        found = diagnose(agent, target, budget)
    print(json.dumps(found)) if json_asked else show(found)
    return 0


def _rehearse(target: Target) -> None:
    """Take some random steps before any is timed: those that are timed are not held to Gymnasium's interface."""
    with playing_in(Checked(target.make(), numbers=True)) as env:
        env.action_space.seed(_SEED)
        env.reset(seed=_SEED)
        for _ in range(_REHEARSED):
            _, _, terminated, truncated, _ = env.step(env.action_space.sample())
            if terminated or truncated:
                env.reset()


def _preset_of(target: Target, name: str) -> dict[str, Any]:
    if target.preset is None:
        return {}
    return dict(target.preset.of(algo_key(name)).agents.get(algo_key(name), {}))


def diagnose(agent: Any, target: Target, budget: int) -> dict[str, Any]:
    """Return all that is known and measured, as JSON can hold it.

    Parameters
    ----------
    agent : DeepAgent
        It learns nothing by this.
    target : Target
    budget : int
        Steps whose time is told.
    """
    from rlcourse.agents.deep.machine import machine
    from rlcourse.agents.deep.measure import choose
    from rlcourse.agents.deep.stages import environments, training

    has = machine()
    devices = ["cpu", "cuda"] if has["gpus"] else ["cpu"]
    steps = environments(target.make, agent.venv, devices)
    trained = training(agent, devices)

    def known(agent: Any, device: str, seeds: int) -> float:
        if (mode := _mode_of(trained.rates, device)) not in trained.rates:
            raise RuntimeError(trained.lacking[mode])
        return trained.rates[mode]

    choice = choose(agent, measure=known, available=len(devices) > 1)
    lacking = next((reason for mode, reason in trained.lacking.items() if mode.endswith("GPU")), "")
    return {
        "machine": has,
        "env": target.text,
        "algo": type(agent).__name__,
        "copies": agent.venv.num_envs,
        "environment": steps,
        "stages": {device: dict(zip(("environment", "inference", "update"), each, strict=True)) for device, each in trained.stages.items()},
        "training": trained.rates,
        "lacking": trained.lacking,
        "budget": budget,
        "seconds": {name: budget / speed for name, speed in trained.rates.items()},
        "bottleneck": bottleneck(*next((device, trained.stages[device]) for device in (choice.device, "cpu") if device in trained.stages)),
        "replay": _replay(agent),
        "auto": {"device": choice.device, "mode": _mode_of(trained.rates, choice.device), "because": choice.because},
        "why_not_gpu": has["advice"] if not has["gpus"] else lacking or ("" if choice.device == "cuda" else choice.because),
    }


def _mode_of(rates: dict[str, float], device: str) -> str:
    """Return how an agent trains on a device when nothing else is said: on the CPU with its environment on the host."""
    resident = "program on the GPU"
    return resident if device == "cuda" and resident in rates else f"host, network on the {'GPU' if device == 'cuda' else 'CPU'}"


def _replay(agent: Any) -> dict[str, int | None] | None:
    """Return how many bytes a replay memory takes, and how many are free; None for agents without one."""
    from rlcourse.agents.deep.frames import stack_size
    from rlcourse.core.memory import free_memory

    memory = agent.parts().get("replay")
    if memory is None:
        return None
    venv = agent.venv
    masked = getattr(venv.unwrapped, "action_masks", None) is not None
    spaces = venv.single_observation_space, venv.single_action_space
    needed = type(memory).bytes_for(*spaces, venv.num_envs, agent.config.buffer_size, stack_size(venv), masked)
    return {"bytes": int(needed), "free": free_memory()}
