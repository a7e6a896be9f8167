"""`learn_together`: agents of one class learn as one program."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Sequence
from typing import Any

from rlcourse.agents.deep.base import DeepAgent
from rlcourse.agents.deep.measure import settle
from rlcourse.agents.deep.programs.a2c import A2CProgram
from rlcourse.agents.deep.programs.crossq import CrossQProgram
from rlcourse.agents.deep.programs.ddpg import DDPGProgram
from rlcourse.agents.deep.programs.discrete_crossq import DiscreteCrossQProgram
from rlcourse.agents.deep.programs.discrete_sac import DiscreteSACProgram
from rlcourse.agents.deep.programs.dqn import DQNProgram
from rlcourse.agents.deep.programs.drqn import DRQNProgram
from rlcourse.agents.deep.programs.ppo import PPOProgram
from rlcourse.agents.deep.programs.pqn import PQNProgram
from rlcourse.agents.deep.programs.program import Program
from rlcourse.agents.deep.programs.recurrent_ppo import RecurrentPPOProgram
from rlcourse.agents.deep.programs.reinforce import REINFORCEProgram
from rlcourse.agents.deep.programs.sac import SACProgram
from rlcourse.agents.deep.programs.td3 import TD3Program
from rlcourse.core.agent import check_budget
from rlcourse.core.callbacks import Callback, make_callback

__all__ = ["PROGRAMS", "hindrance", "learn_together", "program_of"]

SELDOM = 1_000_000  # the default of `callback_every`, also in `Agent.learn`
PROGRAMS: dict[str, type[Program]] = {
    "A2C": A2CProgram,
    "CrossQ": CrossQProgram,
    "DDPG": DDPGProgram,
    "DQN": DQNProgram,
    "DiscreteCrossQ": DiscreteCrossQProgram,
    "DiscreteSAC": DiscreteSACProgram,
    "DRQN": DRQNProgram,
    "PPO": PPOProgram,
    "PQN": PQNProgram,
    "REINFORCE": REINFORCEProgram,
    "RecurrentPPO": RecurrentPPOProgram,
    "SAC": SACProgram,
    "TD3": TD3Program,
}


def hindrance(agents: Sequence[Any]) -> str:
    """Return in one sentence why these agents cannot learn as a program, or nothing."""
    name = type(agents[0]).__name__
    if name not in PROGRAMS:
        return f"{name} does not learn on the device; these do: {', '.join(sorted(PROGRAMS))}"
    if agents[0].ranks.size > 1:
        return "agents that several processes train go through the host"
    if agents[0].config.compile:
        return "a program is recorded as it is, and compile is for the host's loop"
    if agents[0].device.type == "cuda" and not cuda_is_installed():
        return "worlds on a GPU need numba-cuda: pip install 'rlcourse[cuda]'"
    return PROGRAMS[name].unfit(agents)


def cuda_is_installed() -> bool:
    """Whether numba-cuda is there; says nothing of a GPU."""
    return importlib.util.find_spec("numba_cuda") is not None


def program_of(agents: Sequence[Any]) -> Program:
    """Return the program of these agents: the one that they learned by before, or a new one.

    Raises
    ------
    ValueError
        In one sentence, where they cannot learn as a program.
    """
    if reason := hindrance(agents):
        raise ValueError(reason)
    if agents[0].program is not None:
        kept: Program = agents[0].program[0]
        if kept.S == len(agents) and all(agent.program == (kept, s) for s, agent in enumerate(agents)):
            return kept
    return PROGRAMS[type(agents[0]).__name__](agents)


def _checked(agents: Any) -> list[Any]:
    """Return the agents as a list; raise ValueError in one sentence where they are none, or no deep ones."""
    if isinstance(agents, DeepAgent):
        raise ValueError(f"agents: give a list of them, [{type(agents).__name__}(...), ...], or call the agent's own learn")
    if not isinstance(agents, Iterable):
        raise ValueError(f"agents: give a list of agents, not {type(agents).__name__}")
    listed = list(agents)
    if not listed:
        raise ValueError("agents: give at least one")
    for agent in listed:
        if not isinstance(agent, DeepAgent):
            raise ValueError(f"agents: {type(agent).__name__} is no deep agent; those learn together")
    if len({id(agent) for agent in listed}) < len(listed):
        raise ValueError("agents: one of them is there twice; make another with a seed of its own")
    return listed


def learn_together(
    agents: Sequence[Any],
    total_timesteps: int,
    *,
    callback: Callback | Iterable[Callback] | None = None,
    callback_every: int = SELDOM,
    progress_bar: bool = False,
) -> None:
    """Let agents learn as one batched program, entirely on their device; each learns what it would alone, up to rounding.

    Parameters
    ----------
    agents : sequence of DeepAgent
        Of one class, in the same world; seeds may differ, and the settings that their program sweeps over (``PROGRAMS[name].swept``).
    total_timesteps : int
        Of each agent; exact.
    callback : callable or list of callables, optional
        Called with each agent in turn. An agent for which it returns False stops, and is final; the others go on.
    callback_every : int
        Steps of each agent between callbacks, at least: a callback waits for the device. Left as it is: about a hundred callbacks.
    progress_bar : bool

    Raises
    ------
    ValueError
        In one sentence, where these agents cannot learn as a program.
    FloatingPointError
        Where weights or a loss are no longer finite: at once for a single agent, and when the others have learned for some of several.
    """
    check_budget(total_timesteps, None, callback_every=callback_every, progress_bar=progress_bar)
    agents = _checked(agents)
    every = max(1, int(total_timesteps) // 100) if callback_every == SELDOM else callback_every
    settle(agents)
    program = program_of(agents)
    call, finish = make_callback(agents[0], callback, progress_bar, int(total_timesteps), None)

    diverged: list[str] = []

    def look(agent: Any) -> bool:
        try:
            if agent.program[1] in program.faulty:
                what = "a reward or a state that is no finite number"
                raise FloatingPointError(f"the environment gave {what} before step {agent.num_timesteps}: mend it")
            agent.check_weights()
        except FloatingPointError as error:
            diverged.append(f"seed {agent.seed}: {error}" if len(agents) > 1 else str(error))
            return False
        return call(agent) is not False

    try:
        program.learn(int(total_timesteps), look, every)
    finally:
        finish()
    if diverged:
        raise FloatingPointError("; ".join(diverged))
