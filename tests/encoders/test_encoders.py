"""Encoders without memory; that stable-baselines3 sees the same through them is tested in tests/sb3/test_sb3_agent.py."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces

from rlcourse import encoders
from rlcourse.agents import DQN, PPO
from rlcourse.encoders.embedding import Embedding
from rlcourse.encoders.flatten import Flatten
from rlcourse.encoders.mlp import MLP
from rlcourse.encoders.standard_networks import MinAtar, Nature

BOARD = spaces.Box(0, 1, (10, 10, 4), np.uint8)
SPACES = [
    spaces.Box(-1, 1, (3,), np.float32),
    spaces.Box(-1, 1, (3, 4), np.float64),
    spaces.Box(0, 255, (84, 84, 4), np.uint8),
    spaces.Box(0, 255, (7, 7, 3), np.uint8),
    spaces.Box(0, 1, (10, 10, 6), bool),
    spaces.Discrete(5, start=-2),
    spaces.MultiDiscrete([3, 4]),
    spaces.MultiBinary(6),
]


def weights(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_auto_builds_for_every_space_that_agents_see(space):
    encoder = encoders.make("auto", space)
    space.seed(0)
    batch = torch.as_tensor(np.stack([space.sample() for _ in range(3)]))
    features = encoder(batch)
    assert features.shape == (3, encoder.features_dim)
    assert features.dtype == torch.float32


def test_auto_picks_by_the_space():
    kinds = [type(encoders.make("auto", space)) for space in SPACES]
    assert kinds == [Flatten, Flatten, Nature, MinAtar, MinAtar, Flatten, Flatten, Flatten]


def test_an_embedding_is_a_one_hot_vector_times_a_matrix():
    for space in (spaces.Discrete(5, start=-2), spaces.MultiDiscrete([3, 4], start=[1, -1]), spaces.MultiDiscrete([[2, 3], [4, 5]])):
        embedding, flatten = Embedding(space, 8), Flatten(space)
        space.seed(1)
        numbers = torch.as_tensor(np.stack([space.sample() for _ in range(6)]))
        one_hot = flatten(numbers)
        torch.testing.assert_close(embedding(numbers), one_hot @ embedding.table.weight)
        torch.testing.assert_close(embedding(one_hot), embedding(numbers))
        torch.testing.assert_close(embedding(one_hot.unsqueeze(1)), embedding(numbers))  # as it comes from a replay of stable-baselines3


def test_an_mlp_has_its_hidden_layers():
    mlp = MLP(spaces.Box(-1, 1, (3,)), 5, hidden=(7,))
    assert weights(mlp) == (3 * 7 + 7) + (7 * 5 + 5)
    assert mlp(torch.zeros(2, 3)).shape == (2, 5)


def test_a_width_follows_the_name():
    assert encoders.make("embedding:9", spaces.Discrete(4)).features_dim == 9
    assert encoders.make("auto:9", BOARD).features_dim == 9
    assert encoders.make("minatar", BOARD).features_dim == 128
    for name in ("minatar:", "minatar:x", "minatar:0", "minatar:1,2"):
        with pytest.raises(ValueError, match="width"):
            encoders.make(name, BOARD)


def test_what_an_encoder_cannot_see_it_says():
    for name, space in [("embedding", BOARD), ("minatar", SPACES[0]), ("nature", BOARD), ("mlp", SPACES[2]), ("cnn", BOARD)]:
        with pytest.raises(ValueError, match="encoder"):
            encoders.make(name, space)


@pytest.mark.parametrize("encoder", ["auto", "embedding:8", "mlp:8"])
def test_agents_learn_through_them(encoder):
    PPO("FrozenLake-v1", encoder=encoder, n_envs=2, n_steps=16, batch_size=32, seed=0).learn(64)
    agent = DQN("FrozenLake-v1", encoder=encoder, learning_starts=8, batch_size=8, buffer_size=50, seed=0).learn(64)
    assert agent.predict(3)[0] in range(4)


def test_an_agent_sees_a_board():
    class Board(gym.Env):
        observation_space, action_space = BOARD, spaces.Discrete(2)

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            return self.observation_space.sample(), {}

        def step(self, action):
            return self.observation_space.sample(), 1.0, False, self.np_random.random() < 0.2, {}

    PPO(Board(), n_envs=1, n_steps=32, batch_size=32, seed=0).learn(64)


@pytest.mark.parametrize("name", [None, 64, encoders])
def test_a_name_that_is_no_text_has_a_sentence(name):
    with pytest.raises(TypeError, match="an encoder has a name, such as 'auto' or 'mlp:64', not"):
        encoders.make(name, BOARD)


@pytest.mark.parametrize("shape", [(6, 7, 3), (3, 6, 7), (6, 7)])
def test_bytes_of_an_image_are_divided_by_255_without_convolutions_too(shape):
    space, pixels = spaces.Box(0, 255, shape, np.uint8), torch.randint(0, 256, (4, *shape), dtype=torch.uint8)
    channels_first = pixels.permute(0, 3, 1, 2) if shape == (6, 7, 3) else pixels
    torch.testing.assert_close(encoders.make("flatten", space)(pixels), channels_first.flatten(1) / 255)
    mlp = encoders.make("mlp", space)
    torch.testing.assert_close(mlp(pixels), mlp.layers(channels_first.flatten(1) / 255))
