"""An LSTM, forward and backward through time (Hochreiter & Schmidhuber 1997; the forget gate: Gers et al. 2000).

    i, f, o = sigmoid([x, h] W + b),    g = tanh([x, h] W + b)              (four blocks of the columns of W)
    c' = f c + i g,    h' = o tanh(c')

The cell c is what lasts: its gradient d c = f d c' is only ever multiplied by a gate, not by a weight matrix, so that it need not vanish.
The forget gate's bias begins at 1: a new memory keeps what it has. Backward, the steps are undone from the last to the first; each hands
d h and d c to the one before it. The weights are the same in all steps, so their gradients add up.
"""

from __future__ import annotations

import numpy as np

from rlcourse.core.arguments import checked
from rlcourse.core.config import Count

__all__ = ["LSTM", "State"]

State = tuple[np.ndarray, np.ndarray]  # h and c, [B, H] each


class LSTM:
    """One layer of long short-term memory.

    Parameters
    ----------
    inputs, hidden : int
        I and H.
    rng : Generator
        Draws the weights uniformly within 1 / sqrt(H), as torch does.

    Attributes
    ----------
    W : ndarray, shape [I + H, 4 H]
        Columns for i, f, g, o; `b` [4 H] likewise.
    parameters, gradients : list of ndarray
        W and b, and what the last `backward` found for them.
    """

    @checked
    def __init__(self, inputs: Count, hidden: Count, rng: np.random.Generator) -> None:
        self.inputs, self.hidden = inputs, hidden
        self.W = rng.uniform(-1.0, 1.0, (inputs + hidden, 4 * hidden)) / np.sqrt(hidden)
        self.b = np.zeros(4 * hidden)
        self.b[hidden : 2 * hidden] = 1.0
        self.parameters, self.gradients = [self.W, self.b], [np.zeros_like(self.W), np.zeros_like(self.b)]

    def initial(self, B: int) -> State:
        """Return the empty memory of a batch."""
        return np.zeros((B, self.hidden)), np.zeros((B, self.hidden))

    def forward(self, x: np.ndarray, state: State | None = None) -> tuple[np.ndarray, State]:
        """Return the outputs h [T, B, H] of sequences x [T, B, I], and the memory after them.

        Parameters
        ----------
        x : ndarray, shape [T, B, I]
        state : tuple of ndarray, optional
            The memory before them: hand over the last one to go on where a window ended, else every window begins with amnesia.
        """
        h, c = self.initial(x.shape[1]) if state is None else state
        self._tape, outputs = [], []
        for x_t in x:
            both = np.concatenate([x_t, h], axis=1)  # [B, I + H]
            z_i, z_f, z_g, z_o = np.split(both @ self.W + self.b, 4, axis=1)
            i, f, g, o = _sigmoid(z_i), _sigmoid(z_f), np.tanh(z_g), _sigmoid(z_o)
            before, c = c, f * c + i * g
            h = o * np.tanh(c)
            self._tape.append((both, i, f, g, o, before, c))
            outputs.append(h)
        return np.array(outputs), (h, c)

    def backward(self, d_outputs: np.ndarray, d_state: State | None = None) -> tuple[np.ndarray, State]:
        """Return the gradients by x [T, B, I] and by the memory before; note those by W and b.

        Parameters
        ----------
        d_outputs : ndarray, shape [T, B, H]
            The gradient by every output of the last `forward`.
        d_state : tuple of ndarray, optional
            That by the memory after it; zeros where nothing comes after.
        """
        dh, dc = self.initial(d_outputs.shape[1]) if d_state is None else d_state
        dW, db = self.gradients
        dW[:], db[:] = 0.0, 0.0
        d_x = []
        for d_output, (both, i, f, g, o, before, c) in zip(d_outputs[::-1], self._tape[::-1], strict=True):
            dh = dh + d_output  # h goes to the output and into the next step
            squashed = np.tanh(c)
            d_o = dh * squashed
            dc = dc + dh * o * (1.0 - squashed * squashed)
            d_i, d_f, d_g = dc * g, dc * before, dc * i
            dz = np.concatenate([d_i * i * (1 - i), d_f * f * (1 - f), d_g * (1 - g * g), d_o * o * (1 - o)], axis=1)  # [B, 4 H]
            dW += both.T @ dz
            db += dz.sum(axis=0)
            d_both = dz @ self.W.T
            d_x.append(d_both[:, : self.inputs])
            dh, dc = d_both[:, self.inputs :], dc * f
        return np.array(d_x[::-1]), (dh, dc)


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return 0.5 * (1.0 + np.tanh(0.5 * z))
