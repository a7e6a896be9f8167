"""Milliseconds of CPU that an encoder takes for 32 images: forward alone, and forward and backward.

    python benchmarks/encoder_speed.py                     # all that take images, at 28 x 28 x 1 and 10 x 10 x 4
    python benchmarks/encoder_speed.py notes-mnist nature --shape 84 84 4

In brackets what it would take with a pixel's channels apart in memory (contiguous NCHW) instead of together. One thread; the least of the
repetitions, in time of the thread, so that what else the machine does hardly matters.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from gymnasium import spaces

from rlcourse import encoders

BATCH = 32


def least(call: Callable[[], Any], repetitions: int) -> float:
    """Return the least time of a call in milliseconds of this thread."""
    times = []
    for _ in range(repetitions):
        start = time.thread_time()
        call()
        times.append(time.thread_time() - start)
    return 1e3 * min(times)


def measure(encoder: Any, images: torch.Tensor, repetitions: int) -> tuple[float, float]:
    """Return the milliseconds of a forward pass without gradients, and of both passes."""
    with torch.no_grad():
        forward = least(lambda: encoder(images), repetitions)
    return forward, least(lambda: encoder(images).sum().backward(), repetitions)


def apart(encoder: Any) -> Any:
    """Let the encoder see its images with channels apart."""
    together = encoder.images.forward
    encoder.images.forward = lambda images: (x := together(images)).contiguous().view(-1).view(x.shape)
    return encoder


def main() -> None:
    """Measure and print."""
    images_only = [name for name, serves in encoders.names().items() if serves.startswith("images") and "patches" not in serves]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=images_only)
    parser.add_argument("--shape", nargs=3, type=int, action="append", help="height, width, channels")
    parser.add_argument("--repetitions", type=int, default=20)
    given = parser.parse_args()
    torch.set_num_threads(1)
    for shape in given.shape or [(28, 28, 1), (10, 10, 4)]:
        space = spaces.Box(0, 255, tuple(shape), np.uint8)
        images = torch.randint(0, 256, (BATCH, *shape), dtype=torch.uint8)
        print(f"{BATCH} images of {' x '.join(map(str, shape))}: forward, forward and backward [ms]")
        for name in given.names:
            try:
                forward, both = measure(encoders.make(name, space).eval(), images, given.repetitions)
            except ValueError:
                continue
            other_forward, other_both = measure(apart(encoders.make(name, space).eval()), images, given.repetitions)
            print(f"  {name:16} {forward:7.2f} ({other_forward:6.2f})  {both:7.2f} ({other_both:6.2f})", flush=True)


if __name__ == "__main__":
    main()
