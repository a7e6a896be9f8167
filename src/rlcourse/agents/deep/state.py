"""The state of a deep agent as named arrays: what its file holds, and what it goes on from."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from rlcourse.agents.deep.optimizer import FlatOptimizer
from rlcourse.core import seeds
from rlcourse.core.env_state import EnvState
from rlcourse.core.fits import Misfit, finite, shaped
from rlcourse.core.vector import WorldVectorEnv

__all__ = ["gathered", "place_of", "rebuilt", "restored"]

_RESIDENT, _REPLAY = "device.", "replay.device."  # where a program had come to; its replay memory goes to the memory's file


class Place:
    """Where the copies are that an agent learns in, and what it sees there."""

    def __init__(self, agent: Any) -> None:
        self.agent = agent

    def state_dict(self) -> dict[str, Any]:
        """Return it; or a note, in one sentence, where the environment's state cannot be captured."""
        agent = self.agent
        if agent.env_state is None:
            told: dict[str, Any] = agent.venv.state_dict()
            return told
        told = agent.env_state.state_dict()
        return told | ({"seen": agent._observation} if "layout" in told else {})

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there, or leave the copies to begin new episodes."""
        agent = self.agent
        if agent.env_state is not None:
            if (state or agent.num_timesteps) and agent.env_state.load_state_dict(state):
                space = agent.venv.observation_space
                agent._observation = shaped(state["seen"], space.shape, space.dtype, "env.seen").copy()
        elif "states" in state:
            agent.venv.load_state_dict(state)
            agent._observation = agent.venv.observations


def place_of(venv: Any) -> EnvState | None:
    """Return the state of copies, for an agent's `env_state`; None where they are a world's, which tell it by themselves."""
    return None if isinstance(venv, WorldVectorEnv) else EnvState(venv)


def gathered(agent: Any) -> dict[str, Any]:
    """Return the arrays of an agent: its parts, the generator, where its copies are, and where a program is."""
    parts = agent.parts() | {"normalizer": agent.normalizer}
    if agent._observation is not None:
        parts["env"] = Place(agent)
    state: dict[str, Any] = {"settled": agent.settled, "generator": agent.generator.get_state().numpy().copy()}
    state["metrics"] = [[name, float(value)] for name, value in agent.metrics.items()]  # some are measured seldom, and told until then
    for name, part in parts.items():
        state |= {f"{name}.{key}": _plain(value) for key, value in part.state_dict().items()}
    if agent.program is not None:
        program, place = agent.program
        agent.resident = program.state(place)
    for name, array in agent.resident.items():
        state[f"{_REPLAY}{name.removeprefix('replay.')}" if name.startswith("replay.") else f"{_RESIDENT}{name}"] = array
    return agent.ranks.state(state, agent.config.n_envs)


def restored(agent: Any, state: dict[str, Any]) -> None:
    """Give an agent the arrays that `gathered` returned; see `DeepAgent.load_state_dict`."""
    agent.settled, agent.metrics = state.get("settled"), dict(state.get("metrics", ()))
    if agent.settled == "cuda" and agent.config.device == "auto" and agent.device.type == "cpu" and torch.cuda.is_available():
        drawn = seeds.snapshot(agent.rng)
        agent._build_on(torch.device("cuda"))
        seeds.restore(agent.rng, drawn)  # building draws from it, and it was restored before
    state = agent.ranks.state(state, agent.venv.num_envs)
    copies, here = len(state["normalizer.running"]), agent.venv.num_envs
    if copies != here:
        raise Misfit(f"it was saved with {copies} copies of the environment, here are {here}: set n_envs to {copies}")
    shape = tuple(agent.generator.get_state().shape)
    agent.generator.set_state(torch.from_numpy(shaped(state["generator"], shape, np.uint8, "generator").copy()))
    agent.ranks.part_ways(agent.rng, agent.generator)
    memory = _of(state, "replay.device")
    agent.program, agent.resident = None, _of(state, "device") | {f"replay.{name}": array for name, array in memory.items()}
    for name, part in (agent.parts() | {"normalizer": agent.normalizer}).items():
        mine = {key: value for key, value in _of(state, name).items() if not key.startswith(_RESIDENT)}
        if isinstance(part, FlatOptimizer):
            for key in mine.keys() - {"steps"}:
                finite(mine[key], f"{name}.{key}")
        if isinstance(part, torch.nn.Module):
            mine = _weights(part, mine, name)
        if mine or name != "replay":
            part.load_state_dict(mine)
    agent._observation = None
    agent.forgot = agent.num_timesteps > 0 and "replay" in agent.parts() and not _of(state, "replay")
    if "replay" not in agent.parts() or _of(state, "replay"):
        Place(agent).load_state_dict(_of(state, "env"))


def rebuilt(agent: Any, device: torch.device) -> None:
    """Let an agent go on on another device with all that it has learned."""
    state = agent.state_dict()
    agent._restored = True  # what its encoder takes over is in the state
    agent._build_on(device)
    agent.load_state_dict(state)


def _of(state: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the values of one part, under the names that it gave them."""
    return {key.removeprefix(f"{name}."): value for key, value in state.items() if key.startswith(f"{name}.")}


def _weights(part: torch.nn.Module, given: dict[str, Any], name: str) -> dict[str, Tensor]:
    """Return the weights of a module as tensors; raises Misfit where they are those of another one, or no longer finite."""
    mine = {key: tuple(getattr(value, "shape", ())) for key, value in part.state_dict().items()}
    other = sorted(mine.keys() ^ given.keys())
    if other:
        raise Misfit(f"{name}.{other[0]} is only {'here' if other[0] in mine else 'in the file'}")
    for key, value in given.items():
        shaped(value, mine[key], value.dtype, f"{name}.{key}")
        finite(value, f"{name}.{key}")
    return {key: torch.from_numpy(np.asarray(value)) for key, value in given.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().cpu().numpy().copy()
    return value.copy() if isinstance(value, np.ndarray) else value
