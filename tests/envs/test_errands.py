"""Errands: whoever looks at the sentence about the room has it all, whoever does not know the room 9/16."""

import itertools
from collections import Counter

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from lingo_worlds import same_behind_tokens
from pixel_worlds import two_speeds_agree

from rlcourse.core.vector import WorldVectorEnv
from rlcourse.envs import Errands, three_errands
from rlcourse.envs.errands import ROOMS, THINGS
from rlcourse.wrappers import TextTokens


def sentences(mission):
    """Read a mission: the thing to take, by room."""
    words = mission.split()
    parts = [words[i : i + 6] for i in range(0, 18, 6)]
    assert all(part[:2] + part[3:5] == ["in", "the", "take", "the"] for part in parts)
    return {part[2]: part[5] for part in parts}


def played(choose, episodes=400):
    """Return the mean return of who chooses a thing, inside, by the mission and the room of the last sign."""
    env, returns = gym.make("rlcourse/Errands-v0"), []
    for seed in range(episodes):
        seen, _ = env.reset(seed=seed)
        over, score, room = False, 0.0, None
        for step in itertools.count():
            if over:
                break
            assert seen["sign"].sum() == (step % 2 == 0)
            room = ROOMS[int(seen["sign"].argmax())] if step % 2 == 0 else room
            seen, reward, over, truncated, _ = env.step(THINGS.index(choose(sentences(seen["mission"]), room)))
            assert reward == 0.0 or step % 2, "at a door nothing is to be had"
            assert not truncated
            score += reward
        assert step == 6
        returns.append(score)
    return np.mean(returns)


def test_one_who_knows_the_room_is_always_right():
    assert played(lambda wanted, room: wanted[room], 100) == pytest.approx(1.0)


def test_one_who_does_not_takes_the_commonest_thing_and_has_nine_sixteenths():
    def best(things):
        return max(Counter(things).values()) / 3

    assert np.mean([best(things) for things in itertools.product(range(4), repeat=3)]) == 9 / 16
    assert played(lambda wanted, room: Counter(wanted.values()).most_common(1)[0][0]) == pytest.approx(9 / 16, abs=0.05)


def test_rooms_differ_and_every_room_is_visited_once_in_any_order():
    envs = WorldVectorEnv(three_errands(), 10_000)
    envs.reset(seed=0)
    states = envs.states.astype(int)
    assert (np.sort(states[:, 7:], axis=1) == [0, 1, 2]).all()
    assert len(np.unique(states[:, 7:], axis=0)) == 6
    assert (np.diff(np.sort(states[:, 1:4], axis=1), axis=1) > 0).all()
    assert np.bincount(states[:, 4:7].ravel()) == pytest.approx(7_500, abs=300)


def test_both_speeds_agree_to_the_bit_on_errands():
    assert two_speeds_agree(three_errands())


@pytest.mark.filterwarnings("ignore")
def test_text_behind_text_tokens_is_the_compiled_world():
    env = gym.make("rlcourse/Errands-v0")
    check_env(env.unwrapped, skip_render_check=True)
    assert isinstance(env.unwrapped.world, Errands)
    check_env(TextTokens(env, env.unwrapped.world.vocabulary, 18), skip_render_check=True)
    assert same_behind_tokens(env, length=18)
    assert same_behind_tokens(env, length=20, shuffled=True), "in another vocabulary, with padding"
    assert same_behind_tokens(env, length=7, shuffled=True, known=9), "cut, with unknown words"
