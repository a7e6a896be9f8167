"""stable-baselines3's PPO in its own vectorised CartPole, and in our compiled one behind `to_vec_env`.

    python benchmarks/sb3_vec_env.py

The model, its settings and its updates are the same; only the copies of the environment differ. For each number of copies: steps/s of
the copies alone (random actions, Monitor or VecMonitor included), and of PPO as a whole, with one epoch of few large minibatches, as one
trains with many copies. Both sides in turns; one thread (OMP_NUM_THREADS=1).
"""

from __future__ import annotations

import os
import statistics
import time

os.environ["OMP_NUM_THREADS"] = "1"

COPIES = (8, 64, 512)
ROUNDS = 3


def theirs(n: int):
    """Return stable-baselines3's copies, each with a Monitor."""
    from stable_baselines3.common.env_util import make_vec_env

    return make_vec_env("CartPole-v1", n, seed=0)


def ours(n: int):
    """Return our compiled copies, which report their episodes themselves."""
    from rlcourse.core.copies import as_vector
    from rlcourse.sb3 import to_vec_env

    venv = to_vec_env(as_vector("CartPole-v1", n))
    venv.seed(0)
    return venv


def copies_alone(venv, n: int) -> float:
    """Return steps/s with random actions."""
    import numpy as np

    actions = np.random.default_rng(0).integers(2, size=(64, n))
    venv.reset()
    for row in actions:
        venv.step(row)
    steps, began = 0, time.perf_counter()
    while time.perf_counter() - began < 1.0:
        for row in actions:
            venv.step(row)
        steps += actions.size
    return steps / (time.perf_counter() - began)


def learning(model, n: int) -> float:
    """Return PPO's steps/s."""
    steps = max(2, 16_384 // (n * 32)) * n * 32
    began = time.perf_counter()
    model.learn(steps, reset_num_timesteps=False)
    return steps / (time.perf_counter() - began)


def main() -> None:
    """Measure and print a table."""
    import torch
    from stable_baselines3 import PPO

    torch.set_num_threads(1)
    print("copies  what            theirs, steps/s   ours, steps/s   median ratio")
    for n in COPIES:
        venvs = {"theirs": theirs(n), "ours": ours(n)}
        settings = {"n_steps": 32, "batch_size": max(256, n * 32 // 4), "n_epochs": 1, "device": "cpu", "seed": 0}
        models = {side: PPO("MlpPolicy", venv, **settings) for side, venv in venvs.items()}
        for what in ("copies alone", "PPO"):
            rates: dict[str, list[float]] = {side: [] for side in venvs}
            for _ in range(ROUNDS):
                for side, venv in venvs.items():
                    if what == "PPO":
                        models[side]._last_obs = None
                    rates[side].append(copies_alone(venv, n) if what == "copies alone" else learning(models[side], n))
            ratio = statistics.median(b / a for a, b in zip(rates["theirs"], rates["ours"], strict=True))
            a, b = (statistics.median(rates[side]) for side in ("theirs", "ours"))
            print(f"{n:6}  {what:14} {a:16,.0f} {b:15,.0f} {ratio:14.1f}", flush=True)


if __name__ == "__main__":
    main()
