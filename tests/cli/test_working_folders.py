"""Environments that change the working folder, as simulators do: a run stays where the user wanted it, and is called what he called it."""

import json

import pytest
from shell import newest

from rlcourse.cli.main import main

FILE = """
import os
import gymnasium as gym
import numpy as np

class Stepping(gym.Env):
    observation_space, action_space = gym.spaces.Box(-1, 1, (2,)), gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        return np.zeros(2, np.float32), {}

    def step(self, action):
        self.t += 1
        if self.t == 13:
            os.chdir("/")
        return np.zeros(2, np.float32), 1.0, self.t == 20, False, {}

class Making(Stepping):
    def __init__(self):
        os.chdir("/")
"""
SMALL = [
    "--algo",
    "ppo",
    "--n-envs",
    "2",
    "--n-steps",
    "16",
    "--batch-size",
    "16",
    "-n",
    "200",
    "--eval-every",
    "100",
    "--eval-episodes",
    "2",
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("name", "shown"), [("Stepping", "runs/mine-Stepping/ppo/"), ("Making", "{}/runs/mine-Making/ppo/")])
def test_a_run_goes_where_it_was_wanted_and_goes_on_there(folder, monkeypatch, capsys, name, shown):
    assert main(["train", f"mine.py:{name}", *SMALL, "--out", "runs", "-q"]) == 0
    run = newest(folder)
    assert {"result.json", "last.safetensors", "episodes.csv", "curve.png"} <= {path.name for path in run.iterdir()}
    assert f" {shown.format(folder)}{run.name}\n" in capsys.readouterr().out
    monkeypatch.chdir(folder)
    assert main(["resume", str(run.relative_to(folder)), "-n", "100", "-q"]) == 0
    monkeypatch.chdir(folder)
    assert main(["resume", str((run / "last.safetensors").relative_to(folder)), "-n", "100", "-q"]) == 0
    assert json.loads((run / "result.json").read_text())["steps"] == 400
    monkeypatch.chdir(folder)
    assert main(["evaluate", str(run.relative_to(folder)), "--episodes", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["mean"] == 20.0


@pytest.mark.parametrize("name", ["Stepping", "Making"])
def test_so_do_several_seeds_in_one_process(folder, monkeypatch, name):
    assert main(["train", f"mine.py:{name}", *SMALL, "--out", "runs", "--seeds", "2", "--jobs", "1", "-q"]) == 0
    (parent,) = (path.parent for path in folder.rglob("seeds.toml"))
    assert len(list(parent.glob("*-seed*/last.safetensors"))) == 2
    monkeypatch.chdir(folder)
    assert main(["resume", str(parent.relative_to(folder)), "-n", "100", "-q"]) == 0
    assert set(json.loads((parent / "result.json").read_text())["seeds"]) == {"0", "1"}


def test_so_does_an_encoder_that_is_trained_on_its_observations(folder):
    words = ["mine.py:Stepping", "--encoder", "mlp", "--frames", "200", "--epochs", "1", "--out", "runs", "-q"]
    assert main(["pretrain", *words]) == 0
    assert list((folder / "runs").rglob("encoder.safetensors"))
