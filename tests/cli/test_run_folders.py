"""A run from training to enjoying: folders, checkpoints, resuming, stopping, environments of a user."""

import csv
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from PIL import Image
from shell import ENDLESS, ENV, FOREIGN, RLCOURSE, train

from rlcourse import agents
from rlcourse.cli.main import main


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    return train(tmp_path_factory.mktemp("runs"), "cliffwalk", "-n", "20k", "--seed", "3", "--alpha", "0.4", "--eval-every", "5k")


def test_a_run_folder_has_everything(run):
    names = {path.name for path in run.iterdir()}
    assert {"config.toml", "episodes.csv", "evaluations.csv", "best.safetensors", "last.safetensors", "curve.png", "card.md"} <= names
    assert any(name.startswith("events.out.tfevents") for name in names)
    config = tomllib.loads((run / "config.toml").read_text())
    assert config["agent"]["alpha"] == 0.4
    assert config["run"]["seed"] == 3
    with (run / "episodes.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert sum(int(row["length"]) for row in rows) == 20_000 == int(rows[-1]["timesteps"])
    assert Image.open(run / "curve.png").size[0] > 600
    assert "Greedy return" in (run / "card.md").read_text()


def test_the_last_checkpoint_is_judged_beside_the_best_in_the_same_episodes(tmp_path, capsys):
    folder = train(tmp_path, "cartpole", "-n", "3072", "--eval-every", "1024", "--eval-episodes", "2", "--target", "480", "--seed", "1")
    assert capsys.readouterr().out.split()[1] == str(folder)
    result = json.loads((folder / "result.json").read_text())
    assert (result["steps"], result["seed"], result["target"], result["met"]) == (3072, 1, 480.0, result["best"] >= 480)
    assert len(result["best_returns"]) == len(result["last_returns"]) == 10
    for which in ("best", "last"):
        flags = ["--last"] if which == "last" else []
        assert main(["evaluate", str(folder), "--episodes", "10", "--json", *flags]) == 0
        assert json.loads(capsys.readouterr().out)["mean"] == pytest.approx(result[which])
    assert ("The last checkpoint" in (folder / "card.md").read_text()) == (result["best_step"] != 3072)


def test_evaluate_prints_json_and_checks_a_target(run, capsys):
    assert main(["evaluate", str(run), "--episodes", "3", "--json", "--target", "-200"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["episodes"] == 3
    assert answer["mean"] <= -13
    assert main(["evaluate", str(run), "--episodes", "3", "--target", "0"]) == 3


def test_enjoy_writes_a_gif_without_a_display(run, tmp_path):
    words = ["enjoy", str(run), "--gif", "a.gif", "--max-steps", "30"]
    done = subprocess.run([*RLCOURSE, *words], env=ENV, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert Image.open(tmp_path / "a.gif").n_frames > 5
    done = subprocess.run([*RLCOURSE, "enjoy", str(run)], env=ENV, check=False, capture_output=True, text=True)
    assert (done.returncode, "--gif" in done.stderr) == (2, True)


def test_resume_goes_on_exactly(tmp_path):
    options = ("--algo", "q-learning", "--eval-every", "1000")
    whole = train(tmp_path / "whole", "cliffwalk", "-n", "3000", *options)
    steps = [int(row["timesteps"]) for row in csv.DictReader((whole / "episodes.csv").open())]
    cut = next(step for step in steps if step >= 1500)  # an episode's end, where a run can be cut exactly
    half = train(tmp_path / "half", "cliffwalk", "-n", str(cut), *options)
    assert main(["resume", str(half), "-n", str(3000 - cut), "-q"]) == 0
    assert (half / "episodes.csv").read_text() == (whole / "episodes.csv").read_text()
    assert (agents.load(half / "last.safetensors").Q == agents.load(whole / "last.safetensors").Q).all()
    assert main(["resume", str(whole)]) == 2


def test_early_stopping_counts_evaluations_without_improvement(tmp_path):
    folder = train(tmp_path, "cliffwalk", "-n", "100k", "--every-n-steps", "1k", "--early-stopping-rounds", "4")
    rows = list(csv.DictReader((folder / "evaluations.csv").open()))
    means = [float(row["mean"]) for row in rows]
    assert len(rows) < 100
    assert max(means) == max(means[:-4])


def test_a_world_of_a_file_and_an_id_without_a_preset_train(tmp_path):
    (tmp_path / "mine.py").write_text(ENDLESS)
    folder = train(tmp_path, f"{tmp_path / 'mine.py'}:Endless", "-n", "2000", "--gamma", "0.9", "--eval-episodes", "1")
    assert (folder / "last.safetensors").exists()
    assert train(tmp_path, "CliffWalking-v1", "-n", "2000", "--eval-episodes", "1").exists()


def test_an_environment_of_a_file_trains_with_the_agent_and_the_copies_that_are_taken_by_default(tmp_path):
    (tmp_path / "mine.py").write_text(FOREIGN)
    for name in ("Foreign", "Wrapped", "wrapped"):
        folder = train(tmp_path, f"{tmp_path / 'mine.py'}:{name}", "-n", "1100", "--eval-episodes", "1")
        assert (folder / "last.safetensors").exists()


def test_learning_that_diverges_ends_in_one_sentence_and_code_2(tmp_path, capsys):
    words = ["--algo", "a2c", "--learning-rate", "1e30", "--eval-episodes", "1", "--quiet"]
    assert main(["train", "CartPole-v1", "-n", "2000", "--out", str(tmp_path / "runs"), *words]) == 2
    error = capsys.readouterr().err
    assert "lower learning_rate" in error
    assert error.count("\n") == 1


def test_a_reward_that_is_no_number_ends_in_one_sentence_and_code_2(tmp_path, capsys):
    (tmp_path / "mine.py").write_text(FOREIGN)
    for words in (["--algo", "dqn", "--distributional", "c51"], ["--algo", "a2c"]):
        env = f"{tmp_path / 'mine.py'}:NoNumber"
        assert main(["train", env, "-n", "2000", "--eval-episodes", "1", "--out", str(tmp_path / "runs"), "--quiet", *words]) == 2
        error = capsys.readouterr().err
        assert "a reward that is no finite number" in error
        assert error.count("\n") == 1


def test_bad_files_end_in_one_sentence_and_code_2(run, tmp_path, capsys):
    data = (run / "last.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(data[: len(data) // 2])
    (tmp_path / "text.safetensors").write_text("no agent")
    for name in ("cut", "text"):
        assert main(["evaluate", str(tmp_path / f"{name}.safetensors")]) == 2
        error = capsys.readouterr().err
        assert name in error
        assert error.count("\n") == 1
    with pytest.raises(ValueError, match="holds a Sarsa, not a QLearning"):
        agents.QLearning.load(run / "last.safetensors")


def test_a_tabular_run_never_imports_torch(tmp_path):
    code = (
        "import sys\nfrom rlcourse.cli.main import main\n"
        f"assert main(['train', 'cliffwalk', '-n', '2000', '-q', '--out', {str(tmp_path)!r}]) == 0\n"
        "assert not {'torch', 'stable_baselines3'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=ENV, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
