"""Compiled code on disk is run only where it is whole and of the same key; a package that cannot be written to starts all the same."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import rlcourse
from rlcourse.core.boxcache import _CheckedFiles

PACKAGE = Path(rlcourse.__file__).resolve().parent
CODE = "from rlcourse.agents import Sarsa; from rlcourse.envs import cliff_walk; print(Sarsa(cliff_walk(), seed=0).learn(50).Q.sum())"


def test_what_does_not_match_its_digest_is_not_even_unpickled(tmp_path):
    entries = _CheckedFiles(str(tmp_path), "box")
    entries.save("key", {"code": 1})
    assert entries.load("key") == {"code": 1}
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    for damaged in (bytes(32) + whole[32:], whole[:32] + whole[32:].replace(b"code", b"cope")):
        path.write_bytes(damaged)
        assert entries.load("key") is None
    path.write_bytes(whole[:32] + whole[32:-5])
    assert entries.load("key") is None
    path.write_bytes(whole)
    assert entries.load("key") == {"code": 1}


def test_code_of_another_key_is_not_taken_for_this_one(tmp_path):
    entries = _CheckedFiles(str(tmp_path), "box")
    entries.save("theirs", {"code": 1})
    entries.save("mine", {"code": 2})
    shutil.copy(entries._path("theirs"), entries._path("mine"))
    assert entries.load("mine") is None


def test_nothing_is_written_into_the_package_and_no_home_is_needed(tmp_path):
    """A read-only installation starts, because what does not write cannot fail: numba itself keeps its code beside the sources."""
    shutil.copytree(PACKAGE, tmp_path / "site" / "rlcourse", ignore=shutil.ignore_patterns("__pycache__", "figures", "presets"))
    before = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*"))
    for folder in (tmp_path / "site").rglob("*"):
        if folder.is_dir():
            folder.chmod(0o555)
    environment = {name: text for name, text in os.environ.items() if name not in ("XDG_CACHE_HOME", "RLCOURSE_CACHE_DIR")}
    environment |= {"HOME": "/proc/nowhere", "PYTHONPATH": str(tmp_path / "site"), "PYTHONDONTWRITEBYTECODE": "1", "NUMBA_DISABLE_JIT": "0"}
    done = subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 0
    assert sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*")) == before
