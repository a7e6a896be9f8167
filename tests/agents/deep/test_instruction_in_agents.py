"""Encoders of instructions in agents: they learn with them, resume exactly, and tell where they looked."""

import gymnasium as gym
import numpy as np
import pytest
import torch

from rlcourse.agents import DQN, DRQN, PPO, RecurrentPPO

ID = "rlcourse/ErrandsTokens-v0"
SMALL = {
    PPO: {"n_envs": 4, "n_steps": 12, "batch_size": 16, "n_epochs": 1},
    RecurrentPPO: {"n_envs": 4, "n_steps": 12, "batch_size": 24, "n_epochs": 1, "memory_size": 8},
    DQN: {"n_envs": 4, "learning_starts": 16, "batch_size": 8, "buffer_size": 200},
    DRQN: {"n_envs": 4, "learning_starts": 16, "batch_size": 4, "buffer_size": 400, "sequence_length": 4, "burn_in": 2, "memory_size": 8},
}


def looked(agent):
    """Return the weights of an agent's last look."""
    network = agent.policy if hasattr(agent, "policy") else agent.network
    return (network.memory if agent.recurrent else network).encoder.weights


@pytest.mark.parametrize("encoder", ["instruction:8", "mission=instruction-final:8"])
@pytest.mark.parametrize("kind", SMALL)
def test_agents_learn_with_an_instruction_and_resume_exactly(kind, encoder, tmp_path):
    whole = kind(ID, encoder=encoder, seed=0, **SMALL[kind]).learn(96)
    part = kind(ID, encoder=encoder, seed=0, **SMALL[kind]).learn(48)
    part.save(tmp_path / "agent.safetensors")
    resumed = kind.load(tmp_path / "agent.safetensors", env=ID).learn(48)
    for name, value in whole.state_dict().items():
        np.testing.assert_array_equal(value, resumed.state_dict()[name], name)


@pytest.mark.parametrize("kind", SMALL)
def test_after_an_action_the_agent_tells_where_it_looked(kind):
    env = gym.make(ID)
    observation, _ = env.reset(seed=0)
    agent = kind(env, encoder="instruction:8", seed=0, **SMALL[kind] | {"n_envs": 1})
    agent.predict(observation)
    weights = looked(agent)
    assert weights.shape == (1, 18)
    torch.testing.assert_close(weights.sum(1), torch.ones(1))
    agent.predict({key: np.stack([value, value]) for key, value in observation.items()})
    assert looked(agent).shape == (2, 18)
