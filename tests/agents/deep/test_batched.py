"""Batched perceptrons and batch renormalisation."""

import numpy as np
import pytest
import torch
from torch import nn

from rlcourse.agents.deep.batched import BatchedMLP, BatchRenorm, batch_norm
from rlcourse.agents.deep.optimizer import FlatAdam, flatten


def numbers(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def mlp(networks=2, norm=None, seed=0, outputs=3):
    return BatchedMLP(networks, 4, (8, 6), outputs, torch.Generator().manual_seed(seed), norm)


def in_numpy(x, gamma, beta, dy, eps):
    """Batch normalisation and its gradient in numpy, x [B, F]: `notes`' formulas for the backward pass."""
    B, deviation = len(x), np.sqrt(x.var(0) + eps)
    xh = (x - x.mean(0)) / deviation
    dx = gamma / (B * deviation) * (B * dy - dy.sum(0) - xh * (dy * xh).sum(0))
    return gamma * xh + beta, dx, (dy * xh).sum(0), dy.sum(0)


def test_batch_norm_forward_and_backward_are_numpys_and_torchs():
    x, gamma, beta, dy = (numbers(*shape, seed=i) for i, shape in enumerate([(50, 7), (7,), (7,), (50, 7)]))
    ours = [part.clone().requires_grad_() for part in (x[None] * 3 + 5, gamma[None, None], beta[None, None])]
    y = batch_norm(*ours, eps=1e-3)[0]
    y.backward(dy[None])
    layer = nn.BatchNorm1d(7, eps=1e-3, dtype=torch.float64)
    layer.weight.data, layer.bias.data = gamma.clone(), beta.clone()
    theirs = (x * 3 + 5).requires_grad_()
    out = layer(theirs)
    out.backward(dy)
    in_torch = (out.detach(), theirs.grad, layer.weight.grad, layer.bias.grad)
    plain = in_numpy(*(part.numpy() for part in (x * 3 + 5, gamma, beta, dy)), 1e-3)
    for mine, other, third in zip((y.detach(), *(part.grad for part in ours)), in_torch, plain, strict=True):
        np.testing.assert_allclose(mine.squeeze(), other, atol=1e-6)
        np.testing.assert_allclose(mine.squeeze(), third, atol=1e-6)


def test_batch_norm_passes_gradcheck():
    x, gamma, beta = (numbers(*shape).requires_grad_() for shape in [(2, 5, 3), (2, 1, 3), (2, 1, 3)])
    assert torch.autograd.gradcheck(lambda *parts: batch_norm(*parts, eps=1e-3)[0], (x, gamma, beta))


@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_in_single_precision_a_large_mean_costs_no_digits(offset):
    x = numbers(64, 3).float() + offset
    ours, theirs = x[None].clone().requires_grad_(), x.clone().requires_grad_()
    y = batch_norm(ours, torch.ones(1, 1, 3), torch.zeros(1, 1, 3), 1e-3)[0]
    y.pow(3).sum().backward()
    z = nn.BatchNorm1d(3, eps=1e-3)(theirs)
    z.pow(3).sum().backward()
    torch.testing.assert_close(y[0], z, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(ours.grad[0], theirs.grad, atol=2e-4, rtol=2e-4)


def renorm(**settings):
    return BatchRenorm(2, 3, **({"momentum": 0.1, "warmup": 0} | settings)).double()


def test_renormalisation_is_ioffes_algorithm_written_out():
    layer, x = renorm(r_max=1.5, d_max=0.4), numbers(2, 9, 3) * 2 + 1
    layer.mean.copy_(numbers(2, 1, 3, seed=1))
    layer.variance.copy_(numbers(2, 1, 3, seed=2).square() + 0.5)
    layer.scale.data, layer.shift.data = numbers(2, 1, 3, seed=3), numbers(2, 1, 3, seed=4)
    mean, running = layer.mean.clone(), layer.variance.clone()
    leaf = x.clone().requires_grad_()
    y = layer(leaf, True)
    batch_mean, batch_variance = x.mean(1, keepdim=True), x.var(1, correction=0, keepdim=True)
    sigma, sigma_running = torch.sqrt(batch_variance + 1e-3), torch.sqrt(running + 1e-3)
    r, d = torch.clamp(sigma / sigma_running, 1 / 1.5, 1.5), torch.clamp((batch_mean - mean) / sigma_running, -0.4, 0.4)
    assert ((r == 1.5) | (r == 1 / 1.5)).any()
    assert (r < 1.5).any()
    assert (d.abs() < 0.4).any()
    plain = x.clone().requires_grad_()
    xh = (plain - plain.mean(1, keepdim=True)) / torch.sqrt(plain.var(1, correction=0, keepdim=True) + 1e-3)
    expected = layer.scale * (xh * r + d) + layer.shift
    torch.testing.assert_close(y, expected)
    weight = numbers(2, 9, 3, seed=5)
    torch.testing.assert_close(torch.autograd.grad((y * weight).sum(), leaf)[0], torch.autograd.grad((expected * weight).sum(), plain)[0])
    torch.testing.assert_close(layer.mean, 0.9 * mean + 0.1 * batch_mean)
    torch.testing.assert_close(layer.variance, 0.9 * running + 0.1 * batch_variance)


def test_within_the_bounds_a_renormalised_batch_is_normalised_by_the_running_statistics():
    layer, x = renorm(), numbers(2, 9, 3)
    expected = layer(x, False)
    torch.testing.assert_close(layer(x, True), expected)


def test_during_the_warmup_it_is_batch_normalisation_and_then_no_more():
    layer, x = renorm(warmup=2), numbers(2, 9, 3) * 3 + 2
    plain = nn.functional.batch_norm(x[0], None, None, training=True, eps=1e-3)
    for is_plain in (True, True, False):
        assert torch.allclose(layer(x, True)[0], plain) == is_plain
    assert layer.updates == 3


def test_frozen_it_moves_nothing_and_a_row_does_not_depend_on_the_others():
    layer, x = renorm(), numbers(2, 9, 3)
    layer(x, True)
    before = {name: torch.as_tensor(part).clone() for name, part in layer.state_dict().items()}
    together = layer(x, False)
    torch.testing.assert_close(together[:, 4:5], layer(x[:, 4:5], False))
    assert all(torch.equal(before[name], torch.as_tensor(part)) for name, part in layer.state_dict().items())


def test_statistics_and_their_count_are_in_the_state():
    layer, other = renorm(), renorm()
    for _ in range(3):
        layer(numbers(2, 9, 3), True)
    other.load_state_dict(layer.state_dict())
    assert other.updates == 3
    assert torch.equal(other.mean, layer.mean)
    assert torch.equal(other.variance, layer.variance)
    assert {"mean", "variance", "scale", "shift"} <= set(layer.state_dict())


def test_each_network_is_the_plain_perceptron_that_it_stands_for():
    net, x = mlp(norm={"momentum": 0.1}), numbers(5, 4).float()
    out = net(x, True)
    for k in range(2):
        layers = []
        for i, (weight, bias) in enumerate(zip(net.weights, net.biases, strict=True)):
            linear = nn.Linear(weight.shape[1], weight.shape[2])
            linear.weight.data, linear.bias.data = weight[k].T, bias[k, 0]
            layers += [*([nn.ReLU()] if i else []), nn.BatchNorm1d(weight.shape[1], eps=1e-3), linear]
        torch.testing.assert_close(out[k], nn.Sequential(*layers)(x))


def test_without_normalisation_networks_are_independent_and_one_may_run_alone():
    net, x = mlp(3), numbers(5, 4).float()
    out = net(x)
    for k in range(3):
        torch.testing.assert_close(net.alone(k, x), out[k])
    torch.testing.assert_close(net(torch.stack([x, x, x])), out)
    assert not torch.allclose(out[0], out[1])


def test_a_flat_target_follows_by_one_operation():
    net, target = mlp(seed=1), mlp(seed=2)
    adam, flat = FlatAdam(net), flatten(*target.parameters())
    expected = [0.9 * b.detach() + 0.1 * a.detach() for a, b in zip(net.parameters(), target.parameters(), strict=True)]
    flat.lerp_(adam.parameters, 0.1)
    for parameter, wanted in zip(target.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.detach(), wanted)
