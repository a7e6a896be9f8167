"""The campaign of resumes stops agents and finds what differs."""

import importlib.util
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parents[2]


@pytest.fixture
def resumes(monkeypatch):
    for folder in (HERE / "benchmarks" / "reliability", HERE / "tests" / "agents"):
        monkeypatch.syspath_prepend(str(folder))
    spec = importlib.util.spec_from_file_location("resumes_campaign", HERE / "benchmarks" / "reliability" / "resumes.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_few_resumes_are_as_promised_and_each_kind_is_a_row(resumes, monkeypatch):
    import resuming

    monkeypatch.setattr(resuming, "CASES", [(name, kind) for name in ("QLearning", "A2C") for kind in resuming.KINDS])
    monkeypatch.setattr(resuming, "VARIANTS", {"masks": resuming.VARIANTS["masks"]})
    outcomes = list(resumes.campaign(lambda what: 2, seed=0))
    assert [(outcome.tried, outcome.as_promised, outcome.lost) for outcome in outcomes] == [(4, 4, 0)] * 3 + [(2, 2, 0)]


def test_what_is_not_restored_is_counted_as_lost(resumes, monkeypatch):
    import resuming

    from rlcourse.core.env_state import EnvState

    monkeypatch.setattr(resuming, "CASES", [("A2C", "gymnasium")])
    monkeypatch.setattr(resuming, "VARIANTS", {})
    monkeypatch.setattr(EnvState, "state_dict", lambda self: {"note": "nothing is known"})
    lost = next(outcome for outcome in resumes.campaign(lambda what: 1, seed=0) if outcome.tried)
    assert (lost.tried, lost.as_promised, lost.lost) == (1, 0, 1)
    assert "nothing is known" in lost.failures[0]
