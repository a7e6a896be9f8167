"""Channels-last weights of convolutions, which a GPU has, forced on the CPU: the same numbers, the same files, flat views all the same."""

import copy

import gymnasium as gym
import numpy as np
import pytest
import torch
from torch import nn

from rlcourse import agents
from rlcourse.agents.deep import boundary
from rlcourse.agents.deep.optimizer import FlatAdam, FlatRMSprop
from rlcourse.agents.deep.programs.stack import Stack
from rlcourse.agents.deep.target_network import Target

IMAGE = gym.spaces.Box(0, 255, (7, 7, 2), np.uint8)
LAST = torch.channels_last


class Pictures(gym.Env):
    """Random images, two actions or a number, random rewards, episodes of 5 steps."""

    observation_space = IMAGE

    def __init__(self, action_space):
        self.action_space = action_space

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        return self._seen(), {}

    def step(self, action):
        self.t += 1
        return self._seen(), float(self.np_random.random()), self.t == 5, False, {}

    def _seen(self):
        return self.np_random.integers(256, size=IMAGE.shape, dtype=np.uint8)


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.Conv2d(4, 3, 1), nn.Conv2d(3, 5, (2, 3)), nn.Flatten(), nn.Linear(60, 1))


def both():
    return network(), network().to(memory_format=LAST)


def close(one, two, tolerance=1e-5):
    for name, value in one.state_dict().items():
        torch.testing.assert_close(
            two.state_dict()[name], value, atol=tolerance, rtol=tolerance, msg=lambda text, name=name: f"{name}: {text}"
        )


@pytest.mark.parametrize("kind", [FlatAdam, FlatRMSprop])
def test_flat_views_keep_the_order_in_memory_and_learn_the_same(kind):
    x, optimizers, targets = torch.randn(8, 2, 7, 7).to(memory_format=LAST), [], []
    pair = both()
    for each in pair:
        targets.append(Target(each))
        optimizers.append(kind(each, max_grad_norm=0.5, eps=1e-5))
        for _ in range(4):
            optimizers[-1].step((each(x) ** 2).mean(), 1e-2)
        targets[-1].follow(optimizers[-1], 0.5)
    plain, last = pair
    close(plain, last)
    close(targets[0].network, targets[1].network)
    for weight in (last[0].weight, last[3].weight, last[0].weight.grad, targets[1].network[3].weight):
        assert weight.is_contiguous(memory_format=LAST)
        assert not weight.is_contiguous()
    start, size = optimizers[1].parameters.data_ptr(), optimizers[1].parameters.numel() * 4
    assert all(start <= parameter.data_ptr() < start + size for parameter in last.parameters())
    assert not torch.allclose(optimizers[0].parameters, optimizers[1].parameters), "in memory the order is another one"
    for name, moment in optimizers[0].state_dict().items():
        torch.testing.assert_close(torch.as_tensor(optimizers[1].state_dict()[name]), torch.as_tensor(moment), atol=1e-6, rtol=1e-4)


def test_moments_that_were_saved_in_one_order_go_on_in_the_other():
    x = torch.randn(8, 2, 7, 7)
    plain, last = both()
    saved, other = FlatAdam(plain), FlatAdam(last)
    for _ in range(3):
        saved.step((plain(x) ** 2).mean(), 1e-2)
    last.load_state_dict(copy.deepcopy(plain.state_dict()))
    other.load_state_dict(copy.deepcopy(saved.state_dict()))
    for each, optimizer in ((plain, saved), (last, other)):
        optimizer.step((each(x) ** 2).mean(), 1e-2)
    close(plain, last, 1e-6)


SETTINGS = {
    "PPO": {"n_envs": 1, "n_steps": 16, "batch_size": 8, "n_epochs": 2},
    "DQN": {"learning_starts": 8, "batch_size": 8, "buffer_size": 64, "target_update_interval": 12},
    "SAC": {"learning_starts": 12, "batch_size": 8, "buffer_size": 64, "hidden": (8,)},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_an_agent_learns_the_same_in_both_orders_and_its_file_is_read_in_both(name, monkeypatch, tmp_path):
    action_space = gym.spaces.Box(-1, 1, (1,), np.float32) if name == "SAC" else gym.spaces.Discrete(2)

    def made():
        return getattr(agents, name)(Pictures(action_space), seed=1, encoder="minatar", device="cpu", **SETTINGS[name])

    plain = made().learn(16)
    monkeypatch.setattr(boundary, "memory_format", lambda device: LAST)
    last = made().learn(16)
    networks = [(part, last.parts()[key]) for key, part in plain.parts().items() if isinstance(part, nn.Module)]
    for one, two in networks:
        close(one, two, 1e-4)
    convolutions = [layer.weight for _, two in networks for layer in two.modules() if isinstance(layer, nn.Conv2d)]
    assert convolutions
    assert all(weight.is_contiguous(memory_format=LAST) and not weight.is_contiguous() for weight in convolutions)
    file = plain.save(tmp_path / "plain")
    read = type(plain).load(file, env=Pictures(action_space))
    state = {key: value for key, value in plain.state_dict().items() if isinstance(value, np.ndarray)}
    assert all(np.array_equal(read.state_dict()[key], value) for key, value in state.items() if not key.startswith("env"))


def test_a_stack_of_agents_reads_the_order_of_its_agents():
    x = torch.randn(8, 2, 7, 7)
    for networks in ([network(), network()], [each.to(memory_format=LAST) for each in (network(), network())]):
        expected = networks[0](x).detach()
        stack = Stack(networks, [FlatAdam(each) for each in networks])
        torch.testing.assert_close(stack(lambda each, x: each(x), x.expand(2, *x.shape))[1], expected, atol=1e-5, rtol=1e-5)


def test_only_a_gpu_has_it():
    assert boundary.memory_format(torch.device("cuda")) == LAST
    assert boundary.memory_format(torch.device("cpu")) == torch.contiguous_format
