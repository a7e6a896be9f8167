"""The campaign of determinism, in small: the same command twice, workers, and that a difference would be seen."""

import importlib.util
from pathlib import Path

import pytest

from rlcourse.cli.main import main

HERE = Path(__file__).resolve().parents[2] / "benchmarks" / "reliability"


@pytest.fixture
def determinism(monkeypatch):
    monkeypatch.syspath_prepend(str(HERE))
    spec = importlib.util.spec_from_file_location("determinism_campaign", HERE / "determinism.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def outcomes(module, **counts):
    return [outcome for outcome in module.campaign(lambda what: counts.get(what.replace(" ", "_"), 0), seed=0) if outcome.tried]


def test_the_same_command_in_two_processes_writes_the_same_bytes(determinism, monkeypatch):
    few = [["frozenlake", "--algo", "q_learning", "-n", "2000"], ["foreign.py:Drift", "--algo", "a2c", "-n", "600"]]
    monkeypatch.setattr(determinism, "commands", lambda: few)
    (outcome,) = outcomes(determinism, commands=2)
    assert outcome.as_promised == 2, outcome.failures


@pytest.mark.slow
def test_seeds_do_not_depend_on_the_number_of_workers_nor_on_company(determinism):
    (outcome,) = outcomes(determinism, numbers_of_workers=1)
    assert outcome.as_promised == 1, outcome.failures


def test_another_seed_writes_other_bytes_and_the_campaign_would_see_it(determinism, tmp_path):
    for seed in ("0", "1"):
        assert main(["train", "frozenlake", "--algo", "q_learning", "-n", "2000", "--seed", seed, "-q", "--out", str(tmp_path)]) == 0
    found = determinism.written(tmp_path)
    assert found[0].keys() == found[1].keys()
    assert all(found[0][name] != found[1][name] for name in ("last.safetensors", "episodes.csv"))
    assert "other bytes in best.safetensors, episodes.csv" in determinism._differing({0: found[0]}, {0: found[1]})
