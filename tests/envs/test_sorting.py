"""Sequence sorting: what is shown, what a sign earns, and that a return of one or more is an exact match."""

import gymnasium as gym
import numpy as np
import pytest

from rlcourse.agents import QLearning
from rlcourse.core.box import box
from rlcourse.core.evaluation import evaluate
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.envs import SortSequence, sort_sequence
from rlcourse.envs.sorting import END, GO, demonstrations, make_env


def lived(world, rng, choose):
    """Live an episode; return the letters shown, the actions and the rewards."""
    state = world.reset(rng)
    shown = [int(token) - END for token in world.observe(state)[1:] if token]
    actions, rewards, over = [], [], False
    while not over:
        actions.append(choose(state))
        state, reward, over, truncated = world.step(state, actions[-1], rng)
        assert not truncated
        assert world.observe(state)[0] == actions[-1] + END
        rewards.append(reward)
    return shown, actions, rewards


def test_the_best_policy_says_the_letters_in_order_and_earns_the_optimum():
    world, rng, returns, lengths = sort_sequence(), np.random.default_rng(0), [], []
    for _ in range(4000):
        shown, actions, rewards = lived(world, rng, world.right)
        assert actions == [*sorted(shown), 0]
        assert rewards == [1 / 7] * len(shown) + [1.0]
        returns.append(sum(rewards))
        lengths.append(len(shown))
    assert set(lengths) == {1, 2, 3, 4, 5, 6}
    assert world.optimum == 1.5
    assert abs(np.mean(returns) - 1.5) < 4 * np.std(returns) / len(returns) ** 0.5


def test_a_return_of_one_or_more_is_an_exact_match_and_no_other_is():
    world, rng = sort_sequence(letters=2, longest=3), np.random.default_rng(1)
    seen = set()
    for _ in range(500):
        shown, actions, rewards = lived(world, rng, lambda state: int(rng.integers(3)))
        exact = actions == [*sorted(shown), 0]
        assert (sum(rewards) >= 1.0) == exact
        assert len(actions) <= len(shown) + 1
        right = sum(a == b for a, b in zip(actions, sorted(shown), strict=False))
        assert sum(rewards) == pytest.approx(right / 4 + exact)
        seen.add(exact)
    assert seen == {True, False}


def test_letters_after_a_mistake_still_earn_and_the_end_does_not():
    world = SortSequence(letters=4, longest=3)
    state = (float(2 + 1 * 5 + 3 * 25), 0.0, -1.0, 1.0)
    assert world.observe(state).tolist() == [GO, 4, 3, 5]  # b a c
    rewards = []
    for action in (1, 3, 3, 0):
        state, reward, over, _ = world.step(state, action, None)
        rewards.append(reward)
    assert rewards == [0.25, 0.0, 0.25, 0.0]
    assert over


def test_what_is_said_in_the_place_of_the_end_ends_the_episode_too():
    world = SortSequence(letters=4, longest=3)
    state = (2.0, 0.0, -1.0, 1.0)
    state, reward, over, _ = world.step(state, 2, None)
    assert (reward, over) == (0.25, False)
    assert world.step(state, 2, None)[1:3] == (0.0, True)
    assert world.step(state, 0, None)[1:3] == (1.0, True)


def test_demonstrations_are_sequences_of_the_world_and_what_the_best_policy_says():
    world = sort_sequence(letters=5, longest=4, shortest=2)
    sources, answers = demonstrations(world, 3000, np.random.default_rng(0))
    assert sources.shape == (3000, 4)
    assert answers.shape == (3000, 5)
    for source, answer in zip(sources[:200], answers[:200], strict=True):
        letters = [int(token) for token in source if token]
        assert answer.tolist() == [*sorted(letters), END] + [0] * (4 - len(letters))
        assert (source[: len(letters)] > END).all()
    rng = np.random.default_rng(1)
    shown = np.array([world.observe(world.reset(rng))[1:] for _ in range(3000)])
    for drawn in (sources, shown):
        np.testing.assert_allclose((drawn > 0).sum(1).mean(), 3.0, atol=0.06)
        np.testing.assert_allclose(np.bincount(drawn[drawn > 0], minlength=8)[3:] / (drawn > 0).sum(), 0.2, atol=0.02)


def test_it_is_compiled_and_does_the_same():
    @box
    def play(world, episodes, rng):
        total, signs = 0.0, 0
        for _ in range(episodes):
            state, over = world.reset(rng), False
            while not over:
                signs += world.observe(state).sum()
                state, reward, over, _ = world.step(state, int(9 * rng.random()), rng)
                total += reward
        return total, signs

    world = sort_sequence()
    assert play.compiled(world, 200, np.random.default_rng(0)) == play.python(world, 200, np.random.default_rng(0))
    copies = WorldVectorEnv(sort_sequence(letters=26, longest=11), 3)
    assert copies.reset(seed=0)[0].shape == (3, 12)
    assert copies.observation_space.contains(copies.step(np.array([26, 0, 1]))[0])


def test_a_table_learns_what_needs_no_memory():
    world = sort_sequence(letters=3, longest=1)
    agent = QLearning(world, alpha=0.5, epsilon=0.2, gamma=1.0, seed=0).learn(3000)
    assert evaluate(agent, make_env(letters=3, longest=1), 30, seed=0).tolist() == [world.optimum] * 30


@pytest.mark.parametrize(
    ("options", "sentence"),
    [({"letters": 27}, "letters must be"), ({"shortest": 7}, "shortest must be"), ({"letters": 26, "longest": 12}, "do not fit")],
)
def test_sequences_that_cannot_be_are_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        gym.make("rlcourse/SortSequence-v0", **options)
