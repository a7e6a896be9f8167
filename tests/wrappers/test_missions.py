"""MiniGrid's missions as tokens: the vocabulary of the grammar, spaces that hold what is seen, and what is said where it is missing."""

import sys

import gymnasium as gym
import numpy as np
import pytest

import rlcourse  # noqa: F401
from rlcourse.wrappers import MissionText

pytest.importorskip("minigrid")

TASKS = ["rlcourse/GoToDoor-5x5-v0", "rlcourse/MemoryS7-v0"]


@pytest.mark.parametrize("id", TASKS)
def test_observations_are_in_their_space_and_missions_are_words_of_the_vocabulary(id):
    env = gym.make(id)
    assert set(env.observation_space) == {"direction", "image", "mission"}
    for seed in range(20):
        observation, _ = env.reset(seed=seed)
        assert env.observation_space.contains(observation)
        mission = env.unwrapped.mission
        assert env.get_wrapper_attr("decode")(observation["mission"]) == mission
        observation, *_ = env.step(2)
        assert env.observation_space.contains(observation)


def test_every_word_of_a_grammar_and_the_longest_mission_are_known_before_the_first_episode():
    from minigrid.core.mission import MissionSpace
    from minigrid.envs import FetchEnv, GoToDoorEnv

    doors = MissionText(GoToDoorEnv())
    assert len(doors.missions) == 6
    assert doors.observation_space["mission"].contains("go to the grey door")
    fetch = MissionText(FetchEnv())
    assert "you must fetch a purple ball" in fetch.missions
    words = {word for mission in fetch.missions for word in mission.split()}
    fetch.observation_space.seed(0)
    grammar = fetch.env.observation_space["mission"]
    assert isinstance(grammar, MissionSpace)
    for _ in range(200):
        mission = grammar.sample()
        assert set(mission.split()) <= words
        assert fetch.observation_space["mission"].contains(mission)


def test_an_environment_of_another_kind_is_refused_and_pictures_keep_their_bounds():
    from minigrid.envs import GoToDoorEnv
    from minigrid.wrappers import RGBImgPartialObsWrapper

    with pytest.raises(ValueError, match="MissionText needs an environment of MiniGrid"):
        MissionText(gym.make("CartPole-v1"))
    assert (MissionText(RGBImgPartialObsWrapper(GoToDoorEnv())).observation_space["image"].high == 255).all()
    np.testing.assert_array_equal(MissionText(GoToDoorEnv()).observation_space["image"].high[0, 0], [10, 5, 3])


def test_seeded_episodes_repeat_and_the_return_is_what_minigrid_says():
    ends = []
    for _ in range(2):
        env = gym.make("rlcourse/GoToDoor-5x5-v0")
        env.reset(seed=3)
        env.action_space.seed(3)
        steps = [env.step(env.action_space.sample())[1:4] for _ in range(5)]
        ends.append(steps)
    assert ends[0] == ends[1]
    assert gym.make("rlcourse/GoToDoor-5x5-v0").unwrapped.max_steps == 100


def test_the_presets_agents_and_stable_baselines3_see_missions_through_film():
    import stable_baselines3

    from rlcourse import agents, encoders, presets

    preset = presets.load("gotodoor")
    for algo, name in (("ppo", "PPO"), ("recurrent_ppo", "RecurrentPPO")):
        settings = preset.agents[algo] | {"n_envs": 2, "n_steps": 16, "batch_size": 16}
        agent = getattr(agents, name)(preset.env, seed=0, **settings).learn(64)
        assert agent.num_timesteps == 64
    kwargs = {"features_extractor_class": encoders.class_of("film"), "features_extractor_kwargs": {"features_dim": 16}}
    theirs = stable_baselines3.PPO("MultiInputPolicy", preset.env, n_steps=16, batch_size=16, policy_kwargs=kwargs, device="cpu").learn(32)
    assert type(theirs.policy.features_extractor.encoders[1]).__name__ == "MiniGrid"


def test_without_minigrid_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "minigrid", None)
    with pytest.raises(gym.error.DependencyNotInstalled, match=r"MiniGrid-GoToDoor-5x5-v0 needs a package .* pip install minigrid"):
        gym.make("rlcourse/GoToDoor-5x5-v0")
