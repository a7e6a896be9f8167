"""`rlcourse pretrain`: an autoencoder or a classifier, from observations that were gathered by play."""

from __future__ import annotations

import csv
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import tomli_w
from rich.console import Console

from rlcourse.cli.folder import RunFolder
from rlcourse.cli.options import Parser, count, finite, natural
from rlcourse.cli.outputs import held, working_folder
from rlcourse.cli.signals import number_of
from rlcourse.cli.targets import Target, agent_class, agent_name, default_algo, find_agent, find_environment
from rlcourse.cli.usage import UsageError
from rlcourse.cli.word_vectors import pretrain_words
from rlcourse.core.files import write_bytes

__all__ = ["KINDS", "pretrain"]

KINDS = {"dense": "ae-dense", "conv": "ae-conv", "denoising": "ae-denoising", "sparse": "ae-sparse", "classifier": "auto"}  # encoders
WORDS = "skip-gram"  # the kind that has no encoder, only the vectors of an encoder's tables
MOST_CLASSES = 256
SHOWN = 12  # images in a picture


def pretrain(argv: Sequence[str]) -> int:
    """Pre-train an encoder; see ``rlcourse pretrain --help``."""
    here, parsed = working_folder(), _parse(argv)
    target = find_environment(parsed.env)
    console = Console(highlight=False, quiet=parsed.quiet)
    if parsed.kind == WORDS:
        return pretrain_words(parsed, argv, target, console, here)
    try:
        frames, labels = _frames(parsed, target, console)
        model = _model(parsed, frames, labels)
    except ValueError as error:
        raise UsageError(str(error)) from error
    folder = RunFolder.create(held(parsed.out, here), target.label, f"pretrain-{parsed.kind}", parsed.seed, checkpoints=False).named
    settings = {name: value for name, value in vars(parsed).items() if value is not None and name not in ("quiet", "out")}
    settings |= {"command": f"rlcourse pretrain {shlex.join(argv)}", "observations": len(frames.observations)}
    write_bytes(folder / "pretraining.toml", tomli_w.dumps(settings).encode())
    console.print(
        f"[bold]{parsed.kind}[/] with encoder [bold]{model.name}[/] on {len(frames.observations):,} observations -> {folder}",
        soft_wrap=True,
    )
    epochs: list[Any] = []
    started, stopped = time.perf_counter(), 0
    try:
        _fit(parsed, model, frames, labels, lambda epoch: _note(epoch, epochs, console, folder))
    except KeyboardInterrupt as stop:
        stopped = number_of(stop)
    file = model.save(folder / "encoder.safetensors", settings)
    if epochs:
        _draw(folder, model, frames, epochs, parsed.kind)
    if stopped:
        print(f"\nrlcourse: interrupted after {len(epochs)} epochs; what was learned is in {file}", file=sys.stderr)
        return 128 + stopped
    _tell(console, parsed, target, model, file, time.perf_counter() - started)
    if parsed.quiet:
        print(f"{epochs[-1].test:.5f} {file}")
    return 0


def _parse(argv: Sequence[str]) -> Any:
    parser = Parser(prog="rlcourse pretrain", description="Train an encoder without rewards, for rlcourse train --encoder-from.")
    parser.add_argument("env", help="preset (rlcourse list presets), Gymnasium id, or file.py:Class")
    parser.add_argument(
        "--kind", choices=[*KINDS, WORDS], help="autoencoder, classifier or word vectors [conv for images, dense for others]"
    )
    parser.add_argument("--encoder", metavar="NAME", help=f"any encoder [{', '.join(f'{k}: {e}' for k, e in KINDS.items())}]")
    parser.add_argument("--frames", type=count, default=10_000, metavar="N", help="observations to gather [10000]")
    parser.add_argument("--from", dest="policy", metavar="RUN", help="gather them by the policy of a run [random play]")
    parser.add_argument("--data", metavar="FILE", help=".npz file with `observations` (and `labels`), instead of playing")
    parser.add_argument("--label", type=natural, metavar="I", help="classifier: the number of the state's coordinate to tell [0]")
    parser.add_argument("--vector-size", type=count, metavar="N", help="skip-gram: numbers of a vector [32 of tokens, 16 of states]")
    parser.add_argument("--window", type=count, metavar="N", help="skip-gram: tokens to each side, or steps before and after [5]")
    parser.add_argument("--epochs", type=count, default=20, metavar="N", help="passes over them; of sparse: 20 iterations each [20]")
    parser.add_argument("--batch-size", type=count, default=100, metavar="N", help="observations per gradient step [100]")
    parser.add_argument("--learning-rate", "--lr", type=finite, default=1e-3, metavar="X", help="Adam's [0.001]")
    parser.add_argument("--noise", type=finite, metavar="X", help="deviation of the noise that a denoising autoencoder undoes [0.5]")
    parser.add_argument("--seed", type=natural, default=0, metavar="N", help="seed of everything random [0]")
    parser.add_argument("--out", "-o", default="runs", metavar="DIR", help="folder for runs [runs]")
    parser.add_argument("--quiet", "-q", action="store_true", help="print only the result")
    parsed = parser.parse(argv)
    if parsed.learning_rate <= 0:
        raise UsageError(f"--learning-rate must be above 0, not {parsed.learning_rate:g}")
    if parsed.frames < 2:
        raise UsageError("--frames must be at least 2: one to learn from and one to test with")
    for flag, kind in (("label", "classifier"), ("noise", "denoising"), ("vector_size", WORDS), ("window", WORDS)):
        if getattr(parsed, flag) is not None and parsed.kind != kind:
            raise UsageError(f"--{flag.replace('_', '-')} belongs to --kind {kind}")
    if parsed.kind == WORDS and (parsed.encoder or parsed.data):
        raise UsageError(f"--kind {WORDS} takes no --encoder and no --data: it learns vectors of what the environment shows")
    if parsed.policy and parsed.data:
        raise UsageError("--from and --data: observations come from one or the other")
    return parsed


def _frames(parsed: Any, target: Target, console: Console) -> tuple[Any, np.ndarray | None]:
    """Return the observations, and the labels of a classifier; fill in the kind that was not named."""
    from rlcourse.encoders.images import image_size
    from rlcourse.pretraining import gather

    if parsed.data:
        frames, labels = _from_file(parsed, target)
    else:
        agent = find_agent(parsed.policy)[0] if parsed.policy else None
        console.print(f"gathering {parsed.frames:,} observations of {target.text}, {'by ' + parsed.policy if agent else 'by random play'}")
        frames, labels = gather(target.env, parsed.frames, parsed.seed, agent), None
    if parsed.kind is None:
        parsed.kind = "conv" if image_size(frames.space) else "dense"
    if parsed.kind == "denoising" and parsed.noise is None:
        parsed.noise = 0.5
    if parsed.kind != "classifier":
        return frames, None
    return frames, _labels(parsed, target, frames) if labels is None else labels


def _from_file(parsed: Any, target: Target) -> tuple[Any, np.ndarray | None]:
    """Return what an .npz file holds, in random order."""
    from rlcourse.pretraining import Frames

    try:
        with np.load(parsed.data, allow_pickle=False) as file:
            data = {name: file[name] for name in ("observations", "labels") if name in file}
    except (BadZipFile, EOFError, OSError, TypeError, ValueError) as error:  # TypeError: an .npy file is an array
        raise UsageError(f"--data: {parsed.data!r} is no .npz file that can be read ({error})") from error
    space = target.make().observation_space
    if "observations" not in data or ("labels" not in data and parsed.kind == "classifier"):
        raise UsageError(f"--data: {parsed.data!r} must hold an array `observations`, and for a classifier `labels`")
    if data["observations"].shape[1:] != space.shape:
        raise UsageError(f"--data: its observations are of shape {data['observations'].shape[1:]}, those of {parsed.env} of {space.shape}")
    labels = data["labels"] if parsed.kind == "classifier" else None
    number = len(data["observations"])
    if labels is not None and (labels.shape != (number,) or labels.dtype.kind not in "iu" or labels.min(initial=0) < 0):
        raise UsageError("--data: labels must be whole numbers from 0, one for each observation")
    if labels is not None and labels.max(initial=0) >= MOST_CLASSES:
        raise UsageError(f"--data: a classifier takes at most {MOST_CLASSES} classes, so that labels are at most {MOST_CLASSES - 1}")
    order = np.random.default_rng(parsed.seed).permutation(number)
    observations = _as_seen(data["observations"], space)[order]
    labels = None if labels is None else labels[order]
    return Frames(observations, None, space), labels


def _as_seen(observations: np.ndarray, space: Any) -> np.ndarray:
    """Return observations in the type of a space; raises UsageError where it cannot hold them."""
    if len(observations) < 2:
        raise UsageError(f"--data: observations must be at least 2, one to learn from and one to test with, not {len(observations)}")
    if observations.dtype.kind not in "biuf" or not np.isfinite(observations).all():
        raise UsageError("--data: observations must be finite numbers")
    with np.errstate(invalid="ignore"):
        seen = observations.astype(space.dtype)
    if seen.dtype.kind != "f" and not np.array_equal(seen, observations):
        raise UsageError(f"--data: observations of type {observations.dtype} are no {space.dtype}: save them as the environment shows them")
    return seen


def _labels(parsed: Any, target: Target, frames: Any) -> np.ndarray:
    """Return a coordinate of the world's state as labels from 0."""
    coordinate = parsed.label or 0
    if frames.states is None:
        raise UsageError(f"--kind classifier: {target.text} is no world that tells its state; give labels with --data FILE.npz")
    states = frames.states.reshape(len(frames.states), -1)
    if coordinate >= states.shape[1]:
        raise UsageError(f"--label: the state of {target.text} has coordinates 0 to {states.shape[1] - 1}, not {coordinate}")
    values, labels = np.unique(states[:, coordinate], return_inverse=True)
    if len(values) > MOST_CLASSES:
        raise UsageError(
            f"--label: coordinate {coordinate} has {len(values):,} values; a classifier takes at most {MOST_CLASSES}: take another"
        )
    if len(values) < 2:
        raise UsageError(f"--label: coordinate {coordinate} has only one value: take another")
    return labels


def _model(parsed: Any, frames: Any, labels: np.ndarray | None) -> Any:
    from rlcourse.pretraining import Autoencoder, Classifier

    name = parsed.encoder or KINDS[parsed.kind]
    parsed.encoder = name
    if (parsed.kind == "sparse") != name.startswith("ae-sparse"):
        raise UsageError(f"--encoder: the kind 'sparse' has the encoder 'ae-sparse' and no other kind has it, not {name!r}")
    model: Any = Autoencoder(frames.space, name, parsed.noise or 0.0, parsed.seed) if labels is None else None
    if labels is not None:
        model = Classifier(frames.space, name, int(labels.max()) + 1, parsed.seed)
    if not list(model.encoder.parameters()):
        raise UsageError(f"--encoder: {name!r} has nothing to learn in {frames.space}; name another, for example mlp")
    return model


def _fit(parsed: Any, model: Any, frames: Any, labels: np.ndarray | None, callback: Any) -> None:
    from rlcourse.pretraining import fit, fit_sparse

    if parsed.kind == "sparse":
        fit_sparse(model, frames.observations, iterations=20 * parsed.epochs, seed=parsed.seed, callback=callback)
        return
    options = {"epochs": parsed.epochs, "batch_size": parsed.batch_size, "learning_rate": parsed.learning_rate, "seed": parsed.seed}
    fit(model, frames.observations, labels, callback=callback, **options)


def _note(epoch: Any, epochs: list[Any], console: Console, folder: Path) -> None:
    """Print a row of the loss table, and append it to losses.csv."""
    if not epochs:
        console.print("  epoch   loss while learning   loss held out" + ("" if epoch.accuracy is None else "   accuracy"))
    epochs.append(epoch)
    accuracy = "" if epoch.accuracy is None else f"{epoch.accuracy:>11.4f}"
    console.print(f"  {epoch.number:>5}   {epoch.train:>19.5f}   {epoch.test:>13.5f}{accuracy}")
    with (folder / "losses.csv").open("a", newline="") as file:
        writer = csv.writer(file)
        if epoch.number == 1:
            writer.writerow(["epoch", "train", "test"] + ([] if epoch.accuracy is None else ["accuracy"]))
        writer.writerow([number for number in epoch if number is not None])


def _draw(folder: Path, model: Any, frames: Any, epochs: list[Any], kind: str) -> None:
    from rlcourse.plotting.pretraining import loss_curve, reconstructions
    from rlcourse.pretraining.fitting import held_out
    from rlcourse.pretraining.pictures import rows_of

    title = f"{kind}, encoder {model.name}"
    loss_curve(folder / "curve.png", f"{title}: loss", epochs)
    if kind != "classifier":
        last = frames.observations[-held_out(len(frames.observations)) :]
        most = SHOWN if model.image else 300
        shown = last[np.linspace(0, len(last) - 1, min(most, len(last))).astype(int)]
        reconstructions(folder / "reconstructions.png", f"{title}: held-out observations", rows_of(model, shown))


def _tell(console: Console, parsed: Any, target: Target, model: Any, file: Path, seconds: float) -> None:
    """Say what was written and how to use it."""
    weights = sum(parameter.numel() for parameter in model.encoder.parameters())
    pictures = "curve.png" if parsed.kind == "classifier" else "curve.png, reconstructions.png"
    console.print(f"{weights:,} weights in the encoder, {model.encoder.features_dim} features, {seconds:.1f} s")
    console.print(f"{file.parent}: encoder.safetensors, {pictures}, losses.csv, pretraining.toml", soft_wrap=True)
    deep = hasattr(agent_class(agent_name(default_algo(target))).Config, "encoder")
    words = ["rlcourse", "train", target.text, *([] if deep else ["--algo", "dqn"]), "--encoder", model.name]
    use = shlex.join([*words, "--encoder-mode", "frozen", "--encoder-from", str(file)])
    console.print(f"use it: {use}", soft_wrap=True)
