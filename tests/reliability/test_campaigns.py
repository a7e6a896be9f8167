"""The command that runs campaigns: its exit code says whether as much was kept as each row promises."""

import importlib
import runpy
import sys
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).resolve().parents[2] / "benchmarks" / "reliability"
sys.path.insert(0, str(HERE))
outcome = importlib.import_module("outcome")


@pytest.mark.parametrize(("right", "at_least", "code"), [(100, 1.0, 0), (99, 1.0, 3), (95, 0.95, 0), (94, 0.95, 3)])
def test_a_campaign_fails_where_less_is_kept_than_it_promises(right, at_least, code, monkeypatch, capsys):
    planted = ModuleType("planted")
    planted.COUNTS = {"bugs": 100}
    planted.campaign = lambda count, seed: [outcome.Outcome("bugs", count("bugs"), right, 100 - right, "", (), at_least)]
    monkeypatch.setitem(sys.modules, "planted", planted)
    monkeypatch.setattr(sys, "argv", ["reliability", "planted"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(HERE), run_name="__main__")
    assert ended.value.code == code
    assert f"{right} of 100 as promised" in capsys.readouterr().out


def test_of_planted_bugs_95_percent_are_promised():
    assert "at_least=0.95" in (HERE / "planted.py").read_text()
