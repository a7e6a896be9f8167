"""Inject faults and count what is lost: ``python benchmarks/reliability [CAMPAIGN ...] [--scale 0.1] [--record]``.

A campaign is a module of this folder with ``COUNTS``, how often it tries what by default, and ``campaign(count, seed)``, which yields an
`Outcome` for each row of the table; ``count(name)`` says how often. ``--record`` keeps the rows in docs/reliability/NAME.json, from
which ``python docs/build_reliability.py`` makes the table.
"""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
RECORDS = ROOT / "docs" / "reliability"
sys.path.insert(0, str(HERE))


def campaigns() -> list[str]:
    """Return the names of all campaigns."""
    return sorted(path.stem for path in HERE.glob("*.py") if "def campaign(" in path.read_text() and path.stem != "__main__")


def main() -> int:
    """Run campaigns, print their rows; return 3 where less was kept than is promised."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("campaign", nargs="*", help=f"of {', '.join(campaigns())} [all]")
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies how often everything is tried [1]")
    parser.add_argument("--seed", type=int, default=0, help="of what is drawn [0]")
    parser.add_argument("--record", action="store_true", help=f"keep the rows in {RECORDS.relative_to(ROOT)}")
    parsed = parser.parse_args()
    unknown = set(parsed.campaign) - set(campaigns())
    if unknown:
        parser.error(f"unknown campaign {', '.join(sorted(unknown))}; there are {', '.join(campaigns())}")
    kept = True
    for name in parsed.campaign or campaigns():
        module = importlib.import_module(name)
        began, rows = time.perf_counter(), []
        for outcome in module.campaign(lambda what, module=module: max(1, round(module.COUNTS[what] * parsed.scale)), parsed.seed):
            rows.append(outcome._asdict())
            kept &= outcome.kept
            print(f"{name}: {outcome.what}: {outcome.as_promised} of {outcome.tried} as promised, {outcome.lost} lost", flush=True)
            for failure in outcome.failures[:5]:
                print(f"    {failure}", flush=True)
        if parsed.record:
            _record(name, rows, time.perf_counter() - began)
    return 0 if kept else 3


def _record(name: str, rows: list[dict[str, object]], seconds: float) -> None:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    where = {"date": time.strftime("%Y-%m-%d"), "commit": commit, "python": platform.python_version(), "seconds": round(seconds)}
    text = json.dumps({**where, "rows": rows}, indent=1).replace(f"{ROOT}/", "")  # of no machine's own
    (RECORDS / f"{name}.json").write_text(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
