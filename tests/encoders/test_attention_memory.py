"""Attention over the last observations of an episode, against itself one step at a time, and against torch's own attention."""

import gymnasium as gym
import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from rlcourse.encoders import make_memory

SPACE = gym.spaces.Box(-1, 1, (3,))
T, B, H, K = 12, 5, 8, 4


def memory_of(window=K, seed=0):
    torch.manual_seed(seed)
    return make_memory(f"attention:{window}", SPACE, H)


def sequences(share=0.3, seed=0):
    """Return observations, and where episodes start."""
    generator = torch.Generator().manual_seed(seed)
    starts = torch.rand(T, B, generator=generator) < share
    starts[:, 0] = False  # one copy in which none starts
    starts[0, 1], starts[0, 2] = True, False
    return torch.randn(T, B, 3, generator=generator), starts


def before(module, steps, seed=1):
    """Return the memory after so many observations."""
    generator = torch.Generator().manual_seed(seed)
    return module(torch.randn(steps, B, 3, generator=generator), module.initial(B))[1]


def by_steps(module, x, state, starts):
    features = []
    for t in range(len(x)):
        each, state = module.step(x[t], state, starts[t])
        features.append(each)
    return torch.stack(features), state


windows = pytest.mark.parametrize("window", [2, 4, 20])  # shorter and longer than a sequence
shares = pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])


@windows
@shares
@pytest.mark.parametrize("steps", [0, 2, 9])
def test_sequences_with_episodes_that_start_within_are_the_steps_one_by_one(window, share, steps):
    module = memory_of(window)
    x, starts = sequences(share)
    state = before(module, steps) if steps else module.initial(B)
    features, after = module(x, state, starts)
    expected, theirs = by_steps(module, x, state, starts)
    torch.testing.assert_close(features, expected, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(after, theirs, atol=1e-6, rtol=1e-5)
    assert after[0].shape == (window - 1, B, H + 1) == (module.shape[1], B, module.shape[2])


@windows
def test_gradients_are_those_of_the_steps_one_by_one(window):
    x, starts = sequences()
    gradients = []
    for run in (lambda m, s: m(x, s, starts), lambda m, s: by_steps(m, x, s, starts)):
        module = memory_of(window)
        state = tuple(part.detach().requires_grad_() for part in before(module, 3))
        features, after = run(module, state)
        weight = torch.linspace(-1, 1, features.numel()).view_as(features)
        loss = (features * weight).sum() + sum((part * part).sum() for part in after)
        gradients.append(torch.autograd.grad(loss, [*module.parameters(), *state]))
    for mine, theirs in zip(*gradients, strict=True):
        torch.testing.assert_close(mine, theirs, atol=2e-5, rtol=1e-4)


def test_it_is_torchs_attention_with_a_bias_for_each_age():
    module, (x, _) = memory_of(), sequences()
    features, _ = module(x, module.initial(B))
    e = torch.tanh(module.inward(x))
    q = module.query(e).view(T, B, 4, H // 4).permute(1, 2, 0, 3)  # [B, heads, T, d]
    k, v = (part.view(T, B, 4, H // 4).permute(1, 2, 0, 3) for part in module.keys_and_values(e).split(H, 2))
    bias = torch.full((B, 4, T, T), -torch.inf)
    for t in range(T):
        for s in range(max(0, t - K + 1), t + 1):
            bias[:, :, t, s] = (q[:, :, t] * module.ages[K - 1 - (t - s)]).sum(2) / (H // 4) ** 0.5
    context = scaled_dot_product_attention(q, k, v, bias).permute(2, 0, 1, 3).flatten(2)
    torch.testing.assert_close(features, torch.tanh(module.combine(torch.cat([context, e], dim=2))))


def test_an_episode_does_not_depend_on_the_one_before_it_to_the_last_bit():
    module = memory_of(20)
    x, starts = sequences(0.0)
    starts[7] = True
    other = x.clone()
    other[:7] = 100.0 * torch.randn(7, B, 3)
    features, state = module(x, before(module, 5), starts)
    different, other_state = module(other, before(module, 2, seed=5), starts)
    assert torch.equal(features[7:], different[7:])
    assert torch.equal(state[0], other_state[0])
    assert not torch.allclose(features[:7], different[:7])
    fresh, _ = module(x[7:], module.initial(B))
    torch.testing.assert_close(features[7:], fresh)


def test_what_is_older_than_the_window_has_no_influence_and_what_is_within_has():
    module = memory_of(K)
    x, _ = sequences()
    x.requires_grad_()
    features, _ = module(x, before(module, 5))
    (gradient,) = torch.autograd.grad(features[8].square().sum(), x)
    assert torch.all(gradient[: 8 - K + 1] == 0)
    assert torch.all(gradient[9:] == 0)
    assert torch.all(gradient[8 - K + 1 : 9].abs().sum(2) > 0)
    changed = x.detach().clone()
    changed[: 8 - K + 1] = 100.0
    assert torch.equal(module(changed, before(module, 1, seed=4))[0][8:], features[8:])


def test_it_matters_how_long_ago_something_was():
    module, (x, _) = memory_of(), sequences()
    swapped = x.clone()
    swapped[[1, 2]] = x[[2, 1]]
    assert not torch.allclose(module(x, module.initial(B))[0][3], module(swapped, module.initial(B))[0][3])
    module.ages.data.zero_()
    torch.testing.assert_close(module(x, module.initial(B))[0][3], module(swapped, module.initial(B))[0][3])


def test_steps_that_are_not_there_do_not_count():
    """An empty memory is not one of zeros: those would draw attention."""
    module, (x, _) = memory_of(), sequences()
    first = module.step(x[0], module.initial(B))[0]
    zeros = torch.zeros(K - 1, B, H + 1)
    zeros[..., -1] = 1.0
    assert not torch.allclose(first, module.step(x[0], (zeros,))[0])
    torch.testing.assert_close(first, module(x[0]))


def test_two_halves_with_the_memory_handed_on_are_the_whole():
    module = memory_of()
    x, starts = sequences()
    whole, after = module(x, before(module, 3), starts)
    first, state = module(x[:5], before(module, 3), starts[:5])
    second, state = module(x[5:], state, starts[5:])
    torch.testing.assert_close(torch.cat([first, second]), whole, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(state, after, atol=1e-6, rtol=1e-5)


def test_the_window_is_16_unless_the_name_says_otherwise():
    assert make_memory("attention", SPACE).window == 16
    assert make_memory("attention:3", SPACE).window == 3


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("lstm:16", {}, "only of attention a number of observations follows"),
        ("attention:", {}, "for example 'attention:16'"),
        ("attention:1", {}, "memory 'attention:1' remembers nothing"),
        (None, {}, "name must be a text, not None"),
        ("attention:999999999", {}, "^memory: attention over so many observations.* would take 1024.*; lower it"),
        ("attention", {"layers": 2}, "one layer, not 2: take a longer window, such as 'attention:32'"),
        ("attention", {"features_dim": 10}, r"4 heads: its width \(memory_size of an agent\) must be a multiple, not 10"),
    ],
)
def test_what_is_no_attention_memory_is_refused_in_one_sentence(name, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        make_memory(name, SPACE, **options)
