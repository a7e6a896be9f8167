"""`FeatureObservation`: features of every kind as observations, of wrapped environments and of worlds around worlds."""

import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.spaces import Box
from gymnasium.utils.env_checker import check_env
from kinds import KINDS
from stable_baselines3.common.env_checker import check_env as sb3_check_env

from rlcourse.agents import DQN, PPO
from rlcourse.core.copies import as_vector
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv
from rlcourse.envs import Acrobot, MountainCar, cliff_walk
from rlcourse.features import HashedTiles, OneHot, TableFeatures, Tiles
from rlcourse.features.parts import reading
from rlcourse.wrappers import FeatureObservation, featured


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"hashed"}))
def test_features_of_every_kind_pass_both_checkers(kind):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        env = FeatureObservation(gym.make("MountainCar-v0"), KINDS[kind])
        check_env(env, skip_render_check=True)
        sb3_check_env(env)
    assert env.observation_space.shape == (KINDS[kind].size,)
    assert env.reset(seed=0)[0].dtype == np.float32


@pytest.mark.parametrize("text", ["auto", "tiles:4x4", "fourier:2", "poly:2", "rbf:4", "coarse:4:0.4", "aggregate:5", "vector", "bias"])
def test_features_by_name_pass_both_checkers_and_the_spec_makes_them_again(text):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        env = FeatureObservation(gym.make("MountainCar-v0"), text)
        check_env(env, skip_render_check=True)
        sb3_check_env(env)
    again = gym.make(gym.envs.registration.EnvSpec.from_json(env.spec.to_json()))
    assert again.observation_space == env.observation_space
    np.testing.assert_array_equal(again.reset(seed=1)[0], env.reset(seed=1)[0])


@pytest.mark.parametrize(
    ("world", "features"),
    [
        (cliff_walk(), "one-hot"),
        (cliff_walk(), "aggregate:7"),
        (MountainCar(), "tiles:8x8"),
        (MountainCar(), "fourier:3"),
        (Acrobot(), "poly:1"),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("error:.*runs interpreted")
def test_wrapper_world_and_compiled_copies_agree_step_for_step(world, features):
    one = gym.wrappers.TimeLimit(FeatureObservation(WorldEnv(world), features), 20)
    other = gym.wrappers.TimeLimit(WorldEnv(featured(world, features)), 20)
    many = WorldVectorEnv(featured(world, features), 1, max_episode_steps=20)
    assert one.observation_space == other.observation_space == many.single_observation_space
    one.action_space.seed(0)
    seen = [one.reset(seed=4)[0], other.reset(seed=4)[0], many.reset(seed=4)[0][0]]
    for _ in range(60):
        for each in seen:
            np.testing.assert_array_equal(each, seen[0])
            assert one.observation_space.contains(np.asarray(each, np.float32))
        action = one.action_space.sample()
        mine, theirs, copies = one.step(action), other.step(action), many.step(np.asarray([action]))
        assert mine[1:4] == theirs[1:4] == tuple(part[0] for part in copies[1:4])
        seen = [mine[0], theirs[0], copies[0][0]]
        if mine[2] or mine[3]:
            np.testing.assert_array_equal(mine[0], copies[4]["final_obs"][0])
            seen[:2] = [one.reset()[0], other.reset()[0]]


def test_copies_step_in_one_compiled_call_where_there_is_a_world():
    copies = as_vector(FeatureObservation(gym.make("MountainCar-v0"), "tiles:8x8"), 3)
    assert isinstance(copies, WorldVectorEnv)
    assert copies.max_episode_steps == 200
    assert isinstance(as_vector(FeatureObservation(gym.make("FrozenLake-v1")), 3), WorldVectorEnv)
    foreign = as_vector(FeatureObservation(gym.make("MountainCarContinuous-v0", goal_velocity=0.01), "rbf:3"), 3)
    assert not isinstance(foreign.unwrapped, WorldVectorEnv)
    assert foreign.reset(seed=0)[0].shape == (3, 9)


def test_binary_features_are_between_zero_and_one():
    assert FeatureObservation(gym.make("FrozenLake-v1")).observation_space == Box(0, 1, (16,), np.float32)
    assert FeatureObservation(gym.make("MountainCar-v0"), "fourier:1").observation_space == Box(-np.inf, np.inf, (4,), np.float32)


@pytest.mark.parametrize("agent", [DQN, PPO])
def test_our_deep_agents_learn_over_features(agent):
    small = {"hidden": ()} if agent is DQN else {"hidden": (8,), "n_steps": 32}
    env = FeatureObservation(gym.make("MountainCar-v0"), "tiles:4x4")
    learned = agent(env, seed=0, **small).learn(200)
    observation = env.reset(seed=0)[0]
    assert env.action_space.contains(learned.predict(observation)[0])


def test_dqn_without_a_hidden_layer_over_one_hot_is_a_table_that_learns_the_shortest_way():
    env = FeatureObservation(gym.make("rlcourse/RandomWalk-v0", n=9))
    agent = DQN(
        env, hidden=(), learning_rate=0.1, gamma=0.9, seed=0, learning_starts=200, train_freq=1, target_update_interval=50, batch_size=64,
        exploration_steps=3000, exploration_final_eps=0.1,
    ).learn(4000)  # fmt: skip
    observation, _ = env.reset(seed=0)
    rewards = []
    for _ in range(5):
        observation, reward, *_ = env.step(agent.predict(observation)[0])
        rewards.append(reward)
    assert rewards == [0, 0, 0, 0, 1]


@pytest.mark.parametrize("name", ["PPO", "DQN"])
def test_agents_of_stable_baselines3_learn_over_features(name):
    import stable_baselines3

    env = FeatureObservation(gym.make("MountainCar-v0"), "tiles:4x4")
    settings = {"n_steps": 64} if name == "PPO" else {"learning_starts": 50}
    model = getattr(stable_baselines3, name)("MlpPolicy", env, seed=0, policy_kwargs={"net_arch": [8]}, device="cpu", **settings).learn(128)
    assert env.action_space.contains(model.predict(env.reset(seed=0)[0])[0])


def test_a_complete_table_may_be_read():
    tiles = HashedTiles.of([-1.2, -0.07], [0.6, 0.07], 4, 4, 200)
    for state in np.random.default_rng(0).uniform([-1.2, -0.07], [0.6, 0.07], (2000, 2)):
        tiles.x(state)
    env = FeatureObservation(gym.make("MountainCar-v0"), reading(tiles))
    assert env.reset(seed=0)[0].sum() == 4


@pytest.mark.parametrize(
    ("env", "features", "sentence"),
    [
        ("MountainCar-v0", "hashed:8x8", "hashed tiles are numbered as they are met"),
        ("MountainCar-v0", "bias+hashed:8x8", "hashed tiles are numbered as they are met"),
        ("MountainCar-v0", "tile:8x8", "did you mean 'tiles'"),
        ("MountainCar-v0", Tiles.of([0], [1]), "Tiles take 1 numbers of a state, not the 2"),
        ("FrozenLake-v1", TableFeatures.of(np.zeros((16, 4, 2))), "of pairs of states and actions"),
        ("FrozenLake-v1", TableFeatures.of(np.zeros((5, 2))), "rows for 5 states, and there are 16"),
        ("MountainCar-v0", OneHot(3), "OneHot take 1 numbers of a state"),
    ],
)
def test_what_cannot_be_wrapped_is_refused_in_one_sentence(env, features, sentence):
    with pytest.raises(ValueError, match=sentence):
        FeatureObservation(gym.make(env), features)
