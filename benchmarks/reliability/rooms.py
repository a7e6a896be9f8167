"""A folder in which command lines are tried, with runs that are good, damaged and other people's; the same before each of them."""

from __future__ import annotations

import contextlib
import functools
import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import command_lines
import sandbox
from command_lines import LIGHT

__all__ = ["Room", "room"]

GOOD = '''from typing import NamedTuple
from gymnasium import spaces
number = 3
class Corridor(NamedTuple):
    """A corridor of five places."""
    length: int = 5
    @property
    def observation_space(self): return spaces.Discrete(5)
    @property
    def action_space(self): return spaces.Discrete(2)
    def reset(self, rng): return 0
    def step(self, state, action, rng):
        after = min(max(state + (1 if rng.random() < 0.6 else -1), 0), 4)
        return after, -1.0, after == 4, False
    def observe(self, state): return state
'''


class Room:
    """A folder with runs and odd files, as it was before each command.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        prepare(folder)
        self.known = {name: (folder / name).read_bytes() for name in sandbox.files_below(folder) if (folder / name).is_file()}
        self.before = sandbox.files_below(folder)

    def tidy(self) -> None:
        """Undo what a command did."""
        now = sandbox.files_below(self.folder)
        if now == self.before:
            return
        for name in sorted(now.keys() - self.before.keys()):
            path = self.folder / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        for name, data in self.known.items():
            if now.get(name) != self.before[name]:
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                (self.folder / name).write_bytes(data)
        self.before = sandbox.files_below(self.folder)

    def broken_by(self, words: list[str], changed: dict[str, bytes] | None = None) -> list[str]:
        """Run a command, perhaps with some files of the folder changed; return the promises that it broke."""
        os.chdir(self.folder / "cwd")
        for name, data in (changed or {}).items():
            (self.folder / "cwd" / name).write_bytes(data)
        before = sandbox.files_below(self.folder) if changed else self.before
        answer = sandbox.run_command(words)
        os.chdir(self.folder / "cwd")
        allowed = [
            *command_lines.written_by(words, self.folder),
            *(Path(os.environ[name]) for name in ("RLCOURSE_CACHE_DIR", "MPLCONFIGDIR", "TORCHINDUCTOR_CACHE_DIR")),
            Path("/dev/null"),
        ]
        broken = sandbox.broken_promises(answer, before, sandbox.files_below(self.folder), allowed)
        self.tidy()
        return broken


@contextlib.contextmanager
def room() -> Iterator[Room]:
    """Make such a folder, with a home below it; commands in it start no processes and measure no machine."""
    from rlcourse.cli.settings import settings_of_agent

    home, where = tempfile.mkdtemp(prefix="rlcourse-input-"), os.getcwd()
    settings = {
        "HOME": f"{home}/home",
        "MPLCONFIGDIR": f"{home}/matplotlib",
        "TORCHINDUCTOR_CACHE_DIR": f"{home}/inductor",
        "RLCOURSE_CACHE_DIR": os.environ.get("RLCOURSE_CACHE_DIR", f"{home}/cache"),
    }
    os.mkdir(settings["HOME"])
    try:
        with (
            mock.patch.dict(os.environ, settings),
            mock.patch("sys.dont_write_bytecode", True),
            mock.patch("rlcourse.cli.many.train_many", return_value=0),  # its processes have a campaign of their own
            mock.patch("rlcourse.cli.run.FINAL_EPISODES", 1),  # a hundred say no more about a command line
            mock.patch("rlcourse.cli.train.settings_of_agent", functools.cache(settings_of_agent)),
            mock.patch("rlcourse.cli.doctor.diagnose", side_effect=KeyboardInterrupt),  # ten seconds of measuring
        ):
            yield Room(Path(home) / "room")
    finally:
        os.chdir(where)
        shutil.rmtree(home)


def prepare(folder: Path) -> None:
    """Fill a folder with runs that are good, damaged and other people's, and with odd files."""
    from rlcourse.cli.main import main

    cwd = folder / "cwd"
    cwd.mkdir(parents=True)
    os.chdir(cwd)
    (cwd / "good.py").write_text(GOOD)
    (cwd / "raises.py").write_text("raise RuntimeError('two\\nlines')\n")
    (cwd / "syntax.py").write_text("def (:\n")
    (cwd / "note.txt").write_text("a note\n")
    (cwd / "config.toml").write_text("[tool.black]\nline-length = 100\n")
    (cwd / "folder.py").mkdir()
    os.mkfifo(cwd / "pipe")
    (cwd / "loop").symlink_to("loop")
    with contextlib.redirect_stdout(io.StringIO()):  # what these import is imported before anything is interrupted
        assert main(["pretrain", "CartPole-v1", "--frames", "8", "--epochs", "1", "-q", "-o", "made"]) == 0
        assert main(["train", "cliffwalk", *LIGHT, "-q", "-o", "made"]) == 0
        assert main(["train", "CartPole-v1", "--algo", "dqn", "--hidden", "4", "--learning-starts", "16", *LIGHT, "-q", "-o", "made"]) == 0
    (cwd / "runs").mkdir()
    for name, algo in (("good", "sarsa"), ("deep", "dqn")):
        shutil.move(str(next((cwd / "made").glob(f"*/{algo}/*"))), cwd / "runs" / name)
    shutil.rmtree(cwd / "made")
    _damage(cwd / "runs")
    (cwd / "a b").mkdir()
    shutil.copytree(cwd / "runs" / "good", cwd / "a b" / "good")


def _damage(runs: Path) -> None:
    (runs / "empty").mkdir()
    good = (runs / "good" / "config.toml").read_text()
    edits = {
        "other": '[tool.poetry]\nname = "x"\n',
        "noise": "\x01\x02 = [[[",
        "lacking": good.replace("[plan]", "[scheme]"),
        "odd-plan": good.replace("total_timesteps = 64", 'total_timesteps = "many"\nsurprise = 1'),
        "odd-env": good.replace('env = "cliffwalk"', "env = 3"),
        "odd-algo": good.replace('algo = "Sarsa"', 'algo = ["Sarsa"]'),
        "no-table": good.replace("[run]", "run = 1\n[ran]"),
    }
    for name, text in edits.items():
        shutil.copytree(runs / "good", runs / name)
        (runs / name / "config.toml").write_text(text)
    for name in ("truncated", "tables", "result"):
        shutil.copytree(runs / "good", runs / name)
    for file in (runs / "truncated").glob("*.safetensors"):
        file.write_bytes(file.read_bytes()[:-7])
    (runs / "tables" / "episodes.csv").write_text("timesteps,return\n1,x\n\0\n")
    (runs / "tables" / "evaluations.csv").write_text("mean\n")
    (runs / "result" / "result.json").write_text('{"best": [}')
