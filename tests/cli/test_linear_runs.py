"""Runs of agents with linear values from the command line: trained, watched, judged, resumed, listed and shown."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from shell import ENV, train

from rlcourse import agents
from rlcourse.cli.main import main
from rlcourse.cli.settings import settings_of_agent
from rlcourse.core import exact

LINEAR = ("semi-gradient-sarsa", "semi-gradient-expected-sarsa", "linear-q-learning", "n-step-semi-gradient-sarsa", "differential-sarsa")


@pytest.fixture(scope="module")
def car(tmp_path_factory):
    words = [
        "mountaincar",
        "--algo",
        "semi-gradient-sarsa",
        "-n",
        "2k",
        "--eval-every",
        "1k",
        "--eval-episodes",
        "1",
        "--features",
        "tiles:4x6",
    ]
    return train(tmp_path_factory.mktemp("car"), *words)


@pytest.fixture(scope="module")
def cliff(tmp_path_factory):
    words = ["rlcourse/CliffWalk-v0", "--algo", "semi-gradient-sarsa", "--alpha", "0.1", "-n", "30k", "--eval-every", "10k"]
    return train(tmp_path_factory.mktemp("cliff"), *words, "--eval-episodes", "1")


def test_a_run_on_gymnasium_s_mountain_car_keeps_its_features_and_is_compiled(car):
    agent = agents.load(car / "last.safetensors")
    assert agent.config.features == "tiles:4x6"
    assert agent.env.spec.id == "MountainCar-v0"
    assert not agent.interpreted, "our world has the same dynamics"
    assert agent.w.shape == (3, 4 * 7 * 7)
    assert agent.num_timesteps == 2_000
    assert np.any(agent.w < 0)


def test_it_is_watched_evaluated_and_resumed(car, tmp_path, capsys):
    gif = tmp_path / "car.gif"
    assert main(["enjoy", str(car), "--gif", str(gif), "--max-steps", "30"]) == 0
    assert Image.open(gif).n_frames > 5
    capsys.readouterr()
    assert main(["evaluate", str(car), "--episodes", "2", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert -200 <= answer["mean"] <= -80
    assert "exact_return" not in answer
    assert main(["resume", str(car), "-n", "1k", "-q"]) == 0
    assert agents.load(car / "last.safetensors").num_timesteps == 3_000


def test_where_states_are_not_finitely_many_there_are_no_values_to_draw(car, tmp_path, capsys):
    assert main(["enjoy", str(car), "--gif", str(tmp_path / "a.gif"), "--values"]) == 2
    assert "keeps no table of values" in capsys.readouterr().err


def test_over_finite_states_it_has_a_true_error_an_exact_return_and_values_in_the_picture(cliff, tmp_path, capsys):
    agent = agents.load(cliff / "best.safetensors")
    capsys.readouterr()
    assert main(["evaluate", str(cliff), "--episodes", "2", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["optimum"] == pytest.approx(-13.0)
    assert answer["exact_return"] == pytest.approx(answer["mean"]), "greedy and without chance"
    assert agent.true_error() == pytest.approx(np.sqrt(np.nanmean((agent.values() - exact.q_star("rlcourse/CliffWalk-v0", 1.0)) ** 2)))
    rows = (cliff / "metrics.csv").read_text().splitlines()
    assert "true_error" in rows[0]
    pictures = []
    for name, words in (("plain", []), ("values", ["--values"])):
        file = tmp_path / f"{name}.gif"
        assert main(["enjoy", str(cliff), "--gif", str(file), "--max-steps", "5", *words]) == 0
        pictures.append(Image.open(file).size)
    assert pictures[1][1] > pictures[0][1], "a scale below"


def test_a_task_that_never_ends_is_trained_and_resumed(tmp_path):
    run = train(tmp_path, "rlcourse/AccessControl-v0", "--algo", "differential-sarsa", "-n", "3k", "--eval-episodes", "1")
    before = agents.load(run / "last.safetensors")
    assert before.R_bar[0] > 0.5
    assert main(["resume", str(run), "-n", "2k", "-q"]) == 0
    after = agents.load(run / "last.safetensors")
    assert after.num_timesteps == 5_000
    assert after.R_bar[0] != before.R_bar[0]


@pytest.mark.parametrize("name", LINEAR)
def test_it_is_listed_and_shown_with_its_box(name, capsys):
    assert main(["list", "agents", "--json"]) == 0
    assert name.replace("-", "_") in {row["algo"] for row in json.loads(capsys.readouterr().out)}
    assert main(["show", name]) == 0
    assert f"@box\ndef {name.replace('-', '_')}(world, features, w" in capsys.readouterr().out


@pytest.mark.parametrize("name", [name for name in agents.MODULES if ".deep." not in agents.MODULES[name]])
def test_every_flag_of_an_agent_says_what_it_is(name):
    assert all(setting.comment for setting in settings_of_agent(name)), [s.name for s in settings_of_agent(name) if not s.comment]


def test_a_linear_run_never_imports_torch(tmp_path):
    words = ["train", "mountaincar", "--algo", "semi-gradient-sarsa", "-n", "400", "--eval-episodes", "1", "-q", "--out", str(tmp_path)]
    code = (
        f"import sys\nfrom rlcourse.cli.main import main\nassert main({words!r}) == 0\n"
        "assert not {'torch', 'stable_baselines3'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=ENV, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
