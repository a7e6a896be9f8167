"""The figure of RL^2: how an agent is played exactly, and what breaks the claims."""

import gymnasium as gym
import numpy as np
import pytest

from rlcourse import figures
from rlcourse.envs.bernoulli_exact import bayes_value, optimal_arms
from rlcourse.figures.experiment import Lab, settings_of

MODULE, SETTINGS = figures.load("rl2"), settings_of("rl2", "fast")


class Optimal:
    """A player that counts what its observations tell it, and pulls the first optimal arm; its own arms it knows without being told."""

    def __init__(self, k, n, action=True):
        self.k, self.n, self.action, self.seen = k, n, action, []

    def predict(self, seen, state, starts, deterministic):
        self.seen.append(seen.copy())
        rows = np.arange(len(seen))
        if starts.all():
            state = np.zeros((len(seen), self.k, 2), int), None
        else:
            counts, arms = state
            if self.action:
                arms = seen[:, 1 : 1 + self.k].argmax(axis=1)
            counts[rows, arms, 1 - seen[:, -1].astype(int)] += 1
        arms = optimal_arms(state[0], self.n).argmax(axis=1)
        return arms, (state[0], arms)


@pytest.mark.parametrize("action", [True, False])
@pytest.mark.parametrize(("k", "n"), [(2, 6), (3, 5)])
def test_an_optimal_player_earns_the_optimum_exactly_and_about_it_where_episodes_are_sampled(k, n, action):
    told = {} if action else {"action": False}
    rewards, arms, best = MODULE.played(Optimal(k, n, action), k, n, told)
    assert rewards.sum() == pytest.approx(bayes_value(k, n), abs=1e-12)
    assert best.all()
    assert arms.shape == (2**n, n)
    draws = np.random.default_rng(0).random((4000, n))
    assert MODULE.played(Optimal(k, n, action), k, n, told, draws)[0].sum() == pytest.approx(bayes_value(k, n), abs=5 * 1.4 / 4000**0.5)


@pytest.mark.parametrize("told", [{}, {"action": False}])
@pytest.mark.parametrize("mean", [0.0, 1.0])
def test_a_player_sees_what_the_environment_shows(told, mean):
    env, player = gym.make("rlcourse/RL2Bandit-v0", k=3, n=4, **told), Optimal(3, 4, not told)
    _, arms, _ = MODULE.played(player, 3, 4, told)
    row = int(mean) * (2**4 - 1)  # nothing pays, or everything
    blank = env.reset(seed=0)[0]
    shown = [env.reset(options={"state": (0.0, *[mean] * 3, *[0.0] * (len(blank) - 1))})[0]]
    shown += [env.step(arm)[0] for arm in arms[row, :-1]]
    np.testing.assert_array_equal([seen[row] for seen in player.seen], shown)


def test_win_stay_lose_shift_does_what_its_name_says():
    _, arms, _ = MODULE.played(MODULE.WinStayLoseShift(), 3, 5, {})
    assert arms[0].tolist() == [0, 1, 2, 0, 1], "nothing pays"
    assert arms[0b00110].tolist() == [0, 1, 1, 1, 2], "the second and the third pull pay"


def data(**changes):
    """What the figure would be made of, had all come as it says: agents a little below the optimum."""
    empty = MODULE.run(SETTINGS, Scripted())
    return empty | changes


class Scripted(Lab):
    """A lab whose agents play almost optimally, where they see rewards."""

    def spread(self, function, jobs):
        n = SETTINGS.pulls
        near = MODULE.exact.bayes_rewards(SETTINGS.arms, n) - 0.002 * (np.arange(n) > 0)
        blank = np.zeros((2**n, n), np.int8), np.ones((2**n, n), bool)
        rewards = [np.full(n, 0.5) if told == "without the reward" else near - 1e-4 * seed * (np.arange(n) > 0) for told, seed, _ in jobs]
        return [(each, each, *blank) for each in rewards]


def broken(changed):
    return [claim.text for claim in MODULE.claims(changed, SETTINGS) if not claim.holds]


def test_agents_as_they_should_be_keep_every_claim():
    assert not broken(data())


@pytest.mark.parametrize(
    ("variant", "change", "words"),
    [
        (0, lambda rewards: rewards - 0.02, "at least"),
        (0, lambda rewards: rewards - 0.04, "Thompson"),
        (0, lambda rewards: rewards - 0.013, "win-stay"),
        (0, lambda rewards: rewards * 0 + 0.5, "last pull"),
        (0, lambda rewards: rewards + 0.01, "more than the optimum"),
        (0, lambda rewards: rewards + 0.001, "nobody can know"),
        (2, lambda rewards: rewards + 0.001, "without the reward"),
    ],
)
def test_agents_that_are_not_break_a_claim(variant, change, words):
    changed = data()
    changed["rewards"][variant] = change(changed["rewards"][variant])
    assert [text for text in broken(changed) if words in text], broken(changed)


def test_a_reward_that_leaks_into_the_observation_breaks_a_claim():
    k, n = SETTINGS.arms, SETTINGS.pulls
    rewards, *_ = MODULE.played(Optimal(k, n), k, n, {})
    changed = data()
    changed["rewards"][2] = rewards
    assert "without the reward every pull earns 1/2, exactly" in broken(changed)
