"""The networks by hand learn; initial weights are what their names say."""

import gymnasium as gym
import numpy as np
import pytest

from rlcourse.nn_numpy import INITIAL_WEIGHTS, LSTM, MLP, SGD, Adam, softmax_cross_entropy, squared_error
from rlcourse.nn_numpy.q_learning import Settings, learn, play

XOR = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([0, 1, 1, 0])


@pytest.mark.parametrize("batch_norm", [False, True])
def test_a_perceptron_learns_xor(batch_norm):
    x, labels = XOR
    net = MLP((2, 16, 2), np.random.default_rng(0), "tanh", batch_norm=batch_norm)
    adam = Adam(net.parameters)
    for _ in range(300):
        loss, slope = softmax_cross_entropy(net.forward(x), labels)
        net.backward(slope)
        adam.step(net.gradients, 0.02)
    assert loss < 0.05
    assert (net.forward(x, train=False).argmax(axis=1) == labels).all()


def test_without_a_hidden_layer_xor_cannot_be_learned():
    x, labels = XOR
    net = MLP((2, 2), np.random.default_rng(0))
    sgd = SGD(net.parameters)
    for _ in range(500):
        loss, slope = softmax_cross_entropy(net.forward(x), labels)
        net.backward(slope)
        sgd.step(net.gradients, 0.5)
    assert loss == pytest.approx(np.log(2.0), abs=1e-3)


def test_the_steps_of_adam_are_those_computed_by_hand():
    theta = np.array([1.0])
    adam = Adam([theta])
    adam.step([np.array([3.0])], 0.1)
    assert theta[0] == pytest.approx(0.9), "the first step is the learning rate, whatever the gradient's scale"
    adam.step([np.array([-1.0])], 0.1)
    m, v = 0.9 * 0.1 * 3.0 - 0.1 * 1.0, 0.999 * 0.001 * 9.0 + 0.001 * 1.0
    assert theta[0] == pytest.approx(0.9 - 0.1 * (m / (1 - 0.9**2)) / np.sqrt(v / (1 - 0.999**2)))


def test_an_lstm_learns_to_remember_the_first_bit_of_a_sequence():
    rng = np.random.default_rng(0)
    lstm, head = LSTM(1, 8, rng), MLP((8, 1), rng)
    adam = Adam([*lstm.parameters, *head.parameters])
    for _ in range(300):
        x = rng.choice([-1.0, 1.0], size=(8, 32, 1))
        outputs, _ = lstm.forward(x)
        loss, slope = squared_error(head.forward(outputs[-1]), x[0])
        d_outputs = np.zeros_like(outputs)
        d_outputs[-1] = head.backward(slope)
        lstm.backward(d_outputs)
        adam.step([*lstm.gradients, *head.gradients], 0.02)
    assert loss < 0.02, "0.5 is what guessing costs"


@pytest.mark.parametrize("name", list(INITIAL_WEIGHTS))
def test_initial_weights_have_the_deviation_that_their_name_says(name):
    deviation = {"zeros": 0.0, "ones": 0.0, "U[0, 1)": 12**-0.5, "U[-1, 1)": 3**-0.5, "U±0.1": 0.1 * 3**-0.5, "U±0.01": 0.01 * 3**-0.5}
    deviation |= {"1/sqrt(n)": (3 * 200) ** -0.5, "N(0.1)": 0.1, "truncated N(0.1)": 0.088, "orthogonal": (2 / 200) ** 0.5}
    weights = INITIAL_WEIGHTS[name]((200, 100), np.random.default_rng(0))
    assert weights.shape == (200, 100)
    assert weights.std() == pytest.approx(deviation[name], rel=0.02)
    assert weights.mean() == pytest.approx({"ones": 1.0, "U[0, 1)": 0.5}.get(name, 0.0), abs=0.01)


def test_orthogonal_weights_are_orthogonal_whichever_side_is_longer():
    for shape in ((20, 5), (5, 20)):
        W = INITIAL_WEIGHTS["orthogonal"](shape, np.random.default_rng(0))
        small = W.T @ W if shape[0] > shape[1] else W @ W.T
        assert np.allclose(small, 2.0 * np.eye(5))


def test_equal_weights_stay_equal():
    rng = np.random.default_rng(0)
    for init in ("zeros", "ones"):
        net = MLP((3, 5, 1), rng, "tanh", init)
        sgd = SGD(net.parameters)
        for _ in range(20):
            _, slope = squared_error(net.forward(rng.normal(size=(8, 3))), rng.normal(size=(8, 1)))
            net.backward(slope)
            sgd.step(net.gradients, 0.1)
        assert np.ptp(net.weights[0], axis=1).max() < 1e-12, init


def test_the_deep_q_network_by_hand_learns_cartpole():
    """`benchmarks/numpy_dqn.py` measures the pass rate; this is a shorter run, and chance keeps the pole up for 22 steps."""
    env = gym.make("CartPole-v1")
    Q = learn(env, Settings(steps=6_000, exploration_steps=3_000, look_every=1_500), np.random.default_rng(0))
    assert np.mean([play(env, Q, seed=seed) for seed in range(20)]) > 100


def test_the_deep_q_network_by_hand_repeats_itself():
    one, other = (learn(gym.make("CartPole-v1"), Settings(steps=1_200, look_every=600), np.random.default_rng(3)).weights for _ in range(2))
    assert all(map(np.array_equal, one, other))
