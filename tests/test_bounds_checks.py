"""Compiled code reads and writes within its arrays: a sample of the boxes with numba's bounds checks.

The interpreter checks every index of every box (`test_two_speeds.py`), so what is left to find are kernels whose compiled form is another
source than their Python, and arrays that numba indexes otherwise. Sampled are boxes that together call every such kernel and every one
of `rlcourse.core`, and one of each folder. All boxes: ``NUMBA_BOUNDSCHECK=1 pytest tests/test_two_speeds.py -k a_box_does``.
"""

import contextlib
import inspect
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from test_two_speeds import LOOPS, argument, boxes

from rlcourse.core.box import CHOICES, KERNELS

LOOKED_AT = 20_000  # calls of a box: some episodes


class Enough(Exception):
    """The box need not run on."""


def kind(value) -> str:
    """What numba's types tell apart."""
    return f"{value.dtype.kind}{value.ndim}" if isinstance(value, np.ndarray) else type(value).__name__


def called(box) -> set[tuple]:
    """The kernels of `rlcourse.core` that a box calls, and those with a compiled form of their own, by their arguments."""
    codes = {kernel.__code__: kernel for kernel in [*KERNELS, *CHOICES]}
    found, calls = set(), 0

    def look(frame, event, _):
        nonlocal calls
        calls += event == "call"
        if calls > LOOKED_AT:
            raise Enough
        kernel = codes.get(frame.f_code) if event == "call" else None
        if kernel in CHOICES:
            names = frame.f_code.co_varnames[: frame.f_code.co_argcount]
            found.add((kernel, *(kind(frame.f_locals[name]) for name in names)))
        elif kernel is not None and kernel.__module__.startswith("rlcourse.core."):
            found.add((kernel,))

    made = [argument(name, box.__name__, np.random.default_rng(3)) for name in inspect.signature(box.python).parameters]
    sys.setprofile(look)
    with contextlib.suppress(Enough):
        try:
            box.python(*made)
        finally:
            sys.setprofile(None)
    return found


def sample() -> list[str]:
    """Names of boxes, each of which has something that those before it have not."""
    holds = {name: called(box) | {name.rsplit(".", 2)[0]} for name, box in sorted(boxes().items()) if name not in LOOPS}
    left, chosen = set().union(*holds.values()), []
    while left:
        chosen.append(max(holds, key=lambda name: len(holds[name] & left)))
        left -= holds[chosen[-1]]
    return chosen


def test_a_sample_of_boxes_passes_with_bounds_checks():
    names, file = sample(), Path(__file__).with_name("test_two_speeds.py")
    assert len(names) > 10, "the sample misses kernels or folders"
    tests = [f"{file}::test_a_box_does_the_same_compiled_and_interpreted[{name}]" for name in names]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *tests]
    done = subprocess.run(command, env=os.environ | {"NUMBA_BOUNDSCHECK": "1"}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
