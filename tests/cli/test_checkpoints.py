"""Runs that were killed, whose files were damaged, or whose disk was full go on as if nothing had been."""

import errno
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from shell import train

from rlcourse import agents
from rlcourse.cli.folder import RunFolder
from rlcourse.cli.main import main
from rlcourse.cli.tables import Table
from rlcourse.core import files
from rlcourse.core.agent import memory_file
from rlcourse.core.files import read
from rlcourse.core.history import History

DQN = (
    "CartPole-v1",
    "--algo",
    "dqn",
    "-n",
    "2400",
    "--eval-every",
    "600",
    "--eval-episodes",
    "1",
    "--hidden",
    "8",
    "--learning-starts",
    "100",
)
TABLES = ("episodes.csv", "metrics.csv", "evaluations.csv")


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    return train(tmp_path_factory.mktemp("whole"), *DQN)


@pytest.fixture
def killed(whole, tmp_path) -> Path:
    """The folder of the same run, had it been killed after its last checkpoint but one: later rows and a torn one are in its tables."""
    run = shutil.copytree(whole, tmp_path / "run")
    for name in ("last.safetensors", "best.safetensors", "result.json", "card.md", "curve.png"):
        (run / name).unlink()
    newest = RunFolder(run).checkpoints()[0]
    newest.unlink()
    memory_file(newest).unlink()
    with (run / "episodes.csv").open("a") as file:
        file.write("12,3")
    return run


def same(one: Path, other: Path) -> bool:
    """Whether two runs have learned the same, and say so in the same rows."""
    arrays = [read(run / "last.safetensors")[0] | read(run / "last.replay.safetensors")[0] for run in (one, other)]
    assert arrays[0].keys() == arrays[1].keys()
    assert all(np.array_equal(arrays[0][name], arrays[1][name], equal_nan=True) for name in arrays[0])
    return all((one / name).read_bytes() == (other / name).read_bytes() for name in TABLES)


def test_checkpoints_hold_the_replay_memory_and_older_ones_go(whole):
    assert [int(path.stem) for path in RunFolder(whole).checkpoints()] == [2400, 1800]
    assert all(memory_file(path).exists() for path in RunFolder(whole).checkpoints())
    assert len(list((whole / "checkpoints").iterdir())) == 4


def test_a_killed_run_goes_on_as_if_it_had_never_stopped(killed, whole):
    assert main(["resume", str(killed), "-q"]) == 0
    assert same(killed, whole)
    results = [json.loads((run / "result.json").read_text()) for run in (killed, whole)]
    assert results[0]["best_returns"] == results[1]["best_returns"]


@pytest.mark.parametrize("what", ["the checkpoint", "its replay memory", "no replay memory"])
def test_a_damaged_checkpoint_is_named_and_the_one_before_is_taken(whole, tmp_path, capsys, what):
    run = shutil.copytree(whole, tmp_path / "run")
    (run / "last.safetensors").unlink()
    (run / "result.json").unlink()
    newest = RunFolder(run).checkpoints()[0]
    damaged = newest if what == "the checkpoint" else memory_file(newest)
    data = bytearray(damaged.read_bytes())
    data[len(data) // 2] ^= 4
    damaged.write_bytes(data)
    if what == "no replay memory":
        damaged.unlink()
    assert main(["resume", str(run), "-q"]) == 0
    error = capsys.readouterr().err
    assert str(damaged) in error
    assert ("--init-from" in error) == (what == "no replay memory")
    assert "going on from" in error
    assert "step 1,800" in error
    assert same(run, whole)


def test_where_the_best_cannot_be_read_the_last_is_judged(whole, tmp_path, capsys):
    run = shutil.copytree(whole, tmp_path / "run")
    (run / "best.safetensors").write_bytes((run / "best.safetensors").read_bytes()[:-7])
    (run / "result.json").unlink()
    steps = str(json.loads((whole / "result.json").read_text())["steps"])
    assert main(["resume", str(run), "-q", "-n", steps]) == 0
    assert "best.safetensors is truncated" in (said := capsys.readouterr().err)
    assert "the last one is judged in its place" in said
    result = json.loads((run / "result.json").read_text())
    assert result["best_step"] == result["steps"]


def test_a_run_without_a_whole_file_says_so(killed, capsys):
    for path in (killed / "checkpoints").iterdir():
        path.write_bytes(path.read_bytes()[:100])
    assert main(["resume", str(killed)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    shutil.rmtree(killed / "checkpoints")
    assert main(["resume", str(killed)]) == 2
    assert "was stopped before it began" in capsys.readouterr().err


def test_a_run_that_is_killed_before_its_first_evaluation_can_be_resumed(tmp_path, whole):
    run = train(tmp_path, *DQN)
    shutil.rmtree(run / "checkpoints")
    for path in run.iterdir():
        if path.name != "config.toml":
            path.unlink()
    (run / "checkpoints").mkdir()
    agents.DQN("CartPole-v1", config=agents.load(whole / "last.safetensors").config).save(run / "checkpoints" / f"{0:012d}.safetensors")
    assert main(["resume", str(run), "-q"]) == 0
    assert same(run, whole)


def test_what_a_kill_left_half_written_goes_at_the_next_start(killed):
    ended = next(number for number in range(99_999, 1, -1) if not Path(f"/proc/{number}").exists())
    memory = killed / "checkpoints" / "000000001900.replay.safetensors"
    memory.write_bytes(b"its agent was not written any more")
    (killed / "checkpoints" / f".rlcourse-{files._here()}-{ended}-0123456789ab.tmp").write_bytes(b"half")
    assert main(["resume", str(killed), "-q"]) == 0
    assert not memory.exists()
    assert not list(killed.rglob("*.tmp"))


def test_a_file_that_is_named_is_the_one_that_is_taken(whole, tmp_path):
    run = shutil.copytree(whole, tmp_path / "run")
    assert main(["resume", str(RunFolder(run).checkpoints()[1]), "-q"]) == 0
    assert same(run, whole)


def test_an_evaluation_that_was_cut_short_is_made_up_for(whole, tmp_path):
    run = shutil.copytree(whole, tmp_path / "run")
    (run / "result.json").unlink()
    lines = (run / "evaluations.csv").read_text().splitlines(keepends=True)
    (run / "evaluations.csv").write_text("".join(lines[:-1]))
    assert main(["resume", str(run), "-q"]) == 0
    assert same(run, whole)
    assert (run / "result.json").exists()
    assert main(["resume", str(run), "-q"]) == 2, "it has ended"


def test_a_run_that_is_stopped_before_its_first_evaluation_is_not_evaluated_where_it_goes_on(whole, tmp_path):
    run = shutil.copytree(whole, tmp_path / "run")
    for path in (*RunFolder(run).checkpoints(), run / "last.safetensors", run / "best.safetensors", run / "result.json"):
        path.unlink()
    agent = agents.DQN("CartPole-v1", config=agents.load(whole / "last.safetensors").config)
    agent.learn(300, callback_every=1000).save(run / "checkpoints" / f"{300:012d}.safetensors")
    assert main(["resume", str(run), "-q"]) == 0
    assert (run / "evaluations.csv").read_bytes() == (whole / "evaluations.csv").read_bytes()


def test_early_stopping_goes_on_counting(tmp_path):
    words = ("cliffwalk", "-n", "20k", "--eval-every", "1k", "--early-stopping-rounds", "4")
    run = train(tmp_path, *words)
    rows = (run / "evaluations.csv").read_text()
    newest = RunFolder(run).checkpoints()[0]
    for path in (newest, run / "last.safetensors", run / "result.json"):
        path.unlink()
    assert main(["resume", str(run), "-q"]) == 0
    assert (run / "evaluations.csv").read_text() == rows
    assert main(["resume", str(run), "-q"]) == 2, "it has ended"
    assert main(["resume", str(run), "-q", "-n", "1k"]) == 0


def test_a_run_has_one_writer(whole, tmp_path, capsys):
    run = shutil.copytree(whole, tmp_path / "run")
    first = RunFolder(run)
    first.lock()
    assert main(["resume", str(run), "-n", "100"]) == 2
    error = capsys.readouterr().err
    assert f"in use: process {os.getpid()} trains in it" in error
    assert error.count("\n") == 1
    first.close()
    assert main(["resume", str(run), "-n", "100", "-q"]) == 0


def test_a_full_disk_costs_no_row_and_no_checkpoint(tmp_path, whole, monkeypatch, capsys):
    write, fsync, calls = os.write, os.fsync, [0]

    def full(number: int) -> bool:
        calls[0] += 1
        return 12 < calls[0] < 24

    def failing_write(handle, data):
        if full(1):
            if len(data) > 1:
                write(handle, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(handle, data)

    def failing_sync(handle):
        if full(1):
            raise OSError(errno.ENOSPC, "No space left on device")
        return fsync(handle)

    monkeypatch.setattr(os, "write", failing_write)
    monkeypatch.setattr(os, "fsync", failing_sync)
    run = train(tmp_path, *DQN)
    assert calls[0] > 24
    assert same(run, whole)
    error = capsys.readouterr().err
    assert error.count("No space left on device") == 1
    assert "training goes on" in error


def test_the_best_agent_waits_where_only_it_cannot_be_written_and_is_saved_as_it_was(tmp_path, monkeypatch):
    words = ("cliffwalk", "--algo", "q-learning", "-n", "700", "--eval-every", "400", "--eval-episodes", "1")
    undisturbed = train(tmp_path / "whole", *words)
    real, refused = os.replace, []

    def full(source, target):
        if str(target).endswith("best.safetensors") and not refused:
            refused.append(target)
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(source, target)

    monkeypatch.setattr(os, "replace", full)
    run = train(tmp_path / "full", *words)
    assert refused
    assert (run / "best.safetensors").read_bytes() == (undisturbed / "best.safetensors").read_bytes()


def test_a_run_has_a_result_only_when_all_else_is_there(tmp_path, monkeypatch, capsys):
    real = os.replace

    def full(source, target):
        if str(target).endswith("card.md"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(source, target)

    monkeypatch.setattr(os, "replace", full)
    assert main(["train", "cliffwalk", "--algo", "q-learning", "-n", "300", "--eval-episodes", "1", "--out", str(tmp_path), "-q"]) == 1
    monkeypatch.undo()
    (run,) = (path.parent for path in tmp_path.rglob("config.toml"))
    assert not (run / "result.json").exists()
    assert main(["resume", str(run), "-q"]) == 0, "it is judged again"
    assert (run / "result.json").exists()
    assert (run / "card.md").exists()


def test_a_disk_that_stays_full_keeps_the_last_good_checkpoint_and_ends_with_code_1(tmp_path, monkeypatch, capsys, whole):
    real = os.replace

    def full(source, target):
        if "000000000000" not in str(target) and str(target).endswith(".safetensors"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(source, target)

    monkeypatch.setattr(os, "replace", full)
    assert main(["train", *DQN, "--out", str(tmp_path), "-q"]) == 1
    assert "cannot save step 2,400" in capsys.readouterr().err
    monkeypatch.undo()
    (run,) = (path.parent for path in tmp_path.rglob("config.toml"))
    assert [path.stem for path in RunFolder(run).checkpoints()] == ["000000000000"]
    assert main(["resume", str(run), "-q"]) == 0
    assert same(run, whole)


def test_what_a_run_remembers_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr("rlcourse.cli.folder.EPISODES", 100)
    run = train(tmp_path, "cliffwalk", "-n", "20k", "--eval-every", "4k", "--eval-episodes", "1")
    agent = agents.load(run / "last.safetensors")
    rows = sum(1 for _ in RunFolder(run).table("episodes.csv").rows())
    assert rows == len(agent.history) > 300
    assert len(agent.history.rows) == 100


def test_a_history_counts_what_it_forgets():
    history = History()
    rows = np.arange(400.0).reshape(100, 4)
    history.extend(rows[:60])
    history.shorten(10)
    history.extend(rows[60:])
    assert (len(history), len(history.rows)) == (100, 50)
    assert (history.since(70) == rows[70:]).all()
    with pytest.raises(ValueError, match="at least 50, not 49"):
        history.since(49)
    other = History()
    other.replace(history.rows, len(history))
    assert (len(other), other[-1]) == (100, history[-1])


def test_a_long_table_is_read_evenly_and_a_torn_row_is_none(tmp_path, monkeypatch):
    table = Table(tmp_path / "t.csv")
    table.append(("timesteps", "x"), [[i, 2 * i] for i in range(1000)])
    with table.path.open("a") as file:
        file.write("1000,20")
    monkeypatch.setattr("rlcourse.cli.tables._MOST", 100)
    steps, x = table.columns("timesteps", "x")
    assert 50 < len(steps) <= 101
    assert len(set(np.diff(steps))) == 1
    assert (x == 2 * steps).all()
    table.cut_after(500)
    assert table.path.read_text().splitlines()[-1] == "500,1000"
    table.cut_after(-1)
    assert table.path.read_text() == "timesteps,x\n"
    assert [len(column) for column in table.columns("timesteps", "y")] == [0, 0]
