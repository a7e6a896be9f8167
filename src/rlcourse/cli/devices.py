"""Where agents train: what the command line says about the GPU, and whether several seeds are one program."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from rlcourse.cli.usage import UsageError

__all__ = ["as_program", "hindrance_of", "where_it_trains"]

_STEPS = "a program learns for a number of steps; give --total-timesteps instead of --episodes"
_HOST = r"(take )?device='cpu'"  # what a program says of the way out; with --batched it would be a program on the CPU too


def hindrance_of(agents: list[Any], episodes: int | None) -> str:
    """Return in one sentence why deep agents with a budget cannot learn entirely on their device, or nothing."""
    from rlcourse.agents.deep.programs.together import hindrance

    return hindrance(agents) or (_STEPS if episodes is not None else "")


def where_it_trains(agent: Any, episodes: int | None) -> str:
    """Return what is worth saying about the device of an agent, in one line; nothing where there is no GPU to speak of."""
    if not hasattr(agent, "settled"):  # no agent with a network of ours
        return ""
    from rlcourse.agents.deep.measure import settle

    choice = settle([agent])
    chosen = f"device {choice.device}: {choice.because}" if choice is not None and choice.measured else ""
    if agent.device.type != "cuda" or not (reason := hindrance_of([agent], episodes)):
        return chosen
    return f"{chosen or 'device cuda'}; the network is on the GPU and the environment on the host: {reason}"


def as_program(make: Callable[[int], Any], number: int, episodes: int | None, parsed: Any) -> tuple[list[Any], str | None]:
    """Return all agents where they train as one program, else none; and the device of "auto", where it was measured.

    Parameters
    ----------
    make : callable
        ``make(i)``, an agent with a network.
    number : int
        Of agents.
    episodes : int or None
        Budget.
    parsed : Namespace
        Of `rlcourse train`: jobs, batched, sweep, quiet.

    Raises
    ------
    UsageError
        Where ``--batched`` asks for what cannot be.
    """
    from rlcourse.agents.deep.measure import has_gpu, settle

    if not parsed.batched and (parsed.jobs is not None or not has_gpu()):
        return [], None
    agents = [make(0)]
    if not parsed.batched and agents[0].config.device == "cpu":
        return [], None
    agents += [make(i) for i in range(1, number)]
    choice = settle(agents)
    device = choice.device if choice is not None and choice.measured else None
    if choice is not None and choice.measured and not parsed.quiet:
        print(f"device {choice.device}: {choice.because}")
    if not parsed.batched and agents[0].device.type == "cpu":
        return [], device
    if reason := hindrance_of(agents, episodes):
        if parsed.batched:
            way = f"leave {'--sweep and ' if parsed.sweep else ''}--batched out"
            raise UsageError(f"--batched: {re.sub(_HOST, way, reason)}")
        if not parsed.quiet:
            print(f"the seeds train in processes, their environments on the host: {reason}")
        return [], device
    return agents, device
