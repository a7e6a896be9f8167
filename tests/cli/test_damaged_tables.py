"""What else lies in a run's folder than its agent: tables that are damaged or cannot be written, and settings that somebody has edited."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from shell import train

from rlcourse.cli.folder import RunFolder
from rlcourse.cli.main import main
from rlcourse.cli.seeds import Seeds
from rlcourse.cli.usage import UsageError

TABLES = ("episodes.csv", "evaluations.csv")


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    return train(
        tmp_path_factory.mktemp("whole"), "cliffwalk", "--algo", "q-learning", "-n", "400", "--eval-every", "200", "--eval-episodes", "1"
    )


@pytest.fixture
def run(whole, tmp_path) -> Path:
    return shutil.copytree(whole, tmp_path / "run")


def refused(run: Path, capsys) -> str:
    """Refuse to go on, in one line, and lose nothing of the run; return the line."""
    before = {path.name: path.read_bytes() for path in run.iterdir() if path.is_file()}
    assert main(["resume", str(run), "-n", "100", "-q"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("rlcourse: ")
    assert error.count("\n") == 1
    assert {path.name: path.read_bytes() for path in run.iterdir() if path.is_file()} == before
    return error


def second_line(data: bytes, line: bytes) -> bytes:
    head, _, *tail = data.split(b"\n")
    return b"\n".join([head, line, *tail])


@pytest.mark.parametrize(
    ("name", "spoil", "said"),
    [
        ("episodes.csv", lambda data: second_line(data, b"garbage"), "line 2 is no row of numbers"),
        ("episodes.csv", lambda data: second_line(data, b"\xff\xfe,1,1,1"), "line 2 is no row of numbers"),
        ("episodes.csv", lambda data: b"\xff\xfe" + data.replace(b"timesteps", b"\xff\xfe"), "line 1 does not name a column timesteps"),
        ("metrics.csv", lambda data: data.replace(b"timesteps", b"steps"), "line 1 does not name a column timesteps"),
        ("episodes.csv", lambda data: second_line(data, b"1" * 1_100_000), "line 2 is longer than 1,000,000 bytes"),
        ("evaluations.csv", lambda data: second_line(data, b"nan,1,0,1"), "line 2 has no whole number of timesteps"),
        ("evaluations.csv", lambda data: second_line(data, b"200,1"), "line 2 has 2 columns, and the first line names 4"),
    ],
)
def test_a_damaged_line_of_a_table_is_named_with_what_to_do(run, capsys, name, spoil, said):
    (run / name).write_bytes(spoil((run / name).read_bytes()))
    error = refused(run, capsys)
    assert f"{run / name} is damaged: {said}; mend that line or move the file away" in error
    (run / name).unlink()
    assert main(["resume", str(run), "-n", "100", "-q"]) == 0


@pytest.mark.parametrize("make", [Path.mkdir, getattr(os, "mkfifo", Path.mkdir)])
def test_a_table_that_is_no_file_is_not_waited_for(run, capsys, make):
    (run / "episodes.csv").unlink()
    make(run / "episodes.csv")
    error = refused(run, capsys)
    assert f"{run / 'episodes.csv'} is no regular file: move it away" in error


def test_what_is_gone_from_a_folder_is_said_and_a_folder_of_checkpoints_is_made(run, capsys):
    for name in TABLES:
        (run / name).unlink()
    (run / "metrics.csv").write_text("")
    shutil.rmtree(run / "checkpoints")
    assert main(["resume", str(run), "-n", "300", "-q"]) == 0
    assert (
        capsys.readouterr().err == f"rlcourse: {run} lacks episodes.csv, metrics.csv, evaluations.csv: the rows up to step 400 are lost\n"
    )
    assert RunFolder(run).checkpoints()
    assert main(["resume", str(run), "-n", "100", "-q"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("starts", "had"), [("9999", False), ("50", True)])
def test_metrics_that_are_gone_are_said_where_there_were_some(tmp_path, capsys, starts, had):
    words = ("--algo", "dqn", "-n", "300", "--eval-every", "150", "--eval-episodes", "1", "--learning-starts", starts)
    run = train(tmp_path, "CartPole-v1", *words)
    assert (run / "metrics.csv").exists() == had
    (run / "metrics.csv").unlink(missing_ok=True)
    capsys.readouterr()
    assert main(["resume", str(run), "-n", "100", "-q"]) == 0
    assert capsys.readouterr().err == (f"rlcourse: {run} lacks metrics.csv: the rows up to step 300 are lost\n" if had else "")


def test_the_best_agent_stays_where_the_table_of_evaluations_is_gone(run, monkeypatch):
    best, row = (run / "best.safetensors").read_bytes(), (run / "evaluations.csv").read_text().splitlines()
    (run / "evaluations.csv").unlink()
    monkeypatch.setattr("rlcourse.cli.run.evaluate_agent", lambda *_, **__: np.full(1, -1e6))  # from now on all are worse
    for _ in range(2):
        assert main(["resume", str(run), "-n", "300", "-q"]) == 0
        assert (run / "best.safetensors").read_bytes() == best
    assert (run / "evaluations.csv").read_text().splitlines()[1] in row, "measured again in the same episodes"


WANDERS = """
import gymnasium as gym
import numpy as np

class Wanders(gym.Env):
    observation_space, action_space = gym.spaces.Box(-9, 9, (2,), np.float32), gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps, self.place = 0, self.np_random.normal(size=2).clip(-3, 3).astype(np.float32)
        return self.place, {}

    def step(self, action):
        self.steps += 1
        self.place = (0.9 * self.place + self.np_random.normal() * (action - 0.5)).clip(-9, 9).astype(np.float32)
        return self.place, -float(abs(self.place).sum()), False, self.steps == 20, {}
"""


def test_a_lost_table_of_evaluations_does_not_move_the_environment_that_the_run_goes_on_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(WANDERS)
    words = ("--algo", "ppo", "--n-envs", "1", "--n-steps", "32", "--batch-size", "32", "--hidden", "4", "-n", "330", "--eval-every", "100")
    kept = train(tmp_path, "mine.py:Wanders", *words, "--eval-episodes", "1")
    lost = shutil.copytree(kept, kept.with_name("lost"))
    (lost / "evaluations.csv").unlink()
    for run in (kept, lost):
        assert main(["resume", str(run), "-n", "200", "-q"]) == 0
    for name in ("episodes.csv", "metrics.csv"):
        assert (lost / name).read_bytes() == (kept / name).read_bytes()
    assert (lost / "last.safetensors").read_bytes() == (kept / "last.safetensors").read_bytes()


def test_no_row_is_lost_where_the_tables_cannot_be_written(whole, run, tmp_path, monkeypatch, capsys):
    real = os.open

    def forbidding(path, flags, *rest, **more):
        if str(path).endswith("episodes.csv") and flags & os.O_APPEND:
            raise PermissionError(13, "Permission denied")
        return real(path, flags, *rest, **more)

    monkeypatch.setattr(os, "open", forbidding)
    assert main(["resume", str(run), "-n", "600", "-q"]) == 1
    error = capsys.readouterr().err
    assert "cannot save step 1,000" in error
    monkeypatch.undo()
    assert main(["resume", str(run), "-n", "600", "-q"]) == 0
    other = shutil.copytree(whole, tmp_path / "other")
    assert main(["resume", str(other), "-n", "600", "-q"]) == 0
    for name in ("last.safetensors", "metrics.csv", *TABLES):
        assert (run / name).read_bytes() == (other / name).read_bytes()


def test_a_result_that_cannot_be_taken_away_is_said_in_one_line(run, monkeypatch, capsys):
    real = Path.unlink

    def forbidding(path, missing_ok=False):
        if path.name == "result.json":
            raise PermissionError(13, "Permission denied")
        real(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", forbidding)
    assert f"cannot write to {str(run)!r} (Permission denied)" in refused(run, capsys)


def test_a_folder_that_cannot_be_written_is_refused_though_its_lock_can(run, monkeypatch, capsys):
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != run)
    assert f"cannot write to {str(run)!r} (Permission denied)" in refused(run, capsys)


@pytest.mark.parametrize(("algo", "said"), [("Nope", "unknown agent 'Nope'"), ("Sarsa", "the saved agent is QLearning")])
def test_another_agent_in_the_settings_is_refused(run, capsys, algo, said):
    file = run / "config.toml"
    file.write_text(file.read_text().replace('algo = "QLearning"', f'algo = "{algo}"'))
    error = refused(run, capsys)
    assert str(file) in error
    assert said in error


def settings(folder: Path, env: str, words: str = "[]") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "bad.py").write_text("raise SystemExit('it was run')\n")
    (folder / "seeds.toml").write_text(f'env = "{env}"\nalgo = "QLearning"\nseeds = [0]\nwords = {words}\n')
    return folder


@pytest.mark.parametrize(
    "path", ["bad.py", "{folder}/bad.py", "{folder}/../all/bad.py", "/proc/self/cwd/all/bad.py", "{folder}/link/bad.py"]
)
@pytest.mark.parametrize("in_words", [False, True])
def test_a_folder_of_seeds_does_not_run_the_code_within_it(tmp_path, monkeypatch, capsys, path, in_words):
    monkeypatch.chdir(tmp_path)
    env = f"{path.format(folder=tmp_path / 'all')}:E"
    folder = settings(tmp_path / "all", "cliffwalk" if in_words else env, f'["{env}"]' if in_words else "[]")
    (folder / "link").symlink_to(folder)
    assert main(["resume", str(folder)]) == 2
    error = capsys.readouterr().err
    assert "a file outside the run, by its whole path" in error
    assert error.count("\n") == 1


def test_the_settings_of_seeds_may_name_a_file_elsewhere_and_are_no_endless_file(tmp_path):
    (tmp_path / "mine.py").write_text("import gymnasium as gym\ndef pole():\n    return gym.make('CartPole-v1')\n")
    folder = settings(tmp_path / "all", f"{tmp_path}/mine.py:pole")
    assert Seeds.read(folder).target.text == f"{tmp_path}/mine.py:pole"
    (folder / "seeds.toml").write_bytes(b"#" * 1_000_001)
    with pytest.raises(UsageError, match="longer than 1,000,000 bytes"):
        Seeds.read(folder)


def test_a_seed_that_did_not_begin_is_trained_anew_and_no_row_is_removed(tmp_path):
    parent = tmp_path / "all"
    seeds = Seeds.read(settings(parent, "cliffwalk"))
    for name, table in (("20260101-000000-seed0", False), ("20260102-000000-seed0-1", True)):
        (parent / name / "checkpoints").mkdir(parents=True)
        for file in ("config.toml", ".lock", *(["episodes.csv"] if table else [])):
            (parent / name / file).write_text("")
    assert seeds.folder(parent, 0) == parent / "20260102-000000-seed0-1"
    assert seeds.command(parent, 0, None)[0] == "train"
    assert (parent / "20260102-000000-seed0-1" / "episodes.csv").exists()
    shutil.rmtree(parent / "20260102-000000-seed0-1")
    assert seeds.command(parent, 0, None)[0] == "train"
    assert not (parent / "20260101-000000-seed0").exists()


@pytest.mark.parametrize(("name", "words"), [("config.toml", ["resume"]), ("result.json", ["compare"])])
def test_a_text_without_end_is_refused_in_one_sentence(run, capsys, name, words):
    (run / name).write_bytes(b"#" * 1_000_001)
    assert main([*words, str(run)]) == 2
    assert f"{run / name} is longer than 1,000,000 bytes" in (error := capsys.readouterr().err)
    assert error.count("\n") == 1
