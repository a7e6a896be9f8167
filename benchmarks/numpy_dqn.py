"""The deep Q-network by hand, `rlcourse.nn_numpy.q_learning`, on CartPole: how many seeds pass, and how long each takes.

    python benchmarks/numpy_dqn.py             # 10 seeds
    python benchmarks/numpy_dqn.py --seeds 3

A seed passes where the greedy policy of the network that `learn` returns has a mean return of at least 475, Gymnasium's threshold, over
100 episodes that it never saw. One thread.
"""

from __future__ import annotations

import argparse
import os
import time

os.environ["OMP_NUM_THREADS"] = "1"

import gymnasium as gym
import numpy as np

from rlcourse.nn_numpy.q_learning import Settings, learn, play


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    scores = []
    for seed in range(parser.parse_args().seeds):
        env, started = gym.make("CartPole-v1"), time.process_time()
        Q = learn(env, Settings(), np.random.default_rng(seed))
        seconds = time.process_time() - started
        scores.append(np.mean([play(env, Q, seed=20_000_000 + episode) for episode in range(100)]))
        print(f"seed {seed}: {scores[-1]:.1f} in {seconds:.0f} s of one core", flush=True)
    print(f"{sum(score >= 475 for score in scores)} of {len(scores)} seeds reach 475; mean {np.mean(scores):.1f}, worst {min(scores):.1f}")


if __name__ == "__main__":
    main()
