"""A few cases of `benchmarks/reliability/sweeps.py`; all of them by ``python benchmarks/reliability sweeps``."""

import importlib
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks" / "reliability"))
sweeps = importlib.import_module("sweeps")


@pytest.mark.skipif(sys.platform != "linux", reason="looks up processes in /proc")
def test_a_killed_process_of_a_run_of_several_seeds_costs_nothing():
    found = list(sweeps.campaign(lambda _: 1, 0))
    assert [outcome.failures for outcome in found] == [(), ()]
    assert [outcome.tried for outcome in found] == [1, 1]
