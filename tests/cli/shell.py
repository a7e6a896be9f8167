"""What tests of the command line share: environments of a user, runs in this process, and runs that get a signal."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from rlcourse.cli.main import main

ENV = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")} | {"OMP_NUM_THREADS": "1"}
RLCOURSE = [sys.executable, "-m", "rlcourse"]

ENDLESS = """
from typing import NamedTuple
import gymnasium as gym

class Endless(NamedTuple):
    size: int = 4

    @property
    def observation_space(self):
        return gym.spaces.Discrete(self.size)

    @property
    def action_space(self):
        return gym.spaces.Discrete(2)

    def reset(self, rng):
        return 0

    def step(self, state, action, rng):
        return (state + 1) % self.size, 1.0, False, False

    def observe(self, state):
        return state


class Broken(gym.Env):
    observation_space = gym.spaces.Discrete(2)
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return 0, {}

    def step(self, action):
        raise ZeroDivisionError("the bug of the user")
"""

FOREIGN = """
import gymnasium as gym
import numpy as np

class Foreign(gym.Env):
    observation_space, action_space = gym.spaces.Box(-1, 1, (2,), np.float32), gym.spaces.Discrete(2)
    reward = 1.0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.count = 0
        return np.zeros(2, np.float32), {}

    def step(self, action):
        self.count += 1
        return np.zeros(2, np.float32), self.reward, self.count == 9, False, {}

class Wrapped(gym.Wrapper):
    def __init__(self):
        super().__init__(gym.make("CartPole-v1"))

def wrapped():
    return Wrapped()

class NoNumber(Foreign):
    reward = float("nan")
"""


def train(tmp_path, *words: str) -> Path:
    assert main(["train", *words, "--out", str(tmp_path), "--quiet"]) == 0
    return newest(tmp_path)


def newest(folder: Path) -> Path:
    """Return the run below a folder that began last."""
    return max(folder.rglob("config.toml"), key=lambda path: path.stat().st_mtime).parent


def interrupted(words: list[str], cwd: Path, number: signal.Signals, after: float = 10.0, file: str = "config.toml", runs: int = 1):
    process = subprocess.Popen([*RLCOURSE, *words], env=ENV, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.time() + 90
    while time.time() < deadline and len(list(cwd.rglob(file))) < runs:
        time.sleep(0.1)
    time.sleep(min(30.0, crowded(after)))
    process.send_signal(number)
    asked = time.time()
    try:
        _, error = process.communicate(timeout=60)
    finally:
        process.kill()  # where it did not end, nothing goes on behind the tests
    return process.returncode, time.time() - asked, error


def crowded(seconds: float) -> float:
    """Return how long that takes here and now, where more processes want to run than there are cores."""
    waiting = os.getloadavg()[0] / (os.cpu_count() or 1) if hasattr(os, "getloadavg") else 1.0
    return seconds * max(1.0, waiting)


def torchrun(*words: str) -> list[str]:
    """Return the command that runs rlcourse in two processes, which meet at a free port."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    start = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--master-addr=127.0.0.1", f"--master-port={port}"]
    return [*start, "-m", "rlcourse", *words]
