"""Small agents of every class that learns as a program, for the tests on a GPU."""

import contextlib
import os
from dataclasses import fields

import gymnasium as gym
import numpy as np
import torch

from rlcourse import agents
from rlcourse.agents.deep.programs import capture
from rlcourse.agents.deep.programs.together import PROGRAMS
from rlcourse.envs.cartpole import CartPole
from rlcourse.envs.pendulum import Pendulum

DEVICE = os.environ.get("RLCOURSE_TEST_DEVICE", "cuda")
NAMES = sorted(PROGRAMS)
SMALL = {  # each agent takes those that it has
    "n_envs": 8,
    "n_steps": 16,
    "batch_size": 32,
    "n_epochs": 2,
    "hidden": (16, 16),
    "buffer_size": 2_000,
    "learning_starts": 64,
    "train_freq": 4,
    "gradient_steps": 2,
    "target_update_interval": 256,
    "exploration_steps": 500,
}


def make(name: str, seed: int = 0, device: str = DEVICE, world=None, **settings):
    """Return a small agent of a class."""
    kind = getattr(agents, name)
    mine = {field.name for field in fields(kind.Config)}
    chosen = {key: value for key, value in (SMALL | settings).items() if key in mine}
    if world is None:
        world = CartPole() if gym.spaces.Discrete in kind.actions else Pendulum()
    return kind(world, seed=seed, device=device, **chosen)


def budget(agent, rounds: int) -> int:
    """Return the steps of about so many rounds, beyond those that an agent takes before it learns."""
    c = agent.config
    return getattr(c, "learning_starts", 0) + rounds * c.n_envs * max(getattr(c, "n_steps", 1), getattr(c, "train_freq", 1))


def arrays(agent) -> dict[str, np.ndarray]:
    """Return the arrays of an agent's state."""
    return {name: value for name, value in agent.state_dict().items() if isinstance(value, np.ndarray)}


def far(a, b) -> float:
    """Return the largest difference of the networks' numbers of two agents."""
    mine, theirs = arrays(a), arrays(b)
    names = [name for name in mine if mine[name].dtype == np.float32 and not name.startswith(("device.", "replay", "env."))]
    return max(float(np.abs(mine[name] - theirs[name]).max(initial=0.0)) for name in names)


@contextlib.contextmanager
def eager(rounds: int = 10**9):
    """Let this many rounds of each kind run before one is recorded; by default all."""
    before, capture._EAGER = capture._EAGER, rounds
    try:
        yield
    finally:
        capture._EAGER = before


@contextlib.contextmanager
def waiting(mode: str):
    """Say what happens where the host waits for the GPU: "default" or "error"."""
    if DEVICE != "cuda":
        yield
        return
    before = torch.cuda.get_sync_debug_mode()
    torch.cuda.set_sync_debug_mode(mode)
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode(before)
