"""Models of stable-baselines3 under our commands."""

import csv
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from PIL import Image

from rlcourse.cli.main import main
from rlcourse.sb3 import model_names


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("runs")
    words = ["cartpole", "--algo", "sb3:ppo", "-n", "1000", "--n-steps", "64", "--num-envs", "4", "--learning-rate", "1e-3"]
    assert main(["train", *words, "--eval-every", "512", "--eval-episodes", "2", "--seed", "1", "--out", str(out), "-q"]) == 0
    return next(out.rglob("config.toml")).parent


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_a_run_folder_is_that_of_our_agents_and_says_how_many_steps_were_taken(run):
    names = {path.name for path in run.iterdir()}
    wanted = {"config.toml", "episodes.csv", "metrics.csv", "evaluations.csv", "best.safetensors", "last.safetensors", "curve.png"}
    assert wanted | {"card.md", "result.json"} <= names
    assert run.parent.name == "sb3-ppo"
    config = tomllib.loads((run / "config.toml").read_text())
    assert config["run"]["algo"] == "sb3:ppo"
    assert config["agent"]["learning_rate"] == 1e-3
    assert config["versions"]["stable_baselines3"]
    result = json.loads((run / "result.json").read_text())
    assert (result["steps"], result["total_timesteps"]) == (1024, 1000)
    assert "1,024 environment steps (1,000 were asked for" in (run / "card.md").read_text()
    assert [int(row["timesteps"]) for row in rows(run / "evaluations.csv")] == [512, 1024]
    assert len(rows(run / "metrics.csv")) == 4
    assert all(None not in row and "" not in row.values() for row in rows(run / "metrics.csv"))
    assert int(rows(run / "episodes.csv")[-1]["timesteps"]) <= 1024


def test_it_is_evaluated_and_drawn(run, tmp_path, capsys):
    assert main(["evaluate", str(run), "--episodes", "3", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["mean"] > 5
    assert main(["enjoy", str(run), "--gif", str(tmp_path / "a.gif"), "--max-steps", "20"]) == 0
    assert Image.open(tmp_path / "a.gif").n_frames > 3


def test_it_resumes_and_says_what_is_not_exact(tmp_path, capsys):
    words = ["train", "cartpole", "--algo", "sb3:dqn", "--learning-starts", "50", "--eval-episodes", "1", "--eval-every", "1000"]
    assert main([*words, "-n", "300", "--out", str(tmp_path), "-q"]) == 0
    run = next(tmp_path.rglob("config.toml")).parent
    capsys.readouterr()
    assert main(["resume", str(run), "-n", "200"]) == 0
    assert "resumes exactly between two updates" in capsys.readouterr().err
    assert json.loads((run / "result.json").read_text())["steps"] == 500
    assert (run / "last.replay.safetensors").exists()


def test_several_seeds_train_in_one_command(tmp_path, capsys):
    words = ["train", "cartpole", "--algo", "sb3:a2c", "-n", "200", "--eval-episodes", "1", "--seeds", "2", "--out", str(tmp_path)]
    assert main(words) == 0
    assert "seed 1:" in capsys.readouterr().out
    assert len(list(tmp_path.rglob("last.safetensors"))) == 2
    assert next(tmp_path.glob("*/*")).name == "sb3-a2c-2-seeds"


def test_settings_of_a_model_are_flags(capsys):
    with pytest.raises(SystemExit):
        main(["train", "pendulum", "--algo", "sb3:sac", "--help"])
    text = capsys.readouterr().out
    for flag in ("--learning-starts COUNT", "--gradient-steps COUNT", "--ent-coef TEXT", "--tau NUMBER", "--hidden WIDTHS", "--noise-std"):
        assert flag in text


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("train cartpole --algo sb3:ppa", "did you mean 'ppo'"),
        ("train cartpole --algo sb3:ars", "sb3:ars cannot" if "trpo" in model_names() else "no model"),
        ("train cartpole --algo sb3:ppo --n-stepz 3", "did you mean '--n-steps'"),
        ("train cartpole --algo=sb3:ppo --gamma high", "--gamma"),
        ("train cartpole --algo sb3:ppo --policy Mlp", "policy"),
        ("train cartpole --algo sb3:ppo --clip-range -1", "clip_range"),
        ("train cartpole --algo sb3:sac", "SB3SAC"),
        ("train pendulum --algo sb3:dqn", "SB3DQN"),
    ],
)
def test_bad_input_ends_in_one_sentence_and_code_2(command, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(command.split()) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir()), "nothing is left behind"


@pytest.mark.parametrize(
    "words", [["list", "agents"], ["train", "cartpole", "--help"], ["train", "cliffwalk", "-n", "500", "-q", "--out", "o"]]
)
def test_nothing_else_imports_stable_baselines3(words, tmp_path):
    code = (
        "import sys\nfrom rlcourse.cli.main import main\n"
        f"try:\n    main({words!r})\nexcept SystemExit:\n    pass\n"
        "assert not {'stable_baselines3', 'sb3_contrib'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
