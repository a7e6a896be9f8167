"""Every kernel of an index compiles to PTX, and numba's CUDA simulator gives what its loop gives. No GPU is needed."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from kernel_cases import CASES, arrays

pytest.importorskip("numba_cuda", reason="the extra cuda is not installed: numba-cuda compiles for GPUs")


def test_there_is_a_case_for_every_kernel():
    from rlcourse.core import kernels, replay_kernels, sequence_kernels

    modules = (kernels, replay_kernels, sequence_kernels)
    every = {id(value) for module in modules for value in vars(module).values() if isinstance(value, kernels.Each)}
    assert every == {id(each) for each, *_ in CASES.values()}


@pytest.mark.parametrize("name", CASES)
def test_it_compiles_to_a_kernel_that_makes_nothing(name):
    from numba.cuda.cudadrv import nvvm

    from rlcourse.core.cuda import compile_to_ptx

    if not nvvm.is_available():
        pytest.skip("NVVM, which makes PTX, is not installed")
    each, _, arguments = CASES[name]
    code = compile_to_ptx(each, arguments())
    assert code.count(".visible .entry") == 1
    assert "st." in code
    assert "malloc" not in code
    assert "NRT_" not in code


def test_simulated_threads_write_what_the_loop_writes():
    environment = os.environ | {"NUMBA_ENABLE_CUDASIM": "1"}
    done = subprocess.run([sys.executable, Path(__file__).with_name("kernel_cases.py")], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.split()) == sorted(CASES)


@pytest.mark.parametrize("name", CASES)
def test_its_loop_does_the_same_compiled_and_interpreted(name):
    each, count, arguments = CASES[name]
    slow, fast = arguments(), arguments()
    each.loop.python(count, slow)
    each.loop.compiled(count, fast)
    assert all(np.array_equal(a, b) for a, b in zip(arrays(slow), arrays(fast), strict=True))
