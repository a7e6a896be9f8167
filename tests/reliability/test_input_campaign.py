"""Command lines, configurations and calls that are wrong: refused in one line, with nothing written and nothing broken."""

import ast
import importlib
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "benchmarks" / "reliability"))

command_lines = importlib.import_module("command_lines")
sandbox = importlib.import_module("sandbox")
campaign = importlib.import_module("input")

BOUNDED = settings(max_examples=30, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def room():
    """Give a folder with runs and odd files."""
    with campaign.room() as place:
        yield place


@BOUNDED
@given(draw=st.randoms(use_true_random=False))
def test_no_command_line_ends_in_a_traceback_and_a_refused_one_leaves_nothing(room, draw):
    words = command_lines.command(draw)
    assert not room.broken_by(words), words


def test_the_campaign_finds_nothing_in_a_sample(room):
    assert not campaign.toml_outcome(room, 12, 1).failures
    for name, (number, failures) in {
        "configurations": campaign.configurations(150, 1),
        "observations": campaign.observations(60, 1),
        "calls": campaign.public_calls(250, 1),
        "methods": campaign.method_calls(120, 1),
    }.items():
        assert number > 50, name
        assert not failures, name


@pytest.mark.parametrize(
    "words",
    [
        ["train", "raises.py:World"],
        ["train", "syntax.py:World"],
        ["train", "good.py:__name__"],
        ["train", "no_such_module:Env-v0"],
        ["train", "note.txt:X"],
        ["train", "x" * 5000 + ".py:X"],
        ["train", "frozenlake", "-n", "64", "-o", "a\0b"],
        ["train", "frozenlake", "-n", "64", "-o", "\udcff"],
        ["train", "frozenlake", "--seeds", "1e18"],
        ["train", "frozenlake", "--seed", "9" * 5000],
        ["figure", " "],
        ["figure", "4.1", "--runs", "3"],
        ["figure", "ch²"],
        ["show", "no such agent"],
        ["evaluate", "9" * 5000],
        ["evaluate", "/dev/zero"],
        ["evaluate", "pipe"],
        ["inspect", "runs/odd-env"],
        ["resume", "runs/odd-plan"],
        ["resume", "runs/no-table"],
        ["compare", "runs/result"],
        ["compare", "runs/good", "-o", "pipe"],
        ["enjoy", "runs/good", "--gif", "runs/good"],
        ["enjoy", "runs/good", "--gif", "note.txt"],
    ],
)
def test_what_was_once_a_traceback_is_refused_in_one_line(room, words):
    answer = sandbox.run_command(words)
    assert (answer.code, answer.raised) == (2, "")
    assert answer.err.startswith("rlcourse: ")
    assert answer.err.count("\n") == 1
    assert len(answer.err) < sandbox.LONGEST


def test_the_watch_sees_what_is_written_where_and_sockets(tmp_path):
    import socket

    with sandbox.watch() as watched:
        (tmp_path / "a").write_text("x")
        (tmp_path / "a").read_text()
        (tmp_path / "b").mkdir()
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
    assert watched.written == {str(tmp_path / "a"), str(tmp_path / "b")}
    assert len(watched.sockets) == 1
    broken = sandbox.broken_promises(sandbox.Answer(2, "", "rlcourse: no\n", "", watched.written, [], 0.1), {}, {"b": (0, 0)}, [])
    assert len(broken) == 2  # left a folder, and wrote elsewhere


def test_training_opens_no_socket_and_writes_only_below_its_folder(room):
    for words in (["train", "frozenlake"], ["train", "CartPole-v1", "--algo", "dqn", "--hidden", "4"]):
        assert not room.broken_by([*words, "-n", "64", "--eval-episodes", "1", "-q", "-o", "some where"])


def test_no_source_listens_or_connects_and_processes_of_torchrun_meet_where_torchrun_says():
    """A listening socket would be one in `socket`, `http`, `asyncio` or a server of TensorBoard; there is none to bind anywhere."""
    forbidden = ("socket", "http", "asyncio", "xmlrpc", "urllib", "requests", "tensorboard", "socketserver")
    found = []
    for file in sorted((HERE.parent.parent / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found += [(file.name, name) for name in names if name.split(".")[0] in forbidden]
            if isinstance(node, ast.keyword | ast.arg) and (node.arg or "") in ("host", "bind", "address", "init_method", "master_addr"):
                found.append((file.name, node.arg))
    assert not found


@pytest.mark.parametrize("label", ["../../x", "..", "a/../b", "/etc", ".hidden", "x" * 300, "a\nb", "", "\u202eabc", "日本"])
def test_the_name_of_a_run_is_one_folder_below_out(label):
    from rlcourse.cli.outputs import safe_name

    name = safe_name(label)
    assert Path(name).name == name
    assert not name.startswith(".")
    assert 0 < len(name.encode()) <= 255


def test_a_config_may_not_name_a_file_that_came_with_the_run(room):
    folder = room.folder / "cwd" / "runs" / "good"
    (folder / "evil.py").write_text("raise SystemExit('it was run')\n")
    text = (folder / "config.toml").read_text()
    for env in ("evil.py:World", "runs/good/evil.py:World", f"{folder}/evil.py:World"):
        (folder / "config.toml").write_text(text.replace('env = "cliffwalk"', f'env = "{env}"'))
        answer = sandbox.run_command(["evaluate", str(folder)])
        assert (answer.code, answer.raised) == (2, "")
        assert "a file outside the run" in answer.err
    room.tidy()
