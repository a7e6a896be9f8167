"""Seconds until PPO has solved CartPole, beside stable-baselines3's, in one process tree.

    python benchmarks/cartpole_solved.py            # process start until the greedy 100-episode mean is 475, 10 paired seeds

Ours has our preset (presets/cartpole.toml), stable-baselines3 that of rl-zoo; both check every 2,048 steps, and the time of the checks
is taken off on both sides. One thread each (OMP_NUM_THREADS=1); look at the ratios, machines differ. Steps per second at identical
hyper-parameters are measured by `deep_vs_sb3.py ppo`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

os.environ["OMP_NUM_THREADS"] = "1"

ZOO = {"n_steps": 32, "batch_size": 256, "n_epochs": 20, "gamma": 0.98, "gae_lambda": 0.8}
HORIZON = 100_000  # the linear schedules of learning rate (from 0.001) and clip range (from 0.2) end here
CHECK_EVERY = 2_048
TARGET = 475.0


def make_ours(seed: int):
    """Return our agent with our preset and a function that trains it for some steps."""
    from rlcourse.agents import PPO
    from rlcourse.presets import load

    agent = PPO("CartPole-v1", seed=seed, **load("cartpole").agents["ppo"])
    return agent, agent.learn


def make_theirs(seed: int):
    """Return stable-baselines3's agent with rl-zoo's preset and a function that trains it for some steps."""
    from stable_baselines3 import PPO
    from stable_baselines3.common.env_util import make_vec_env

    done = {"steps": 0}

    def left(_: float) -> float:
        return max(0.0, 1.0 - done["steps"] / HORIZON)

    model = PPO(
        "MlpPolicy",
        make_vec_env("CartPole-v1", 8, seed=seed),
        seed=seed,
        device="cpu",
        ent_coef=0.0,
        learning_rate=lambda p: 0.001 * left(p),
        clip_range=lambda p: 0.2 * left(p),
        **ZOO,
    )

    def train(steps: int) -> None:
        for _ in range(steps // 256):  # one rollout a call, so that the schedules follow the absolute step
            model.learn(256, reset_num_timesteps=False)
            done["steps"] += 256

    return model, train


def greedy_mean(model, seed: int, episodes: int = 100) -> float:
    """Return the greedy mean return of fresh episodes in Gymnasium's own environment, all stepped at once."""
    import gymnasium as gym
    import numpy as np

    envs = gym.vector.SyncVectorEnv([lambda: gym.make("CartPole-v1")] * episodes)
    observations, _ = envs.reset(seed=1_000_000 + 1_000 * seed)
    returns, alive = np.zeros(episodes), np.ones(episodes, dtype=bool)
    while alive.any():
        actions, _ = model.predict(observations, deterministic=True)
        observations, rewards, terminated, truncated, _ = envs.step(actions)
        returns += rewards * alive
        alive &= ~(terminated | truncated)
    envs.close()
    return float(returns.mean())


def solve(side: str, seed: int, started: float) -> dict[str, float]:
    """Train until solved; seconds count from the start of the process, checks taken off."""
    model, train = make_ours(seed) if side == "ours" else make_theirs(seed)
    steps, checks, mean = 0, 0.0, 0.0
    while mean < TARGET and steps < 200_000:
        train(CHECK_EVERY)
        steps += CHECK_EVERY
        before = time.time()
        mean = greedy_mean(model, seed)
        checks += time.time() - before
    return {"seconds": time.time() - started - checks, "steps": steps, "mean": mean}


def main() -> None:
    """Pair the seeds and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        side, seed, started = arguments.child
        print(json.dumps(solve(side, int(seed), float(started))))
        return
    print(f"seconds from process start to a greedy 100-episode mean of {TARGET:g} (steps)")
    ratios = []
    for seed in range(arguments.seeds):
        found = {}
        for side in ("ours", "stable-baselines3"):
            command = [sys.executable, __file__, "--child", side, str(seed), str(time.time())]
            found[side] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        a, b = found["ours"], found["stable-baselines3"]
        ratios.append(a["seconds"] / b["seconds"])
        print(
            f"    seed {seed}: ours {a['seconds']:5.2f} ({a['steps']:,}, mean {a['mean']:.0f})   "
            f"stable-baselines3 {b['seconds']:5.2f} ({b['steps']:,}, mean {b['mean']:.0f})   ratio {ratios[-1]:.2f}",
            flush=True,
        )
    print(f"    median ratio {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
