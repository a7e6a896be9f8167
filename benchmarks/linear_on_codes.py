"""A linear agent plays from the codes of a frozen convolutional network: semi-gradient Sarsa on PixelCatch, over ten seeds.

    python benchmarks/linear_on_codes.py
    python benchmarks/linear_on_codes.py --seeds 3 --encoder notes-mnist

For each seed DQN with the settings of the preset `pixelcatch` learns until 50 greedy episodes all but reach 1. Its encoder is frozen: 84
features in the place of 28 x 28 pixels. Semi-gradient Sarsa over them and a constant (``features="vector"``) then learns from nothing for
20,000 steps with a step size of 0.2 divided by the mean of x . x, the same generator's seed, gamma 0.99 and epsilon 0.1; its greedy
policy plays 100 fresh episodes, and passes at 0.95. Beside it, the same over an encoder of the same shape whose weights nobody has
trained.

Why DQN: its head is linear, so its q is a linear function of the codes, and Sarsa can find one that is as good. The codes of an agent
with a hidden layer behind its encoder need not be so: those of the preset's PPO gave at most 0.68 in one trial.

With half of that step size nine of the ten sources passed: the greedy policy over one, the one that had stopped learning first, depends
on the last updates.

The report goes to benchmarks/results/linear_on_codes.txt. Seconds are the processor's. With --keep FOLDER sources are kept there.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from box_speed import machine

from rlcourse import presets
from rlcourse.agents import DQN, SemiGradientSarsa
from rlcourse.core.evaluation import evaluate
from rlcourse.wrappers import EncodeObservation

RESULTS = Path(__file__).parent / "results"
JUDGED, TARGET = 1_000_000, 0.95  # seeds of the judged episodes begin here


def source(encoder: str, seed: int, folder: Path) -> tuple[Path, int]:
    """Train the agent whose encoder is taken; return its file and how many steps it took."""
    preset = presets.load("pixelcatch")
    agent = DQN(preset.env, **(preset.agents["dqn"] | {"encoder": encoder, "seed": seed, "device": "cpu"}))
    following = preset.eval_every

    def unsolved(agent: Any) -> bool:
        nonlocal following
        if agent.num_timesteps < following:
            return True
        following += preset.eval_every
        return bool(evaluate(agent, preset.env, preset.eval_episodes, seed=10_000 + 1000 * seed).mean() < preset.stop_at)

    agent.learn(preset.total_timesteps, callback=unsolved)
    return Path(agent.save(folder / f"{encoder}-{seed}.safetensors")), agent.num_timesteps


def power(env: gym.Env, steps: int = 500) -> float:
    """Return the mean of x . x in random play, x with the constant 1."""
    seen = [env.reset(seed=0)[0]]
    env.action_space.seed(0)
    for _ in range(steps):
        observation, _, terminated, truncated, _ = env.step(env.action_space.sample())
        seen.append(env.reset()[0] if terminated or truncated else observation)
    return 1.0 + float(np.mean(np.sum(np.square(seen), axis=1)))


def play(encoder: Any, seed: int, steps: int) -> float:
    """Return the score of semi-gradient Sarsa over the codes of an encoder."""
    env, judged = (EncodeObservation(gym.make("rlcourse/PixelCatch-v0"), encoder, seed=seed, cache=20_000) for _ in range(2))
    agent = SemiGradientSarsa(env, features="vector", alpha=0.2 / power(env), gamma=0.99, epsilon=0.1, seed=seed).learn(steps)
    return float(evaluate(agent, judged, 100, seed=JUDGED).mean())


def main() -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", default="lenet5")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    folder = given.keep or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    lines, scores, untrained = [f"seed  steps of DQN  s    Sarsa on its codes  s   on an untrained {given.encoder}"], [], []
    for seed in range(given.seeds):
        began = time.process_time()
        file, steps = source(given.encoder, seed, folder)
        learned = time.process_time()
        scores.append(play(file, seed, given.steps))
        played = time.process_time()
        untrained.append(play(given.encoder, seed, given.steps))
        lines.append(f"{seed:4}  {steps:12,}  {learned - began:3.0f}  {scores[-1]:18.2f}  {played - learned:3.1f}  {untrained[-1]:6.2f}")
        print(lines[-1], flush=True)
    lines += [
        f"{sum(score >= TARGET for score in scores)} of {len(scores)} seeds reach {TARGET:g} over the codes; untrained, "
        f"{sum(score >= TARGET for score in untrained)} do, with a mean of {np.mean(untrained):.2f} (random play: -0.6)",
        f"semi-gradient Sarsa, {given.steps:,} steps, interpreted; {machine()}",
    ]
    report = "\n".join(lines)
    print(report)
    if given.seeds >= 10 and given.encoder == "lenet5":
        (RESULTS / "linear_on_codes.txt").write_text(report + "\n")


if __name__ == "__main__":
    main()
