"""How close a small forecaster comes to the best cross-entropy of DelayedBits that its window allows: ten seeds, from an empty memory.

python benchmarks/forecaster.py       # the margin of tests/pretraining/test_forecaster.py
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"

import gymnasium as gym
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from rlcourse.envs import bits_cross_entropy, bits_streams
from rlcourse.pretraining import Forecaster, fit_forecaster


def gap(window: int, seed: int) -> float:
    """Return the cross-entropy at the last step of all windows, above the best one, nats."""
    model = Forecaster(gym.spaces.Discrete(2), memory="gru", memory_size=16, seed=seed)
    settings = {"updates": 150, "sequence_length": window, "start": "zero", "learning_rate": 0.02, "seed": seed}
    fit_forecaster(model, lambda rng: bits_streams(32, 256, rng), **settings)
    windows = torch.tensor([[i >> t & 1 for i in range(2**window)] for t in range(window)])
    with torch.no_grad():
        logits, _ = model(windows, model.memory.initial(2**window))
    truth = (0.375 + windows[-4] / 2 if window > 3 else torch.full((2**window,), 0.625)).double()
    return binary_cross_entropy_with_logits(logits[-1].double(), truth).item() - bits_cross_entropy(range(window))


if __name__ == "__main__":
    for window in (3, 4):
        gaps = [gap(window, seed) for seed in range(10)]
        print(f"window {window}: {min(gaps):.5f} to {max(gaps):.5f} nats above {bits_cross_entropy(range(window)):.4f}")
