"""Batch normalisation and dropout: acting never uses a batch's statistics and never drops; learning does, and resumes exactly."""

import numpy as np
import pytest
import torch
from every_agent import DEEP, ROLLOUT, differences, known, make
from torch import nn

from rlcourse.encoders import mlp

TARGETED = ["DDPG", "TD3", "SAC", "DQN", "DRQN", "DiscreteSAC"]  # with a target network that has an encoder
BY_ROLLOUTS = ["A2C", "PPO", "PQN", "REINFORCE", "RecurrentPPO"]  # batch normalisation by running statistics also when they learn


class Dropping(mlp.MLP):
    """The encoder "mlp" with dropout behind it."""

    def __init__(self, observation_space, features_dim=64, norm=""):
        super().__init__(observation_space, features_dim, norm=norm)
        self.layers.append(nn.Dropout(0.3))


@pytest.fixture
def dropping(monkeypatch):
    monkeypatch.setattr(mlp, "MLP", Dropping)


def networks(agent):
    return {name: part for name, part in agent.parts().items() if isinstance(part, nn.Module)}


def learned(name, **settings):
    return make(name, encoder="mlp:8+bn", **settings).learn(4 * ROLLOUT)


@pytest.mark.parametrize("name", DEEP)
def test_an_observations_action_does_not_depend_on_the_batch_that_it_is_in_and_predict_is_deterministic(name, dropping):
    agent = learned(name)
    assert not any(part.training for network in networks(agent).values() for part in network.modules())
    many = np.stack([agent.observation_space.sample() for _ in range(7)])
    together = agent.predict(many)[0]
    np.testing.assert_allclose(together, [agent.predict(each)[0] for each in many], rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(together, agent.predict(many)[0])


@pytest.mark.parametrize("name", DEEP)
def test_it_resumes_exactly_with_batch_normalisation_and_dropout_and_leaves_the_global_generator_alone(name, dropping, tmp_path):
    before = torch.random.get_rng_state()
    whole = learned(name).learn(4 * ROLLOUT)
    half = learned(name)
    half.save(tmp_path / "half.safetensors")
    resumed = type(half).load(tmp_path / "half.safetensors").learn(4 * ROLLOUT)
    assert differences(resumed.state_dict(), whole.state_dict()) == []
    assert torch.equal(before, torch.random.get_rng_state())
    moved = [norm for network in networks(whole).values() for norm in nn.ModuleList(network.modules()) if isinstance(norm, nn.BatchNorm1d)]
    assert moved
    assert all(norm.running_mean.any() for norm in moved), "statistics that no pass has moved"


@pytest.mark.parametrize("name", TARGETED)
def test_a_target_network_takes_the_running_statistics_over_whenever_it_moves(name):
    agent = learned(name, **known(name, target_update_interval=1, train_freq=1, tau=0.5))
    parts = agent.parts()
    source = {"SAC": "critics", "DiscreteSAC": "networks"}.get(name, "network")
    pairs = [(parts[key], parts[f"target_{key}"]) for key in ("actor", "critic", "critics") if f"target_{key}" in parts]
    pairs = pairs or [(parts[source], parts["target"])]
    for one, other in pairs:
        mine, theirs = (dict(network.named_buffers()) for network in (one, other))
        assert mine
        assert all(torch.equal(mine[key], theirs[key]) for key in mine)


@pytest.mark.parametrize("name", BY_ROLLOUTS)
def test_the_running_statistics_move_once_for_each_rollout(name):
    agent = make(name, encoder="mlp:8+bn")
    counts = []
    agent._update = lambda *what, inner=agent._update: (inner(*what), counts.append(count(agent)))
    agent.learn(4 * ROLLOUT)
    assert counts == list(range(1, len(counts) + 1))


def count(agent):
    norms = [part for network in networks(agent).values() for part in network.modules() if isinstance(part, nn.BatchNorm1d)]
    return max(int(norm.num_batches_tracked) for norm in norms)


@pytest.mark.parametrize("name", ["PPO", "RecurrentPPO"])
def test_the_ratio_of_new_to_old_policy_begins_at_exactly_one_with_batch_normalisation(name):
    agent = make(name, encoder="mlp:8+bn", batch_size=10_000)
    seen = []
    loss = agent.loss

    def looked(batch, *more):
        found = loss(batch, *more)
        seen.append(torch.equal(found[3].detach(), batch.log_prob.flatten()))
        return found

    agent.loss = looked
    agent.learn(3 * ROLLOUT)
    assert seen[:: agent.config.n_epochs] == [True, True, True]
    assert not all(seen)
