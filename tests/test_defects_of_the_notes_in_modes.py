"""Defects of the notes' code in what training and acting do differently: dropout and batch normalisation."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from worlds_of_the_defects import NoiseImages, Numbered

from rlcourse.agents import DQN, PPO, DiscreteCrossQ, RecurrentPPO
from rlcourse.encoders import make, make_memory

COPIES, STEPS = 3, 5


# 3: what dropout returned was thrown away; 8: another dropout was baked in, and on while sampling


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_3_dropout_of_a_memory_is_there_in_training_and_only_there(kind):
    x = torch.randn(STEPS, COPIES, 2, generator=torch.Generator().manual_seed(0))
    for dropout, differs in ((0.5, True), (0.0, False)):
        memory = make_memory(kind, gym.spaces.Box(-1, 1, (2,)), 8, dropout=dropout)
        empty = memory.initial(COPIES)
        eval_ = [memory.eval()(x, empty)[0] for _ in range(2)]
        train = [memory.train()(x, empty)[0] for _ in range(2)]
        assert torch.equal(*eval_)
        assert torch.equal(train[0], eval_[0]) != differs
        assert torch.equal(*train) != differs


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_3_dropout_is_between_the_layers_of_a_memory_too(kind):
    memory = make_memory(kind, gym.spaces.Box(-1, 1, (2,)), 8, layers=2, dropout=0.5)
    x, empty = torch.randn(STEPS, COPIES, 2, generator=torch.Generator().manual_seed(0)), memory.initial(COPIES)
    (lower, upper), (lower_, upper_) = memory.eval()(x, empty)[1][0], memory.train()(x, empty)[1][0]
    assert torch.allclose(lower, lower_), "nothing is dropped before the first layer"
    assert not torch.allclose(upper, upper_), "the second sees what was dropped after the first"


def test_3_dropout_of_an_encoder_is_there_in_training_and_only_there():
    encoder = make("dcgan-d", gym.spaces.Box(0, 255, (28, 28, 1), np.uint8))
    assert [part.p for part in encoder.modules() if isinstance(part, torch.nn.Dropout)] == [0.35]
    images = torch.randint(0, 256, (4, 28, 28, 1), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(encoder.eval()(images), encoder(images))
        assert not torch.equal(encoder.train()(images), encoder(images))


def test_8_acting_is_deterministic_given_the_state_though_dropout_is_set():
    agent = RecurrentPPO(Numbered(), n_envs=COPIES, n_steps=STEPS, seed=0)
    agent.policy.memory.dropout = 0.5
    with torch.no_grad():
        features = [agent._remember(torch.ones(4, 2), None, None)[0] for _ in range(2)]
    assert torch.equal(*features)
    assert (features[0] != 0).all(), "nothing was dropped"


def test_8_so_it_is_after_learning_with_dropout():
    settings = {"encoder": "dcgan-d", "learning_starts": 10, "train_freq": 10, "batch_size": 4, "buffer_size": 100}
    agent = DQN(NoiseImages(), **settings, seed=0).learn(30)
    assert agent.optimizer.steps > 0
    assert not agent.network.training
    S = agent._tensor(agent.replay.observations[:4, 0])
    with torch.no_grad():
        values = agent.network(S)
        assert torch.equal(agent.network(S), values)


# 9: batch normalisation went by the batch always, also where it should not have

NORMALISED = [
    (DQN, {"encoder": "mlp:16+bn", "bn_mode": mode, "learning_starts": 30, "train_freq": 10, "batch_size": 8}, "network", 0)
    for mode in ("separate", "joint", "target")
] + [
    (DiscreteCrossQ, {"hidden": (16,), "learning_starts": 30, "train_freq": 10, "batch_size": 8}, "network", 1),
    (PPO, {"encoder": "mlp:16+bn", "n_envs": 2, "n_steps": 20, "batch_size": 20}, "policy", 0),
]


def statistics(network):
    return [buffer.clone() for name, buffer in network.named_buffers() if "mean" in name or "var" in name]


@pytest.mark.parametrize(("kind", "settings", "name", "axis"), NORMALISED, ids=lambda part: str(getattr(part, "__name__", "")))
def test_9_acting_goes_by_running_statistics_which_only_learning_moves(kind, settings, name, axis):
    agent = kind("CartPole-v1", **settings, seed=0)
    network = getattr(agent, name)
    first = statistics(network)
    agent.learn(80)
    learned = statistics(network)
    assert first
    assert not any(map(torch.equal, first, learned))
    S = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    value = {"network": lambda x: network(x) if kind is DQN else network(x, train=False), "policy": network.act if kind is PPO else None}[
        name
    ]
    with torch.no_grad():
        together, alone = value(S), torch.cat([value(S[i : i + 1]) for i in range(6)], dim=axis)
    assert torch.allclose(together, alone, atol=1e-5), "no row depends on the others"
    agent.predict(S.numpy())
    assert all(map(torch.equal, statistics(network), learned))


def test_9_each_mode_normalises_what_the_target_sees_as_it_says():
    for mode, sees_others, sees_now in (("target", False, False), ("separate", True, False), ("joint", True, True)):
        agent = DQN("CartPole-v1", encoder="mlp:16+bn", bn_mode=mode, learning_starts=30, train_freq=10, batch_size=8, seed=0).learn(80)
        batch = agent.replay.sample(8, np.random.default_rng(0), 0.9)
        mine = int(np.argmax(batch.discounts > 0))
        before = agent._targets(batch)[mine]
        following = batch.next_observations.copy()
        following[np.arange(8) != mine] += 1.0
        assert (agent._targets(batch._replace(next_observations=following))[mine] != before) == sees_others
        assert (agent._targets(batch._replace(observations=batch.observations + 1.0))[mine] != before) == sees_now
