"""RL^2: a memory that is told arms and rewards becomes a learning algorithm, almost the best there is.

Every episode is a bandit that nobody has met before: the means of its arms are drawn afresh, and `n` pulls are all the time there is. A
recurrent agent trained on many of them (Duan et al. 2016; Wang et al. 2016) has weights that no longer change; what changes within an
episode is its memory. The best that any player can do is known exactly, and so is what Thompson sampling, UCB1 and greedy play by
posterior means earn (`rlcourse.envs.bernoulli_exact`). Exact, too, is what a trained agent earns when it acts greedily: its arms are a
function of the outcomes so far, and all 2^n sequences of outcomes are played, each weighted by its probability. Where it draws its arms,
sampled episodes are averaged. "Win-stay, lose-shift" looks at the last pull alone: what it earns needs no memory. Without the last reward
in the observation no policy earns more than n / 2: its arms are independent of the means. Without the last arm nothing is lost in
principle, since whoever acts by a rule knows what it did; it has to be learned all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np

from rlcourse.core.config import Config, Count, Positive
from rlcourse.envs import bernoulli_exact as exact
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, mean, true
from rlcourse.figures.experiment import Lab
from rlcourse.presets import load as preset

__all__ = ["FAST", "FULL", "SECONDS", "Settings", "claims", "draw", "run"]

SECONDS = 120.0  # 215 of CPU, on two cores
SHARE = 0.976  # of the optimum: 6.5 of 6.66 for 5 arms and 10 pulls
TOLD: dict[str, dict[str, bool]] = {"RL²": {}, "without the arm": {"action": False}, "without the reward": {"reward": False}}
SHIFT = "win-stay, lose-shift"
RULES = {"greedy by posterior": exact.greedy, "Thompson sampling": exact.thompson, "UCB1": exact.ucb1}
EPISODES = 20_000  # sampled ones, whose standard error is below 0.01
COLORS = {"RL²": 0, "without the arm": 5, "without the reward": 3, "greedy by posterior": 2, "Thompson sampling": 1, "UCB1": 4, SHIFT: 8}


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 3
    arms: Count = 5
    pulls: Count = 10
    steps: Count = 409_600
    copies: Count = 512
    epochs: Count = 8
    rate: Positive = 0.005  # learning rate at the beginning; it falls to 0


FAST = {"runs": 3, "arms": 2, "pulls": 6, "steps": 51_200, "copies": 256, "epochs": 4, "rate": 0.02}
FULL = {"runs": 10}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return expected rewards of each pull: of the agents [variant, runs, n], greedy and sampled, and of the rules [rule, n]."""
    k, n = settings.arms, settings.pulls
    jobs = [(told, lab.seed + i, settings) for told in TOLD for i in range(settings.runs)]
    found = lab.spread(trained, jobs)
    rewards, sampled, arms, best = (
        np.array(part).reshape(len(TOLD), settings.runs, *np.shape(part[0])) for part in zip(*found, strict=True)
    )
    return {
        "rewards": rewards,
        "sampled": sampled,
        "arms": arms[
            0, 0
        ],  # [2^n, n] pulled by the first run after every sequence of outcomes; row i has the bits of i, the first one lowest
        "best": best[0, 0],  # [2^n, n] whether that was optimal
        "rules": np.array([exact.rewards_of(rule, k, n) for rule in RULES.values()] + [played(WinStayLoseShift(), k, n, {})[0]]),
        "optimum": exact.bayes_rewards(k, n),
    }


class WinStayLoseShift:
    """Repeat the arm that paid, else take the next one: all that it knows is in the last observation."""

    def predict(self, seen: np.ndarray, state: None, starts: np.ndarray, deterministic: bool) -> tuple[np.ndarray, None]:
        """Return the arms, and no memory."""
        last, k = seen[:, 1:-1].argmax(axis=1), seen.shape[1] - 2
        return np.where(starts | (seen[:, -1] == 1), last, (last + 1) % k), None


def trained(job: tuple[str, int, Settings]) -> tuple[np.ndarray, ...]:
    """Train an agent; return its rewards [n] by greedy and by sampled play, and its arms and whether they were optimal [2^n, n]."""
    from rlcourse.agents import RecurrentPPO

    told, seed, s = job
    env = gym.make("rlcourse/RL2Bandit-v0", k=s.arms, n=s.pulls, **TOLD[told])
    size = {"n_envs": s.copies, "n_steps": s.pulls, "batch_size": s.copies * s.pulls // 4}
    descent = {"n_epochs": s.epochs, "learning_rate": f"linear({s.rate}, 0, {s.steps})"}
    settings = preset("rl2bandit").agents["recurrent_ppo"] | size | descent
    agent = RecurrentPPO(env, seed=seed, **settings).learn(s.steps)
    rewards, arms, best = played(agent, s.arms, s.pulls, TOLD[told])
    sampled, *_ = played(agent, s.arms, s.pulls, TOLD[told], np.random.default_rng((seed, 1)).random((EPISODES, s.pulls)))
    return rewards, sampled, arms, best


def played(agent: Any, k: int, n: int, told: dict[str, bool], draws: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Play an agent; return the expected reward of each pull [n], the arms pulled and whether they were optimal, both [B, n].

    Parameters
    ----------
    agent : Agent
    k, n : int
    told : dict of str to bool
        Whether its observation tells the last "action" and "reward"; it does where nothing is said.
    draws : ndarray of float, shape [B, n], optional
        Numbers in [0, 1) that decide outcomes, while the agent draws its arms. None: it acts greedily, and every one of the 2^n
        sequences of outcomes is played once.
    """
    B = 2**n if draws is None else len(draws)
    action, reward = told.get("action", True), told.get("reward", True)
    rows, share = np.arange(B), np.full(B, 1 / B)  # share: of each row in the expectation
    counts, seen, state = np.zeros((B, k, 2), np.int64), np.zeros((B, 1 + k * action + reward), np.float32), None
    rewards, arms, best = np.zeros(n), np.zeros((B, n), np.int8), np.zeros((B, n), np.bool_)
    for t in range(n):
        seen[:, 0] = 1 - t / n
        chosen, state = agent.predict(seen, state, np.full(B, t == 0), deterministic=draws is None)
        arms[:, t] = chosen
        means = exact.posterior_means(counts)[rows, chosen]
        best[:, t] = exact.optimal_arms(counts, n)[rows, chosen]
        rewards[t] = share @ means
        paid = rows >> t & 1 == 1 if draws is None else draws[:, t] < means
        if draws is None:
            share = share * 2.0 * np.where(paid, means, 1.0 - means)
        counts[rows, chosen, 1 - paid] += 1
        seen[:] = 0.0
        if action:
            seen[rows, 1 + chosen] = 1.0
        if reward:
            seen[:, -1] = paid
    return rewards, arms, best


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the reward of each pull, what the pulls of an episode earn, and some episodes of the first run."""
    figure.set_size_inches(11.0, 7.6)
    top, bottom = figure.subfigures(2, 1, height_ratios=(1.45, 1.0))
    left, right = top.subplots(1, 2, width_ratios=(1.15, 1.0))
    _draw_pulls(left, data, settings)
    _draw_totals(right, data, settings)
    _draw_episodes(bottom, data, settings)


def _draw_pulls(axes: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    number = np.arange(1, settings.pulls + 1)
    style.panel(axes, f"learning within an episode: {settings.arms} arms that nobody has met", "pull", "expected reward")
    axes.plot(number, data["optimum"], "--", color=style.INK, linewidth=1.4, label="Bayes optimum")
    for name, rewards in zip((*RULES, SHIFT), data["rules"], strict=True):
        axes.plot(number, rewards, "-", color=style.COLORS[COLORS[name]], linewidth=1.6, label=name)
    for name, rewards in zip(TOLD, data["rewards"], strict=True):
        shape = "o-" if name == "RL²" else "o:"
        axes.plot(number, rewards.mean(axis=0), shape, color=style.COLORS[COLORS[name]], markersize=4, linewidth=1.6, label=name)
    axes.set_xticks(number)
    axes.set_ylim(0.49, 0.5 + 1.4 * (data["optimum"].max() - 0.5))
    axes.legend(frameon=False, fontsize=8, loc="upper left", ncols=2)


def _draw_totals(axes: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    style.panel(axes, f"reward of {settings.pulls} pulls", "")
    optimum, chance = float(data["optimum"].sum()), settings.pulls / 2
    names = [*TOLD, *RULES, SHIFT]
    totals = [*data["rewards"].sum(axis=2), *data["rules"].sum(axis=1, keepdims=True)]
    drawn = data["sampled"].sum(axis=2)
    for i, (name, total) in enumerate(zip(names, totals, strict=True)):
        y, color = len(names) - i, style.COLORS[COLORS[name]]
        axes.barh(y, total.mean() - chance, left=chance, color=color, alpha=0.35, height=0.62)
        axes.plot(total, np.full(len(total), y), "o", color=color, markersize=4.5, label="a run, greedy" if i == 0 else None)
        if i < len(drawn):
            axes.plot(
                drawn[i],
                np.full(len(drawn[i]), y - 0.2),
                "x",
                color=color,
                markersize=4,
                label="a run that draws its arms" if i == 0 else None,
            )
        axes.annotate(f"{total.mean():.2f}", (chance, y), (4, 0), textcoords="offset points", va="center", fontsize=8.5, color=style.INK)
    axes.axvline(optimum, color=style.INK, linestyle="--", linewidth=1.4)
    axes.annotate(
        f"Bayes optimum {optimum:.2f}",
        (optimum, len(names) + 0.62),
        (-4, 0),
        textcoords="offset points",
        ha="right",
        fontsize=8,
        color=style.INK,
    )
    axes.set_yticks(range(len(names), 0, -1), names)
    axes.set_ylim(0.4, len(names) + 1.0)
    axes.set_xlim(chance - 0.02, chance + 1.06 * (optimum - chance))
    axes.set_xlabel(f"from chance, {chance:g}, to the optimum")
    axes.grid(axis="y", visible=False)
    axes.legend(frameon=False, fontsize=8, loc="center", bbox_to_anchor=(0.5, 0.605))  # where a bar has no length


def _draw_episodes(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw what the first run pulls after some sequences of outcomes."""
    n = settings.pulls
    patterns = {
        "no pull pays": [],
        "only the first pull pays": [0],
        "every second pull pays": list(range(1, n, 2)),
        "the last half pays": list(range(n // 2, n)),
    }
    figure.suptitle(
        "  what one run pulls: filled where it paid, hollow where not, a cross where another arm is optimal", x=0.0, ha="left", fontsize=10
    )
    panels = figure.subplots(1, len(patterns), sharey=True)
    for axes, (title, paid) in zip(panels, patterns.items(), strict=True):
        row = sum(1 << t for t in paid)
        arms, best = data["arms"][row], data["best"][row]
        axes.set_title(title, loc="left", fontsize=9.5, color=style.INK)
        axes.step(np.arange(1, n + 1), arms, where="mid", color=style.GREY, linewidth=0.6)
        for t in range(n):
            color = style.COLORS[0]
            axes.plot(t + 1, arms[t], "o", color=color, markerfacecolor=color if t in paid else "white", markersize=8)
            if not best[t]:
                axes.plot(t + 1, arms[t] - 0.38, "x", color=style.COLORS[3], markersize=5)
        axes.set(xlim=(0.4, n + 0.6), ylim=(settings.arms - 0.4, -0.7), xlabel="pull")
        axes.set_xticks(range(1, n + 1))
        axes.set_yticks(range(settings.arms))
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color=style.LIGHT, linewidth=0.8)
        axes.set_axisbelow(True)
    panels[0].set_ylabel("arm")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return how near the optimum the memory comes, and what it needs to be told."""
    optimum = float(data["optimum"].sum())
    rules = dict(zip((*RULES, SHIFT), data["rules"].sum(axis=1), strict=True))
    told = mean(data["rewards"][0].sum(axis=1))
    every = np.concatenate([data["rewards"].sum(axis=2).ravel(), list(rules.values())])
    gap = float(np.abs(data["rewards"][2] - 0.5).max())
    drawn = mean(data["sampled"][0].sum(axis=1))
    return [
        less(f"RL² earns at least {SHARE * optimum:.2f} of the Bayes-optimal {optimum:.2f}", SHARE * optimum, told),
        less("more than Thompson sampling", rules["Thompson sampling"], told),
        less("more than UCB1", rules["UCB1"], told),
        less("more than win-stay, lose-shift, which remembers one pull", rules[SHIFT], told),
        less("also where it draws its arms", rules["Thompson sampling"], drawn),
        true("nobody earns more than the optimum", every.max() <= optimum + 1e-9, f"{every.max():.4f} of {optimum:.4f}"),
        true("without the reward every pull earns 1/2, exactly", gap < 1e-9, f"within {gap:.1g}"),
        less("within an episode its last pull earns more than its first", 0.5, mean(data["rewards"][0, :, -1])),
        equal("whose reward nobody can know of", mean(data["rewards"][0, :, 0]), 0.5, 1e-9),
    ]
