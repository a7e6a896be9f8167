"""A few kills of `benchmarks/reliability/kills.py`."""

import sys

import few_cases
import pytest


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_killed_runs_go_on_and_end_bit_equal():
    few_cases.of("kills", 4, "tabular", "DQN with replay")
