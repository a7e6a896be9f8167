"""A few refused writes of `benchmarks/reliability/disk.py`."""

import sys

import few_cases
import pytest


@pytest.mark.skipif(sys.platform == "win32", reason="processes are forked")
def test_a_disk_that_refuses_loses_nothing():
    few_cases.of("disk", 2, "tabular")
