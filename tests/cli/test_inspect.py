"""`rlcourse inspect`: pictures into the run's folder, numbers, and what does not apply in one sentence."""

import json

import numpy as np
import pytest
from PIL import Image
from shell import train

from rlcourse.cli.main import main

SMALL = ["--n-envs", "2", "--n-steps", "16", "--batch-size", "16", "--eval-episodes", "1"]


@pytest.fixture(scope="module")
def catch(tmp_path_factory):
    words = ["rlcourse/PixelCatch-v0", "--algo", "ppo", "--encoder", "notes-mnist:16", "-n", "64", *SMALL]
    return train(tmp_path_factory.mktemp("runs"), *words)


def test_a_run_that_sees_images(catch, capsys):
    assert main(["inspect", str(catch), "--steps", "12"]) == 0
    out = capsys.readouterr().out
    pictures = {path.name: Image.open(path) for path in (catch / "inspect").iterdir()}
    assert set(pictures) == {"filters.png", "maps.png", "codes.png", "saliency.png"}
    assert all(np.asarray(picture.convert("L")).std() > 5 for picture in pictures.values())
    assert "hidden: it has no memory" in out
    assert "share of mass within 2 pixels" in out
    assert "rank correlation with weights drawn anew" in out


def test_numbers_as_json_of_some_kinds_only(catch, capsys, tmp_path):
    assert main(["inspect", str(catch), "--steps", "12", "--only", "filters,hidden", "--json", "--out", str(tmp_path / "p")]) == 0
    numbers = json.loads(capsys.readouterr().out)
    assert set(numbers) == {"file", "folder", "filters", "hidden"}
    assert numbers["filters"]["shape"] == [16, 1, 5, 5]
    assert numbers["hidden"] == {"without": "it has no memory"}
    assert [path.name for path in (tmp_path / "p").iterdir()] == ["filters.png"]


def test_a_run_with_memory_of_a_masked_world(tmp_path, capsys):
    run = train(tmp_path, "maskedcartpole", "-n", "64", "--memory-size", "8", *SMALL)
    capsys.readouterr()
    assert main(["inspect", str(run), "--steps", "20", "--json"]) == 0
    numbers = json.loads(capsys.readouterr().out)
    assert set(numbers["hidden"]["probe"]) == {f"state {i}" for i in range(4)}
    assert set(numbers["hidden"]["gates"]) == {"input", "forget", "output"}
    assert "no convolutions" in numbers["maps"]["without"]
    assert {path.name for path in (run / "inspect").iterdir()} == {"filters.png", "codes.png", "saliency.png", "hidden.png", "probe.png"}


def test_an_attention_memory_has_no_line_of_gates(tmp_path, capsys):
    run = train(tmp_path, "maskedcartpole", "-n", "64", "--memory", "attention:4", "--memory-size", "8", *SMALL)
    capsys.readouterr()
    assert main(["inspect", str(run), "--steps", "20", "--only", "hidden"]) == 0
    out = capsys.readouterr().out
    assert "hidden: hidden.png" in out
    assert "gates" not in out


def test_wrong_usage_is_one_sentence(catch, tmp_path, capsys):
    tabular = train(tmp_path, "cliffwalk", "-n", "2k")
    capsys.readouterr()
    for words, sentence in [
        ([str(tabular)], "has no network"),
        ([str(catch), "--only", "filter"], "'filter' is none of"),
        (["missing"], "no run or agent file"),
        ([str(catch), "--out", str(tabular / "config.toml" / "x")], "--out: cannot write"),
        ([str(catch), "--env", "CartPole-v1"], "observation has shape"),
    ]:
        assert main(["inspect", *words, "--steps", "12"]) == 2, words
        error = capsys.readouterr().err
        assert sentence in error
        assert error.count("\n") == 1
