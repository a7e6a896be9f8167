"""LingoBandit: what its words say is what is rewarded, held-out pairs are never drawn, and text and tokens are one."""

import itertools

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.utils.env_checker import check_env
from lingo_worlds import reader, same_behind_tokens
from pixel_worlds import two_speeds_agree
from stable_baselines3.common.env_checker import check_env as sb3_check_env

from rlcourse.agents import PPO
from rlcourse.core.copies import as_vector
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.envs import lingo_bandit, lingo_pairs
from rlcourse.envs.languages import LANGUAGES
from rlcourse.wrappers import TextTokens

ID = "rlcourse/LingoBandit-v0"


def right_place(seen):
    """Read the mission as a person would, and find the place."""
    task, (color, kind) = reader(seen["mission"])
    width = seen["scene"].shape[1] // 2
    place = next(i for i, row in enumerate(seen["scene"]) if row[color] == row[width + kind] == 1)
    return (place + ("2same", "2next", "2opposite", "2previous").index(task)) % 4


@pytest.mark.parametrize("options", [{}, {"languages": 6, "colors": 4, "kinds": 4}])
def test_whoever_understands_all_languages_is_always_right(options):
    env = gym.make(ID, **options)
    missions = set()
    for seed in range(300):
        seen, _ = env.reset(seed=seed)
        missions.add(seen["mission"])
        assert env.step(right_place(seen))[1:4] == (1.0, True, False)
        env.reset(seed=seed)
        assert env.step((right_place(seen) + 1) % 4)[1] == 0.0
    assert "2next please the red ball" in missions or "colors" in options
    assert "2next el pelota rojo favor" in missions or "colors" in options


def test_no_two_languages_share_a_word():
    words = list(itertools.chain(*LANGUAGES.values()))
    assert len(words) == len(set(words)) == 60


def test_a_scene_has_four_different_objects_and_each_is_named_equally_often():
    envs = WorldVectorEnv(lingo_bandit(colors=2, kinds=3), 20_000)
    envs.reset(seed=0)
    states = envs.states.astype(int)
    assert (np.sort(states[:, 3:], axis=1)[:, :-1] < np.sort(states[:, 3:], axis=1)[:, 1:]).all()
    assert np.bincount(states[:, 2]) == pytest.approx(5_000, abs=250)
    assert np.bincount(states[:, 3:].ravel()) == pytest.approx(80_000 / 6, abs=500)


@pytest.mark.parametrize(("split", "held_out"), [("all", 0), ("diagonal", 4), ("two", 8), ("english", 9)])
def test_held_out_pairs_are_never_drawn_and_the_others_equally_often(split, held_out):
    pairs = lingo_pairs(split)
    assert (~pairs).sum() == held_out
    envs = WorldVectorEnv(lingo_bandit(pairs=split), 20_000)
    envs.reset(seed=0)
    counts = np.zeros((4, 4), int)
    np.add.at(counts, tuple(envs.states[:, :2].astype(int).T), 1)
    assert not counts[~pairs].any()
    assert counts[pairs] == pytest.approx(20_000 / pairs.sum(), rel=0.2)


def test_the_splits_are_those_of_translators():
    assert lingo_pairs("diagonal").tolist() == (~np.eye(4, dtype=bool)).tolist()
    assert lingo_pairs("english").astype(int).tolist() == [[1, 1, 1, 1], [1, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0]]
    assert lingo_pairs("two").sum(axis=1).tolist() == lingo_pairs("two").sum(axis=0).tolist() == [2, 2, 2, 2]


def test_training_and_test_are_one_world_with_two_tables():
    world = lingo_bandit(pairs="diagonal")
    held_out = world._replace(pairs=~world.pairs)
    assert held_out.observation_space == world.observation_space
    assert all(a == b for a, b in (held_out.reset(np.random.default_rng(seed))[:2] for seed in range(50)))


def test_the_task_is_told_by_a_token_by_a_part_of_its_own_or_not_at_all():
    state = (2.0, 1.0, 0.0, 3.0, 0.0, 1.0, 2.0)
    token, onehot, none = (lingo_bandit(tell=tell) for tell in ("token", "onehot", "none"))
    assert token.observe(state)[1:].tolist() == none.observe(state).tolist()
    assert onehot.observe(state)[:-4].tolist() == none.observe(state).tolist()
    assert onehot.observe(state)[-4:].tolist() == [0, 1, 0, 0]
    assert [part.path for part in onehot.observation_space.parts] == [("mission",), ("scene",), ("task",)]


@pytest.mark.parametrize("tell", ["token", "onehot", "none"])
def test_both_speeds_agree_to_the_bit_on_the_bandit(tell):
    assert two_speeds_agree(lingo_bandit(tell=tell, pairs="diagonal"))


@pytest.mark.filterwarnings("ignore")
def test_its_text_passes_gymnasiums_checker_and_its_tokens_both():
    check_env(gym.make(ID).unwrapped, skip_render_check=True)
    env = gym.make(ID)
    tokens = TextTokens(env, env.unwrapped.world.vocabulary, 5)
    check_env(tokens, skip_render_check=True)
    sb3_check_env(tokens)


@pytest.mark.parametrize("options", [{}, {"tell": "onehot", "languages": 3}])
def test_copies_behind_text_tokens_are_compiled_and_see_the_very_same(options):
    assert same_behind_tokens(gym.make(ID, **options), length=5)
    assert same_behind_tokens(gym.make(ID, **options), length=9, shuffled=True), "in another vocabulary, with padding"
    assert same_behind_tokens(gym.make(ID, **options), length=3, shuffled=True), "cut"
    assert same_behind_tokens(gym.make(ID, **options), length=5, known=20), "with unknown words"


def test_an_agent_behind_text_tokens_learns_in_compiled_copies_and_reads_what_the_environment_shows():
    env = TextTokens(gym.make(ID), gym.make(ID).unwrapped.world.vocabulary, 5)
    agent = PPO(env, encoder="mission=text-lstm:8", n_envs=8, n_steps=4, seed=0).learn(64)
    assert isinstance(agent.venv, WorldVectorEnv)
    assert agent.predict(env.reset(seed=0)[0])[0] in range(4)
    direct = PPO("rlcourse/LingoBanditTokens-v0", encoder="mission=text-lstm:8", n_envs=8, n_steps=4, seed=0).learn(64)
    assert all(map(torch.equal, agent.policy.state_dict().values(), direct.policy.state_dict().values()))


def test_characters_are_not_compiled():
    env = TextTokens(gym.make(ID), list("abcdefghijklmnopqrstuvwxyz 2"), 30, "characters")
    assert not isinstance(as_vector(env, 1).unwrapped, WorldVectorEnv)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"languages": 7}, "languages"),
        ({"tasks": 0}, "tasks"),
        ({"colors": 1}, "colors"),
        ({"kinds": 5}, "kinds"),
        ({"tell": "aloud"}, "tell"),
        ({"pairs": "half"}, "split"),
        ({"pairs": np.zeros((4, 4), bool)}, "pairs"),
        ({"pairs": np.ones((2, 2), bool)}, "pairs"),
        ({"languages": 2, "tasks": 2, "pairs": [[True], [True, False]]}, "pairs"),
        ({"languages": 2.5}, "languages"),
    ],
)
def test_a_bandit_that_cannot_be_is_refused(options, word):
    with pytest.raises(ValueError, match=f"^{word} must"):
        lingo_bandit(**options)
