"""`rlcourse inspect`: pictures of what a run's network has learned, and the numbers behind them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rlcourse.cli.options import Parser, count, natural
from rlcourse.cli.outputs import folder_to_write, require_room, writing
from rlcourse.cli.targets import find_agent, find_environment
from rlcourse.cli.usage import UsageError, printable

__all__ = ["KINDS", "inspect"]

KINDS = ("filters", "maps", "codes", "saliency", "hidden")


def inspect(argv: Sequence[str]) -> int:
    """Look into a saved agent; see ``rlcourse inspect --help``."""
    parser = Parser(prog="rlcourse inspect", description="Pictures of what a deep agent's network has learned, into the run's folder.")
    parser.add_argument("run", help="run folder (its best checkpoint), agent file, or latest")
    parser.add_argument("--only", metavar="KINDS", help=f"some of {','.join(KINDS)} [all that apply]")
    parser.add_argument("--env", help="another environment than it was trained in")
    parser.add_argument("--last", action="store_true", help="the last checkpoint instead of the best")
    parser.add_argument("--steps", type=count, default=200, metavar="N", help="steps of each of 16 copies that are looked at [200]")
    parser.add_argument("--seed", type=natural, default=0, metavar="N", help="seed of the episodes [0]")
    parser.add_argument("--out", "-o", metavar="DIR", help="folder for the pictures [inspect/ in the run's folder]")
    parser.add_argument("--json", action="store_true", help="print one JSON object with the numbers")
    parsed = parser.parse(argv)
    asked = parsed.only.split(",") if parsed.only else list(KINDS)
    for kind in asked:
        if kind not in KINDS:
            raise UsageError(f"--only: {kind!r} is none of {', '.join(KINDS)}")
    agent, target, file = find_agent(parsed.run, "last" if parsed.last else "best", parsed.env, "name one with --env")
    target = find_environment(parsed.env) if parsed.env else target
    folder, place = (found := _folder(parsed.out, file)), found.absolute()  # the environment may change the working folder
    require_room("--out", folder)
    from rlcourse.inspection import play

    try:
        played = play(agent, target.env if target else agent.env, parsed.steps, seed=parsed.seed)
    except ValueError as error:
        raise UsageError(str(error)) from error
    with writing("--out", folder):
        place.mkdir(parents=True, exist_ok=True)
    label = f"{type(agent).__name__} on {target.text if target else file.name}"
    numbers: dict[str, Any] = {"file": str(file), "folder": str(folder)}
    if not parsed.json:
        print(f"{label}, {printable(str(file))}\npictures in {printable(str(folder))}")
    for kind in asked:
        try:
            with writing("--out", folder):
                numbers[kind] = _LOOKS[kind](played, place, label)
        except ValueError as error:
            numbers[kind] = {"without": str(error)}
        if not parsed.json:
            _tell(kind, numbers[kind])
    if parsed.json:
        print(json.dumps(_plain(numbers)))
    return 0


def _folder(out: str | None, file: Path) -> Path:
    """Return the folder for the pictures: that of --out, or inspect/ in the run's."""
    if out is not None:
        return folder_to_write("--out", out)
    return (file.parent if file.parent.name != "checkpoints" else file.parent.parent) / "inspect"


def _filters(played: Any, folder: Path, label: str) -> dict[str, Any]:
    from rlcourse.inspection import first_weights
    from rlcourse.plotting.inspection import draw_filters, draw_weights

    kind, weights = first_weights(played.network)
    if kind == "filters":
        units, channels, height, width = weights.shape
        draw_filters(folder / "filters.png", f"{label}\nfirst layer: {units} filters of {height} x {width} x {channels}", weights)
    else:
        draw_weights(folder / "filters.png", f"{label}\nweights of the first layer", weights)
    return {"picture": "filters.png", "kind": kind, "shape": list(weights.shape)}


def _maps(played: Any, folder: Path, label: str) -> dict[str, Any]:
    from rlcourse.inspection import feature_maps
    from rlcourse.plotting.inspection import draw_maps

    network = played.network
    t = played.middle()[1]
    x = played.observations[t, :1]
    layers = feature_maps(network, x) if network.image else []
    if not layers:
        raise ValueError("its encoder has no convolutions over one image, and so no maps")
    draw_maps(
        folder / "maps.png", f"{label}\nan observation, and what each layer makes of it", network.pictures(x)[0].cpu().numpy(), layers
    )
    silent = {layer.name: float((layer.maps.max(axis=(1, 2)) <= 0).mean()) for layer in layers}
    return {"picture": "maps.png", "layers": [layer.name for layer in layers], "share of silent maps": silent}


def _codes(played: Any, folder: Path, label: str) -> dict[str, Any]:
    from rlcourse.inspection import codes
    from rlcourse.plotting.inspection import draw_codes

    found = codes(played)
    source = "memory" if played.network.memory is not None else "encoder"
    draw_codes(folder / "codes.png", f"{label}\nfeatures of the {source}, {len(found.points):,} observations", found)
    return {
        "picture": "codes.png",
        "explained variance": found.explained.tolist(),
        "R2 of the value, linear in the features": found.value_r2,
    }


def _saliency(played: Any, folder: Path, label: str) -> dict[str, Any]:
    from rlcourse.inspection import mass_within, saliency
    from rlcourse.plotting.inspection import draw_saliency

    moments = (
        [(t, copy) for copy in range(2) for t in played.middle(copy)] if played.starts.shape[1] > 1 else [(t, 0) for t in played.middle()]
    )
    found = saliency(played, moments)
    draw_saliency(
        folder / "saliency.png", f"{label}\nwhat the value (gradient) and the {played.network.kind} (perturbation) depend on", found
    )
    numbers: dict[str, Any] = {
        "picture": "saliency.png",
        "rank correlation with weights drawn anew": found.correlations,
    }
    if found.boxes:
        shares = {name: mass_within(getattr(found, name), found.boxes) for name in ("gradient", "perturbation")}
        numbers["share of mass within 2 pixels of what matters"] = {name: share[0] for name, share in shares.items()}
        numbers["share of the area"] = shares["gradient"][1]
    return numbers


def _hidden(played: Any, folder: Path, label: str) -> dict[str, Any]:
    from rlcourse.inspection import gates, probe
    from rlcourse.plotting.inspection import draw_memory, draw_probe

    if played.network.memory is None:
        raise ValueError("it has no memory")
    import numpy as np

    traces = np.stack([after[0][-1, 0].cpu().numpy() for after in played.after])
    shares = gates(played)
    draw_memory(
        folder / "hidden.png", f"{label}\nthe memory over time" + (", and its gates" if shares else ""), traces, played.starts[:, 0], shares
    )
    numbers: dict[str, Any] = {"picture": "hidden.png"}
    if shares:
        open_or_shut = {name: each.mean(0).tolist() for name, each in shares.items()}
        numbers["gates"] = {name: {"below 0.1": shut, "above 0.9": wide} for name, (shut, wide) in open_or_shut.items()}
    try:
        probes = probe(played)
    except ValueError as error:
        return numbers | {"probe": {"without": str(error)}}
    draw_probe(folder / "probe.png", f"{label}\nwhat a linear probe reads", probes)
    return numbers | {
        "probe": {each.name: {"measure": each.measure, "memory": each.memory, "observation": each.observation} for each in probes}
    }


_LOOKS: dict[str, Callable[[Any, Path, str], dict[str, Any]]] = {
    "filters": _filters,
    "maps": _maps,
    "codes": _codes,
    "saliency": _saliency,
    "hidden": _hidden,
}


def _tell(kind: str, numbers: dict[str, Any]) -> None:
    """Print the numbers of one kind, a line each."""
    if "without" in numbers:
        print(f"{kind}: {numbers['without']}")
        return
    print(f"{kind}: {numbers['picture']}")
    for name, value in numbers.items():
        if name != "picture":
            print(f"  {name}: {_text(value)}")


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{name} {_text(part)}" for name, part in value.items())
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    if isinstance(value, float):
        return f"{value:.3f}" if math.isfinite(value) else "undefined"
    return str(value)


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: null for what is no number."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
