"""Section 13.5: what an actor-critic loses by bootstrapping, and what it gains.

The book has no figure of actor-critics; this one is ours. In the short corridor the critic cannot tell the states apart, and a TD error
there says nothing of where an action led. The one-step actor-critic is biased: its expected step, with the critic at its fixed point,
goes to the right for every policy, until p = 1, where no episode ends: it passes by the best policy and gets worse again. Traces mend
it: the policy at which the expected step is zero moves from there to the best one, 2 - sqrt 2, as lambda goes to 1. Its value is drawn
against lambda (a line, exact by linear algebra), with what the algorithm comes to in 1000 episodes (points), beside learning curves.

In mountain car tile coding tells states apart, and the same bootstrapping is what makes learning possible: actor-critics are close to the
best within some 50 episodes, while REINFORCE with baseline, which waits for the end of episodes of thousands of steps, is still lost.
Step sizes there are the best of a few that were tried; episodes are cut off after 5000 steps, in the corridor after 1000.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.policy_gradient.actor_critic_lambda import actor_critic_lambda
from rlcourse.agents.policy_gradient.linear_reinforce_baseline import linear_reinforce_baseline
from rlcourse.agents.policy_gradient.one_step_actor_critic import one_step_actor_critic
from rlcourse.core.config import Config, Count
from rlcourse.core.runs import Runs
from rlcourse.envs import MountainCar, short_corridor
from rlcourse.features import TableFeatures, Tiles
from rlcourse.figures import style
from rlcourse.figures.ch13.example_13_1 import BEST, BEST_VALUE, value
from rlcourse.figures.ch13.figure_13_1 import FIRST, LIMIT, preferences, smooth
from rlcourse.figures.ch13.figure_13_2 import with_baseline
from rlcourse.figures.claims import Claim, equal, less, mean, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "direction", "draw", "run", "stationary"]

LAMS = (0.3, 0.5, 0.9)  # simulated in the corridor
ALPHAS = (2.0**-8, 2.0**-8)  # of actor and critic there
CAR = {"one step": (0.1 / 8, 0.5 / 8, 0.0), "λ = 0.9": (0.02 / 8, 0.1 / 8, 0.9)}  # mountain car: alpha_theta, alpha_w, lambda
STEEP, CAR_LIMIT = 20, 5000  # episodes of REINFORCE, and steps of an episode


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 100
    episodes: Count = 1000  # in the corridor
    car_episodes: Count = 300


FAST = {"runs": 20, "car_episodes": 150}


def direction(p: float, lam: float) -> float:
    """Return the expected step of the preference for right in an episode of the corridor, with the critic at its fixed point.

    In units of the step size. All values are one number w, so delta is -1, and -1 - w at the end. With n(s) the visits of a state and m(s)
    the trace that they find, summed over an episode, all is linear: m = lam P^T m + P^T (g n), where g(a) is what an action adds.
    """
    corridor, choice, score = short_corridor(), np.array([1.0 - p, p]), np.array([-p, 1.0 - p])
    P = np.zeros((2, 3, 3))
    for s in range(3):
        for a in range(2):
            if not corridor.terminal[s, a, 0]:
                P[a, s, corridor.successor[s, a, 0]] = 1.0
    whole = np.tensordot(choice, P, 1)
    n = np.linalg.solve(np.eye(3) - whole.T, [1.0, 0.0, 0.0])

    def trace(g: np.ndarray) -> tuple[float, float]:
        """Return the expected trace, summed over all steps of an episode, and in its last step."""
        m = np.linalg.solve(np.eye(3) - lam * whole.T, sum(choice[a] * g[a] * (P[a].T @ n) for a in range(2)))
        z = choice[:, None] * (lam * m + g[:, None] * n)  # [A, S]
        return float(z.sum()), float(z[1, 2])  # only right from the third state ends it

    total, last = trace(np.ones(2))
    w = -total / last  # the critic's fixed point: 0 = sum of delta z_w
    total, last = trace(score)
    return -total - w * last


def stationary(lam: float) -> float:
    """Return p at which the expected step is zero; 1 where it always goes to the right."""
    low, high = 0.01, 1.0 - 1e-9
    if direction(high, lam) > 0:
        return 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if direction(middle, lam) > 0 else (low, middle)
    return (low + high) / 2


def corridor_returns(lab: Lab, lam: float | None, runs: int, episodes: int) -> np.ndarray:
    """Return total rewards [runs, episodes] in the corridor; lam is None for the one-step actor-critic."""
    alike, h = TableFeatures.of(np.ones((4, 1))), preferences(FIRST)

    def experiment(_: Any, rng: np.random.Generator, size: int) -> np.ndarray:
        trial = Runs.of(short_corridor(), size, episodes, [np.array([-h, h]), np.zeros(1)], limit=LIMIT)
        theta, w = trial.tables((2, 1), (1,))
        if lam is None:
            one_step_actor_critic(trial, alike, theta, w, ALPHAS[0], ALPHAS[1], 1.0, rng)
        else:
            actor_critic_lambda(trial, alike, theta, w, ALPHAS[0], ALPHAS[1], 1.0, lam, lam, rng)
        return trial.returns()

    found: np.ndarray = lab.study(experiment, [None], runs, chunk=25)[0]
    return found


def car_steps(lab: Lab, settings: Settings) -> dict[str, np.ndarray]:
    """Return the length of each episode of mountain car [runs, episodes], by algorithm."""
    features, car = Tiles.of([-1.2, -0.07], [0.5, 0.07], 8, 8), MountainCar()
    d = features.size
    start, shapes = [np.zeros((3, d)), np.zeros(d)], ((3, d), (d,))

    def critic(name: str, rng: np.random.Generator, size: int) -> np.ndarray:
        alpha_theta, alpha_w, lam = CAR[name]
        trial = Runs.of(car, size, settings.car_episodes, start, limit=CAR_LIMIT)
        theta, w = trial.tables(*shapes)
        actor_critic_lambda(trial, features, theta, w, alpha_theta, alpha_w, 1.0, lam, lam, rng)
        return trial.lengths()

    def monte_carlo(_: Any, rng: np.random.Generator, size: int) -> np.ndarray:
        trial = Runs.of(car, size, STEEP, start, limit=CAR_LIMIT)
        theta, w = trial.tables(*shapes)
        linear_reinforce_baseline(trial, features, theta, w, 0.01 / 8, 0.05 / 8, 1.0, rng)
        return trial.lengths()

    found = dict(zip(CAR, lab.study(critic, list(CAR), settings.runs, chunk=10), strict=True))
    return {**found, "REINFORCE": lab.study(monte_carlo, [None], max(settings.runs // 5, 4), chunk=2)[0]}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return lambda [L], the stationary p [L], returns in the corridor and lengths in mountain car, each [runs, episodes]."""
    lams = np.linspace(0.0, 1.0, 51)
    few = 400
    steps = car_steps(lab, settings)
    return {
        "lam": lams,
        "p": np.array([stationary(float(lam)) for lam in lams]),
        "one": corridor_returns(lab, None, settings.runs, few),
        **{f"traces {lam}": corridor_returns(lab, lam, settings.runs, settings.episodes) for lam in LAMS},
        "REINFORCE": with_baseline(2.0**-9, 2.0**-6, settings.runs, few, lab),
        **{f"car {name}": each for name, each in steps.items()},
    }


def settled(data: dict[str, np.ndarray], lam: float) -> np.ndarray:
    """Return what each run comes to in the corridor, the mean of the second half of its episodes [runs]."""
    returns = data[f"traces {lam}"]
    return np.asarray(returns[:, returns.shape[1] // 2 :].mean(axis=1))


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the limit against lambda, learning curves in the corridor, and learning curves in mountain car."""
    figure.set_size_inches(11.5, 4.2)
    first, second, third = figure.subplots(1, 3)
    style.panel(first, "Corridor: the limit", "λ of actor and critic", "value of the policy it comes to")
    inside = data["p"] < 1.0
    first.plot(data["lam"][inside], value(data["p"][inside]), color=style.COLORS[0], linewidth=1.6, label="expected step zero, exact")
    found = [mean(settled(data, lam)) for lam in LAMS]
    first.errorbar(LAMS, [each.mean for each in found], [2 * each.error for each in found], fmt="o", color=style.COLORS[1], label="learned")
    first.annotate("λ = 0: no limit,\np goes to 1", (0.24, -17.6), fontsize=8.5, color=style.INK)
    style.reference(first, BEST_VALUE, "the best policy")
    first.set(xlim=(-0.02, 1.02), ylim=(-20, -11))
    first.legend(frameon=False, fontsize=8.5, loc="lower right")
    style.panel(second, "Corridor: learning", "episode", "total reward")
    curves = {"traces 0.9": "actor-critic, λ = 0.9", "traces 0.3": "actor-critic, λ = 0.3", "one": "one-step actor-critic"}
    for i, (key, name) in enumerate({**curves, "REINFORCE": "REINFORCE with baseline"}.items()):
        style.curve(second, *smooth(data[key][:, : data["one"].shape[1]]), name, style.COLORS[i])
    second.set(ylim=(-95, -5), xlim=(0, data["one"].shape[1]))
    second.legend(frameon=False, fontsize=8.5, loc="lower right")
    style.panel(third, "Mountain car", "episode", "steps (log scale)")
    for i, name in enumerate((*CAR, "REINFORCE")):
        label = "REINFORCE with baseline" if name == "REINFORCE" else f"actor-critic, {name}"
        style.curve(third, *smooth(data[f"car {name}"]), label, style.COLORS[(2, 0, 3)[i]])
    third.set(yscale="log", xlim=(0, settings.car_episodes), ylim=(90, 6000))
    third.set_yticks([100, 200, 500, 1000, 2000, 5000], ["100", "200", "500", "1000", "2000", "5000"])
    third.minorticks_off()
    third.legend(frameon=False, fontsize=8.5, loc="upper right", bbox_to_anchor=(1.0, 0.93))


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return the exact limits, that the algorithm comes to them, and the order of the algorithms in mountain car."""
    steps = [direction(float(p), 0.0) for p in np.linspace(0.01, 0.99, 99)]
    found = [
        true("one-step actor-critic: the expected step goes right for every policy", min(steps) > 0, f"at least {min(steps):.3g}"),
        equal("lambda = 1: the expected step is zero at the best policy", stationary(1.0), float(BEST), 1e-6),
        true("the larger lambda, the closer to it", np.all(np.diff(data["p"]) <= 0), ""),
        less("the one-step actor-critic comes close to the best policy", -18.0, mean(data["one"][:, 60:120].mean(axis=1))),
        less("and goes on, to the right: its last episodes are far worse", mean(data["one"][:, -20:].mean(axis=1)), -40.0),
        less("with traces of 0.9 they are not", -16.0, mean(data["traces 0.9"][:, 380:400].mean(axis=1))),
    ]
    for lam in LAMS:
        found.append(equal(f"lambda = {lam}: it comes to its exact limit", mean(settled(data, lam)), float(value(stationary(lam))), 0.2))
    one, traces, slow = (data[f"car {name}"] for name in (*CAR, "REINFORCE"))
    found += [
        less("mountain car: the one-step actor-critic ends below 150 steps", mean(one[:, -50:].mean(axis=1)), 150.0),
        less("mountain car: and so does the one with traces", mean(traces[:, -50:].mean(axis=1)), 150.0),
        less("mountain car: REINFORCE with baseline still takes thousands of steps", 1500.0, mean(slow.mean(axis=1))),
    ]
    return found
