"""The same command twice: in processes that differ in all but the command, in other numbers of workers, alone and in company."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

from outcome import Outcome

COUNTS = {"commands": 42, "numbers of workers": 4, "figures": 4}
FILES = ("last.safetensors", "best.safetensors", "episodes.csv", "metrics.csv", "evaluations.csv")
PROMISE = "the same bytes of weights and tables"
ENVIRONMENT = '''"""An environment that nobody compiles: drawn numbers, episodes that end by chance or by a limit."""

import gymnasium as gym
import numpy as np


class Drift(gym.Env):
    observation_space = gym.spaces.Box(-5, 5, (2,), np.float32)
    action_space = gym.spaces.Discrete(3)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t, self.x = 0, self.np_random.uniform(-1, 1, 2)
        return self.seen(), {}

    def seen(self):
        return np.clip(self.x, -5, 5).astype(np.float32)

    def step(self, action):
        self.t += 1
        self.x = self.x + 0.1 * np.sum(action) + self.np_random.normal(0, 0.2, 2)
        return self.seen(), -float(np.abs(self.x).sum()), bool(self.np_random.random() < 0.03), self.t == 40, {}


class Push(Drift):
    action_space = gym.spaces.Box(-1, 1, (1,), np.float32)


class Steps(Drift):
    observation_space = gym.spaces.Discrete(6)

    def seen(self):
        return int(np.clip(self.x[0] + 3, 0, 5))
'''
OFF = ["--learning-starts", "100"]
TABULAR = ("q_learning", "sarsa", "expected_sarsa", "double_q_learning", "dyna_q", "tabular_sarsa_lambda")
LINEAR = (("MountainCar-v0", "semi_gradient_sarsa"), ("foreign.py:Drift", "sarsa_lambda"))
ON, BY_REPLAY = ("a2c", "ppo", "pqn", "reinforce", "recurrent_ppo"), ("dqn", "drqn", "discrete_sac")
NETWORKS = [*((name, []) for name in ON), *((name, OFF) for name in BY_REPLAY)]
CONTINUOUS = [("ddpg", OFF), ("td3", OFF), ("sac", OFF), ("crossq", [*OFF, "--hidden", "64,64"]), ("ppo", [])]


def commands() -> list[list[str]]:
    """Return commands of `rlcourse train`: worlds that are compiled, Gymnasium's environments, and foreign ones."""
    found = [[env, "--algo", algo, "-n", "4000"] for algo, env in zip(TABULAR, ("frozenlake", "cliffwalk", "Taxi-v4") * 2, strict=True)]
    found += [["foreign.py:Steps", "--algo", algo, "-n", "1500"] for algo in TABULAR[:4]]
    found += [[env, "--algo", algo, "-n", "1500"] for env, algo in LINEAR]
    found += [[env, "--algo", algo, "-n", "600", *more] for algo, more in NETWORKS for env in ("CartPole-v1", "foreign.py:Drift")]
    found += [[env, "--algo", algo, "-n", "300", *more] for algo, more in CONTINUOUS for env in ("Pendulum-v1", "foreign.py:Push")]
    found += [["CartPole-v1", "--algo", "sb3:PPO", "-n", "600", "--n-steps", "64"], ["CartPole-v1", "--algo", "sb3:DQN", "-n", "600", *OFF]]
    found += [["foreign.py:Drift", "--algo", "sb3:A2C", "-n", "300"], ["CartPole-v1", "--algo", "dqn", "--prioritized", "-n", "600", *OFF]]
    return found


def campaign(count: Callable[[str], int], seed: int) -> Iterator[Outcome]:
    """Run commands twice, and compare what they wrote byte by byte."""
    with tempfile.TemporaryDirectory() as folder:
        yield _two_processes(Path(folder), count("commands"), seed)
        yield _workers(Path(folder), count("numbers of workers"), seed)
        yield _figures(Path(folder), count("figures"), seed)


def _two_processes(folder: Path, number: int, seed: int) -> Outcome:
    every = commands()
    chosen = [[*every[i % len(every)], "--seed", str(seed + i), "--eval-episodes", "2"] for i in range(number)]
    wheres = [folder / "first", folder / "the second, elsewhere"]
    variants = [("0", "1", []), ("4242", "2", ["-O"])]
    started = [_start(where, chosen, *variant) for where, variant in zip(wheres, variants, strict=True)]
    codes = [json.loads(process.communicate()[0]) for process in started]
    failures = []
    for i, words in enumerate(chosen):
        a, b = (written(where / str(i)) for where in wheres)
        if not (codes[0][i] == codes[1][i] == 0 and a and a == b):
            failures.append(f"rlcourse train {' '.join(words)}: exit codes {codes[0][i]} and {codes[1][i]}, {_differing(a, b)}")
    what = "commands in two processes with other hash seeds, folders, numbers of threads and -O"
    return Outcome(what, number, number - len(failures), len(failures), PROMISE, tuple(failures))


def _workers(folder: Path, number: int, seed: int) -> Outcome:
    chosen = [["CartPole-v1", "--algo", "a2c"], ["frozenlake", "--algo", "q_learning"], ["foreign.py:Drift", "--algo", "ppo"]]
    chosen += [["CartPole-v1", "--algo", "dqn", *OFF]]
    failures, environment = [], folder / "workers"
    environment.mkdir()
    (environment / "foreign.py").write_text(ENVIRONMENT)
    for i in range(number):
        words = [*chosen[i % len(chosen)], "-n", "600", "--eval-episodes", "2", "-q"]
        found = []
        for name, more in (("one", ["--seeds", "3", "--jobs", "1"]), ("two", ["--seeds", "3", "--jobs", "2"]), ("alone", [])):
            first = seed + (i + 2 if name == "alone" else i)
            command = [*words, "--seed", str(first), *more, "--out", f"{i}-{name}"]
            done = subprocess.run([sys.executable, "-m", "rlcourse", "train", *command], cwd=environment, capture_output=True, check=False)
            found.append(written(environment / f"{i}-{name}") if done.returncode == 0 else {})
        one, two, alone = found
        if not (len(one) == 3 and one == two and alone and alone.items() <= one.items()):
            failures.append(f"rlcourse train {' '.join(words)}: {_differing(one, two)}; alone {_differing(alone, one)}")
    what = "three seeds by one worker, by two, and one of them alone"
    return Outcome(what, number, number - len(failures), len(failures), PROMISE, tuple(failures))


def _figures(folder: Path, number: int, seed: int) -> Outcome:
    failures, names = [], ("6.2", "2.2", "7.2", "5.3")
    for i in range(number):
        name, found = names[i % len(names)], []
        for workers in ("1", "2"):
            where = folder / f"figure {i}-{workers}"
            command = ["figure", name, "--fast", "--seed", str(seed + i), "--workers", workers, "--out", str(where)]
            subprocess.run([sys.executable, "-m", "rlcourse", *command], capture_output=True, check=False)
            found.append({file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in where.rglob("*.npz")})
        if not (found[0] and found[0] == found[1]):
            failures.append(f"rlcourse figure {name} --fast --seed {seed + i}")
    return Outcome(
        "figures by one thread and by two", number, number - len(failures), len(failures), "the same bytes of data", tuple(failures)
    )


def written(folder: Path) -> dict[int, dict[str, str]]:
    """Return the hashes of what the runs below a folder wrote, by seed."""
    found = {}
    for config in folder.rglob("config.toml"):
        here = {name: config.parent / name for name in FILES}
        hashes = {name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in here.items() if file.exists()}
        if {"last.safetensors", "episodes.csv"} <= hashes.keys():
            found[tomllib.loads(config.read_text())["run"]["seed"]] = hashes
    return found


def _differing(a: dict[int, dict[str, str]], b: dict[int, dict[str, str]]) -> str:
    names = {name for seed in a.keys() & b.keys() for name in a[seed].keys() | b[seed].keys() if a[seed].get(name) != b[seed].get(name)}
    return f"{len(a)} and {len(b)} runs, other bytes in {', '.join(sorted(names)) or 'nothing'}"


def _start(where: Path, chosen: list[list[str]], hash_seed: str, threads: str, flags: list[str]) -> subprocess.Popen[str]:
    where.mkdir()
    (where / "foreign.py").write_text(ENVIRONMENT)
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "OMP_NUM_THREADS": threads}
    command = [sys.executable, *flags, str(Path(__file__).resolve()), json.dumps(chosen)]
    return subprocess.Popen(command, cwd=where, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def _train(chosen: list[list[str]]) -> list[int]:
    """Run commands one after another in this process; return their exit codes."""
    from rlcourse.cli.main import main

    codes = []
    for i, words in enumerate(chosen):
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            codes.append(main(["train", *words, "-q", "--out", str(i)]))
    return codes


if __name__ == "__main__":
    print(json.dumps(_train(json.loads(sys.argv[1]))))
