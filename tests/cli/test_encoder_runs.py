"""`rlcourse train --encoder-from`: a run, the latest one, a pre-training or a file; what does not fit ends with one sentence."""

import tomllib

import pytest
from shell import train

from rlcourse import agents
from rlcourse.cli.main import main

FEW = ["cartpole", "--algo", "ppo", "-n", "64", "--n-steps", "8", "--eval-episodes", "1", "--encoder", "mlp:8"]


def test_an_encoder_comes_from_a_run_by_folder_by_file_and_by_latest(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = train(tmp_path / "runs", *FEW)
    best = str((source / "best.safetensors").resolve())
    for named in (str(source.relative_to(tmp_path)), "latest", f"{source}/best.safetensors"):
        run = train(tmp_path / "other", *FEW, "--encoder-mode", "frozen", "--encoder-from", named)
        settings = tomllib.loads((run / "config.toml").read_text())
        assert settings["agent"]["encoder_from"] == best
        assert best in settings["run"]["command"]
    (source / "best.safetensors").unlink()
    assert main(["resume", str(run), "-n", "64", "--quiet"]) == 0
    assert agents.load(run / "last.safetensors").num_timesteps == 128
    again = train(tmp_path / "other", *FEW, f"--encoder-from={source}", "--encoder-mode", "warmstart")
    assert tomllib.loads((again / "config.toml").read_text())["agent"]["encoder_from"].endswith("last.safetensors")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--encoder-mode", "frozen"], "needs encoder_from"),
        (["--encoder-from", "runs/none"], "there is no run or agent file 'runs/none'"),
        (["--encoder-mode", "frozen", "--encoder-from", "latest"], "there is no run below runs/"),
        (["--encoder-mode", "frozen", "--encoder-from", "note.txt"], "no rlcourse file"),
        (["--encoder-mode", "froze"], "encoder_mode must be one of"),
    ],
)
def test_what_does_not_fit_ends_with_one_sentence_and_two(words, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "note.txt").write_text("hello")
    assert main(["train", *FEW, *words]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert len(error.strip().splitlines()) == 1
    assert not (tmp_path / "runs").exists()
