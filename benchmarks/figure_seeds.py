"""How often the claims of the figures hold at ``--fast``, over ten seeds.

    python benchmarks/figure_seeds.py              # all figures, seeds 0, 1000, ..., 9000
    python benchmarks/figure_seeds.py rl2 init     # some

The tests make every figure at ``--fast`` with seed 0. A claim about what was learned holds there by so many standard errors, and with
another seed, or with the rounding of another processor, it can fail: this says how often. Figures that draw nothing at random give the
same ten times.

The report of all goes to benchmarks/results/figure_seeds.txt. Seconds are the processor's, of one figure.
"""

from __future__ import annotations

import argparse
import resource
from pathlib import Path

import torch
from box_speed import machine

from rlcourse import figures

REPORT = Path(__file__).parent / "results" / "figure_seeds.txt"
APART = 1000  # seeds of runs count on from that of the figure: no run is shared


def seconds() -> float:
    """Return the processor's seconds, those of ended processes included."""
    return sum(each.ru_utime + each.ru_stime for each in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def line(name: str, seeds: int) -> str:
    """Make a figure with each seed; return how often all its claims held, and which did not."""
    began, held, failed = seconds(), 0, []
    for k in range(seeds):
        result = figures.make(name, level="fast", seed=APART * k, workers=1)
        held += result.passed
        failed += [claim.text for claim in result.claims if not claim.holds]
    told = "".join(f"\n    {failed.count(text)} times not: {text}" for text in dict.fromkeys(failed))
    return f"{name:32} {held:2} of {seeds} {(seconds() - began) / seeds:8.1f} s{told}"


def main() -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figure", nargs="*", help="names [all]")
    parser.add_argument("--seeds", type=int, default=10)
    parsed = parser.parse_args()
    torch.set_num_threads(1)
    lines = []
    for name in map(figures.find, parsed.figure) if parsed.figure else figures.names():
        lines.append(line(name, parsed.seeds))
        print(lines[-1], flush=True)
    if not parsed.figure:
        REPORT.write_text("\n".join([f"python benchmarks/figure_seeds.py --seeds {parsed.seeds}", machine(), "", *lines]) + "\n")


if __name__ == "__main__":
    main()
