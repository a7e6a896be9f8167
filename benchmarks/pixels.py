"""Encoders of the notes at play: six of them on PixelCatch, two on SmallBreakout, one in stable-baselines3's PPO.

    python benchmarks/pixels.py catch         # PPO with six encoders, 10 seeds each: how many reach 0.95 within 30,000 steps
    python benchmarks/pixels.py sb3           # stable-baselines3's PPO with `notes-mnist` as its extractor, to the same bar
    python benchmarks/pixels.py breakout      # PPO with `notes-mnist` and with `minatar`, 200,000 steps: scores, and their difference
    python benchmarks/pixels.py catch --encoders lenet5 --seeds 3 --jobs 2

Settings are those of the presets `pixelcatch` and `smallbreakout`. On PixelCatch training ends where 50 greedy episodes all but reach 1
(looked at every 1,440 steps); the run is judged by 100 fresh greedy episodes. On SmallBreakout all steps are taken, and the last network
plays the 100 episodes; compared are interquartile means over seeds, with the 95 % interval of their difference by bootstrap over seeds.

The report goes to benchmarks/results/pixels_<what>.txt. Seconds are the processor's. Runs are kept in a file of JSON lines where `--keep`
names one, and not made again.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import platform
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from rlcourse import presets

RESULTS = Path(__file__).parent / "results"
ENCODERS = {
    "catch": ["notes-mnist", "notes-cifar", "deep-mnist", "lenet5", "impala", "minatar"],
    "sb3": ["notes-mnist"],
    "breakout": ["notes-mnist", "minatar"],
}
JUDGED = 1_000_000  # seeds of the judged episodes begin here: far from those of the evaluations in training


def train(job: tuple[str, str, int]) -> dict[str, Any]:
    """Train one seed; return its score in 100 fresh greedy episodes, its steps and its seconds."""
    import torch

    from rlcourse.agents import PPO
    from rlcourse.core.evaluation import evaluate

    torch.set_num_threads(1)
    what, encoder, seed = job
    preset = presets.load("smallbreakout" if what == "breakout" else "pixelcatch")
    settings = preset.agents["sb3:ppo" if what == "sb3" else "ppo"] | {"encoder": encoder, "seed": seed, "device": "cpu"}
    if what == "sb3":
        from rlcourse.sb3 import agent_class

        agent = agent_class("ppo")(preset.env, **settings)
    else:
        agent = PPO(preset.env, **settings)
    began, following = time.process_time(), preset.eval_every

    def solved(agent: Any) -> bool:
        nonlocal following
        if preset.stop_at is None or agent.num_timesteps < following:
            return True
        following += preset.eval_every
        return bool(evaluate(agent, preset.env, preset.eval_episodes, seed=10_000 + 1000 * seed).mean() < preset.stop_at)

    agent.learn(preset.total_timesteps, callback=solved)
    seconds = time.process_time() - began
    score = float(evaluate(agent, preset.env, 100, seed=JUDGED).mean())
    return {"what": what, "encoder": encoder, "seed": seed, "score": score, "steps": agent.num_timesteps, "seconds": round(seconds, 1)}


def random_score(env: str, episodes: int = 10_000) -> tuple[float, float]:
    """Return mean and standard error of a random policy's return."""
    from rlcourse.core.copies import as_vector

    envs, rng = as_vector(env, 100), np.random.default_rng(0)
    envs.reset(seed=0)
    returns: list[float] = []
    each = np.zeros(100, int)  # the first episodes of every copy, so that short ones are not preferred
    while each.min() < episodes // 100:
        infos = envs.step(rng.integers(0, envs.single_action_space.n, 100))[-1]
        if "_episode" in infos:
            counted = infos["_episode"] & (each < episodes // 100)
            returns += infos["episode"]["r"][counted].tolist()
            each += infos["_episode"]
    return float(np.mean(returns)), float(np.std(returns) / np.sqrt(len(returns)))


def iqm(scores: np.ndarray) -> np.ndarray:
    """Return the interquartile mean over the last axis: the mean without the lowest and the highest quarter."""
    n = scores.shape[-1]
    return np.sort(scores, axis=-1)[..., n // 4 : n - n // 4].mean(axis=-1)


def differences(a: np.ndarray, b: np.ndarray, resamples: int = 10_000) -> np.ndarray:
    """Return resampled differences of interquartile means; seeds are drawn anew on both sides."""
    rng = np.random.default_rng(0)
    drawn = [scores[rng.integers(0, len(scores), (resamples, len(scores)))] for scores in (a, b)]
    return iqm(drawn[0]) - iqm(drawn[1])


def report(what: str, results: list[dict[str, Any]], encoders: list[str], jobs: int) -> str:
    """Return the table of the results."""
    lines = []
    by_encoder = {name: sorted((r for r in results if r["encoder"] == name), key=lambda r: r["seed"]) for name in encoders}
    for name, runs in by_encoder.items():
        scores, steps, seconds = (np.array([run[key] for run in runs]) for key in ("score", "steps", "seconds"))
        target = presets.load("smallbreakout" if what == "breakout" else "pixelcatch").target
        lines += [
            f"{name}: {(scores >= target).sum()} of {len(runs)} seeds reach {target:g}; median {np.median(steps):,.0f} steps (most "
            f"{steps.max():,}), {np.median(seconds):.0f} s of processor",
            "  scores: " + ", ".join(f"{score:.2f}" for score in scores),
            "  steps:  " + ", ".join(f"{step:,}" for step in steps),
        ]
    if what == "breakout":
        chance, error = random_score("rlcourse/SmallBreakout-v0")
        lines.append(f"random: {chance:.3f} ± {error:.3f} (standard error of 10,000 episodes)")
        found = {name: np.array([run["score"] for run in runs]) for name, runs in by_encoder.items()}
        lines += [f"IQM of {name}: {iqm(scores):.2f}, {iqm(scores) / chance:.0f} times random" for name, scores in found.items()]
        if len(encoders) == 2:
            low, high = np.percentile(differences(*found.values()), [2.5, 97.5])
            gap = iqm(found[encoders[0]]) - iqm(found[encoders[1]])
            lines.append(f"IQM of {encoders[0]} minus IQM of {encoders[1]}: {gap:.2f}, 95 % interval {low:.2f} to {high:.2f}")
    lines.append(f"python {platform.python_version()}, {platform.machine()}, {jobs} at once, one thread each")
    return "\n".join(lines)


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=list(ENCODERS))
    parser.add_argument("--encoders", help="several with commas [all of the comparison]")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=1, help="processes at once, one thread each [1]")
    parser.add_argument("--keep", metavar="FILE", help="JSON lines of the runs, which are not made again")
    arguments = parser.parse_args()
    what, encoders = arguments.what, arguments.encoders.split(",") if arguments.encoders else ENCODERS[arguments.what]
    kept = Path(arguments.keep) if arguments.keep else None
    results = [json.loads(line) for line in kept.read_text().splitlines()] if kept and kept.exists() else []
    jobs = [(what, encoder, seed) for seed in range(arguments.seeds) for encoder in encoders]
    results = [result for result in results if (result["what"], result["encoder"], result["seed"]) in jobs]
    done = {(result["what"], result["encoder"], result["seed"]) for result in results}
    with ProcessPoolExecutor(arguments.jobs, multiprocessing.get_context("spawn")) as pool:
        for result in pool.map(train, [job for job in jobs if job not in done]):
            results.append(result)
            print(json.dumps(result), flush=True)
            if kept:
                with kept.open("a") as file:
                    file.write(json.dumps(result) + "\n")
    text = report(what, results, encoders, arguments.jobs)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"pixels_{what}.txt").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
