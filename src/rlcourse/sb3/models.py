"""The models of stable-baselines3 and, where it is installed, sb3-contrib: their names, their settings, and a class for each.

The settings are read from the signature of a model's constructor and from its docstring, so that a new version's settings are flags
without a line here. Left out is what our commands do themselves (logging, seeds) and what is no plain value.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import inspect
import re
from typing import Annotated, Any, Literal, get_args

from stable_baselines3.common.base_class import BaseAlgorithm

from rlcourse.core.arguments import checked
from rlcourse.core.config import Config, Count, Interval, did_you_mean
from rlcourse.core.schedules import Schedule
from rlcourse.sb3.agent import SB3Agent

__all__ = ["agent_class", "model_names"]

_PACKAGES = ("stable_baselines3", "sb3_contrib")
_REFUSED = {
    "ars": "is a random search that never learns from single steps",
    "maskableppo": "wants its masks at every prediction; our DQN respects info['action_mask']",
}
_LEFT_OUT = {"env", "seed", "verbose", "tensorboard_log", "stats_window_size", "device", "policy", "action_noise"}
_PLAIN: dict[type, Any] = {bool: bool, int: Annotated[int, Interval()], float: Annotated[float, Interval()], str: str}
_RATE = Annotated[Schedule, Interval(0)]


@functools.cache
def models() -> dict[str, Any]:
    """Return the classes of all models by name, in lower case."""
    found = {}
    for package in _PACKAGES:
        try:
            module = importlib.import_module(package)
        except ImportError:
            continue
        for name in module.__all__:
            kind = getattr(module, name)
            if isinstance(kind, type) and issubclass(kind, BaseAlgorithm):
                found[name.lower()] = kind
    return found


def model_names() -> list[str]:
    """Return the names of the models that can be trained here: a2c, ppo, sac, ..."""
    return sorted(set(models()) - set(_REFUSED))


@checked
@functools.cache
def agent_class(name: str) -> type[SB3Agent]:
    """Return the agent of a model.

    Parameters
    ----------
    name : str
        "ppo", "a2c", "dqn", "sac", "td3", "ddpg"; with sb3-contrib also "recurrentppo", "trpo", "qrdqn", "tqc", "crossq".

    Raises
    ------
    ValueError
        For an unknown name, with the nearest known one.
    """
    key = re.sub("[^a-z0-9]", "", name.lower().removeprefix("sb3"))
    if key in _REFUSED and key in models():
        raise ValueError(f"sb3:{key} cannot be trained here: {models()[key].__name__} {_REFUSED[key]}")
    if key not in models():
        hint = did_you_mean(key, model_names())
        contrib = "" if "sb3_contrib" in {kind.__module__.split(".")[0] for kind in models().values()} else " (or pip install sb3-contrib)"
        raise ValueError(f"stable-baselines3 has no model {name!r}{hint}{contrib}")
    kind = models()[key]
    config, comments = _config(kind)
    body = {
        "Config": config,
        "model_class": kind,
        "comments": comments,
        "__doc__": f"stable-baselines3's {kind.__name__} as one of our agents; see `SB3Agent`.",
        "__module__": __name__,
    }
    return type(f"SB3{kind.__name__}", (SB3Agent,), body)


def _config(kind: Any) -> tuple[type[Config], dict[str, str]]:
    """Return the settings of a model as a Config, and what each means."""
    told = _told(kind)
    comments = {"n_envs": "copies of the environment"}
    fields: list[tuple[str, Any, Any]] = [("n_envs", Count, dataclasses.field(default=1))]
    for parameter in inspect.signature(kind).parameters.values():
        hint = _hint(parameter)
        if hint is not None:
            default = float(parameter.default) if hint is _PLAIN[float] else parameter.default
            fields.append((parameter.name, hint, dataclasses.field(default=default)))
            comments[parameter.name] = told.get(parameter.name, "")
    if "action_noise" in inspect.signature(kind).parameters:
        fields.append(("noise_std", Annotated[float, Interval(0)], dataclasses.field(default=0.0)))
        comments["noise_std"] = "deviation of Gaussian noise on the actions, scaled to [-1, 1]"
    policies = {name: name for name in kind.policy_aliases}
    more: list[tuple[str, Any, Any, str]] = [
        ("policy", Literal["auto", *policies], "auto", "auto: by the observations"),
        ("hidden", tuple[int, ...], (), "widths of the hidden layers; empty: the policy's own"),
        ("encoder", str, "", "see rlcourse.encoders; empty: the policy's own"),
        ("device", Literal["auto", "cpu", "cuda"], "auto", "auto: the GPU for images where there is one, else the CPU"),
    ]
    for name, hint, default, comment in more:
        fields.append((name, hint, dataclasses.field(default=default)))
        comments[name] = comment
    return dataclasses.make_dataclass(f"SB3{kind.__name__}Config", fields, bases=(Config,), frozen=True), comments


def _hint(parameter: inspect.Parameter) -> Any:
    """Return the type of a setting as our Config knows it; None for what is none."""
    text, default = str(parameter.annotation), parameter.default
    if parameter.name in _LEFT_OUT or parameter.name.startswith("_") or default is inspect.Parameter.empty:
        return None
    optional = type(None) in get_args(parameter.annotation)
    if "Callable" in text:
        return _RATE | None if optional else _RATE
    if isinstance(default, str):
        return str  # "auto", or a number
    for base in (bool, float, int):  # in this order: bool is an int, and a float may be written as one
        if parameter.annotation is base or base in get_args(parameter.annotation):
            return _PLAIN[base] | None if optional else _PLAIN[base]
    return None


def _told(kind: Any) -> dict[str, str]:
    """Return the first sentence of what a docstring says of each parameter."""
    found = re.findall(r":param (\w+):(.*?)(?=\n:param|\n\n|\Z)", inspect.getdoc(kind) or "", re.DOTALL)
    ending = re.compile(r"(?<=[\w)])[.;](?: |$)|, the same| it can be| \(?(?:see|cf)\b|, cf| Default:| at a cost")
    return {name: ending.split(" ".join(body.split()))[0].strip() for name, body in found}
