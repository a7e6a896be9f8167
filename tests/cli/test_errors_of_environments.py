"""Exceptions that an environment raises and that could be taken for ours: a pipe, a connection or a file of its own."""

import subprocess
from types import SimpleNamespace

import pytest
from shell import ENV, RLCOURSE, newest

from rlcourse.cli import torchrun
from rlcourse.cli.main import main
from rlcourse.core.ended import ProcessEnded

# Episodes of twenty steps; from a file's text comes what is raised, and in which episodes by their seeds
FILE = """
import gymnasium as gym
import numpy as np

class Simulated(gym.Env):
    observation_space, action_space = gym.spaces.Box(-1, 1, (2,)), gym.spaces.Discrete(2)
    error, since = None, 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t, self.wrong = 0, self.since == 0 or (seed is not None and self.since <= seed < 30_000_000)
        return np.zeros(2, np.float32), {}

    def step(self, action):
        self.t += 1
        if self.wrong and self.t == 13:
            raise type(self.error)(*self.error.args)
        return np.zeros(2, np.float32), 1.0, self.t == 20, False, {}

class Pipe(Simulated):
    error = BrokenPipeError(32, "Broken pipe")

class Connection(Simulated):
    error = ConnectionError("the simulator went away")

class Child(Simulated):
    error = ChildProcessError("the simulator has ended")

class JudgedPipe(Pipe):
    since = 10_000_000

class Whole(Pipe):
    since = 40_000_000

class LastPipe(Pipe):
    since = 20_000_000

class LastTime(Simulated):
    error, since = TimeoutError("sensor"), 20_000_000

class LastDisk(Simulated):
    error, since = OSError(28, "No space left on device", "/sensor"), 20_000_000
"""
SMALL = ["--algo", "ppo", "--n-envs", "2", "--n-steps", "16", "--batch-size", "16", "-n", "200"]
JUDGED = ["--eval-every", "100", "--eval-episodes", "2"]


@pytest.fixture
def file(tmp_path, monkeypatch):
    (tmp_path / "simulator.py").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    return "simulator.py"


@pytest.mark.parametrize(
    ("name", "error"), [("Pipe", BrokenPipeError), ("Connection", ConnectionError), ("Child", ChildProcessError), ("JudgedPipe", OSError)]
)
def test_a_connection_of_an_environment_that_ends_is_a_bug_with_its_traceback_and_the_way_on(file, name, error):
    with pytest.raises(error) as raised:
        main(["train", f"{file}:{name}", *SMALL, *JUDGED, "-q"])
    assert raised.traceback[-1].name == "step"
    assert any("go on with: rlcourse resume runs/" in note for note in raised.value.__notes__)


@pytest.mark.parametrize(("name", "error"), [("LastPipe", BrokenPipeError), ("LastTime", TimeoutError), ("LastDisk", OSError)])
def test_an_error_of_an_environment_in_the_last_evaluation_is_no_failure_to_save(file, capsys, name, error):
    with pytest.raises(error) as raised:
        main(["train", f"{file}:{name}", *SMALL, *JUDGED, "-q"])
    assert any("in an evaluation after" in note for note in raised.value.__notes__)
    assert any("go on with: rlcourse resume runs/" in note for note in raised.value.__notes__)
    assert "cannot save" not in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["train", "evaluate", "resume"])
def test_the_command_line_ends_with_code_1_and_says_all_that_is_known(file, tmp_path, verb):
    words = ["train", f"{file}:{'Pipe' if verb == 'train' else 'LastPipe'}", *SMALL, *JUDGED, "-q"]
    if verb != "train":
        with pytest.raises(BrokenPipeError):
            main(words)
        (config,) = tmp_path.rglob("config.toml")
        words = [verb, str(config.parent)]
    done = subprocess.run([*RLCOURSE, *words], env=ENV, cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert done.returncode == 1, done
    assert 'simulator.py", line' in done.stderr
    assert "BrokenPipeError: [Errno 32] Broken pipe" in done.stderr


@pytest.mark.parametrize(("error", "code"), [(ProcessEnded("a rank has ended"), 1), (ConnectionError("a simulator has"), None)])
def test_a_rank_is_silent_only_where_another_process_has_said_why(monkeypatch, error, code):
    def learn(*_, **__):
        raise error

    monkeypatch.setattr(torchrun.signal, "signal", lambda *_: None)
    agent, plan = SimpleNamespace(learn=learn, num_timesteps=0), SimpleNamespace(episodes=None, total_timesteps=10, eval_every=5)
    if code is not None:
        assert torchrun.follow(agent, plan) == code
        return
    with pytest.raises(ConnectionError, match="a simulator has"):
        torchrun.follow(agent, plan)


def test_an_error_of_an_environment_that_is_inspected_is_no_failure_to_write_pictures(file, monkeypatch, tmp_path):
    def play(*_, **__):
        raise TimeoutError("sensor")

    assert main(["train", f"{file}:Whole", *SMALL, *JUDGED, "-q"]) == 0
    monkeypatch.setattr("rlcourse.inspection.play", play)
    with pytest.raises(TimeoutError, match="sensor"):
        main(["inspect", str(newest(tmp_path))])
