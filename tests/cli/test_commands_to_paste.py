"""What a run says to type next is one word for a shell, whatever its path; and no path steers the terminal."""

import shlex
import subprocess
from pathlib import Path

import pytest
from shell import newest

from rlcourse.cli.main import main
from rlcourse.cli.ways import command

ODD = ["plain", "my runs", "it's", "[bold]x", "$HOME;ls", "two  spaces", "a\x1b[31mred\x07", "é ü", "back\\slash\n"]


@pytest.mark.parametrize("name", ODD)
def test_a_shell_reads_the_command_as_it_was_meant(name):
    said = command("resume", Path(name), "-n", "100k")
    assert said.isprintable()
    assert "  " not in said
    words = subprocess.run(["bash", "-c", f'printf "%s\\0" {said}'], capture_output=True, text=True, check=True).stdout.split("\0")
    assert words == ["rlcourse", "resume", name, "-n", "100k", ""]


def test_a_plain_path_is_written_as_it_is():
    assert command("enjoy", Path("runs/cartpole/ppo/1-seed0")) == "rlcourse enjoy runs/cartpole/ppo/1-seed0"


@pytest.mark.parametrize("name", ["my [runs] of a name so long that no terminal of eighty letters shows it in one line", "a\x1b[31mred"])
def test_the_next_line_of_a_run_can_be_pasted(tmp_path, monkeypatch, capsys, name):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "cliffwalk", "-n", "300", "--eval-episodes", "1", "--out", name]) == 0
    said, run = capsys.readouterr().out, newest(tmp_path).relative_to(tmp_path)
    (following,) = (line for line in said.splitlines() if line.startswith("next "))
    assert following.split(maxsplit=1)[1] == command("enjoy", run)
    assert command("resume", run, "-n", "100k") in (run / "card.md").read_text()
    assert "\x1b" not in said
    assert main(["evaluate", str(run), "--episodes", "1"]) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_the_command_that_is_kept_can_be_pasted(tmp_path):
    assert main(["train", "cliffwalk", "-n", "300", "--eval-episodes", "1", "--out", str(tmp_path / "my runs"), "-q"]) == 0
    assert f"--out {shlex.quote(str(tmp_path / 'my runs'))} -q" in (newest(tmp_path) / "config.toml").read_text()


def test_seeds_that_fail_name_a_folder_that_can_be_pasted(tmp_path, monkeypatch, capsys):
    (tmp_path / "mine.py").write_text(
        "import gymnasium as gym\n"
        "class Broken(gym.Env):\n"
        "    observation_space = action_space = gym.spaces.Discrete(2)\n"
        "    def reset(self, *, seed=None, options=None):\n"
        "        super().reset(seed=seed)\n"
        "        return 0, {}\n"
        "    def step(self, action):\n"
        "        raise ZeroDivisionError('the bug')\n"
    )
    monkeypatch.chdir(tmp_path)
    assert main(["train", "mine.py:Broken", "-n", "300", "--seeds", "2", "--jobs", "1", "--out", "my runs"]) == 1
    assert "go on with: rlcourse resume 'my runs/mine-Broken/" in capsys.readouterr().out
