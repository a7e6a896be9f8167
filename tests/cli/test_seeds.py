"""Several seeds of one command, and runs that a signal or an error ends."""

import json
import signal
import subprocess
from pathlib import Path

import pytest
from shell import ENDLESS, ENV, RLCOURSE, crowded, interrupted, train

from rlcourse.cli.main import main
from rlcourse.core import files
from rlcourse.core.files import read


def test_several_seeds_make_one_curve(tmp_path, capsys):
    assert main(["train", "cliffwalk", "-n", "5k", "--seeds", "2", "--jobs", "1", "--out", str(tmp_path)]) == 0
    assert "mean" in capsys.readouterr().out
    parent = next(tmp_path.glob("cliffwalk/*/*"))
    assert (parent / "curve.png").exists()
    assert len(list(parent.rglob("last.safetensors"))) == 2
    result = json.loads((parent / "result.json").read_text())
    assert [each["seed"] for each in result["seeds"].values()] == [0, 1]
    seed = max(file.parent for file in parent.glob("*/config.toml"))
    assert main(["resume", str(parent), "--verify"]) == 2
    assert capsys.readouterr().err == f"rlcourse: {parent} is a folder of seeds: name one of them, such as {seed}\n"
    (parent / "seeds.toml").unlink()
    assert main(["resume", str(parent)]) == 2
    error = " ".join(capsys.readouterr().err.split())
    assert f"{parent} holds runs, and no seeds.toml that says how they belong together: name one of them, such as {seed}" in error


def test_a_seed_that_was_killed_in_its_first_write_begins_anew_in_the_same_place(tmp_path):
    assert main(["train", "cliffwalk", "-n", "2k", "--seeds", "2", "--jobs", "1", "--out", str(tmp_path), "-q"]) == 0
    parent = next(tmp_path.glob("cliffwalk/*/*"))
    seed = next(parent.glob("*-seed1"))
    for path in sorted(seed.rglob("*"), reverse=True):
        if path.is_file() and path.name != "config.toml":
            path.unlink()
    ended = subprocess.Popen(["true"])
    ended.wait()
    (seed / "checkpoints" / f".rlcourse-{files._here()}-{ended.pid}-0123456789ab.tmp").write_bytes(b"half")
    assert main(["resume", str(parent), "-q"]) == 0
    assert len(list(parent.rglob("config.toml"))) == 2
    assert len(list(parent.rglob("last.safetensors"))) == 2


def test_seeds_that_share_a_process_are_trained_as_each_alone(tmp_path, capsys):
    words = ("cartpole", "-n", "1024", "--eval-every", "512", "--eval-episodes", "1")
    assert main(["train", *words, "--seeds", "3", "--seed", "4", "--out", str(tmp_path / "many"), "-q"]) == 0
    parent = Path(capsys.readouterr().out.split()[1])
    for seed in (4, 5, 6):
        alone, shared = train(tmp_path / str(seed), *words, "--seed", str(seed)), next(parent.glob(f"*-seed{seed}"))
        for table in ("episodes.csv", "evaluations.csv"):
            assert (alone / table).read_text() == (shared / table).read_text()


def test_a_seed_that_fails_keeps_its_traceback_and_its_exit_code(tmp_path):
    (tmp_path / "mine.py").write_text(ENDLESS)
    words = ["train", "mine.py:Broken", "-n", "100", "--seeds", "2"]
    done = subprocess.run([*RLCOURSE, *words], env=ENV, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.count("Traceback") == 2
    assert done.stderr.count("failed: ZeroDivisionError: the bug of the user") == 2
    result = json.loads(next(tmp_path.rglob("result.json")).read_text())
    assert result["failed"] == dict.fromkeys("01", "ZeroDivisionError: the bug of the user")
    assert result["seeds"] == {}
    assert "2 of 2 seeds failed; mend that, then go on with: rlcourse resume " in done.stdout


def test_ctrl_c_saves_every_seed(tmp_path):
    from rlcourse.cli.many import cores

    words = ["train", "cartpole", "-n", "100M", "--stop-at", "1000", "--eval-every", "512", "--eval-episodes", "1", "--seeds", "3"]
    running = min(3, cores())
    returned, _, error = interrupted(words, tmp_path, signal.SIGINT, after=1.0, file="best.safetensors", runs=running)
    assert returned == 130, error
    assert "every seed was saved" in error
    assert len(list(tmp_path.rglob("last.safetensors"))) >= running


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_in_the_middle_of_a_compiled_box_saves_and_ends_in_two_seconds(tmp_path, number, code):
    (tmp_path / "mine.py").write_text(ENDLESS)
    words = ["train", "mine.py:Endless", "-n", "1000000M", "--algo", "sarsa", "--gamma", "0.9"]
    returned, seconds, error = interrupted(words, tmp_path, number)
    assert returned == code, error
    assert seconds < crowded(3.0)  # two seconds to save, and one to end the process
    assert "rlcourse resume" in error
    arrays, metadata = read(next(tmp_path.rglob("last.safetensors")))
    assert arrays["Q"].any()
    assert metadata["state"]["num_timesteps"] > 1_000_000


def test_an_error_in_the_users_environment_keeps_its_traceback(tmp_path):
    (tmp_path / "mine.py").write_text(ENDLESS)
    words = ["train", "mine.py:Broken", "-n", "100"]
    done = subprocess.run([*RLCOURSE, *words], env=ENV, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert "the bug of the user" in done.stderr
    assert "mine.py" in done.stderr


@pytest.mark.parametrize(
    ("key", "value", "must"),
    [
        ("words", "3", "a list of texts, not 3"),
        ("words", '"cliffwalk"', "a list of texts, not 'cliffwalk'"),
        ("words", "[1]", "a list of texts"),
        ("seeds", '["0"]', "a list of whole numbers from 0"),
        ("seeds", "[]", "a list of whole numbers from 0"),
        ("seeds", "[-1]", "a list of whole numbers from 0"),
        ("algo", "1", "a text, not 1"),
        ("label", "2", "a text, not 2"),
    ],
)
def test_a_seeds_toml_with_something_else_says_what_it_must_be(tmp_path, capsys, key, value, must):
    held = {"env": '"cliffwalk"', "algo": '"Sarsa"', "seeds": "[0]", "words": '["cliffwalk"]'} | {key: value}
    (tmp_path / "seeds.toml").write_text("\n".join(f"{name} = {text}" for name, text in held.items()))
    assert main(["resume", str(tmp_path)]) == 2
    assert f"seeds.toml is damaged: {key} must be {must}" in (error := capsys.readouterr().err)
    assert error.count("\n") == 1
