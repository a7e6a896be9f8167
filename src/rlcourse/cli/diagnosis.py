"""The page of `rlcourse doctor`: tables and sentences of what was measured."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table

__all__ = ["bottleneck", "duration", "rounded", "show"]

_NAMES = {"cpu": "CPU", "cuda": "GPU"}
_STAGES = {"environment": "the environment", "inference": "choosing actions and storing", "update": "the update"}


def rounded(number: float) -> str:
    """Return a measured number with two significant digits."""
    return f"{float(f'{number:.2g}'):,.0f}" if number >= 10 else f"{number:.2g}"


def duration(seconds: float) -> str:
    """Return a time in the unit that one would say, with two significant digits."""
    for unit, size in (("days", 172_800.0), ("hours", 7_200.0), ("min", 120.0)):
        if seconds >= size:
            return f"{rounded(seconds / (size / 2))} {unit}"
    return f"{rounded(seconds)} s"


def bottleneck(device: str, stages: tuple[float, float, float]) -> str:
    """Return in one sentence which stage of training on the host takes longest.

    Parameters
    ----------
    device : str
        Of the network.
    stages : tuple of float
        Seconds per step of environment, inference and update.
    """
    shares = dict(zip(_STAGES, (each / max(sum(stages), 1e-12) for each in stages), strict=True))
    first, *others = sorted(shares, key=lambda name: -shares[name])
    rest = ", ".join(f"{_STAGES[name]} {shares[name]:.0%}" for name in others)
    return f"{_STAGES[first]} takes {shares[first]:.0%} of the time with the network on the {_NAMES[device]} ({rest})"


def show(found: dict[str, Any], console: Console | None = None) -> None:
    """Print what `rlcourse.cli.doctor.diagnose` found."""
    console = console or Console(highlight=False)
    console.print(f"[bold]{found['algo']}[/] on [bold]{found['env']}[/], {found['copies']:,} copies")
    _section(console, "this machine", _machine(found["machine"]))
    steps = _table("steps/s")
    for name, speed in found["environment"].items():
        steps.add_row(name, rounded(speed))
    _section(console, "the environment, random actions", steps)
    for device, stages in found["stages"].items():
        table, whole = _table("steps/s alone", "share"), sum(stages.values())
        for name, seconds in stages.items():
            table.add_row(_STAGES[name], rounded(1 / seconds) if seconds > 0 else "-", f"{seconds / max(whole, 1e-12):.0%}")
        _section(console, f"stages of training, environment on the host, network on the {_NAMES[device]}", table)
    modes = _table("steps/s", f"{found['budget']:,} steps take")
    for name, speed in found["training"].items():
        modes.add_row(f"{name}{'  <- auto' if name == found['auto']['mode'] else ''}", rounded(speed), duration(found["seconds"][name]))
    _section(console, "training as a whole", modes)
    _section(console, "what to make of it", _verdict(found))


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=True, header_style="dim")
    table.add_column("", min_width=34)
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _section(console: Console, title: str, body: Table) -> None:
    console.print(f"\n[bold]{title}[/]")
    console.print(Padding(body, (0, 0, 0, 2)))


def _machine(has: dict[str, Any]) -> Table:
    table = Table.grid(padding=(0, 2))
    load = "" if has["load"] is None else f", load {has['load']:g} (a busy machine measures too little)" * (has["load"] > has["cores"] / 2)
    table.add_row("cores", f"{has['cores']} usable{load}")
    table.add_row("torch", f"{has['torch']}, {has['threads']} thread{'s' * (has['threads'] != 1)}")
    names = [f"{gpu['name']}, {gpu['bytes'] / 1e9:,.0f} GB" for gpu in has["gpus"]]
    table.add_row("GPU", "; ".join(names) or "none that torch can use")
    driver = "a driver is found" if has["driver"] else "no driver is found"
    table.add_row("numba-cuda", f"installed, {driver}" if has["numba_cuda"] else "not installed (pip install 'rlcourse\\[cuda]')")
    return table


def _verdict(found: dict[str, Any]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_row(
        "auto", f"takes the {_NAMES[found['auto']['device']]} ({found['auto']['mode']}): {found['auto']['because']}".replace("[", "\\[")
    )
    if found["why_not_gpu"]:
        table.add_row("why no GPU", found["why_not_gpu"].replace("[", "\\["))
    table.add_row("bottleneck", found["bottleneck"])
    for mode, reason in found["lacking"].items():
        if "CPU" in mode:  # on the GPU it is why not the GPU
            table.add_row("no program", reason.replace("[", "\\["))
    if (replay := found["replay"]) is not None:
        free = "" if replay["free"] is None else f"; {replay['free'] / 1e9:,.1f} GB are free"
        size = replay["bytes"]
        table.add_row("replay", f"a memory of {f'{size / 1e9:,.1f} GB' if size >= 1e9 else f'{size / 1e6:,.1f} MB'}{free}")
    return table
