"""Copies of every registered world live the same lives in loops and on the threads of numba's CUDA simulator, step for step.

The loop is compiled for a world of each kind. That each world does the same compiled and interpreted: tests/envs/test_registered.py.
``python tests/core/simulated_copies.py compiled`` compiles all.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from every_world import REGISTERED

pytest.importorskip("numba_cuda", reason="the extra cuda is not installed: its simulator stands for a GPU")


@pytest.fixture(scope="module")
def differences():
    """Of each world: the largest distance of floats, how many other numbers differ, how many episodes ended."""
    program = Path(__file__).with_name("simulated_copies.py")
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, check=False, env={**os.environ})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", REGISTERED)
def test_it_lives_the_same_life_in_a_loop_and_on_simulated_threads(name, differences):
    distance, others, ended = differences[name]
    assert others == 0, "integers, bytes and flags agree to the bit"
    assert distance <= 1e-12
    assert ended > 0
