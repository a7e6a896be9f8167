"""The table of docs/reliability.md is made from what the campaigns have recorded, and from nothing else."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
spec = importlib.util.spec_from_file_location("build_reliability", ROOT / "docs/build_reliability.py")
build_reliability = importlib.util.module_from_spec(spec)
spec.loader.exec_module(build_reliability)


def test_the_table_is_what_was_recorded():
    text = build_reliability.PAGE.read_text()
    assert build_reliability.page(text) == text, "run: python docs/build_reliability.py"
