"""Encoders with memory, against torch's cells one step at a time."""

import gymnasium as gym
import numpy as np
import pytest
import torch

from rlcourse.encoders import make_memory

SPACE = gym.spaces.Box(-1, 1, (3,))
T, B, H = 12, 5, 8


def encoder(name, layers=1, seed=0):
    torch.manual_seed(seed)
    return make_memory(name, SPACE, H, layers=layers)


def sequences(share=0.3, seed=0):
    """Return observations, a memory that is not empty, and where episodes start."""
    generator = torch.Generator().manual_seed(seed)
    starts = torch.rand(T, B, generator=generator) < share
    starts[:, 0] = False  # one copy in which none starts
    starts[0, 1], starts[0, 2] = True, False
    starts[-1, 3] = True
    return torch.randn(T, B, 3, generator=generator), starts


def memory(module, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(module.layers, B, H, generator=generator) for _ in range(module.arrays))


def by_steps(module, x, state, starts):
    """The oracle: one step after another."""
    features = []
    for t in range(len(x)):
        each, state = module.step(x[t], state, starts[t])
        features.append(each)
    return torch.stack(features), state


kinds = pytest.mark.parametrize("name", ["lstm", "gru", "rnn"])
depths = pytest.mark.parametrize("layers", [1, 2])


@kinds
@depths
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_sequences_with_episodes_that_start_within_are_the_steps_one_by_one(name, layers, share):
    module = encoder(name, layers)
    x, starts = sequences(share)
    features, state = module(x, memory(module), starts)
    expected, after = by_steps(module, x, memory(module), starts)
    torch.testing.assert_close(features, expected, atol=1e-6, rtol=1e-5)
    for mine, theirs in zip(state, after, strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-6, rtol=1e-5)


@kinds
@depths
def test_gradients_are_those_of_the_steps_one_by_one(name, layers):
    x, starts = sequences()
    gradients = []
    for run in (lambda m, s: m(x, s, starts), lambda m, s: by_steps(m, x, s, starts)):
        module = encoder(name, layers)
        before = tuple(part.requires_grad_() for part in memory(module))
        features, after = run(module, before)
        weight = torch.linspace(-1, 1, features.numel()).view_as(features)
        loss = (features * weight).sum() + sum((part * part).sum() for part in after)
        gradients.append(torch.autograd.grad(loss, [*module.parameters(), *before]))
    for mine, theirs in zip(*gradients, strict=True):
        torch.testing.assert_close(mine, theirs, atol=2e-5, rtol=1e-4)


@kinds
@depths
def test_without_starts_it_is_torchs_module(name, layers):
    module = encoder(name, layers)
    theirs = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}[name](3, H, layers)
    for layer, cell in enumerate(module.cells):
        for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            getattr(theirs, f"{part}_l{layer}").data = getattr(cell, f"{part}_l0").data
    x, _ = sequences()
    state = memory(module)
    features, after = module(x, state)
    expected, their_after = theirs(x, state if name == "lstm" else state[0])
    torch.testing.assert_close(features, expected)
    torch.testing.assert_close(after, their_after if name == "lstm" else (their_after,))


@kinds
@depths
def test_an_episode_does_not_depend_on_the_one_before_it_to_the_last_bit(name, layers):
    module = encoder(name, layers)
    x, starts = sequences()
    starts[:] = False
    starts[7] = True
    other = x.clone()
    other[:7] = 100.0 * torch.randn(7, B, 3)
    features, state = module(x, memory(module), starts)
    different, other_state = module(other, memory(module, seed=5), starts)
    assert torch.equal(features[7:], different[7:])
    assert all(torch.equal(mine, theirs) for mine, theirs in zip(state, other_state, strict=True))
    assert not torch.allclose(features[:7], different[:7])
    fresh, _ = module(x[7:], module.initial(B))
    torch.testing.assert_close(features[7:], fresh)


@kinds
def test_episodes_of_unequal_lengths_are_those_one_by_one(name):
    module = encoder(name, 2)
    lengths = [12, 1, 5, 3, 7]
    episodes = [torch.randn(length, 1, 3) for length in lengths]
    x, starts = torch.zeros(T, B, 3), torch.zeros(T, B, dtype=torch.bool)
    starts[0] = True
    for i, episode in enumerate(episodes):
        x[: lengths[i], i] = episode[:, 0]
        if lengths[i] < T:
            starts[lengths[i], i] = True  # what follows is another episode
    features, _ = module(x, memory(module), starts)
    for i, episode in enumerate(episodes):
        alone, _ = module(episode, module.initial(1))
        torch.testing.assert_close(features[: lengths[i], i], alone[:, 0], atol=1e-6, rtol=1e-5)


@kinds
def test_steps_that_do_not_count_have_no_gradient(name):
    module = encoder(name, 2)
    x, starts = sequences()
    x.requires_grad_()
    starts[:] = False
    starts[4] = True
    features, _ = module(x, memory(module), starts)
    (gradient,) = torch.autograd.grad(features[4:8].square().sum(), x)
    assert torch.all(gradient[:4] == 0), "before the episode"
    assert torch.all(gradient[8:] == 0), "after the steps that count"
    assert torch.all(gradient[4:8].abs().sum(-1) > 0)


@kinds
def test_the_memory_at_the_beginning_changes_the_output_unless_an_episode_starts(name):
    module = encoder(name)
    x, starts = sequences(0.0)
    starts[:] = False
    assert not torch.allclose(module(x, module.initial(B), starts)[0], module(x, memory(module), starts)[0])
    starts[0] = True
    assert torch.equal(module(x, module.initial(B), starts)[0], module(x, memory(module), starts)[0])


@kinds
def test_two_halves_with_the_memory_handed_on_are_the_whole(name):
    module = encoder(name, 2)
    x, starts = sequences()
    whole, after = module(x, memory(module), starts)
    first, state = module(x[:5], memory(module), starts[:5])
    second, state = module(x[5:], state, starts[5:])
    torch.testing.assert_close(torch.cat([first, second]), whole, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(state, after, atol=1e-6, rtol=1e-5)


@kinds
def test_layers_have_the_parameters_that_they_should(name):
    gates = {"lstm": 4, "gru": 3, "rnn": 1}[name]
    first, second = gates * H * (3 + H + 2), gates * H * (H + H + 2)
    assert sum(p.numel() for p in encoder(name).parameters()) == first
    assert sum(p.numel() for p in encoder(name, 2).parameters()) == first + second


@kinds
def test_observations_alone_are_first_observations(name):
    module = encoder(name)
    x, _ = sequences()
    torch.testing.assert_close(module(x[0]), module(x[:1], module.initial(B))[0][0])


@kinds
def test_images_and_numbers_pass_through_their_encoder_first(name):
    image = make_memory(name, gym.spaces.Box(0, 255, (36, 36, 3), np.uint8), 16)
    features, _ = image(torch.zeros(3, 2, 36, 36, 3, dtype=torch.uint8), image.initial(2))
    assert features.shape == (3, 2, 16)
    number = make_memory(name, gym.spaces.Discrete(4, start=2), 16)
    assert number(torch.tensor([[2, 5], [3, 4]]), number.initial(2))[0].shape == (2, 2, 16)


def test_what_is_no_memory_is_refused():
    with pytest.raises(ValueError, match="'attention', 'gru', 'lstm' or 'rnn'"):
        make_memory("elman", SPACE)
    with pytest.raises(ValueError, match="cannot see the future: take 'lstm'"):
        make_memory("bilstm", SPACE)
    with pytest.raises(ValueError, match=r"layers must be a whole number in \[1, inf\), not 0"):
        make_memory("gru", SPACE, layers=0)
    with pytest.raises(ValueError, match="dropout"):
        make_memory("gru", SPACE, dropout=1.0)


def test_the_notes_character_network_has_its_parameters_and_torchs_second_bias():
    network = make_memory("lstm", gym.spaces.Discrete(83), 256, encoder="flatten", layers=2, dropout=0.5)
    second = sum(p.numel() for name, p in network.named_parameters() if "bias_hh" in name)
    assert sum(p.numel() for p in network.parameters()) - second == 873_472
    assert second == 2 * 4 * 256, "torch adds two bias vectors, where TensorFlow has one"


@kinds
@depths
@pytest.mark.parametrize("share", [0.0, 0.3])
def test_dropout_is_of_every_layers_outputs_in_training_and_leaves_the_memory_alone(name, layers, share):
    module, plain = (make_memory(name, SPACE, H, layers=layers, dropout=p) for p in (0.5, 0.0))
    plain.load_state_dict(module.state_dict())
    x, starts = sequences(share)
    features, state = module(x, memory(module), starts)
    assert 0.3 < (features == 0).float().mean() < 0.7
    one, after = module.step(x[0], memory(module))
    assert torch.any(one == 0)
    for mine, theirs in ((state, plain(x, memory(plain), starts)[1]), (after, plain.step(x[0], memory(plain))[1])):
        torch.testing.assert_close([part[0] for part in mine], [part[0] for part in theirs])  # of the layer that sees no dropout
    assert not torch.equal(module(x, memory(module), starts)[0], features)
    assert torch.equal(module.eval()(x, memory(module), starts)[0], plain(x, memory(plain), starts)[0])
