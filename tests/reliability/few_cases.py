"""A few cases of a campaign of forked runs, in a process that has no threads yet."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parents[2] / "benchmarks" / "reliability"
FEW = """
import sys
sys.path.insert(0, sys.argv[1])
import importlib, forked
module = importlib.import_module(sys.argv[2])
cases = [case for case in forked.CASES if case.name in sys.argv[4:]]
for outcome in module.campaign(lambda what: int(sys.argv[3]), 0, cases):
    print(outcome)
    assert outcome.tried == outcome.as_promised, outcome.failures
    assert outcome.lost == 0
"""


def of(campaign: str, count: int, *cases: str) -> None:
    """Run a campaign with each row tried a few times; raises AssertionError where a promise was broken."""
    done = subprocess.run(
        [sys.executable, "-c", FEW, str(HERE), campaign, str(count), *cases], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "Outcome" in done.stdout
