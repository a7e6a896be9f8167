"""Neural networks by hand, in numpy alone: every gradient is written out, so that it can be read, checked and changed.

>>> net = MLP((2, 16, 1), np.random.default_rng(0), activation="tanh")
>>> adam = Adam(net.parameters)
>>> for _ in range(500):
...     loss, slope = squared_error(net.forward(x), y)
...     net.backward(slope)
...     adam.step(net.gradients, 0.01)

One file each: a perceptron, batch normalisation, an LSTM with its gradient through time, losses, initial weights, gradient descent,
and the check of a gradient by differences. `q_learning` puts them together to a deep Q-network. The agents of `rlcourse.agents.deep`
use torch; these are for reading, and a test holds their gradients against torch's.
"""

from rlcourse.nn_numpy.batch_norm import BatchNorm
from rlcourse.nn_numpy.descent import SGD, Adam
from rlcourse.nn_numpy.gradient_check import numeric_gradient, relative_error
from rlcourse.nn_numpy.initial_weights import INITIAL_WEIGHTS
from rlcourse.nn_numpy.losses import huber, softmax_cross_entropy, squared_error
from rlcourse.nn_numpy.lstm import LSTM
from rlcourse.nn_numpy.mlp import MLP

__all__ = [
    "INITIAL_WEIGHTS",
    "LSTM",
    "MLP",
    "SGD",
    "Adam",
    "BatchNorm",
    "huber",
    "numeric_gradient",
    "relative_error",
    "softmax_cross_entropy",
    "squared_error",
]
