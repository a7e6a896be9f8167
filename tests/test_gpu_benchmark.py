"""`benchmarks/gpu.py` runs on a CPU at tiny sizes, says that its figures are none of a GPU, and measures thresholds and targets right."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks"
FREE = "XLA_PYTHON_CLIENT_PREALLOCATE"


@pytest.fixture(scope="module")
def gpu():
    spec = importlib.util.spec_from_file_location("gpu_benchmark", FOLDER / "gpu.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_runs_on_a_cpu_and_says_so(gpu, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(gpu, "CASES", gpu.CASES[:1])
    found = gpu.report("cpu", quick=True, jax=False, file=tmp_path / "gpu.json")
    said = capsys.readouterr().out
    assert "FIGURES OF A CPU" in said
    assert "Targets: not measured" in said
    mine = found["CartPole PPO"]
    assert mine["1"]["steps_per_second"] > 0
    assert mine["3"]["seeds"] == 3
    assert found["steps"]["16"].keys() == {"environment", "inference", "update"}
    assert "of 1 reached; prepared in" in said
    assert json.loads((tmp_path / "gpu.json").read_text()) == found
    assert [file.name for file in tmp_path.iterdir()] == ["gpu.json"]


def test_what_fails_is_named_the_rest_goes_on_and_the_figures_so_far_are_kept(gpu, monkeypatch, capsys, tmp_path):
    class OfTheDriver(Exception):
        """Like numba-cuda's errors, of no kind that torch raises."""

    def broken(*_):
        raise OfTheDriver("[700] an illegal\naddress")

    kept = []
    monkeypatch.setattr(gpu, "CASES", gpu.CASES[:1])
    for name in ("train", "on_the_host", "with_jax", "pieces"):
        monkeypatch.setattr(gpu, name, broken)
    monkeypatch.setattr(gpu, "save", lambda found, file: kept.append(json.dumps(found)))
    found = gpu.report("cpu", quick=True, jax=True)
    failed = {"failed": "OfTheDriver: [700] an illegal address"}
    assert found["CartPole PPO"] == found["jax"] == {"1": failed, "3": failed}
    assert found["host"] == {"CartPole PPO": failed}
    assert found["steps"] == {"16": failed}
    assert capsys.readouterr().out.count("not measured: OfTheDriver: [700] an illegal address") == 6
    assert len(set(kept)) == 6
    assert [each.endswith("not measured") for each in gpu.targets(found)] == [True] * 5


def test_seeds_that_do_not_reach_the_threshold_count_as_infinitely_late(gpu):
    most = gpu.summary(4, 100, 0.5, 9.0, [1, None, 3, 5])
    assert (most["reached"], most["steps_to_threshold"], most["seconds_to_threshold"]) == (3, 400, 2.0)
    half = gpu.summary(4, 100, 0.5, 9.0, [1, None, 3, None])
    assert (half["reached"], half["steps_to_threshold"], half["seconds_to_threshold"]) == (2, None, None)
    assert "to the threshold (median): not reached; 2 of 4 reached; prepared in 9.0 s" in gpu.line("4 seeds", half)


def test_both_sides_of_an_update_begin_with_the_advantages(gpu, monkeypatch):
    from rlcourse.agents.deep.ppo import PPO
    from rlcourse.agents.deep.programs.experience import Experience

    calls = []
    for owner, name in ((Experience, "estimate"), (PPO, "_prepare")):
        whole = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda *given, name=name, whole=whole: (calls.append(name), whole(*given))[1])
    case = gpu.tiny(gpu.CASES[0])
    gpu.pieces(case, "cpu", 0.0)
    assert calls == ["estimate"] * (1 + gpu.WARM + 1)  # of learning a rollout, of warming up, and the one that is timed
    calls.clear()
    gpu.host_pieces(case, 0.0)
    assert calls == ["_prepare"] * (1 + gpu.WARM + 1)


def test_a_process_of_jax_says_why_it_was_not_measured(gpu, monkeypatch):
    def ended(code, out="", err=""):
        return lambda command, **given: subprocess.CompletedProcess(command, code, out, err) if given["env"][FREE] == "false" else None

    def slow(command, timeout, **_):
        raise subprocess.TimeoutExpired(command, timeout)

    case, on_cpu = gpu.tiny(gpu.CASES[0]), json.dumps({"on": "TFRT_CPU_0"})
    told = "Traceback\njax.errors.JaxRuntimeError: RESOURCE_EXHAUSTED\n----\nFor simplicity, JAX has removed its frames"
    for run, why in (
        (ended(1, err=told), "jax.errors.JaxRuntimeError: RESOURCE_EXHAUSTED"),
        (ended(-9), "the process ended with -9 and said nothing"),
        (ended(0, on_cpu), "JAX found no GPU, only TFRT_CPU_0"),
        (slow, "JAX took more than 120 s"),
    ):
        monkeypatch.setattr(gpu.subprocess, "run", run)
        assert gpu.with_jax(case, 1, "cuda") == {"failed": why}


def test_the_threshold_wants_as_many_episodes_as_there_are_copies(gpu):
    sums, counts = np.array([20.0, 500.0, 0.0, 1000.0, 1400.0]), np.array([2.0, 1.0, 0.0, 2.0, 3.0])
    assert gpu.reached(sums, counts, 450.0, 1) == 2
    assert gpu.reached(sums, counts, 450.0, 3) == 4  # the second round's lucky one does not do
    assert gpu.reached(sums, counts, 450.0, 4) == 5
    assert gpu.reached(sums, counts, 600.0, 1) is None
    assert gpu.reached(sums, counts, 450.0, 9) is None


def test_episodes_are_counted_in_the_round_in_which_they_ended(gpu):
    rows = np.array([[10.0, 10, 1, 8], [20.0, 20, 1, 9], [5.0, 5, 1, 16]])
    sums, counts = gpu.per_round(rows, 8, 3)
    assert sums.tolist() == [10.0, 25.0, 0.0]
    assert counts.tolist() == [1.0, 2.0, 0.0]


def test_each_target_is_met_missed_or_not_measured(gpu):
    assert [each.endswith("not measured") for each in gpu.targets({})] == [True] * 5
    one = {"steps_per_second": 4e6, "seconds_of_a_round": 4e-3, "seconds_to_threshold": 0.3}
    found = {
        "CartPole PPO": {"1": one, "32": {"steps_per_second": 6e7, "seconds_of_a_round": 6e-3}, "256": {"failed": "out of memory"}},
        "84x84 PixelCatch PPO": {"1": {"steps_per_second": 1e5}},
        "steps": {"4096": {"environment": {"gpu": 1e-5, "cpu": 1e-4}, "update": {"gpu": 1e-3, "cpu": 2e-3}}},
    }
    assert [each.rsplit(", ", 1)[1] for each in gpu.targets(found)] == ["met", "met", "missed", "missed", "met"]


def test_the_seconds_of_seed_0_stand_beside_preparation_and_the_share_of_many_seeds(gpu):
    one = gpu.summary(1, 100, 1e-3, 42.0, [300])
    found = {"CartPole PPO": {"1": one, "32": gpu.summary(4, 100, 2e-3, 50.0, [1, None, 3, None])}}
    said = gpu.targets(found)[1]
    assert "seed 0 alone" in said
    assert "without preparation (compilation and recording) of 42.0 s; 2 of 4 seeds reached it: 0.3, met" in said
    found["CartPole PPO"]["1"] = gpu.summary(1, 100, 1e-3, 42.0, [None])
    assert gpu.targets(found)[1].endswith("not reached, missed")


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed")
def test_the_ppo_in_jax_counts_every_episode():
    settings = {"n_envs": 8, "n_steps": 32, "batch_size": 64, "n_epochs": 2, "learning_rate": 1e-3, "gamma": 0.99, "gae_lambda": 0.95}
    asked = {"settings": settings | {"hidden": [16, 16]}, "rounds": 10, "seeds": 2, "device": "cpu"}
    run = subprocess.run([sys.executable, FOLDER / "jax_ppo.py", json.dumps(asked)], capture_output=True, text=True, check=True)
    got = json.loads(run.stdout)
    sums, counts = np.array(got["sums"]), np.array(got["counts"])
    assert sums.shape == counts.shape == (2, 10)
    assert 8 * 320 - 8 * 500 < sums.sum(1).min() <= sums.sum(1).max() <= 8 * 320  # every step is a reward of one episode
    assert (sums.sum(1) / counts.sum(1) > 10).all()
