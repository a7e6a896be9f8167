"""Steps to a threshold with an encoder that has already learned the task: PixelCatch, PPO with the preset's settings.

    python benchmarks/transfer.py                # 10 seeds, about six minutes of processor
    python benchmarks/transfer.py --seeds 3

For each seed a source learns for 7,200 steps; then agents with other seeds learn the same task from scratch, and with the source's encoder
frozen, fine-tuned and as a warm start. After every rollout (288 steps) 100 greedy episodes are played; the threshold is 0.95 of the
source's return. The report goes to benchmarks/results/transfer.txt.
"""

from __future__ import annotations

import argparse
import platform
import tempfile
from pathlib import Path

import numpy as np
import torch

from rlcourse import presets
from rlcourse.agents import PPO
from rlcourse.core.evaluation import evaluate

RESULTS = Path(__file__).parent / "results"
MODES = ("scratch", "frozen", "finetune", "warmstart")
PRESET = presets.load("pixelcatch")
ROLLOUT = PRESET.agents["ppo"]["n_envs"] * PRESET.agents["ppo"]["n_steps"]


def judged(agent: PPO, seed: int) -> float:
    """Return the mean return of 100 greedy episodes."""
    return float(evaluate(agent, PRESET.env, episodes=100, seed=seed).mean())


def steps_to(agent: PPO, threshold: float, seed: int) -> int:
    """Return the steps until the threshold is reached; twice the budget where it is not."""
    while agent.num_timesteps < PRESET.total_timesteps:
        agent.learn(ROLLOUT)
        if judged(agent, seed) >= threshold:
            return agent.num_timesteps
    return 2 * PRESET.total_timesteps


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    seeds = parser.parse_args().seeds
    torch.set_num_threads(1)
    settings, rows, returns = PRESET.agents["ppo"], [], []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(seeds):
            source = PPO(PRESET.env, **settings, seed=1_000 + seed).learn(7_200)
            file = source.save(Path(folder) / f"{seed}.safetensors")
            returns.append(judged(source, 30_000_000))
            row = []
            for mode in MODES:
                given = {} if mode == "scratch" else {"encoder_mode": mode, "encoder_from": str(file)}
                agent = PPO(PRESET.env, **settings, **given, seed=seed)
                row.append(steps_to(agent, 0.95 * returns[-1], 40_000_000))
            rows.append(row)
            print(f"seed {seed}: source {returns[-1]:.2f}; " + ", ".join(f"{m} {s:,}" for m, s in zip(MODES, row, strict=True)), flush=True)
    steps = np.array(rows)
    lines = [
        f"PixelCatch, {PRESET.agents['ppo']['encoder']}: steps until 0.95 of the source's return (sources: {min(returns):.2f} or more)"
    ]
    for mode, column in zip(MODES, steps.T, strict=True):
        share = column / steps[:, 0]
        lines.append(f"{mode:10} median {np.median(column):7,.0f}   of scratch's: median {np.median(share):.2f}, most {share.max():.2f}")
    lines.append(f"frozen within a third of scratch's steps: {(3 * steps[:, 1] <= steps[:, 0]).sum()} of {seeds} seeds")
    lines.append(f"python {platform.python_version()}, {platform.machine()}, one thread")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "transfer.txt").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
