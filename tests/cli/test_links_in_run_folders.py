"""What lies in a run's folder under the name of a file that is written there, and is none: links, pipes, folders."""

import os
import shutil
from pathlib import Path

import pytest
from shell import train

from rlcourse.cli.main import main


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    return train(
        tmp_path_factory.mktemp("whole"), "cliffwalk", "--algo", "q-learning", "-n", "400", "--eval-every", "200", "--eval-episodes", "1"
    )


@pytest.fixture
def run(whole, tmp_path) -> Path:
    return shutil.copytree(whole, tmp_path / "run")


@pytest.fixture
def outside(tmp_path) -> Path:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "precious").write_text("precious\n")
    return tmp_path / "outside"


def refused(run: Path, capsys) -> str:
    assert main(["resume", str(run), "-n", "100", "-q"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


@pytest.mark.parametrize("to", ["precious", "new", "/dev/null"])
@pytest.mark.parametrize("name", [".lock", "episodes.csv", "metrics.csv", "evaluations.csv"])
def test_nothing_is_written_through_a_link(run, outside, capsys, name, to):
    (run / name).unlink()
    (run / name).symlink_to(outside / to)
    assert f"{run / name} is " in (error := refused(run, capsys))
    assert "remove it" in error
    assert {path.name: path.read_text() for path in outside.iterdir()} == {"precious": "precious\n"}
    (run / name).unlink()
    assert main(["resume", str(run), "-n", "100", "-q"]) == 0


@pytest.mark.parametrize("make", [Path.mkdir, getattr(os, "mkfifo", Path.mkdir)])
def test_a_lock_that_is_no_file_is_named_and_not_waited_for(run, capsys, make):
    (run / ".lock").unlink()
    make(run / ".lock")
    assert f"{run / '.lock'} is no regular file: remove it" in refused(run, capsys)


def test_the_checkpoints_of_another_folder_are_not_pruned(run, outside, capsys):
    shutil.copytree(run / "checkpoints", outside / "checkpoints")
    for step in (1, 2, 3):
        (outside / "checkpoints" / f"{step:012d}.safetensors").touch()
    before = sorted(path.name for path in (outside / "checkpoints").iterdir())
    shutil.rmtree(run / "checkpoints")
    (run / "checkpoints").symlink_to(outside / "checkpoints", target_is_directory=True)
    assert f"{run / 'checkpoints'} is a link to another folder: remove it" in refused(run, capsys)
    assert sorted(path.name for path in (outside / "checkpoints").iterdir()) == before
