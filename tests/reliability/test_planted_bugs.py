"""Planted bugs stay what they are, some of them are killed here, and every class of bugs has its tests."""

import ast
import importlib.util
import sys
from pathlib import Path

import pytest
from bug_classes import BUG_CLASSES

ROOT = Path(__file__).resolve().parents[2]
TESTS, BENCHMARKS = ROOT / "tests", ROOT / "benchmarks"
SAMPLE = (  # quick ones: their tests need no torch
    "a linear schedule goes on beyond its end",
    "the first of equal actions is always taken",
    "a leaf without priority may be found",
)


def load(name: str):
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BUGS = load("planted_bugs").BUGS


def exists(node: str) -> bool:
    """Whether a file has a test of that name, or, where none is named, any."""
    path, _, name = node.partition("::")
    if not (TESTS / path).is_file():
        return False
    functions = {each.name for each in ast.parse((TESTS / path).read_text()).body if isinstance(each, ast.FunctionDef)}
    return name.partition("[")[0] in functions if name else any(each.startswith("test_") for each in functions)


def test_there_are_23_classes_of_bugs_with_tests_that_exist():
    assert sorted(BUG_CLASSES) == list(range(1, 24))
    missing = [test for each in BUG_CLASSES.values() for test in each.tests if not exists(test)]
    assert missing == []
    assert all(each.title and each.tests for each in BUG_CLASSES.values())


def test_planted_bugs_are_at_least_forty_of_all_classes_that_are_code_and_name_tests_that_exist():
    assert len(BUGS) >= 40
    assert len({bug.name for bug in BUGS}) == len(BUGS)
    assert {bug.bug_class for bug in BUGS} == set(range(23 + 1)), "the classes, and 0 for what belongs to none"
    missing = [(bug.name, test) for bug in BUGS for test in bug.tests if not exists(test)]
    assert missing == []


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_the_text_of_a_planted_bug_occurs_once(bug):
    text = (ROOT / "src" / "rlcourse" / bug.file).read_text()
    assert text.count(bug.old) == 1, f"mend benchmarks/planted_bugs.py: {bug.file} has changed"
    assert bug.new != bug.old
    if bug.file.endswith(".py"):
        ast.parse(text.replace(bug.old, bug.new))


def test_planted_bugs_are_killed():
    verdicts = load("mutants").run([bug for bug in BUGS if bug.name in SAMPLE])
    assert [(verdict.bug.name, verdict.how) for verdict in verdicts] == [(bug.name, "killed") for bug in BUGS if bug.name in SAMPLE]
    assert len(verdicts) == len(SAMPLE)
