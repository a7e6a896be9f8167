"""Memories in plain operations: batched over networks they are each network's own fused kernel, forwards and backwards."""

import copy

import gymnasium as gym
import numpy as np
import pytest
import torch
from torch.func import functional_call, vmap

from rlcourse.encoders import make, make_memory

SPACE = gym.spaces.Box(-1.0, 1.0, (5,))
S, T, B, WIDTH = 3, 12, 6, 8
memories = pytest.mark.parametrize(("name", "layers"), [("lstm", 1), ("lstm", 2), ("gru", 1), ("gru", 2), ("rnn", 1), ("attention:4", 1)])


def unrolled(networks):
    """Return the first network in plain operations, and the parameters of all, stacked."""
    skeleton = copy.deepcopy(networks[0])
    for part in skeleton.modules():
        if hasattr(part, "unrolled"):
            part.unrolled = True
    each = [dict(network.named_parameters()) for network in networks]
    return skeleton, {name: torch.stack([one[name].detach() for one in each]).requires_grad_() for name in each[0]}


def equal(a, b):
    torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-5)


@memories
@pytest.mark.parametrize("begins", [False, True])
def test_batched_over_networks_sequences_have_the_features_and_gradients_of_each_networks_fused_kernel(name, layers, begins):
    torch.manual_seed(0)
    networks = [make_memory(name, SPACE, WIDTH, layers=layers) for _ in range(S)]
    skeleton, parameters = unrolled(networks)
    arrays, rows, width = networks[0].shape
    x, state = torch.randn(S, T, B, 5), torch.rand(S, arrays, rows, B, width)
    starts = torch.rand(S, T, B) < 0.2 if begins else None

    def run(mine, x, state, starts):
        features, after = functional_call(skeleton, mine, (x, state.unbind(0), starts))
        return features, torch.stack(after)

    features, after = vmap(run, in_dims=(0, 0, 0, 0 if begins else None))(parameters, x, state, starts)
    gradients = torch.autograd.grad(features.square().sum(), list(parameters.values()))
    for s, network in enumerate(networks):
        mine, last = network(x[s], tuple(state[s]), starts[s] if begins else None)
        equal(features[s], mine)
        equal(after[s], torch.stack(last))
        alone = torch.autograd.grad(mine.square().sum(), list(network.parameters()))
        for batched, one in zip(gradients, alone, strict=True):
            torch.testing.assert_close(batched[s], one, atol=1e-4, rtol=1e-4)


@memories
def test_a_step_in_plain_operations_is_a_step_of_the_kernel_and_a_sequence_of_one(name, layers):
    torch.manual_seed(0)
    network = make_memory(name, SPACE, WIDTH, layers=layers)
    plain, _ = unrolled([network])
    arrays, rows, width = network.shape
    x, state, starts = torch.randn(B, 5), torch.rand(arrays, rows, B, width).unbind(0), torch.arange(B) < 2
    found = [network.step(x, state, starts), plain.step(x, state, starts), plain(x[None], state, starts[None])]
    for features, after in found[1:]:
        equal(features.view(B, WIDTH), found[0][0])
        for mine, theirs in zip(after, found[0][1], strict=True):
            equal(mine, theirs)


@pytest.mark.parametrize("name", ["window-lstm", "window-gru", "window-rnn", "window-attention"])
def test_encoders_of_windows_are_batched_over_networks_too(name):
    torch.manual_seed(0)
    low, high = np.full((4, 4), -1.0, np.float32), np.ones((4, 4), np.float32)
    low[:, -1] = 0.0
    networks = [make(name, gym.spaces.Box(low, high), WIDTH) for _ in range(S)]
    skeleton, parameters = unrolled(networks)
    x = torch.rand(S, B, 4, 4)
    x[..., -1], x[:, 0, :2] = 1.0, 0.0  # the first window has two rows only
    features = vmap(lambda mine, x: functional_call(skeleton, mine, (x,)))(parameters, x)
    for s, network in enumerate(networks):
        equal(features[s], network(x[s]))
