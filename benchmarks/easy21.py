"""How good are the greedy policies that learners find in Easy21? Their expected returns are exact; the optimum is 0.06308.

    python benchmarks/easy21.py              # 20 seeds each, half a minute
    python benchmarks/easy21.py --seeds 100

The result goes to benchmarks/results/easy21.txt.
"""

from __future__ import annotations

import argparse
import platform
import time
from pathlib import Path

import numpy as np

from rlcourse.agents import GLIEControl, OffPolicyMCControl, SarsaLambda, TabularSarsaLambda
from rlcourse.core import exact
from rlcourse.envs import easy21_features, easy21_game

RESULTS = Path(__file__).parent / "results" / "easy21.txt"
COUNTED = {"alpha": 0.0, "N0": 100.0}
LINEAR = {"features": easy21_features(), "alpha": 0.01, "epsilon": 0.05}
LEARNERS = (  # name, class, settings, episodes, the return asked for
    ("Monte Carlo control, counts, N0 = 100", GLIEControl, {}, 1_000_000, 0.045),
    ("Monte Carlo control, off-policy, epsilon = 0.3", OffPolicyMCControl, {"epsilon": 0.3}, 1_000_000, 0.055),
    ("Sarsa(0), counts, N0 = 100", TabularSarsaLambda, {"lam": 0.0, **COUNTED}, 1_000_000, 0.045),
    ("36 features, lambda = 0", SarsaLambda, {"lam": 0.0, **LINEAR}, 10_000, 0.02),
    ("36 features, lambda = 0.5", SarsaLambda, {"lam": 0.5, **LINEAR}, 10_000, 0.02),
    ("36 features, lambda = 0.5", SarsaLambda, {"lam": 0.5, **LINEAR}, 100_000, 0.02),
)


def returns(kind: type, settings: dict, episodes: int, seeds: int) -> np.ndarray:
    """Return the exact expected return of the greedy policy for each seed."""
    found = np.empty(seeds)
    for seed in range(seeds):
        agent = kind(easy21_game(), seed=seed, **settings).learn(episodes=episodes)
        found[seed] = exact.exact_return(
            easy21_game(), exact.greedy_policy(agent.values() if kind is SarsaLambda else agent.action_values(np.arange(210)))
        )
    return found


def main() -> None:
    """Measure all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    seeds = parser.parse_args().seeds
    lines = [f"exact expected return of the greedy policy in Easy21, {seeds} seeds each; optimum 0.06308"]
    for name, kind, settings, episodes, asked in LEARNERS:
        started = time.perf_counter()
        found = returns(kind, settings, episodes, seeds)
        lines.append(
            f"{name:<48} {episodes:>9,} episodes: mean {found.mean():.4f}, least {found.min():.4f}, most {found.max():.4f}; "
            f"{int((found >= asked).sum())} of {seeds} reach {asked:g}; {(time.perf_counter() - started) / seeds:.2f} s a seed"
        )
        print(lines[-1], flush=True)
    lines.append(f"python {platform.python_version()}, {platform.machine()}")
    RESULTS.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
