"""One table of all measured pass rates: docs/results.md, from the files that pass_rates.py wrote to benchmarks/results/.

python benchmarks/deep_table.py
"""

from __future__ import annotations

import re
import statistics
from pathlib import Path

from rlcourse import presets

ROOT = Path(__file__).resolve().parents[1]
HEAD = """# Measured results

`python benchmarks/pass_rates.py PRESET:AGENT` trains a preset's agent with several seeds through `rlcourse train`. A seed passes where the
mean of 100 fresh greedy episodes reaches the target, taken from the checkpoint that was best in the evaluations during training; what
the last checkpoint reaches in the same episodes stands beside it. Training ends early where an evaluation reaches the preset's
`stop_at`, so the steps taken may be fewer than the budget. `python benchmarks/deep_table.py` makes this table of the files in
`benchmarks/results/`, which have every seed.

| preset | agent | target | budget | seeds that pass | best, median (worst) | last, median (worst) | steps, median |
|---|---|---|---|---|---|---|---|
"""


def numbers(text: str, label: str) -> list[float]:
    """Return the numbers of the line that begins with a label; none where there is no such line."""
    line = re.search(rf"^{label}:(.*)$", text, re.MULTILINE)
    return [float(number.replace(",", "")) for number in line[1].split(", ")] if line else []


def row(file: Path) -> str:
    """Return the table's row of one result."""
    text = file.read_text()
    name, passed, seeds, target = re.match(r"(\S+?): (\d+) of (\d+) seeds reach (\S+)", text).groups()
    preset, _, algo = name.partition(":")
    algo = algo or file.stem.removeprefix(f"pass_rate_{preset}_")
    budget = re.search(r"within ([\d,]+(?: episodes)?)", text)
    steps = numbers(text, "steps taken")
    cells = [
        preset,
        algo,
        target.replace("-", "−"),
        budget[1] if budget else f"{presets.load(preset).of(algo).total_timesteps:,}",
        f"{passed} of {seeds}",
        score(numbers(text, "best checkpoints") or numbers(text, "scores")),
        score(numbers(text, "their last ones")),
        f"{statistics.median(steps):,.0f}" if steps else "",
    ]
    return f"| {' | '.join(cells)} |"


def score(values: list[float]) -> str:
    """Return the median and the worst of some returns."""
    return f"{statistics.median(values):.1f} ({min(values):.1f})".replace("-", "−") if values else ""


def table() -> str:
    """Return the page."""
    return HEAD + "\n".join(row(file) for file in sorted((ROOT / "benchmarks/results").glob("pass_rate_*.txt"))) + "\n"


if __name__ == "__main__":
    (ROOT / "docs/results.md").write_text(table())
    print(table())
