"""Processes that train seeds: parents that are killed, processes that die, and going on with all seeds at once."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from shell import ENV, RLCOURSE, train

from rlcourse.cli.main import main
from rlcourse.core.files import read

MINE = """
import os, time
import gymnasium as gym

class Slow(gym.Env):
    observation_space, action_space = gym.spaces.Discrete(3), gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.state = 0
        return 0, {}

    def step(self, action):
        time.sleep(0.001)
        self.state += 1
        return self.state % 3, float(action), self.state == 5, False, {}

class Deadly(Slow):
    taken = 0

    def step(self, action):
        Deadly.taken += 1
        if Deadly.taken > 700 and os.path.exists("poison"):  # in no rehearsal
            os.remove("poison")
            os.kill(os.getpid(), 9)
        return super().step(action)

class Poisonous(Slow):
    def step(self, action):
        if os.path.exists("poison"):
            os.path.exists("antidote") and os.remove("poison")
            os._exit(3)
        return super().step(action)
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


def parent_of(tmp_path: Path) -> Path:
    return next(tmp_path.rglob("seeds.toml")).parent


def test_a_killed_parent_leaves_no_process_and_its_seeds_go_on_exactly_together(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(MINE)
    words = ["mine.py:Slow", "--algo", "q-learning", "-n", "3k", "--eval-every", "1k", "--eval-episodes", "1"]
    process = subprocess.Popen(
        [*RLCOURSE, "train", *words, "--seeds", "3", "--jobs", "2", "--out", "runs"], env=ENV, cwd=tmp_path, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while len(list(tmp_path.rglob("best.safetensors"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    process.wait()
    killed = time.monotonic()
    while time.monotonic() < killed + 20:
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            break
        time.sleep(0.05)
    else:
        os.killpg(process.pid, signal.SIGKILL)
        pytest.fail("the processes go on without their parent")
    parent = parent_of(tmp_path)
    stopped = [read(file)[1]["state"]["num_timesteps"] for file in parent.rglob("last.safetensors")]
    assert len(stopped) == 2
    assert max(stopped) < 3000
    assert main(["resume", str(parent)]) == 0
    assert "greedy return over seeds" in capsys.readouterr().out
    assert json.loads((parent / "result.json").read_text())["seeds"].keys() == {"0", "1", "2"}
    assert main(["compare", "latest", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["agents"][0]["seeds"] == [0, 1, 2]
    assert main(["evaluate", "latest", "--episodes", "1", "--json"]) == 0
    assert str(parent.relative_to(tmp_path)) in json.loads(capsys.readouterr().out)["file"]
    for seed in (0, 2):
        alone, shared = train(tmp_path / "alone", *words, "--seed", str(seed)), next(parent.glob(f"*-seed{seed}"))
        assert (alone / "episodes.csv").read_text() == (shared / "episodes.csv").read_text()
        assert read(alone / "last.safetensors")[0]["Q"].tobytes() == read(shared / "last.safetensors")[0]["Q"].tobytes()
    assert main(["resume", "latest"]) == 2
    assert "all seeds" in capsys.readouterr().err


def test_a_seed_that_takes_its_process_with_it_leaves_the_others_alone_and_can_be_resumed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "poison").touch()
    words = ["train", "mine.py:Deadly", "--algo", "q-learning", "-n", "1000", "--eval-episodes", "1", "--seeds", "2", "--jobs", "1"]
    assert main([*words, "--out", "runs"]) == 128 + signal.SIGKILL
    said = capsys.readouterr()
    assert "seed 0 failed: its process was ended by SIGKILL" in said.err
    assert "1 of 2 seeds failed" in said.out
    parent = parent_of(tmp_path)
    result = json.loads((parent / "result.json").read_text())
    assert result["seeds"].keys() == {"1"}
    assert "SIGKILL" in result["failed"]["0"]
    assert "* seed 0: **failed**: its process was ended by SIGKILL" in (parent / "card.md").read_text()
    assert main(["resume", str(parent), "-q"]) == 0
    assert json.loads((parent / "result.json").read_text())["seeds"].keys() == {"0", "1"}


@pytest.mark.parametrize("always", [False, True])
def test_an_environment_that_ends_its_process_in_a_rehearsal_ends_no_run_of_seeds(tmp_path, always):
    (tmp_path / "mine.py").write_text(MINE)
    for name in ("poison",) if always else ("poison", "antidote"):
        (tmp_path / name).touch()
    words = ["train", "mine.py:Poisonous", "--algo", "q-learning", "-n", "100", "--eval-episodes", "1", "--seeds", "2", "--jobs", "1"]
    ended = subprocess.run([*RLCOURSE, *words, "--out", "runs"], env=ENV, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "resume will begin new episodes: in a rehearsal its process ended with code 3" in ended.stdout
    assert ended.returncode == (3 if always else 0)
    result = json.loads((parent_of(tmp_path) / "result.json").read_text())
    assert result["seeds"].keys() == (set() if always else {"0", "1"})
    assert ("2 of 2 seeds failed" in ended.stdout) == always
