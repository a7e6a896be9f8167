"""What the user named: an environment, an agent, a run."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gymnasium as gym

from rlcourse import agents, presets
from rlcourse.cli.config_file import read_config
from rlcourse.cli.from_file import from_file
from rlcourse.cli.outputs import working_folder
from rlcourse.cli.usage import UsageError
from rlcourse.cli.ways import command
from rlcourse.core import spaces
from rlcourse.core.config import did_you_mean

__all__ = [
    "SEEDS",
    "Target",
    "agent_class",
    "agent_name",
    "default_algo",
    "find_agent",
    "find_environment",
    "find_file",
    "run_of",
    "seeds_of",
]

SEEDS = "seeds.toml"  # in the folder around several seeds


@dataclass(frozen=True)
class Target:
    """An environment that the user named.

    Attributes
    ----------
    text : str
        As it was named; naming it again finds it again.
    label : str
        For folders and titles.
    make : callable
        ``make(**kwargs)`` makes one environment.
    env : object
        What an agent is given: the id where there is one, so that copies can be made.
    preset : Preset or None
    env_timeout : float or None
        Seconds within which a copy must answer, where copies are in processes of their own (`timed`).
    lasting : str
        Its name from any working folder.
    """

    text: str
    label: str
    make: Callable[..., gym.Env[Any, Any]]
    env: Any
    preset: presets.Preset | None = None
    env_timeout: float | None = None
    lasting: str = ""

    def timed(self, seconds: float | None) -> Target:
        """Return the same environment with its copies in processes of their own; as it is without a time."""
        if seconds is None:
            return self
        from rlcourse.core.subprocesses import InSubprocesses

        env = self.env if isinstance(self.env, gym.Env) else self.make()
        return replace(self, env=InSubprocesses(env, seconds), env_timeout=seconds)


def find_environment(text: str, preset: str | None = None) -> Target:
    """Find a preset, a Gymnasium id, or ``file.py:Class``; with `preset`, that variant of the preset: cartpole, notes is cartpole-notes."""
    if preset is not None:
        text = _variant(text, preset)
    if ".py:" in text:
        path, _, name = text.rpartition(":")
        lasting = f"{os.path.abspath(os.path.expanduser(path))}:{name}"
        return Target(text, *from_file(text), lasting=lasting)
    found = presets.load(text) if text in presets.names() else None
    id = found.env if found else text
    if id.rsplit(":", 1)[-1] not in gym.registry:
        known = {*presets.names(), *gym.registry}
        versions = [name for name in gym.registry if name.rsplit("-v", 1)[0] == id]
        hint = f"; did you mean {versions[-1]!r}?" if versions else did_you_mean(id, known)
        if id.startswith("ALE/"):  # Gymnasium knows the ids of other packages when those were imported
            hint = f"; write ale_py:{id} (it needs ale-py)"
        elif "did you mean" not in hint:
            hint = "; see rlcourse list envs, or write file.py:Class"
        if ":" not in id:
            raise UsageError(f"unknown environment {text!r}{hint}")

    def make(**kwargs: Any) -> gym.Env[Any, Any]:
        try:
            return gym.make(id, **kwargs)
        except (gym.error.Error, ImportError, ValueError) as error:
            raise UsageError(f"environment {text!r} cannot be made: {(str(error) or type(error).__name__).splitlines()[0]}") from error

    label = found.name if found else id.replace("/", "-").replace(":", "-")
    return Target(text, label, make, id, found, lasting=text)


def _variant(text: str, preset: str) -> str:
    """Return the name of a preset of an environment: that with this ending, or with this name and the same environment."""
    listed = {name: presets.load(name) for name in presets.names()}
    env = listed[text].env if text in listed else text
    mine = {name for name, each in listed.items() if each.env == env or name.startswith(f"{text}-")}
    endings = {name.partition("-")[2] or name: name for name in mine}
    if preset in mine:
        return preset
    if preset not in endings:
        hint = did_you_mean(preset, endings) if endings else "; see rlcourse list presets"
        raise UsageError(f"--preset: {text} has no preset {preset!r}{hint}")
    return endings[preset]


def agent_name(text: str, said: str = "--algo") -> str:
    """Return the class name of an agent, however its name or its file's is written; `said` names the argument in an error."""
    if text.lower().startswith("sb3:"):
        from rlcourse.sb3 import agent_class

        try:
            return f"sb3:{agent_class(text).model_class.__name__.lower()}"
        except ValueError as error:
            raise UsageError(f"{said}: {error}") from error
    files = {_plain(module.rsplit(".", 1)[1]): name for name, module in agents.MODULES.items()}
    plain = files | {_plain(name): name for name in agents.MODULES}
    if _plain(text) not in plain:
        written = sorted({module.rsplit(".", 1)[1] for module in agents.MODULES.values()})
        raise UsageError(f"{said}: unknown agent {text!r}{did_you_mean(text.lower().replace('-', '_'), written)}")
    return plain[_plain(text)]


def _plain(text: str) -> str:
    return text.lower().replace("-", "").replace("_", "")


def agent_class(name: str) -> Any:
    """Import an agent's class by name."""
    if name.startswith("sb3:"):
        from rlcourse import sb3

        return sb3.agent_class(name)
    return getattr(agents, name)


def default_algo(target: Target) -> str:
    """Return the agent to take where none was named."""
    if target.preset:
        return target.preset.algo
    env = target.make()
    finite = spaces.is_finite(env.observation_space) and spaces.is_finite(env.action_space)
    env.close()
    return "q_learning" if finite else "ppo"


def find_file(text: str, which: str = "best") -> Path:
    """Return the file in the folder of a run or of a pre-training, or the file itself; "latest" is the newest run below ``runs/``.

    Of several seeds it is the file of the best one.
    """
    several = seeds_of(text)
    path = find_run(text) if several is None else _best_seed(several)
    if not path.is_dir():
        return path
    for name in (which, "last", "encoder"):
        if (path / f"{name}.safetensors").is_file():
            return path / f"{name}.safetensors"
    checkpoints = sorted((path / "checkpoints").glob("*[0-9].safetensors"))
    if checkpoints:  # it was killed before its first evaluation
        return checkpoints[-1]
    raise UsageError(f"{path} holds no saved agent ({which}.safetensors)")


def find_run(text: str) -> Path:
    """Return a folder or a file that exists; "latest" is the folder of the newest run below ``runs/``."""
    path = Path(text)
    if text == "latest":
        folders = sorted(Path("runs").glob("**/config.toml"), key=lambda file: file.stat().st_mtime)
        if not folders:
            raise UsageError("'latest': there is no run below runs/; train one with: rlcourse train cartpole")
        path = folders[-1].parent
    if not text or (not os.path.isfile(path) and not os.path.isdir(path)):  # Path("") is this folder
        raise UsageError(f"there is no run or agent file {text!r}")
    return path


def seeds_of(text: str) -> Path | None:
    """Return the folder around several seeds, named by itself, or as "latest" where one of them is; None for other runs."""
    path = find_run(text)
    path = path.parent if text == "latest" else path
    return path if (path / SEEDS).exists() else None


def _best_seed(parent: Path) -> Path:
    """Return the folder of the seed with the best result; where none has ended, the one that began last."""
    from rlcourse.cli.report import result_of

    folders = sorted(file.parent for file in parent.glob("*/config.toml"))
    if not folders:
        raise UsageError(f"no seed of {parent} has begun; start them with: {command('resume', parent)}")
    ended = {folder: result["best"] for folder in folders if (result := result_of(folder)) is not None}
    if not ended:
        return folders[-1]
    return (min if read_config(folders[0])["plan"].get("minimize") else max)(ended, key=lambda folder: ended[folder])


def run_of(text: str) -> Path:
    """Return the folder of a run, named by itself, as "latest", or by one of its files."""
    path = find_run(text)
    path = path if path.is_dir() else path.parent
    path = path.parent if path.name == "checkpoints" else path
    if not (path / "config.toml").exists():
        raise UsageError(f"{text} is no run folder (it has no config.toml)")
    return path


def find_agent(text: str, which: str = "best", env: str | None = None, way: str = "name its run") -> tuple[Any, Target | None, Path]:
    """Load the agent of a run folder (or of one file, for `env`; see `find_file`); return it, the run's environment and the file."""
    file, here = find_file(text, which), working_folder()
    folder = file.parent if (file.parent / "config.toml").exists() else file.parent.parent
    target = None
    if (folder / "config.toml").exists():
        target = find_environment(read_config(folder)["run"]["env"])
    made = find_environment(env) if env and target is None else target
    try:
        agent = agents.load(here / file, env=made.env if made else None)
    except (ValueError, OSError) as error:
        raise UsageError(str(error).replace("pass env=", way)) from error
    return agent, target, file
