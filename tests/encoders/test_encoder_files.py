"""Encoders taken out of files: agents with and without memory, an autoencoder; and what does not fit."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Discrete

from rlcourse.agents import DQN, DRQN, PPO, SAC, QLearning
from rlcourse.encoders import files, make
from rlcourse.pretraining import Autoencoder

SPACE = gym.make("CartPole-v1").observation_space


def same(module, other):
    mine, theirs = module.state_dict(), other.state_dict()
    return list(mine) == list(theirs) and all(torch.equal(mine[name], theirs[name]) for name in mine)


@pytest.fixture
def saved(tmp_path):
    """Save a small agent, or an autoencoder; return it and its file."""

    def make_and_save(kind, env="CartPole-v1", **settings):
        made = Autoencoder(env, **settings) if kind is Autoencoder else kind(env, seed=1, **settings)
        return made, made.save(tmp_path / f"{kind.__name__}.safetensors")

    return make_and_save


@pytest.mark.parametrize(
    ("kind", "env", "inside"),
    [
        (PPO, "CartPole-v1", lambda agent: agent.policy.encoder),
        (DQN, "CartPole-v1", lambda agent: agent.network.encoder),
        (DRQN, "CartPole-v1", lambda agent: agent.network.memory.encoder),
        (SAC, "Pendulum-v1", lambda agent: agent.critics.encoder),
    ],
)
def test_an_agents_encoder_comes_out_of_its_file_and_the_global_generator_stays(saved, kind, env, inside):
    agent, path = saved(kind, env, encoder="mlp:16")
    before = torch.get_rng_state()
    assert same(files.load(path, agent.observation_space), inside(agent))
    assert torch.equal(before, torch.get_rng_state())
    into = make("mlp:16", agent.observation_space)
    files.fill(into, path)
    assert same(into, inside(agent))


def test_the_encoder_of_an_actor_is_found_by_name(saved):
    agent, path = saved(SAC, "Pendulum-v1", encoder="mlp:16")
    encoder = make("mlp:16", agent.observation_space)
    files.fill(encoder, path, part="actor")
    assert same(encoder, agent.actor.encoder)
    assert not same(encoder, agent.critics.encoder)


def test_a_memory_comes_out_of_its_file_with_its_encoder(saved):
    agent, path = saved(DRQN, encoder="mlp:16", memory="gru", memory_size=8, memory_layers=2)
    assert same(files.load_memory(path, SPACE), agent.network.memory)


def test_the_encoder_of_an_autoencoder_comes_out_of_its_file(saved):
    space = Box(0, 255, (16, 16, 1), np.uint8)
    autoencoder, path = saved(Autoencoder, space, encoder="minatar:8")
    assert same(files.load(path, space), autoencoder.encoder)


def test_what_a_file_does_not_hold_or_does_not_fit_is_said_in_one_sentence(saved):
    _, ppo = saved(PPO, encoder="mlp:16")
    with pytest.raises(ValueError, match=r"of a PPO, which does not fit here: its array 'layers.0.weight' is of shape"):
        files.load(ppo, Box(-1, 1, (5,)))
    with pytest.raises(ValueError, match=r"array 'layers.0.bias' is of shape .*, here missing"):
        files.fill(make("embedding:8", Discrete(3)), ppo)
    with pytest.raises(ValueError, match="a PPO, which has no memory; take the file of a DRQN or a RecurrentPPO"):
        files.load_memory(ppo, SPACE)
    _, tabular = saved(QLearning, "FrozenLake-v1")
    with pytest.raises(ValueError, match="a QLearning, which has no encoder; take the file of a deep agent"):
        files.load(tabular, Discrete(16))
