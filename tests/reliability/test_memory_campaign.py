"""A long run does not grow: the newest episodes stay in memory, whatever the number of steps."""

import importlib.util
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parents[2] / "benchmarks" / "reliability"


@pytest.fixture(scope="module")
def memory():
    sys.path.insert(0, str(HERE))
    try:
        spec = importlib.util.spec_from_file_location("memory_campaign", HERE / "memory.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path.remove(str(HERE))


def test_growth_is_measured_over_the_later_half(memory):
    rows = [[1000 * i, 5e6 * (i < 10) + 40 * i, 7] for i in range(20)]
    rate, handles = memory.measured(rows)
    assert rate == pytest.approx(40_000)
    assert handles == 0


def test_a_run_does_not_grow_with_its_steps(memory, monkeypatch):
    monkeypatch.setattr(memory, "RUNS", (("tabular", 6_000_000, ["cliffwalk", "--algo", "q-learning"]),))
    (outcome,) = memory.campaign(lambda what: 1, seed=0)
    assert outcome.as_promised == 1, outcome.failures
