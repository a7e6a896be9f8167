"""`rlcourse pretrain`: what it writes, what it refuses, and Ctrl-C."""

import csv
import shlex
import signal
import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from shell import interrupted

from rlcourse.cli.main import main
from rlcourse.encoders.files import stored
from rlcourse.pretraining import Autoencoder, Classifier, load

CATCH = "rlcourse/PixelCatch-v0"


def folder(tmp_path: Path) -> Path:
    return max(tmp_path.rglob("pretraining.toml"), key=lambda path: path.stat().st_mtime).parent


def test_an_autoencoder_has_its_folder_and_its_encoder_can_be_read(tmp_path, capsys):
    words = ["pretrain", CATCH, "--kind", "denoising", "--frames", "120", "--epochs", "2", "--seed", "3", "--out", str(tmp_path)]
    assert main(words) == 0
    out = capsys.readouterr().out
    run = folder(tmp_path)
    assert run.parent.name == "pretrain-denoising"
    assert run.name.endswith("-seed3")
    names = {path.name for path in run.iterdir()}
    assert names == {"encoder.safetensors", "curve.png", "reconstructions.png", "losses.csv", "pretraining.toml"}
    assert f"--encoder ae-denoising --encoder-mode frozen --encoder-from {run / 'encoder.safetensors'}" in out
    with (run / "losses.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert f"{float(rows[1]['test']):.5f}" in out
    settings = tomllib.loads((run / "pretraining.toml").read_text())
    assert (settings["noise"], settings["observations"], settings["seed"]) == (0.5, 120, 3)
    assert isinstance(load(run / "encoder.safetensors"), Autoencoder)
    assert stored(run / "encoder.safetensors").name == "ae-denoising"
    assert np.asarray(Image.open(run / "reconstructions.png").convert("L")).std() > 20


def test_a_classifier_tells_a_coordinate_of_the_state_or_labels_of_a_file(tmp_path, capsys):
    words = ["pretrain", CATCH, "--kind", "classifier", "--encoder", "minatar:16", "--epochs", "1", "--out", str(tmp_path), "-q"]
    assert main([*words, "--frames", "100", "--label", "2"]) == 0
    loss, file = capsys.readouterr().out.split()
    assert float(loss) > 0
    assert isinstance(load(file), Classifier)
    assert load(file).classes == 5, "columns of the paddle"
    images, labels = np.random.default_rng(0).integers(0, 255, (30, 28, 28, 1)), np.arange(30) % 3
    np.savez(tmp_path / "d.npz", observations=images.astype(np.uint8), labels=labels)
    assert main([*words, "--data", str(tmp_path / "d.npz")]) == 0
    assert load(capsys.readouterr().out.split()[1]).classes == 3


def test_the_kind_follows_from_what_is_seen_and_frames_may_come_from_a_run(tmp_path, capsys):
    assert main(["pretrain", "CartPole-v1", "--frames", "200", "--epochs", "1", "--out", str(tmp_path), "-q"]) == 0
    assert folder(tmp_path).parent.name == "pretrain-dense"
    assert main(["train", "CartPole-v1", "--algo", "dqn", "-n", "60", "--eval-episodes", "1", "--out", str(tmp_path), "-q"]) == 0
    run = max(tmp_path.rglob("config.toml")).parent
    assert main(["pretrain", "CartPole-v1", "--from", str(run), "--frames", "50", "--epochs", "1", "--out", str(tmp_path)]) == 0
    assert f"by {run}" in capsys.readouterr().out.replace("\n", "")


@pytest.mark.parametrize("env", ["rlcourse/FourRooms-v0", "fourrooms"])
def test_where_a_table_is_the_default_the_command_that_it_proposes_names_a_deep_agent(env, tmp_path, capsys):
    assert main(["pretrain", env, "--frames", "50", "--epochs", "1", "--out", str(tmp_path / "my runs")]) == 0
    proposed = shlex.split(capsys.readouterr().out.split("use it: rlcourse ")[1])
    assert proposed[:4] == ["train", env, "--algo", "dqn"]
    assert main([*proposed, "-n", "20", "--eval-episodes", "1", "--out", str(tmp_path), "-q"]) == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nonsense"], "unknown environment"),
        (["CartPole-v1", "--kind", "conv"], "needs images"),
        (["CartPole-v1", "--kind", "classifier"], "takes at most 256"),
        (["CartPole-v1", "--kind", "classifier", "--label", "4"], "coordinates 0 to 3"),
        (["CartPole-v1", "--kind", "dense", "--label", "1"], "--label belongs to --kind classifier"),
        ([CATCH, "--kind", "conv", "--noise", "0.1"], "--noise belongs to --kind denoising"),
        ([CATCH, "--kind", "sparse", "--encoder", "minatar"], "ae-sparse"),
        ([CATCH, "--kind", "classifier", "--label", "3"], "only one value"),
        ([CATCH, "--encoder", "minitar"], "did you mean 'minatar'"),
        ([CATCH, "--encoder", "flatten", "--kind", "dense"], "nothing to learn"),
        ([CATCH, "--data", "missing.npz"], "no .npz file"),
        ([CATCH, "--data", "a", "--from", "b"], "one or the other"),
        ([CATCH, "--from", "missing"], "no run or agent file"),
        ([CATCH, "--lr", "0"], "above 0"),
        ([CATCH, "--frames", "1"], "--frames must be at least 2"),
        ([CATCH, "--framse", "10"], "did you mean '--frames'"),
    ],
)
def test_wrong_usage_is_one_sentence(words, sentence, capsys, tmp_path):
    assert main(["pretrain", *words, *([] if {"--framse", "--frames"} & {*words} else ["--frames", "300"]), "--out", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir()), "nothing is written"


IMAGES = np.zeros((20, 28, 28, 1), np.uint8)


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"pictures": IMAGES}, "must hold an array `observations`"),
        ({"observations": IMAGES[:, 1:]}, "of shape (27, 28, 1)"),
        ({"observations": IMAGES[:1]}, "observations must be at least 2"),
        ({"observations": IMAGES / 255 + 0.5}, "of type float64 are no uint8"),
        ({"observations": IMAGES + np.nan}, "must be finite numbers"),
        ({"observations": IMAGES, "labels": np.arange(7)}, "one for each observation"),
        ({"observations": IMAGES, "labels": np.arange(20) - 1}, "whole numbers from 0"),
        ({"observations": IMAGES, "labels": np.arange(20) * 1000}, "at most 256 classes"),
        (None, "no .npz file"),
    ],
)
def test_a_file_of_wrong_observations_is_one_sentence(arrays, sentence, capsys, tmp_path):
    file = tmp_path / "data.npz"
    if arrays is None:
        file.write_bytes(b"PK\x03\x04 cut off")
    else:
        np.savez(file, **arrays)
    kind = "classifier" if arrays is not None and "labels" in arrays else "conv"
    assert main(["pretrain", CATCH, "--data", str(file), "--kind", kind, "--encoder", "ae-conv", "--out", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1


def test_ctrl_c_saves_what_was_learned(tmp_path):
    words = ["pretrain", CATCH, "--kind", "dense", "--frames", "2000", "--epochs", "100000", "--out", str(tmp_path)]
    code, seconds, error = interrupted(words, tmp_path, signal.SIGINT, after=2.0, file="losses.csv")
    assert (code, seconds < 20) == (130, True)
    assert "interrupted after" in error
    assert load(folder(tmp_path) / "encoder.safetensors").name == "ae-dense"
