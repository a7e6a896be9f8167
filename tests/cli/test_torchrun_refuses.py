"""What ``torchrun -m rlcourse train`` cannot train is said in one sentence, by one process."""

import subprocess
import time

import pytest
from shell import ENV
from shell import torchrun as command

from rlcourse.cli import torchrun
from rlcourse.cli.main import main


def test_copies_that_cannot_be_divided_are_refused_by_one_voice(tmp_path):
    words = ["train", "CartPole-v1", "--algo", "ppo", "--n-envs", "3", "-o", str(tmp_path)]
    done = subprocess.run(command(*words), env=ENV, capture_output=True, text=True, timeout=120, check=False)
    assert done.stderr.count("rlcourse: n_envs must be a multiple of the 2 processes that share them, not 3") == 1, done.stderr
    assert "exitcode: 2" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.fixture
def started(monkeypatch):
    """As torchrun starts a process, of which rank is set."""
    waited = []
    for name, value in {"TORCHELASTIC_RUN_ID": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "0", "RANK": "0"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(time, "sleep", waited.append)
    return waited


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--algo", "dqn"], "DQN trains in one process: take --algo ppo under torchrun, or leave torchrun out"),
        (["--algo", "ppo", "--seeds", "2"], "--seeds trains agents apart, each in one process: leave torchrun out"),
    ],
)
def test_what_torchrun_cannot_train_is_said_in_one_sentence(words, sentence, started, monkeypatch, capsys, tmp_path):
    for rank, waits in (("0", []), ("1", [torchrun._SPEAKING])):
        monkeypatch.setenv("RANK", rank)
        assert main(["train", "cartpole", *words, "-o", str(tmp_path)]) == 2
        assert capsys.readouterr().err == f"rlcourse: {sentence}\n"
        assert started == waits
    assert not list(tmp_path.iterdir())


def test_without_torchrun_there_is_one_process_whatever_else_the_environment_says(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "8")
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    assert (torchrun.processes(), torchrun.rank()) == (1, 0)
