"""The layers that learning switches: when batch normalisation goes by its batch and dropout drops, and when not."""

import numpy as np
import pytest
import torch
from torch import nn

from rlcourse import agents
from rlcourse.agents.deep.modes import Modes, batch_norms, by_batch, seeded


def two_layers(dropout=0.0):
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(dropout)).requires_grad_()


def test_learning_passes_drop_and_normalise_by_their_batch_and_others_do_neither():
    network, x = two_layers(0.5), torch.randn(16, 3, generator=torch.Generator().manual_seed(0))
    modes = Modes(network, torch.Generator().manual_seed(1), batch_size=16)
    acting = network(x)
    with modes.learning():
        one = network(x)
    with modes.learning():
        two = network(x)
    assert (one == 0).float().mean() > 0.2
    assert not torch.equal(one, two), "another seed for each pass"
    assert not torch.equal(network(x), acting), "the running statistics have moved"
    assert torch.equal(network(x), network(x))


def test_by_running_statistics_only_dropout_is_switched_and_frozen_parts_never_are():
    network, x = two_layers(0.5), torch.randn(16, 3)
    modes = Modes(network, torch.Generator(), batch_size=None)
    with modes.learning():
        network(x)
    assert int(network[1].num_batches_tracked) == 0
    modes.see(network, x[:1])
    assert int(network[1].num_batches_tracked) == 0, "one observation has no variance"
    modes.see(network, x)
    assert int(network[1].num_batches_tracked) == 1
    fixed = nn.Sequential(two_layers(0.5).requires_grad_(False), nn.Linear(4, 1))
    modes = Modes(fixed, torch.Generator(), batch_size=16)
    assert not modes.switched
    assert not batch_norms(fixed)


def test_where_there_is_nothing_to_switch_it_costs_nothing():
    modes = Modes(nn.Linear(3, 4), torch.Generator(), 16)
    assert modes.learning() is Modes(nn.ReLU(), torch.Generator()).learning() is by_batch(modes.norms)


def test_statistics_by_the_batch_leave_the_running_ones_as_they_are():
    network, x = two_layers(), 5 + torch.randn(16, 3)
    Modes(network, torch.Generator(), 16)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    with by_batch(batch_norms(network)):
        y = network(x)
    torch.testing.assert_close(y.mean(0), torch.zeros(4), atol=1e-5, rtol=0)
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    assert network[1].track_running_stats
    assert not network[1].training


def test_the_agents_generator_alone_decides_what_the_global_one_draws():
    one, two, before = torch.Generator().manual_seed(3), torch.Generator().manual_seed(3), torch.random.get_rng_state()
    with seeded(one):
        drawn = torch.rand(5)
    torch.rand(7)
    torch.random.set_rng_state(before)
    with seeded(two):
        assert torch.equal(drawn, torch.rand(5))
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_batch_of_one_is_refused_with_batch_normalisation():
    with pytest.raises(ValueError, match="batch_size must be at least 2 with batch normalisation"):
        agents.DQN("CartPole-v1", encoder="mlp:8+bn", batch_size=1)
    assert agents.DQN("CartPole-v1", encoder="mlp:8+ln", batch_size=1, learning_starts=5).learn(20).num_timesteps == 20


def hand_normalised(network, x):
    """Values of a Q-network with batch normalisation, in numpy: by the batch's own statistics."""
    x = np.asarray(x, np.float64)
    linear = norm = None
    for part in network.encoder.layers:
        if isinstance(part, nn.Linear):
            linear = part
            x = x @ linear.weight.detach().numpy().T
        elif isinstance(part, nn.BatchNorm1d):
            norm = part
            x = (x - x.mean(0)) / np.sqrt(x.var(0) + norm.eps) * norm.weight.detach().numpy() + norm.bias.detach().numpy()
        else:
            x = np.maximum(x, 0)
    for layer in (*network.hidden, network.head):
        x = x @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
        x = x if layer is network.head else np.maximum(x, 0)
    return x


@pytest.mark.parametrize("target_network", [True, False])
@pytest.mark.parametrize("bn_mode", ["separate", "joint", "target"])
def test_dqn_normalises_successors_as_its_bn_mode_says(bn_mode, target_network):
    settings = {"n_envs": 2, "learning_starts": 100, "buffer_size": 200, "batch_size": 16, "hidden": (8,), "gamma": 0.9}
    agent = agents.DQN("CartPole-v1", seed=2, encoder="mlp:8+bn", bn_mode=bn_mode, target_network=target_network, **settings).learn(90)
    for norm in batch_norms(agent.network):
        norm.running_mean.normal_(generator=torch.Generator().manual_seed(0))
        norm.weight.data.uniform_(0.5, 2.0, generator=torch.Generator().manual_seed(1))
    batch = agent.replay.sample(16, agent.rng, 0.9)
    S, S_ = torch.from_numpy(batch.observations), torch.from_numpy(batch.next_observations)
    before = {key: value.clone() for key, value in agent.target_network.state_dict().items()}
    values = {
        "target": lambda: agent.target_network(S_).detach().numpy(),
        "separate": lambda: hand_normalised(agent.target_network, S_),
        "joint": lambda: hand_normalised(agent.target_network, torch.cat([S, S_]))[16:],
    }
    targets = agent._targets(batch)
    wanted = batch.rewards + batch.discounts * values[bn_mode]().max(1)
    np.testing.assert_allclose(targets, wanted, rtol=1e-4, atol=1e-4)
    assert all(torch.equal(before[key], value) for key, value in agent.target_network.state_dict().items()), "asking moves nothing"
    predicted = (hand_normalised(agent.network, torch.cat([S, S_]) if bn_mode == "joint" else S)[:16])[np.arange(16), batch.actions]
    observations = torch.cat([S, S_]) if bn_mode == "joint" else S
    found, _ = agent._descend(observations, torch.from_numpy(batch.actions), targets, None, 1e-3)
    np.testing.assert_allclose(found.detach(), predicted, rtol=1e-4, atol=1e-4)
    assert int(batch_norms(agent.network)[0].num_batches_tracked) == 1


@pytest.mark.parametrize("bn_mode", ["separate", "joint", "target"])
@pytest.mark.parametrize(
    "more", [{"double": True}, {"distributional": "c51", "dueling": True}, {"prioritized": True, "target_network": False}]
)
def test_dqn_learns_in_every_bn_mode_with_every_extension(bn_mode, more):
    small = {"learning_starts": 10, "batch_size": 8, "hidden": (8,), "buffer_size": 100}
    agent = agents.DQN("CartPole-v1", encoder="mlp:8+bn", bn_mode=bn_mode, **small, **more).learn(200)
    assert torch.isfinite(agent.optimizer.parameters).all()
