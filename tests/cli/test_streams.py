"""Readers that go away: what is printed goes nowhere from then on, and the command does all that it was asked for."""

import subprocess

import pytest
from shell import ENV, RLCOURSE


def left_alone(words: list[str], cwd, **how) -> subprocess.Popen[str]:
    """Start a command whose reader goes away after one line; return it when it has ended, with what it said on standard error."""
    process = subprocess.Popen([*RLCOURSE, *words], env=ENV, cwd=cwd, stdout=subprocess.PIPE, text=True, **how)
    process.stdout.readline()
    process.stdout.close()
    return process


@pytest.mark.parametrize("unbuffered", [False, True])
def test_training_goes_on_and_saves_all_when_nobody_reads_what_it_says(tmp_path, monkeypatch, unbuffered):
    if unbuffered:
        monkeypatch.setitem(ENV, "PYTHONUNBUFFERED", "1")
    words = ["train", "cliffwalk", "-n", "2000", "--eval-every", "500", "--eval-episodes", "2", "--out", "runs"]
    process = left_alone(words, tmp_path, stderr=subprocess.PIPE)
    assert process.communicate(timeout=100)[1] == ""
    assert process.returncode == 0
    (result,) = tmp_path.rglob("result.json")
    assert (result.parent / "last.safetensors").exists()


def test_nobody_need_read_what_is_said_of_an_error(tmp_path):
    process = left_alone(["train", "cliffwalk", "-n", "many"], tmp_path, stderr=subprocess.STDOUT)
    assert process.wait(100) == 2


def test_a_list_of_which_one_line_is_read_ends_without_a_word(tmp_path):
    process = left_alone(["list", "envs"], tmp_path, stderr=subprocess.PIPE)
    assert process.communicate(timeout=100)[1] == ""
    assert process.returncode == 0
