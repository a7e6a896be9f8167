"""Every gradient of `rlcourse.nn_numpy` against torch's, and against differences."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from rlcourse.nn_numpy import LSTM, MLP, BatchNorm, huber, numeric_gradient, relative_error, softmax_cross_entropy, squared_error
from rlcourse.nn_numpy.batch_norm import backward, backward_by_graph, forward

TORCHS, DIFFERENCES = 1e-6, 1e-4  # how near they must be


def tensor(array, grad=True):
    return torch.tensor(array, dtype=torch.float64, requires_grad=grad)


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def test_batch_norm_and_its_gradient_equal_torchs(rng):
    x, gamma, beta, dy = rng.normal(2.0, 3.0, (8, 5)), rng.normal(size=5), rng.normal(size=5), rng.normal(size=(8, 5))
    y, tape = forward(x, gamma, beta)
    x_, gamma_, beta_ = tensor(x), tensor(gamma), tensor(beta)
    y_ = nn.functional.batch_norm(x_, None, None, gamma_, beta_, training=True)
    y_.backward(tensor(dy, grad=False))
    assert relative_error(y, y_.detach().numpy()) < TORCHS
    for mine, theirs in zip(backward(dy, tape), (x_, gamma_, beta_), strict=True):
        assert relative_error(mine, theirs.grad.numpy()) < TORCHS


def test_the_three_sums_of_batch_norm_equal_the_way_back_through_its_graph(rng):
    x, gamma, dy = rng.normal(size=(8, 5)), rng.normal(size=5), rng.normal(size=(8, 5))
    _, tape = forward(x, gamma, np.zeros(5))
    for short, long in zip(backward(dy, tape), backward_by_graph(dy, tape), strict=True):
        assert relative_error(short, long) < 1e-12


def test_running_statistics_of_batch_norm_equal_torchs(rng):
    mine, theirs = BatchNorm(4), nn.BatchNorm1d(4, dtype=torch.float64)
    for _ in range(3):
        x = rng.normal(1.0, 2.0, (6, 4))
        assert relative_error(mine.forward(x, train=True), theirs(tensor(x)).detach().numpy()) < TORCHS
    theirs.eval()
    assert relative_error(mine.mean, theirs.running_mean.numpy()) < TORCHS
    assert relative_error(mine.variance, theirs.running_var.numpy()) < TORCHS
    row = rng.normal(size=(1, 4))
    before = mine.mean.copy()
    assert relative_error(mine.forward(row, train=False), theirs(tensor(row)).detach().numpy()) < TORCHS
    assert np.array_equal(mine.mean, before), "acting moves nothing"


def torch_mlp(net, activation, batch_norm):
    """Return the same network in torch."""
    layers = []
    for k, (W, b) in enumerate(zip(net.weights, net.biases, strict=True)):
        layer = nn.Linear(*W.shape, dtype=torch.float64)
        layer.weight.data, layer.bias.data = tensor(W.T, grad=False), tensor(b, grad=False)
        layers.append(layer)
        if k < len(net.weights) - 1:
            layers += [nn.BatchNorm1d(W.shape[1], dtype=torch.float64)] if batch_norm else []
            layers.append({"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}[activation]())
    return nn.Sequential(*layers)


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_the_gradient_of_a_perceptron_equals_torchs_and_the_differences(rng, activation, batch_norm):
    net = MLP((4, 6, 5, 3), rng, activation, batch_norm=batch_norm)
    x, labels = rng.normal(size=(9, 4)), rng.integers(3, size=9)
    loss, dy = softmax_cross_entropy(net.forward(x), labels)
    dx = net.backward(dy)
    theirs, x_ = torch_mlp(net, activation, batch_norm), tensor(x)
    loss_ = nn.functional.cross_entropy(theirs(x_), torch.from_numpy(labels))
    loss_.backward()
    assert loss == pytest.approx(loss_.item(), abs=1e-12)
    assert relative_error(dx, x_.grad.numpy()) < TORCHS
    linear = [layer for layer in theirs if isinstance(layer, nn.Linear)]
    norms = [layer for layer in theirs if isinstance(layer, nn.BatchNorm1d)]
    expected = [layer.weight.grad.numpy().T for layer in linear] + [layer.bias.grad.numpy() for layer in linear]
    expected += [part.grad.numpy() for norm in norms for part in (norm.weight, norm.bias)]
    assert len(net.parameters) == len(net.gradients) == len(expected)
    for mine, torchs in zip(net.gradients, expected, strict=True):
        assert np.abs(mine - torchs).max() < TORCHS
    found = [gradient.copy() for gradient in net.gradients]
    for mine, parameter in zip(found, net.parameters, strict=True):
        differences = numeric_gradient(lambda: softmax_cross_entropy(net.forward(x), labels)[0], parameter)
        assert np.abs(mine - differences).max() < DIFFERENCES


def torch_lstm(lstm):
    """Return the same LSTM in torch, which has the gates in the same order and two biases."""
    theirs = nn.LSTM(lstm.inputs, lstm.hidden, dtype=torch.float64)
    theirs.weight_ih_l0.data, theirs.weight_hh_l0.data = tensor(lstm.W[: lstm.inputs].T), tensor(lstm.W[lstm.inputs :].T)
    theirs.bias_ih_l0.data, theirs.bias_hh_l0.data = tensor(lstm.b), torch.zeros(4 * lstm.hidden, dtype=torch.float64)
    return theirs


def test_an_lstm_and_its_gradient_through_time_equal_torchs_and_the_differences(rng):
    T, B, N, H = 6, 3, 4, 5
    lstm, x = LSTM(N, H, rng), rng.normal(size=(T, B, N))
    h, c = rng.normal(size=(B, H)), rng.normal(size=(B, H))
    d_outputs, d_h, d_c = rng.normal(size=(T, B, H)), rng.normal(size=(B, H)), rng.normal(size=(B, H))
    outputs, (h_, c_) = lstm.forward(x, (h, c))
    dx, (dh, dc) = lstm.backward(d_outputs, (d_h, d_c))
    theirs, tx, th, tc = torch_lstm(lstm), tensor(x), tensor(h[None]), tensor(c[None])
    t_outputs, (th_, tc_) = theirs(tx, (th, tc))
    ((t_outputs * tensor(d_outputs)).sum() + (th_ * tensor(d_h)).sum() + (tc_ * tensor(d_c)).sum()).backward()
    pairs = [(outputs, t_outputs.detach()), (h_, th_[0].detach()), (c_, tc_[0].detach()), (dx, tx.grad), (dh, th.grad[0]), (dc, tc.grad[0])]
    dW, db = (gradient.copy() for gradient in lstm.gradients)
    pairs += [(dW[:N], theirs.weight_ih_l0.grad.T), (dW[N:], theirs.weight_hh_l0.grad.T), (db, theirs.bias_ih_l0.grad)]
    for mine, torchs in pairs:
        assert relative_error(mine, torchs.numpy()) < TORCHS

    def loss():
        outputs, (h_, c_) = lstm.forward(x, (h, c))
        return float((outputs * d_outputs).sum() + (h_ * d_h).sum() + (c_ * d_c).sum())

    for mine, array in ((dW, lstm.W), (db, lstm.b), (dx, x), (dh, h), (dc, c)):
        assert relative_error(mine, numeric_gradient(loss, array)) < DIFFERENCES


def test_the_memory_of_an_lstm_goes_on_from_window_to_window(rng):
    lstm, x = LSTM(2, 3, rng), rng.normal(size=(8, 4, 2))
    whole, after = lstm.forward(x)
    first, between = lstm.forward(x[:5])
    second, end = lstm.forward(x[5:], between)
    assert np.array_equal(np.concatenate([first, second]), whole)
    assert all(map(np.array_equal, end, after))
    assert not np.allclose(lstm.forward(x[5:])[0], second), "with amnesia it is another one"
    assert (lstm.b[3:6] == 1.0).all(), "the forget gate begins open"


@pytest.mark.parametrize("loss", [squared_error, huber])
def test_the_losses_have_the_gradients_that_differences_show(rng, loss):
    y, target = rng.normal(size=(6, 2)), 3.0 * rng.normal(size=(6, 2))
    assert relative_error(loss(y, target)[1], numeric_gradient(lambda: loss(y, target)[0], y)) < DIFFERENCES


def test_huber_equals_torchs(rng):
    y, target = rng.normal(size=(6, 1)), 3.0 * rng.normal(size=(6, 1))
    assert huber(y, target)[0] == pytest.approx(nn.functional.huber_loss(tensor(y), tensor(target)).item(), abs=1e-12)


def test_softmax_does_not_overflow():
    loss, dy = softmax_cross_entropy(np.array([[1e4, -1e4]]), np.array([1]))
    assert loss == pytest.approx(2e4)
    assert np.isfinite(dy).all()


def test_the_networks_by_hand_need_no_torch():
    code = "import sys, rlcourse.nn_numpy, rlcourse.nn_numpy.q_learning; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "rlcourse.nn_numpy.mlp" in loaded
    assert not {"torch", "numba", "matplotlib"} & set(loaded)
