"""A sequence-to-sequence model learns to sort letters from demonstrations, over ten seeds.

    python benchmarks/sorting.py            # up to 6 of 8 letters, as rlcourse/SortSequence-v0 shows them
    python benchmarks/sorting.py --small    # up to 4 of 5 letters, with the settings of tests/pretraining/test_translator.py

For each seed a `Translator` (one LSTM that reads from each end and one that says, 32 units each, attention "general", input feeding)
sees 12,000 sequences with their answers eight times (small: 4,000, four times), in minibatches of 128 (64), by Adam with a learning rate of
0.005, the gradient clipped to a norm of 5. Judged are the answers to 4,000 fresh sequences, by greedy decoding: the share that is right
from the first letter to the end, by length too, and the share of right signs. With 8 letters and a length of up to 6 there are 299,592
sequences, so that of the fresh ones of 5 and 6 letters few were seen before. The same policy then plays 2,000 episodes in the world.

The report goes to benchmarks/results/sorting.txt (sorting_small.txt). Seconds are the processor's, training alone.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from box_speed import machine

from rlcourse.core.vector import WorldVectorEnv
from rlcourse.envs import sort_sequence
from rlcourse.envs.sorting import demonstrations
from rlcourse.pretraining import Translator, fit

RESULTS = Path(__file__).parent / "results"


def played(model: Translator, world: object, episodes: int, seed: int) -> np.ndarray:
    """Return the returns of episodes in the world."""
    copies = WorldVectorEnv(world, 100)
    seen, _ = copies.reset(seed=seed)
    state, starts, returns = None, np.ones(100, bool), []
    while len(returns) < episodes:
        actions, state = model.predict(seen, state, starts)
        seen, _, starts, _, infos = copies.step(actions)
        if starts.any():
            returns += infos["episode"]["r"][starts].tolist()
    return np.array(returns)


def main() -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--small", action="store_true")
    parsed = parser.parse_args()
    torch.set_num_threads(1)
    world = sort_sequence(letters=5, longest=4) if parsed.small else sort_sequence()
    pairs, epochs, batch = (4_000, 4, 64) if parsed.small else (12_000, 8, 128)
    heads = "  ".join(f"of {length:2d}" for length in range(1, world.longest + 1))
    lines, found = [f"seed  exact   {heads}  signs   world   seconds"], []
    for seed in range(parsed.seeds):
        sources, answers = demonstrations(world, pairs, np.random.default_rng(seed))
        model = Translator(world.observation_space, hidden=32, seed=seed)
        begun = time.process_time()
        fit(model, sources, answers, epochs=epochs, batch_size=batch, learning_rate=5e-3, seed=seed, max_grad_norm=5.0)
        seconds = time.process_time() - begun
        fresh = tuple(torch.from_numpy(part) for part in demonstrations(world, 4_000, np.random.default_rng(1000 + seed)))
        scores, lengths = model.scores(*fresh), (fresh[0] != 0).sum(1)
        by_length = [model.scores(*(part[lengths == length] for part in fresh)).exact for length in range(1, world.longest + 1)]
        exact = float((played(model, world, 2_000, seed) >= 1.0).mean())
        each = "  ".join(f"{share:.3f}" for share in by_length)
        found.append((scores.exact, exact))
        lines.append(f"{seed:4d}  {scores.exact:.4f}  {each}  {scores.tokens:.4f}  {exact:.4f}  {seconds:7.1f}")
        print(lines[-1], flush=True)
    least, worst = (min(scores) for scores in zip(*found, strict=True))
    lines += [f"at least {least:.4f} of the answers are exact, and {worst:.4f} of the episodes in the world", machine()]
    print("\n".join(lines[-2:]))
    if parsed.seeds >= 10:
        (RESULTS / f"sorting{'_small' * parsed.small}.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
