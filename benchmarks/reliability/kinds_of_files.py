"""A small file of every kind, with what opens it, and the room in which it is opened."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from watching import watched

from rlcourse import agents
from rlcourse.core.word_vectors import WordVectors

__all__ = ["kinds", "opened_all", "opened_texts", "placed", "texts"]


def kinds(folder: Path) -> list[tuple[Path, Callable[[Path], Any]]]:
    """Write a small file of every kind; return each with what opens it. A replay memory is opened through its agent."""
    import torch

    from rlcourse import pretraining
    from rlcourse.encoders.files import load as load_encoder
    from rlcourse.envs import sort_sequence
    from rlcourse.sb3 import agent_class

    folder.mkdir()
    torch.set_num_threads(1)
    space = gym.spaces.Box(0.0, 1.0, (6,), np.float32)
    small: dict[str, tuple[str, dict[str, Any]]] = {
        "QLearning": ("FrozenLake-v1", {}),
        "DynaQ": ("FrozenLake-v1", {}),
        "PrioritizedSweeping": ("FrozenLake-v1", {}),
        "SemiGradientSarsa": ("FrozenLake-v1", {}),
        "PPO": ("CartPole-v1", {"n_envs": 2, "n_steps": 16, "batch_size": 16, "n_epochs": 1, "hidden": (8,)}),
        "RecurrentPPO": ("CartPole-v1", {"n_envs": 2, "n_steps": 16, "batch_size": 16, "n_epochs": 1, "hidden": (8,), "memory_size": 8}),
        "DQN": ("CartPole-v1", {"learning_starts": 10, "batch_size": 8, "buffer_size": 100, "hidden": (8,)}),
        "SAC": ("Pendulum-v1", {"learning_starts": 10, "batch_size": 8, "buffer_size": 100, "hidden": (8, 8)}),
        "TD3": ("Pendulum-v1", {"learning_starts": 10, "batch_size": 8, "buffer_size": 100, "hidden": (8, 8)}),
        "REINFORCE": ("CartPole-v1", {"hidden": (8,)}),
    }
    found: list[tuple[Path, Callable[[Path], Any]]] = []
    for name, (env, settings) in small.items():
        agent = getattr(agents, name)(env, seed=0, **settings).learn(64)
        found.append((agent.save(folder / f"{name}.safetensors"), agents.load))
        memory = folder / f"{name}.replay.safetensors"
        found += [(memory, agents.load)] if memory.exists() else []
    settings = {"n_steps": 16, "batch_size": 16, "n_epochs": 1, "hidden": (8,)}
    contrib = agent_class("recurrentppo")("CartPole-v1", seed=0, **settings).learn(32)
    found.append((contrib.save(folder / "contrib.safetensors"), agents.load))
    sb3 = agent_class("dqn")("CartPole-v1", seed=0, learning_starts=10, buffer_size=100, hidden=(8,)).learn(32)
    found.append((sb3.save(folder / "sb3.safetensors"), agents.load))
    found.append((folder / "PPO.safetensors", lambda path: load_encoder(path, gym.make("CartPole-v1").observation_space)))
    found.append((pretraining.Autoencoder(space, "mlp").save(folder / "autoencoder.safetensors"), pretraining.load))
    found.append((pretraining.Classifier(space, "mlp", 3).save(folder / "classifier.safetensors"), pretraining.load))
    found.append((pretraining.Forecaster(space, "mlp", memory_size=4).save(folder / "forecaster.safetensors"), pretraining.load))
    sorting = sort_sequence(letters=5, longest=4).observation_space
    found.append((pretraining.Translator(sorting, hidden=8, embedding=4).save(folder / "translator.safetensors"), pretraining.load))
    vectors = WordVectors(np.ones((3, 2)), np.ones((3, 2)), np.arange(3), ("a", "b", "c"))
    found.append((vectors.save(folder / "vectors.safetensors"), WordVectors.load))
    return found


def opened_all(kinds: list[tuple[Path, Callable[[Path], Any]]], room: Path) -> list[str]:
    """Open all that is whole; return what was noted."""
    noted: list[str] = []
    for file, load in kinds:
        path = placed(file, file.read_bytes(), room)
        with watched() as here:
            load(path)
        noted += here
    return noted


def texts(folder: Path) -> dict[str, Callable[[], Any]]:
    """Train a run; return what opens each kind of text: those in its folder, that of several seeds, and the presets of the package."""
    from rlcourse import presets
    from rlcourse.cli.config_file import plan_of, read_config
    from rlcourse.cli.folder import RunFolder
    from rlcourse.cli.main import main
    from rlcourse.cli.report import result_of
    from rlcourse.cli.seeds import Seeds
    from rlcourse.cli.targets import find_environment

    assert main(["train", "cliffwalk", "-n", "400", "--eval-every", "200", "--eval-episodes", "1", "-q", "--out", str(folder)]) == 0
    run = next(folder.rglob("config.toml")).parent
    seeds = Seeds(find_environment("cliffwalk"), "QLearning", ["cliffwalk"], [0, 1]).create(str(folder / "seeds"))
    found: dict[str, Callable[[], Any]] = {"config.toml": partial(read_config, run), "its plan": partial(plan_of, run)}
    found |= {"result.json": partial(result_of, run), "seeds.toml": partial(Seeds.read, seeds)}
    for name in ("episodes.csv", "metrics.csv", "evaluations.csv"):
        found[name] = lambda name=name: RunFolder(run).rows(name)  # type: ignore[misc]
    return found | {f"preset {name}": partial(presets.load, name) for name in presets.names()}


def opened_texts(texts: dict[str, Callable[[], Any]]) -> list[str]:
    """Open all texts; return what was noted."""
    noted: list[str] = []
    for name, load in texts.items():
        with watched() as here:
            assert load(), name
        noted += here
    return noted


def placed(file: Path, data: bytes, room: Path) -> Path:
    """Put damaged bytes into an empty room, the whole agent beside them where they are its replay memory; return what to open."""
    for old in room.iterdir():
        old.rmdir() if old.is_dir() and not old.is_symlink() else old.unlink()
    if ".replay." in file.name:
        (room / "forged.replay.safetensors").write_bytes(data)
        (room / "forged.safetensors").write_bytes((file.parent / file.name.replace(".replay.", ".")).read_bytes())
    else:
        (room / "forged.safetensors").write_bytes(data)
        memory = file.with_suffix(".replay.safetensors")
        if memory.exists():
            (room / "forged.replay.safetensors").write_bytes(memory.read_bytes())
    return room / "forged.safetensors"
