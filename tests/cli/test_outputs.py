"""Files and folders that a command is to write: what cannot be is said in one sentence, before the work."""

import errno
import os
from pathlib import Path

import pytest
from shell import train

from rlcourse import figures
from rlcourse.cli import compare, enjoy
from rlcourse.cli.main import main
from rlcourse.cli.outputs import file_to_write, require_room
from rlcourse.cli.usage import UsageError


@pytest.mark.parametrize("kind", ["pipe", "folder", "link"])
def test_a_picture_is_written_over_regular_files_only(kind, tmp_path):
    path = tmp_path / "a.png"
    (tmp_path / "b.png").write_text("precious")
    {"pipe": lambda: os.mkfifo(path), "folder": path.mkdir, "link": lambda: path.symlink_to(tmp_path / "b.png")}[kind]()
    with pytest.raises(UsageError, match=rf"^--out: {path} is a {kind}.*: name another"):
        file_to_write("--out", str(path), [".png"])
    assert file_to_write("--out", str(tmp_path / "b.png"), [".png"]) == tmp_path / "b.png"


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    return train(tmp_path_factory.mktemp("run"), "cartpole", "--algo", "dqn", "-n", "64", "--eval-every", "64", "--eval-episodes", "1")


def commands(run: Path, folder: Path) -> dict[str, list[str]]:
    return {
        "figure": ["figure", "2.2", "--runs", "2", "--out", str(folder)],
        "compare": ["compare", str(run), "--out", str(folder / "a.png")],
        "enjoy": ["enjoy", str(run), "--gif", str(folder / "a.gif"), "--max-steps", "3"],
        "inspect": ["inspect", str(run), "--steps", "2", "--only", "filters", "--out", str(folder)],
    }


VERBS = ("figure", "compare", "enjoy", "inspect")


def one_sentence(capsys, *words: str) -> str:
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith("rlcourse: ")
    assert all(word in error for word in words), error
    return error


@pytest.mark.parametrize("verb", VERBS)
def test_a_folder_that_cannot_be_written_is_known_before_the_work(verb, run, tmp_path, monkeypatch, capsys):
    opened = os.open

    def read_only(path, flags, *rest, **named):
        if str(path).startswith(str(tmp_path)) and flags & (os.O_WRONLY | os.O_RDWR):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)
        return opened(path, flags, *rest, **named)

    def never(*_, **__):
        raise AssertionError("the work has begun")

    monkeypatch.setattr(os, "open", read_only)
    monkeypatch.setattr(figures, "make", never)
    monkeypatch.setattr(compare, "_learned", never)
    monkeypatch.setattr(enjoy, "_frames", never)
    monkeypatch.setattr("rlcourse.inspection.play", never)
    assert main(commands(run, tmp_path)[verb]) == 2
    one_sentence(capsys, f"cannot write to '{tmp_path}' (Read-only file system)", "name another place")


@pytest.mark.parametrize("verb", VERBS)
def test_a_disk_that_is_full_in_the_end_is_one_sentence_and_what_was_found_is_told(verb, run, tmp_path, monkeypatch, capsys):
    synced = os.fsync

    def full(handle):
        if os.fstat(handle).st_nlink:  # no trial, whose file has no name
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        synced(handle)

    monkeypatch.setattr(os, "fsync", full)
    assert main(commands(run, tmp_path)[verb]) == 2
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert "cannot write to" in said.err
    assert "No space left on device" in said.err
    told = {"figure": "no method earns more than the best arm is worth", "compare": "BEST CHECKPOINT", "inspect": "DQN on cartpole"}
    assert told.get(verb, "") in said.out
    assert list(tmp_path.iterdir()) == []


def test_a_trial_leaves_nothing_and_makes_no_folder(tmp_path):
    require_room("--out", tmp_path / "new" / "newer")
    assert list(tmp_path.iterdir()) == []
