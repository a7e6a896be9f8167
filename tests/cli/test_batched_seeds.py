"""Several seeds of `rlcourse train` as one program: the folders of runs alone, stopping seed by seed, resuming, Ctrl-C."""

import json
import re
import signal
import tomllib
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
import torch
from shell import interrupted

from rlcourse.agents import PPO
from rlcourse.agents.deep import measure
from rlcourse.agents.deep.programs import together
from rlcourse.agents.deep.programs.together import learn_together
from rlcourse.cli import run, seeds
from rlcourse.cli.batched import looks_every
from rlcourse.cli.devices import as_program, where_it_trains
from rlcourse.cli.main import main

SETTINGS = ("--n-envs", "4", "--n-steps", "16", "--batch-size", "32", "--n-epochs", "2", "--hidden", "8,8")
SMALL = {"n_envs": 4, "n_steps": 16, "batch_size": 32, "n_epochs": 2, "hidden": (8, 8)}
WORDS = ("train", "cartpole", "--batched", "--seeds", "2", "--seed", "4", *SETTINGS)
EVALUATED = ("--eval-every", "256", "--eval-episodes", "1")


def seed_folder(tmp_path: Path, seed: int) -> Path:
    return next(tmp_path.glob(f"cartpole/*/*/*-seed{seed}"))


def same(a, b) -> bool:
    mine, theirs = a.state_dict(), b.state_dict()
    return mine.keys() == theirs.keys() and all(np.array_equal(mine[key], theirs[key]) for key in mine if isinstance(mine[key], np.ndarray))


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    assert main([*WORDS, "-n", "512", *EVALUATED, "--out", str(folder), "-q"]) == 0
    return folder


def test_each_seed_has_the_folder_and_the_agent_that_it_would_have_alone(trained):
    for seed in (4, 5):
        folder = seed_folder(trained, seed)
        names = {path.name for path in folder.iterdir()}
        assert names > {"config.toml", "episodes.csv", "metrics.csv", "evaluations.csv", "best.safetensors", "card.md", "curve.png"}
        config = tomllib.loads((folder / "config.toml").read_text())
        assert config["run"]["seed"] == seed
        assert json.loads((folder / "result.json").read_text())["steps"] == 512
        last = PPO.load(folder / "last.safetensors")
        alone = PPO("CartPole-v1", seed=seed, config=last.config)
        learn_together([alone], 512)
        assert float((last.optimizer.parameters - alone.optimizer.parameters).abs().max()) < 1e-5
        assert np.array_equal(last.history.rows, alone.history.rows)
        assert sum(1 for _ in (folder / "episodes.csv").open()) == 1 + len(alone.history)
    parent = seed_folder(trained, 4).parent
    assert (parent / "curve.png").exists()
    assert json.loads((parent / "result.json").read_text())["seeds"].keys() == {"4", "5"}


def test_seeds_are_evaluated_at_the_steps_of_an_agent_that_learns_alone(tmp_path):
    words = ["--n-envs", "4", "--n-steps", "4", "--batch-size", "16", "--n-epochs", "1", "--eval-every", "656", "--eval-episodes", "1"]
    assert main(["train", "cartpole", "--batched", "--seeds", "1", *words, "-n", "3200", "--out", str(tmp_path), "-q"]) == 0
    folder = seed_folder(tmp_path, 0)
    evaluated = [int(row.split(",")[0]) for row in (folder / "evaluations.csv").read_text().splitlines()[1:]]
    expected: list[int] = []
    alone = PPO("CartPole-v1", seed=0, config=PPO.load(folder / "last.safetensors").config)
    learn_together([alone], 3200, callback=lambda agent: expected.append(agent.num_timesteps), callback_every=656)
    assert evaluated == expected == [656, 1312, 1968, 2624, 3200]  # a hundredth of the steps, 32, would give 672
    assert 50 < sum(1 for _ in (folder / "metrics.csv").open()) < 200


@pytest.mark.parametrize(
    ("eval_every", "total", "every"),
    [
        (4096, 400_000, 4096),
        (10_000, 100_000, 1_000),
        (10_007, 100_000, 10_007),
        (656, 3_200, 41),
        (500, 500_000, 500),
        (10**9, 512, 5),
        (7, 5, 1),
    ],
)
def test_looks_are_about_a_hundred_and_every_evaluation_is_one_of_them(eval_every, total, every):
    assert looks_every(eval_every, total) == every


def test_a_seed_that_ends_by_an_evaluation_is_counted_in_its_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(run, "evaluate_agent", lambda agent, *_, **__: np.full(1, 500.0 if agent.seed == 4 else 1.0))
    assert main([*WORDS, "-n", "512", *EVALUATED, "--stop-at", "400", "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "2 seeds of PPO" in said
    assert "256   evaluation of 2 seeds: mean 250.50, worst 1.00" in said
    assert "512   evaluation of 1 seed: mean 1.00, worst 1.00" in said


def test_one_seed_is_singular(tmp_path, capsys):
    assert main([*WORDS, "--seeds", "1", "-n", "64", *EVALUATED, "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "1 seed of PPO" in said
    assert "1 seeds" not in said


def test_a_seed_is_resumed_as_a_program_bit_for_bit(tmp_path):
    assert main([*WORDS, "-n", "512", *EVALUATED, "--out", str(tmp_path), "-q"]) == 0
    folder = seed_folder(tmp_path, 5)
    expected = PPO.load(folder / "last.safetensors")
    learn_together([expected], 192)
    assert main(["resume", str(folder), "-n", "192", "-q"]) == 0
    assert same(PPO.load(folder / "last.safetensors"), expected)


def test_a_seed_that_is_good_enough_stops_and_the_others_go_on(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "evaluate_agent", lambda agent, *_, **__: np.full(1, 500.0 if agent.seed == 4 else 1.0))
    assert main([*WORDS, "-n", "768", *EVALUATED, "--stop-at", "400", "--out", str(tmp_path), "-q"]) == 0
    assert [PPO.load(seed_folder(tmp_path, seed) / "last.safetensors").num_timesteps for seed in (4, 5)] == [256, 768]
    assert len((seed_folder(tmp_path, 4) / "evaluations.csv").read_text().splitlines()) == 2


def test_a_seed_that_fails_leaves_the_others_alone(tmp_path, monkeypatch, capsys):
    def evaluate(agent, *_, **__):
        if agent.seed == 4:
            raise FloatingPointError("no number")
        return np.ones(1)

    monkeypatch.setattr(run, "evaluate_agent", evaluate)
    assert main([*WORDS, "-n", "512", *EVALUATED, "--out", str(tmp_path), "-q"]) == 2
    assert "seed 4 failed: no number" in capsys.readouterr().err
    assert not (seed_folder(tmp_path, 4) / "result.json").exists()
    assert (seed_folder(tmp_path, 5) / "result.json").exists()
    parent = seed_folder(tmp_path, 5).parent
    assert json.loads((parent / "result.json").read_text())["failed"] == {"4": "no number"}
    assert "* seed 4: **failed**: no number" in (parent / "card.md").read_text()
    monkeypatch.setattr(run, "evaluate_agent", lambda *_, **__: np.ones(1))


def test_ctrl_c_saves_every_seed_of_a_program(tmp_path):
    words = [*WORDS, "-n", "100M", *EVALUATED, "--stop-at", "1000"]
    returned, _, error = interrupted(words, tmp_path, signal.SIGINT, after=0.5, file="best.safetensors", runs=2)
    assert returned == 130, error
    assert "every seed was saved" in error
    assert len(list(tmp_path.rglob("last.safetensors"))) == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("cartpole", "--batched"), "say how many seeds"),
        (("cartpole", "--batched", "--seeds", "2", "--jobs", "2"), "leave out --jobs"),
        (("cartpole", "--batched", "--seeds", "2", "--episodes", "9"), "number of steps"),
        (("cliffwalk", "--batched", "--seeds", "2"), "has no program"),
        (("taxi", "--algo", "ppo", "--batched", "--seeds", "2"), "action masks; leave --batched out"),
        (
            ("cartpole", "--algo", "reinforce", "--normalize-observations", "true", "--batched", "--seeds", "2"),
            "set normalize_observations=False, or leave --batched out",
        ),
    ],
)
def test_what_cannot_be_batched_is_said_in_one_sentence(words, sentence, tmp_path, capsys):
    assert main(["train", *words, "--out", str(tmp_path)]) == 2
    assert sentence in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.fixture
def gpu(monkeypatch):
    """A machine that says it has a GPU, on which training makes as many steps/s as is put into the dictionary."""
    rates = {"cuda": 2e6, "cpu": 3e4}
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(measure, "_chosen", {})
    monkeypatch.setattr(measure, "measured", lambda agent, device, seeds: rates[device])
    monkeypatch.setattr(measure, "rebuilt", lambda agent, device: setattr(agent, "device", device))
    return rates


def asked(**values) -> Namespace:
    return Namespace(**{"jobs": None, "batched": False, "sweep": [], "quiet": False} | values)


def make(seed: int, **settings) -> PPO:
    return PPO("CartPole-v1", seed=seed, **SMALL | settings)


def test_on_a_gpu_that_is_faster_all_seeds_are_one_program(gpu, monkeypatch, capsys):
    monkeypatch.setattr(together, "cuda_is_installed", lambda: True)
    agents, device = as_program(make, 3, None, asked())
    assert [agent.seed for agent in agents] == [0, 1, 2]
    assert device == "cuda"
    assert "device cuda: training makes 2e+06 steps/s on the GPU" in capsys.readouterr().out
    assert as_program(make, 3, None, asked(jobs=2)) == ([], None)
    assert as_program(lambda seed: make(seed, device="cpu"), 3, None, asked()) == ([], None)


def test_on_a_gpu_that_is_slower_the_processes_train_on_the_cpu(gpu):
    gpu["cuda"] = 1e4
    assert as_program(make, 3, None, asked()) == ([], "cpu")


def test_why_the_environment_stays_on_the_host_is_said_in_one_line(gpu, monkeypatch, capsys):
    monkeypatch.setattr(together, "cuda_is_installed", lambda: False)
    line = where_it_trains(make(0), None)
    assert "environment on the host: worlds on a GPU need numba-cuda: pip install 'rlcourse[cuda]'" in line
    assert as_program(make, 3, None, asked()) == ([], "cuda")
    assert "pip install 'rlcourse[cuda]'" in capsys.readouterr().out
    assert "\n" not in line


def test_without_a_gpu_nothing_is_said_of_devices():
    assert where_it_trains(make(0), None) == ""


def test_a_seed_that_cannot_be_saved_is_said_and_the_others_end(tmp_path, monkeypatch, capsys):
    real = run.RunFolder.complete

    def full(folder):
        if "-seed4" in folder.path.name:
            raise OSError(28, "No space left on device")
        real(folder)

    monkeypatch.setattr(run.RunFolder, "complete", full)
    assert main([*WORDS, "-n", "256", *EVALUATED, "--out", str(tmp_path), "-q"]) == 1
    assert "cannot save step 256 in" in capsys.readouterr().err
    four, five = (seed_folder(tmp_path, seed) for seed in (4, 5))
    assert not (four / "last.safetensors").exists()
    assert (five / "result.json").exists()
    assert json.loads((five.parent / "result.json").read_text())["failed"] == {"4": "what it learned could not be saved"}


def test_a_result_that_cannot_be_written_is_one_sentence_and_the_others_end(tmp_path, monkeypatch, capsys):
    real = run.report

    def full(result, folder, *more):
        if "-seed4" in folder.path.name:
            raise OSError(28, "No space left on device")
        real(result, folder, *more)

    monkeypatch.setattr(run, "report", full)
    assert main([*WORDS, "-n", "256", *EVALUATED, "--out", str(tmp_path), "-q"]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "cannot save step 256 in" in error
    five = seed_folder(tmp_path, 5)
    assert (five / "result.json").exists()
    assert json.loads((five.parent / "result.json").read_text())["failed"] == {"4": "its result could not be written"}


@pytest.mark.parametrize("more", [["--batched"], ["--jobs", "1"], ["--batched", "--sweep", "gamma=0.9,0.99"]])
def test_a_disk_that_is_full_when_all_seeds_have_ended_costs_their_summary_alone(more, tmp_path, monkeypatch, capsys):
    real = seeds.write_bytes

    def full(path, data):
        if path.name == "result.json":
            raise OSError(28, "No space left on device")
        real(path, data)

    monkeypatch.setattr(seeds, "write_bytes", full)
    words = [word for word in WORDS if word != "--batched"]
    assert main([*words, *more, "-n", "256", *EVALUATED, "--out", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert re.match(r"rlcourse: --out: cannot write to '.*' \(No space left on device\): make room there", said.err), said.err
    assert "mean" in said.out
    assert len(list(tmp_path.rglob("*-seed*/result.json"))) == 2 * (2 if "--sweep" in more else 1)


def test_after_ctrl_c_the_seed_that_could_not_be_saved_is_named(tmp_path, monkeypatch, capsys):
    real = run.RunFolder.complete

    def full(folder):
        if "-seed4" in folder.path.name:
            raise OSError(28, "No space left on device")
        real(folder)

    def evaluate(*_, **__):
        signal.raise_signal(signal.SIGINT)
        return np.ones(1)

    monkeypatch.setattr(run.RunFolder, "complete", full)
    monkeypatch.setattr(run, "evaluate_agent", evaluate)
    assert main([*WORDS, "-n", "512", *EVALUATED, "--out", str(tmp_path), "-q"]) == 130
    error = capsys.readouterr().err
    assert "interrupted; every other seed was saved below" in error
    assert "seed 4 goes on from its newest checkpoint: what it learned could not be saved" in error
    assert "seed 5 goes on" not in error
    assert (seed_folder(tmp_path, 5) / "last.safetensors").exists()
