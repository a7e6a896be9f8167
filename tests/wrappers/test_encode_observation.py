"""Features in the place of observations: by name, from files, frozen or live; and a linear agent that learns from them."""

import gymnasium as gym
import numpy as np
import pytest
import stable_baselines3
import torch
from gymnasium.spaces import Box, Dict, Discrete, Text
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import SyncVectorEnv
from image_world import Pictures
from stable_baselines3.common.env_checker import check_env as sb3_check_env
from torch import nn

from rlcourse.agents import DRQN, PPO, SemiGradientSarsa
from rlcourse.encoders import make, make_memory
from rlcourse.wrappers import EncodeObservation


class Composite(gym.Env):
    """Observations of three parts."""

    observation_space = Dict({"picture": Box(0, 255, (8, 8, 1), np.uint8), "number": Discrete(4, start=1), "text": Text(5)})
    action_space = Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.observation_space.seed(int(self.np_random.integers(2**31)))
        return self.observation_space.sample(), {}

    def step(self, action):
        return self.observation_space.sample(), 0.0, False, False, {}


def plain(encoder, observation):
    """Return what an encoder makes of one observation."""
    with torch.no_grad():
        return encoder(torch.as_tensor(observation)[None])[0].numpy()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("env", "encoder", "width"),
    [
        (lambda: gym.make("CartPole-v1"), "mlp:16", 16),
        (lambda: gym.make("CartPole-v1"), "flatten", 4),
        (lambda: gym.make("FrozenLake-v1"), "embedding:8", 8),
        (lambda: gym.make("rlcourse/PixelCatch-v0"), "lenet5:32", 32),
        (lambda: Pictures((12, 12)), "minatar:8", 8),
        (Composite, "auto", None),
    ],
)
def test_every_kind_of_observation_is_encoded_and_both_checkers_pass(env, encoder, width):
    wrapped = EncodeObservation(env(), encoder, seed=3)
    check_env(wrapped, skip_render_check=True)
    sb3_check_env(wrapped)
    assert wrapped.observation_space.dtype == np.float32
    assert width in (None, *wrapped.observation_space.shape)


def test_a_name_and_a_seed_are_the_weights_and_the_global_generator_stays():
    env, before = gym.make("CartPole-v1"), torch.get_rng_state()
    one, same, other = (EncodeObservation(env, "mlp:8", seed=seed) for seed in (0, 0, 1))
    assert torch.equal(before, torch.get_rng_state())
    seen = np.float32([0.1, -0.2, 0.3, 0.4])
    assert np.array_equal(one.observation(seen), same.observation(seen))
    assert not np.array_equal(one.observation(seen), other.observation(seen))


def test_a_frozen_module_is_a_copy_and_a_live_one_follows_its_training():
    env = gym.make("CartPole-v1")
    module = make("mlp:8+bn", env.observation_space).train()
    frozen, live = EncodeObservation(env, module), EncodeObservation(env, module, frozen=False)
    seen = np.float32([0.1, -0.2, 0.3, 0.4])
    before = frozen.observation(seen)
    assert np.array_equal(before, live.observation(seen)), "both as in use, not as in training"
    assert all(each.training for each in module.modules()), "and left as it was"
    assert not any(weight.requires_grad for weight in frozen.encoder.parameters())
    with torch.no_grad():
        for weight in module.parameters():
            weight.add_(0.1)
    assert np.array_equal(before, frozen.observation(seen))
    assert not np.array_equal(before, live.observation(seen))
    assert np.array_equal(live.observation(seen), plain(module.eval(), seen))
    assert frozen.spec is not None
    assert live.spec is None
    assert gym.wrappers.TimeLimit(live, 5).spec is None, "a copy would not follow"


@pytest.mark.parametrize("kind", [PPO, DRQN])
def test_the_encoder_of_an_agents_file_gives_the_agents_features(tmp_path, kind):
    agent = kind("CartPole-v1", encoder="mlp:16", seed=1)
    env = EncodeObservation(gym.make("CartPole-v1"), agent.save(tmp_path / "agent.safetensors"))
    inside = agent.policy.encoder if kind is PPO else agent.network.memory.encoder
    seen = env.reset(seed=0)[0]
    assert np.array_equal(seen, plain(inside, env.unwrapped.state.astype(np.float32)))
    again = gym.make(EncodeObservation(gym.make("CartPole-v1"), str(tmp_path / "agent.safetensors")).spec)
    assert np.array_equal(seen, again.reset(seed=0)[0])


def test_the_cache_changes_nothing_and_stays_small():
    cached, plain_env = (EncodeObservation(gym.make("rlcourse/PixelCatch-v0"), "lenet5:8", cache=size) for size in (20, 0))
    for env in (cached, plain_env):
        env.action_space.seed(0)
    for episode in range(20):
        seen = [env.reset(seed=episode)[0] for env in (cached, plain_env)]
        for _ in range(9):
            assert np.array_equal(*seen)
            seen[0][:] = 0.0  # the caller's own array
            seen = [env.step(env.action_space.sample())[0] for env in (cached, plain_env)]
    assert len(cached._cache) == 20
    assert not plain_env._cache


def test_vectorised_copies_encode_alike():
    env = EncodeObservation(gym.make("rlcourse/PixelCatch-v0"), "lenet5:8")
    copies = SyncVectorEnv([lambda: gym.make(env.spec)] * 3)
    theirs = gym.make_vec(
        "rlcourse/PixelCatch-v0", 3, vectorization_mode="sync", wrappers=[lambda inner: EncodeObservation(inner, "lenet5:8")]
    )
    a, b = copies.reset(seed=0)[0], theirs.reset(seed=0)[0]
    assert np.array_equal(a, b)
    assert np.array_equal(a[0], env.reset(seed=0)[0])
    assert a.shape == (3, 8)


@pytest.mark.filterwarnings("ignore")
def test_deep_agents_of_both_kinds_take_codes():
    env = EncodeObservation(gym.make("rlcourse/PixelCatch-v0"), "lenet5:8")
    assert PPO(env, n_steps=16, n_envs=2).learn(64).num_timesteps == 64
    stable_baselines3.DQN("MlpPolicy", env, learning_starts=10).learn(50)


def test_a_linear_agent_learns_to_catch_from_codes():
    """Seeds 0 to 9, also of the encoder, ended between 0.18 and 0.66 with a step size of 0.5 / (x . x)."""
    env = EncodeObservation(gym.make("rlcourse/PixelCatch-v0", size=10), "ae-dense:256")
    agent = SemiGradientSarsa(env, features="vector", alpha=0.17, epsilon=0.1, seed=0).learn(episodes=2_000)
    assert np.mean([row["return"] for row in agent.history][-200:]) > 0.0, "random is -0.6"


@pytest.mark.parametrize(
    ("make_it", "sentence"),
    [
        (lambda env: EncodeObservation(env, "resnet"), "unknown encoder 'resnet'"),
        (lambda env: EncodeObservation(env, "lenet5"), "encoder 'lenet5' needs images"),
        (lambda env: EncodeObservation(env, None), "encoder must be a text or a path or a torch.Module, not None"),
        (lambda env: EncodeObservation(env, nn.Linear), "encoder must be a text or a path or a torch.Module, not a type"),
        (lambda env: EncodeObservation(env, "./"), "'./' is a folder: take a file in it"),
        (lambda env: EncodeObservation(env, "mlp", cache=-1), "cache must be a whole number"),
        (lambda env: EncodeObservation(env, "missing.safetensors"), "there is no file 'missing.safetensors'"),
        (lambda env: EncodeObservation(env, "mlp", frozen=False), "pass the module itself"),
        (lambda env: EncodeObservation(env, nn.Linear(5, 2)), "the encoder does not take observations of Box"),
        (lambda env: EncodeObservation(env, nn.Unflatten(1, (2, 2))), r"not an array of shape \(2, 2\)"),
        (lambda env: EncodeObservation(env, make_memory("gru", env.observation_space)), "use RecurrentObservation"),
    ],
)
def test_what_cannot_encode_is_refused_in_one_sentence(make_it, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        make_it(gym.make("CartPole-v1"))
