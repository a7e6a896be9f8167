"""PPO on CartPole beside stable-baselines3, in one process tree: steps per second, and seconds until solved.

    python benchmarks/cartpole_vs_sb3.py            # both parts
    python benchmarks/cartpole_vs_sb3.py speed      # (a) steps/s at identical hyper-parameters, both sides interleaved
    python benchmarks/cartpole_vs_sb3.py solve      # (b) process start until the greedy 100-episode mean is 475, 10 paired seeds

The hyper-parameters are those of rl-zoo's tuned CartPole preset. (b) is ours with our preset (presets/cartpole.toml) against
stable-baselines3 with that one; both check every 2,048 steps, and the time of the checks is taken off on both sides. One thread each
(OMP_NUM_THREADS=1); look at the ratios, machines differ.
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


def make_ours(seed: int, preset: bool):
    """Return our agent and a function that trains it for some steps."""
    from rlcourse.agents import PPO

    if preset:
        from rlcourse.presets import load

        settings = load("cartpole").agents["ppo"]
    else:
        settings = ZOO | {"n_envs": 8, "learning_rate": f"linear(0.001, 0, {HORIZON})", "clip_range": f"linear(0.2, 0, {HORIZON})"}
    agent = PPO("CartPole-v1", seed=seed, **settings)
    return agent, lambda steps: agent.learn(steps)


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
    model, train = make_ours(seed, preset=True) if side == "ours" else make_theirs(seed)
    steps, checks, mean = 0, 0.0, 0.0
    while mean < TARGET and steps < 200_000:
        train(CHECK_EVERY)
        steps += CHECK_EVERY
        before = time.time()
        mean = greedy_mean(model, seed)
        checks += time.time() - before
    return {"seconds": time.time() - started - checks, "steps": steps, "mean": mean}


def speed(rounds: int = 5, steps: int = 20_480) -> dict[str, float]:
    """Measure both sides in turns, so that a busy moment of the machine hits both."""
    import torch

    torch.set_num_threads(1)
    _, ours = make_ours(0, preset=False)
    _, theirs = make_theirs(0)
    ours(512), theirs(512)
    rates: dict[str, list[float]] = {"ours": [], "stable-baselines3": []}
    for _ in range(rounds):
        for name, train in (("ours", ours), ("stable-baselines3", theirs)):
            before = time.perf_counter()
            train(steps)
            rates[name].append(steps / (time.perf_counter() - before))
    ratios = [a / b for a, b in zip(*rates.values(), strict=True)]
    return {name: statistics.median(values) for name, values in rates.items()} | {"ratio": statistics.median(ratios)}


def main() -> None:
    """Run the parts asked for and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", choices=["speed", "solve", "both"], default="both")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        side, seed, started = arguments.child
        print(json.dumps(solve(side, int(seed), float(started))))
        return
    if arguments.part in ("speed", "both"):
        result = speed()
        print(
            f"(a) steps/s, identical hyper-parameters: ours {result['ours']:,.0f}, stable-baselines3 {result['stable-baselines3']:,.0f}, "
            f"median ratio {result['ratio']:.2f}",
            flush=True,
        )
    if arguments.part in ("solve", "both"):
        print("(b) seconds from process start to a greedy 100-episode mean of 475 (steps)")
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
