"""A model of stable-baselines3 as arrays and JSON, and back: weights, optimisers, replay memory, counters, where its copies are.

What a model consists of, it says itself: the names of its modules, optimisers and variables. Names of arrays are
``part/name``, those of the replay memory ``replay.name``, so that it is saved to a file of its own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from stable_baselines3.common.save_util import recursive_getattr

from rlcourse.core import seeds
from rlcourse.core.env_state import EnvState
from rlcourse.core.fits import Misfit, fit, whole_in

__all__ = ["below", "into_model", "of_model", "prefixed"]

_COUNTERS = ("num_timesteps", "_n_updates", "_episode_num", "_n_calls", "exploration_rate", "_current_progress_remaining")
_MEMORY = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts")


def prefixed(prefix: str, state: dict[str, Any]) -> dict[str, Any]:
    """Return a state with longer names."""
    return {f"{prefix}{name}": value for name, value in state.items()}


def below(prefix: str, state: dict[str, Any]) -> dict[str, Any]:
    """Return what has a prefix, without it."""
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def of_model(model: Any, place: Any) -> dict[str, Any]:
    """Return the state of a model, and of `place`, the copies that it learns in."""
    parts, variables = model._get_torch_save_params()
    found: dict[str, Any] = {}
    for name in parts:
        part = recursive_getattr(model, name)
        told = _of_optimizer(part) if isinstance(part, torch.optim.Optimizer) else {k: _array(v) for k, v in part.state_dict().items()}
        found |= prefixed(f"{name}/", told)
    found |= {f"variables/{name}": _array(recursive_getattr(model, name)) for name in variables}
    found["counters"] = {name: _number(getattr(model, name)) for name in _COUNTERS if hasattr(model, name)}
    found["action_space_rng"] = seeds.snapshot(model.action_space.np_random)
    found |= _of_memory(getattr(model, "replay_buffer", None))
    if model._last_obs is not None:
        told = place.state_dict()
        found |= prefixed("env/", told) | ({} if "note" in told else prefixed("last/", _of_last(model)))
    return found


def into_model(model: Any, place: Any, state: dict[str, Any]) -> None:
    """Put a model into a state; new episodes begin where `place`, the copies that it learns in, cannot go on from it."""
    parts, variables = model._get_torch_save_params()
    with torch.no_grad():
        for name in parts:
            part, mine = recursive_getattr(model, name), below(f"{name}/", state)
            if isinstance(part, torch.optim.Optimizer):
                part.load_state_dict(_optimizer_state(mine, part))
            else:
                part.load_state_dict({key: torch.from_numpy(np.array(value)) for key, value in mine.items()})
        for name in variables:
            recursive_getattr(model, name).copy_(torch.from_numpy(np.array(state[f"variables/{name}"])))
    for name in _COUNTERS:
        if name in state["counters"]:
            setattr(model, name, _counter(state["counters"][name], name))
    seeds.restore(model.action_space.np_random, state["action_space_rng"])
    _into_memory(getattr(model, "replay_buffer", None), state)
    model._last_obs = None
    where = below("env/", state)
    if isinstance(place, EnvState):
        goes_on = bool(where or model.num_timesteps) and place.load_state_dict(where)
    elif goes_on := bool(where):
        place.load_state_dict(where)
    if goes_on:
        _into_last(model, below("last/", state))


def _of_optimizer(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Return moments as arrays ``index/name``, and the groups as JSON."""
    state = optimizer.state_dict()
    found: dict[str, Any] = {"groups": [{key: _number(value) for key, value in group.items()} for group in state["param_groups"]]}
    for index, moments in state["state"].items():
        found |= {f"{index}/{name}": _array(value) if isinstance(value, torch.Tensor) else value for name, value in moments.items()}
    return found


def _counter(value: Any, name: str) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Misfit(f"{name} is no number in the file")
    return value


def _optimizer_state(state: dict[str, Any], mine: torch.optim.Optimizer) -> dict[str, Any]:
    """Return what `_of_optimizer` told, for an optimiser with the same settings."""
    if [group.keys() for group in state["groups"]] != [group.keys() for group in mine.state_dict()["param_groups"]]:
        raise Misfit("its optimiser has other settings in the file")
    moments: dict[int, dict[str, Any]] = {}
    for name, value in state.items():
        if name != "groups":
            index, _, key = name.partition("/")
            moments.setdefault(int(index), {})[key] = torch.from_numpy(np.array(value)) if isinstance(value, np.ndarray) else value
    groups = [{key: tuple(value) if key == "betas" else value for key, value in group.items()} for group in state["groups"]]
    return {"state": moments, "param_groups": groups}


def _of_memory(memory: Any) -> dict[str, Any]:
    """Return the filled rows of a replay memory."""
    if memory is None:
        return {}
    rows = memory.buffer_size if memory.full else memory.pos
    found: dict[str, Any] = {"memory": {"pos": memory.pos, "full": memory.full}}
    for name in _MEMORY:
        whole = getattr(memory, name, None)
        if isinstance(whole, dict):
            found |= {f"replay.{name}/{key}": part[:rows].copy() for key, part in whole.items()}
        elif whole is not None:
            extra = int(memory.optimize_memory_usage and name == "observations" and not memory.full)  # the successor of the last row
            found[f"replay.{name}"] = whole[: rows + extra].copy()
    return found


def _into_memory(memory: Any, state: dict[str, Any]) -> None:
    """Fill a replay memory; empty it where the state has none."""
    if memory is None:
        return
    mine = below("replay.", state)
    memory.pos, memory.full = (state["memory"]["pos"], state["memory"]["full"]) if mine else (0, False)
    whole_in(memory.pos, 0, memory.buffer_size - 1, "memory.pos")
    for name, rows in mine.items():
        base, _, key = name.partition("/")
        if base not in _MEMORY:
            raise Misfit(f"a replay memory has no {base[:100]}")
        whole = getattr(memory, base)[key] if key else getattr(memory, base)
        fit(whole[: len(rows)], rows, f"replay.{name}")


def _of_last(model: Any) -> dict[str, Any]:
    """Return what the model saw last, and its memory of the episodes."""
    found: dict[str, Any] = {"starts": np.array(model._last_episode_starts)}
    seen = model._last_obs
    found |= prefixed("seen/", seen) if isinstance(seen, dict) else {"seen": np.array(seen)}
    lstm = getattr(model, "_last_lstm_states", None)
    if lstm is not None:
        found |= {f"lstm/{i}/{j}": _array(part) for i, pair in enumerate(lstm) for j, part in enumerate(pair)}
    return found


def _into_last(model: Any, state: dict[str, Any]) -> None:
    model._last_obs = np.array(state["seen"]) if "seen" in state else {key: np.array(value) for key, value in below("seen/", state).items()}
    model._last_episode_starts = np.array(state["starts"])
    lstm = below("lstm/", state)
    if lstm:
        pairs = [tuple(torch.from_numpy(np.array(lstm[f"{i}/{j}"])).to(model.device) for j in range(2)) for i in range(2)]
        model._last_lstm_states = type(model._last_lstm_states)(*pairs)


def _array(value: torch.Tensor) -> np.ndarray:
    return value.detach().cpu().numpy().copy()


def _number(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else list(value) if isinstance(value, tuple) else value
