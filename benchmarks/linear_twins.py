"""Linear agents in Gymnasium's environments, interpreted, beside our worlds, compiled: the same steps, and learning curves that overlap.

    python benchmarks/linear_twins.py               # three environments, 10 seeds each
    python benchmarks/linear_twins.py --seeds 3 CartPole-v1

Gymnasium's observations are float32 and ours float64, so that a run differs as soon as one of them lies on the other side of a tile's
edge. First both live through the same actions: the largest difference of their observations, and how often their features differ. Then
semi-gradient Sarsa learns in both with the same seeds: mean returns over tenths of the episodes, with 95 % intervals over seeds, and how
many standard errors the two curves are apart. The report goes to benchmarks/results/linear_twins.txt.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.agents import SemiGradientSarsa
from rlcourse.core.catalogue import twin_of

RESULTS = Path(__file__).parent / "results"
PARTS = 10  # of a learning curve


class Plan(NamedTuple):
    """What is learned in one environment: features, settings, and how long."""

    features: str
    alpha: float
    gamma: float
    epsilon: float
    episodes: int


PLANS = {
    "MountainCar-v0": Plan("tiles:8x8", 0.0625, 1.0, 0.0, 200),
    "CartPole-v1": Plan("tiles:8x6@-2.4:2.4,-3:3,-0.21:0.21,-3:3", 0.0375, 0.99, 0.05, 150),
    "Acrobot-v1": Plan("tiles:8x3@-1:1,-1:1,-1:1,-1:1,-6:6,-9:9", 0.025, 1.0, 0.0, 60),
}


class Opaque(gym.Wrapper):
    """A wrapper that rlcourse does not know: behind it boxes run interpreted."""


def agent(id: str, seed: int, interpreted: bool) -> SemiGradientSarsa:
    """Make the agent of a plan, in Gymnasium's environment or in its compiled twin."""
    plan = PLANS[id]
    env = gym.make(id)
    made = SemiGradientSarsa(
        Opaque(env) if interpreted else env,
        features=plan.features,
        alpha=plan.alpha,
        gamma=plan.gamma,
        epsilon=plan.epsilon,
        seed=seed,
    )
    assert made.interpreted == interpreted
    return made


def steps_apart(id: str, steps: int = 5_000, seed: int = 0) -> tuple[float, float]:
    """Live through the same actions; return the largest difference of observations, and the share of states whose features differ."""
    env = gym.make(id)
    world: Any = twin_of(env)
    features = agent(id, 0, interpreted=False).features
    rng, largest, different = np.random.default_rng(seed), 0.0, 0
    observation, state = None, None
    for _ in range(steps):
        if observation is None:
            observation, _ = env.reset(seed=int(rng.integers(2**31)))
            state = tuple(float(part) for part in env.unwrapped.state)
        ours = world.observe(state)
        largest = max(largest, float(np.abs(np.asarray(ours) - observation).max()))
        different += not np.array_equal(features.x(ours), features.x(observation))
        action = int(rng.integers(env.action_space.n))
        state = world.step(state, action, rng)[0]
        observation, _, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            observation = None
    return largest, different / steps


def curves(id: str, seeds: range, interpreted: bool) -> tuple[np.ndarray, float]:
    """Return mean returns of tenths of the episodes, shape [seeds, tenths], and steps per second."""
    found, steps, began = [], 0, time.perf_counter()
    for seed in seeds:
        made = agent(id, seed, interpreted).learn(episodes=PLANS[id].episodes)
        found.append(made.history["return"].reshape(PARTS, -1).mean(axis=1))
        steps += made.num_timesteps
    return np.array(found), steps / (time.perf_counter() - began)


def apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the difference of two curves [seeds, tenths] in standard errors, shape [tenths]."""
    error = np.sqrt((one.var(axis=0, ddof=1) + other.var(axis=0, ddof=1)) / len(one))
    return np.asarray(np.abs(one.mean(axis=0) - other.mean(axis=0)) / np.maximum(error, 1e-9))


def report(id: str, seeds: int) -> str:
    """Compare both ways in one environment; return lines of text."""
    largest, share = steps_apart(id)
    agent(id, 0, interpreted=False).learn(10)  # compiled before the clock runs
    compiled, fast = curves(id, range(seeds), interpreted=False)
    interpreted, slow = curves(id, range(seeds), interpreted=True)
    plan = PLANS[id]

    def line(name: str, curve: np.ndarray) -> str:
        half = 1.96 * curve.std(axis=0, ddof=1) / np.sqrt(seeds)
        return f"  {name:12}" + "  ".join(f"{mean:7.1f} ±{width:5.1f}" for mean, width in zip(curve.mean(axis=0), half, strict=True))

    return "\n".join(
        [
            f"{id}: semi-gradient Sarsa, {plan.features}, alpha {plan.alpha:g}, {plan.episodes} episodes, {seeds} seeds",
            f"  same actions: observations differ by at most {largest:.1e}, features in {100 * share:.2f} % of 5,000 states",
            "  mean return of each tenth of the episodes, ± 95 % over seeds",
            line("interpreted", interpreted),
            line("compiled", compiled),
            "  apart by    " + "  ".join(f"{number:14.1f}" for number in apart(interpreted, compiled)) + "  standard errors",
            f"  steps a second: {slow:,.0f} interpreted, {fast:,.0f} compiled",
        ]
    )


def main() -> None:
    """Compare the environments asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ids", nargs="*", metavar="ID", help=f"of {', '.join(PLANS)}")
    parser.add_argument("--seeds", type=int, default=10)
    arguments = parser.parse_args()
    texts = []
    for id in arguments.ids or PLANS:
        texts.append(report(id, arguments.seeds))
        print(texts[-1], flush=True)
    if not arguments.ids:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "linear_twins.txt").write_text("\n\n".join(texts) + "\n")


if __name__ == "__main__":
    main()
