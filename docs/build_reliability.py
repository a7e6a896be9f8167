"""The table of docs/reliability.md, from what `python benchmarks/reliability --record` has counted.

python docs/build_reliability.py            # rewrite the table between the markers
python docs/build_reliability.py --check    # exit with 3 where it is out of date
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGE, RECORDS = HERE / "reliability.md", HERE / "reliability"


def table() -> str:
    """Return the rows of all campaigns, and when and how they were counted."""
    known = {file.stem: json.loads(file.read_text()) for file in sorted(RECORDS.glob("*.json"))}
    rows = ["| what was done | how often | what is promised | kept | lost |", "|---|---|---|---|---|"]
    for name, campaign in known.items():
        rows.append(f"| **`python benchmarks/reliability {name}`** | | {campaign['seconds']} s, commit {campaign['commit']} | | |")
        rows += [
            f"| {row['what']} | {row['tried']:,} | {row['promise']} | {row['as_promised']:,} | {row['lost']:,} |"
            for row in campaign["rows"]
        ]
    dates = sorted({campaign["date"] for campaign in known.values()})
    tried = sum(row["tried"] for campaign in known.values() for row in campaign["rows"])
    campaigns = {file.stem for file in (HERE.parent / "benchmarks" / "reliability").glob("*.py") if "def campaign(" in file.read_text()}
    others = ", ".join(f"`{name}`" for name in sorted(campaigns - known.keys() - {"__main__"}))
    told = f"{tried:,} in all, counted {' and '.join(dates)} on two cores."
    return "\n".join([*rows, "", told, *([f"Not counted whole yet, so not in the table: {others}."] if others else [])])


def page(text: str) -> str:
    """Return the page with the table as the record says."""
    return re.sub(r"(<!-- table -->\n).*?(\n<!-- end -->)", lambda found: found[1] + table() + found[2], text, flags=re.DOTALL)


if __name__ == "__main__":
    wanted = page(PAGE.read_text())
    if "--check" in sys.argv:
        sys.exit(0 if PAGE.read_text() == wanted else 3)
    PAGE.write_text(wanted)
