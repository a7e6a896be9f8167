"""A few interruptions of `benchmarks/reliability/signals.py`."""

import sys

import few_cases
import pytest


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_interrupted_runs_save_at_once_and_go_on_exactly():
    few_cases.of("signals", 2, "linear", "PPO")
