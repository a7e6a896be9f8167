"""Plant bugs in a copy of the package, one at a time, and count how many the tests find: ``python benchmarks/mutants.py [TEXT ...]``.

    python benchmarks/mutants.py                    # all of planted_bugs.py, two at a time: about ten minutes
    python benchmarks/mutants.py lambda replay      # those in whose name, file or tests one of these texts occurs
    python benchmarks/reliability planted --record  # all of them, as a row of docs/reliability.md

A bug is killed where one of its tests fails on it, or runs for more than ``--timeout`` seconds. Every test first has to pass on a copy
without a bug, so that its failure means something; a bug with which no test can be collected is no bug but a broken patch, and counts
as not killed. It exits with 3 where fewer than 95 % were killed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import queue
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

sys.path.append(str(Path(__file__).resolve().parent))
from planted_bugs import BUGS, Bug

__all__ = ["Verdict", "main", "preload", "run"]

ROOT = Path(__file__).resolve().parent.parent
WANTED = 0.95  # share of the bugs that must be killed
_SERVER = multiprocessing.get_context("forkserver")


class Verdict(NamedTuple):
    """What became of a bug.

    Attributes
    ----------
    bug : Bug
    how : str
        "killed", "survived", "broken" (its tests cannot be collected), or "worthless" (they fail without it too).
    seconds : float
    said : str
        The last lines of its tests, where it was not killed.
    """

    bug: Bug
    how: str
    seconds: float
    said: str = ""


class Copy:
    """A copy of the package and its tests, in which bugs are planted: the checkout may change meanwhile.

    Parameters
    ----------
    folder : Path
        A new one is made there.
    """

    def __init__(self, folder: Path) -> None:
        self.root = Path(tempfile.mkdtemp(dir=folder))
        for name in ("src", "tests", "benchmarks/results"):
            shutil.copytree(ROOT / name, self.root / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", self.root)

    def plant(self, bug: Bug) -> Callable[[], None]:
        """Patch the copy; return what takes the bug out again."""
        path = self.root / "src" / "rlcourse" / bug.file
        text = path.read_text()
        if text.count(bug.old) != 1:
            raise ValueError(f"{bug.name!r}: its text occurs {text.count(bug.old)} times in {bug.file}, not once; mend planted_bugs.py")
        self._write(path, text.replace(bug.old, bug.new))
        return lambda: self._write(path, text)

    def _write(self, path: Path, text: str) -> None:
        path.write_text(text)
        for stale in (path.parent / "__pycache__").glob(f"{path.stem}.*"):  # of the same second, and perhaps of the same size
            stale.unlink()

    def test(self, tests: Iterable[str], compiled: bool, timeout: float) -> tuple[int, str]:
        """Run tests on the copy, to the first that fails; return pytest's exit code, or -1 where they took too long, and what they said."""
        code, said = self._run(["-x", "--tb=line"], tests, compiled, timeout)
        return code, "\n".join(said[-4:])

    def failing(self, tests: Iterable[str], compiled: bool) -> list[str]:
        """Run tests on the copy; return the node ids of those that fail."""
        code, said = self._run(["-rfE", "--tb=no"], tests, compiled, 3600.0)
        if code not in (0, 1):
            raise RuntimeError("the tests cannot be run without a bug:\n" + "\n".join(said[-10:]))
        return [line.split()[1].removeprefix("tests/") for line in said if line.startswith(("FAILED ", "ERROR "))]

    def _run(self, how: list[str], tests: Iterable[str], compiled: bool, timeout: float) -> tuple[int, list[str]]:
        environment = {"PYTHONPATH": str(self.root / "src"), "RLCOURSE_CACHE_DIR": str(self.root / "cache")}
        environment |= {} if compiled else {"NUMBA_DISABLE_JIT": "1"}
        said = self.root / "said.txt"
        child = _SERVER.Process(target=_pytest, args=(str(self.root), [*how, *(f"tests/{test}" for test in tests)], environment, str(said)))
        child.start()
        child.join(timeout)
        if child.is_alive():
            child.kill()
            child.join()
            return -1, [f"more than {timeout:g} s"]
        return child.exitcode or 0, said.read_text().strip().splitlines()


def _pytest(root: str, arguments: list[str], environment: dict[str, str], said: str) -> None:
    """Run tests in this process, which has not imported rlcourse yet, on the package of the PYTHONPATH; what they say goes to a file."""
    os.environ.update(environment)
    os.chdir(root)
    sys.path.insert(0, environment["PYTHONPATH"])
    with open(said, "wb") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    import pytest

    sys.exit(int(pytest.main(["-q", "-p", "no:cacheprovider", *arguments])))


def preload() -> None:
    """Let what runs tests have imported what is slow to import, once for all bugs: half of what a test costs is importing it."""
    _SERVER.set_forkserver_preload(["torch", "pytest", "stable_baselines3.common.evaluation"])


def run(bugs: list[Bug], jobs: int = 1, timeout: float = 180.0, note: Callable[[Verdict], None] = lambda verdict: None) -> list[Verdict]:
    """Try bugs, several at a time, each in a copy of its own; return what became of them, in order."""
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        copies: queue.Queue[Copy] = queue.Queue()
        for _ in range(jobs):
            copies.put(Copy(Path(folder)))

        def judged(bug: Bug) -> Verdict:
            copy, began = copies.get(), time.perf_counter()
            try:
                how, said = _judge(copy, bug, timeout, failing)
            finally:
                copies.put(copy)
            verdict = Verdict(bug, how, time.perf_counter() - began, said)
            note(verdict)
            return verdict

        failing = _failing(Copy(Path(folder)), bugs)
        with ThreadPoolExecutor(jobs) as pool:
            return list(pool.map(judged, bugs))


def _failing(copy: Copy, bugs: list[Bug]) -> list[str]:
    """Return which tests fail without a bug: all of them in one process, instead of one for each bug."""
    found = []
    for compiled in sorted({bug.compiled for bug in bugs}):
        tests = dict.fromkeys(test for bug in bugs if bug.compiled == compiled for test in bug.tests)
        found += copy.failing(tests, compiled)
    return found


def _judge(copy: Copy, bug: Bug, timeout: float, failing: list[str]) -> tuple[str, str]:
    worthless = [node for node in failing if node.startswith(bug.tests)]
    if worthless:
        return "worthless", "\n".join(worthless[:4])
    mend = copy.plant(bug)
    try:
        code, said = copy.test(bug.tests, bug.compiled, timeout)
    finally:
        mend()
    return ("killed", "") if code in (-1, 1) else ("survived" if code == 0 else "broken", said)


def chosen(texts: list[str]) -> list[Bug]:
    """Return the bugs in whose name, file or tests one of some texts occurs; all without a text."""
    return [bug for bug in BUGS if not texts or any(text in " ".join((bug.name, bug.file, *bug.tests)) for text in texts)]


def main() -> int:
    """Try the bugs that were asked for, print a table; return 3 where too few were killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", nargs="*", help="of a name, a file or a test [all bugs]")
    parser.add_argument("--jobs", type=int, default=2, help="bugs at a time [2]")
    parser.add_argument("--timeout", type=float, default=180.0, help="seconds for the tests of one bug [180]")
    parsed = parser.parse_args()
    _SERVER.set_forkserver_preload(
        ["torch", "pytest", "stable_baselines3.common.evaluation"]
    )  # half of what a test costs is importing them
    bugs, began = chosen(parsed.text), time.perf_counter()
    if not bugs:
        parser.error(f"no bug is named so; there are {len(BUGS)}")

    def note(verdict: Verdict) -> None:
        print(f"{verdict.how:9} {verdict.seconds:5.1f} s  [{verdict.bug.bug_class:2}] {verdict.bug.name}", flush=True)
        for line in verdict.said.splitlines():
            print(f"              {line}", flush=True)

    verdicts = run(bugs, parsed.jobs, parsed.timeout, note)
    killed, seconds = sum(verdict.how == "killed" for verdict in verdicts), time.perf_counter() - began
    print(f"{killed} of {len(bugs)} planted bugs killed ({100 * killed / len(bugs):.1f} %) in {seconds:.0f} s")
    return 0 if killed >= WANTED * len(bugs) else 3


if __name__ == "__main__":
    sys.exit(main())
