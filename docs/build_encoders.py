"""The generated parts of docs/encoders.md: the chart of all encoders, and the table with their parameter counts.

    python docs/build_encoders.py            # rewrite docs/images/encoders.png and the block between the markers
    python docs/build_encoders.py --check    # exit with 3 where one is out of date

Both are made from the modules themselves: each is built, an observation is passed through, and every layer tells what it puts out.
"""

from __future__ import annotations

import math
import re
import sys
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from PIL import Image
from torch import nn

from rlcourse import encoders
from rlcourse.figures.style import COLORS, GREY, INK
from rlcourse.wrappers import Window

PAGE = Path(__file__).resolve().parent / "encoders.md"
CHART = PAGE.parent / "images/encoders.png"
LETTERS = spaces.Text(20, charset="abcdefghijklmnopqrstuvwxyz ")
CATEGORIES = spaces.Box(0, np.full((7, 7, 3), [10, 5, 3], np.uint8), dtype=np.uint8)  # MiniGrid's view
ROWS = (  # group, then name, observation, source; rows of few layers share a line where `beside` says so
    ("Networks of the course notes", "notes-mnist", (28, 28, 1), "digits"),
    ("", "notes-cifar", (32, 32, 3), "CIFAR-10"),
    ("", "notes-cifar-bn", (24, 24, 3), "CIFAR-10 at 24 × 24"),
    ("", "deep-mnist", (28, 28, 1), "EZGAN's discriminator"),
    ("", "cs231n:2,2,1", (32, 32, 3), "the cs231n notes' pattern"),
    ("", "dcgan-d", (28, 28, 3), "discriminator of faces"),
    ("beside", "dcgan-svhn-d", (32, 32, 3), "of house numbers"),
    ("Networks of the literature", "lenet5", (28, 28, 1), "LeCun et al. 1998"),
    ("", "nature", (84, 84, 4), "Mnih et al. 2015"),
    ("", "impala", (64, 64, 3), "Espeholt et al. 2018"),
    ("", "minatar", (10, 10, 4), "Young & Tian 2019"),
    ("beside", "torch-ac", (7, 7, 3), "Willems, for MiniGrid"),
    ("", "minigrid", CATEGORIES, "of categories, for MiniGrid"),
    ("First halves of autoencoders", "ae-conv", (28, 28, 1), "convolutional"),
    ("", "ae-denoising", (28, 28, 1), "convolutional, wider"),
    ("", "ae-dense", (28, 28, 1), "dense"),
    ("beside", "ae-sparse", (28, 28, 1), "sparse, of patches"),
    ("Numbers and text", "mlp", spaces.Box(-1, 1, (4,)), "of 4 numbers"),
    ("beside", "embedding", spaces.Discrete(500), "of a number below 500"),
    ("", "text-lstm", LETTERS, "of 20 letters and spaces"),
    ("beside", "text-bilstm", LETTERS, "the same from both ends"),
    ("beside", "text-bag", LETTERS, "added up"),
    ("", "gnmt", LETTERS, "Wu et al. 2016"),
)
_WINDOW = Window(gym.make("CartPole-v1"), 8).observation_space
WINDOWS = tuple(("", f"window-{kind}", _WINDOW, "") for kind in ("lstm", "gru", "rnn", "attention"))  # in the table, not in the chart


class Step(NamedTuple):
    """A layer as it is drawn: what it is, what follows it at once, the shape that leaves it, its parameters."""

    kind: str
    label: str
    after: str
    shape: tuple[int, ...]
    parameters: int

    @property
    def words(self) -> list[str]:
        """Return the lines above the box."""
        return [self.label, *filter(None, self.after.split(", "))]


def space_of(seen: Any) -> Any:
    """Return the space of a row's observations."""
    return spaces.Box(0, 255, seen, np.uint8) if isinstance(seen, tuple) else seen


def count(module: nn.Module) -> int:
    """Return the parameters of a module."""
    return sum(parameter.numel() for parameter in module.parameters())


def described(module: nn.Module) -> tuple[str, str] | None:
    """Return kind and label of a module that is drawn; None where its parts are."""
    name = type(module).__name__
    if isinstance(module, nn.Conv2d):
        size, stride = module.kernel_size, module.stride[0]
        return "convolution", f"conv {size[0]}×{size[1]}" + (f" /{stride}" if stride > 1 else "")
    if isinstance(module, nn.MaxPool2d | nn.AvgPool2d):
        size = module.kernel_size
        return "pooling", f"{'max' if isinstance(module, nn.MaxPool2d) else 'mean'} {size}×{size}" + (" /2" if size == 3 else "")
    if name == "Dropout" and not module.p:
        return None
    if name == "ResidualLSTM":
        return "recurrent", "residual LSTM"
    if isinstance(module, nn.LSTM):
        return "recurrent", "LSTM"
    known: dict[str, tuple[str, str]] = {
        "Linear": ("linear", "linear"), "_Residual": ("residual", "residual"), "Embedding": ("embedding", "embedding"),
        "EmbeddingBag": ("embedding", "embedding"), "Categories": ("embedding", "embedding"), "ZeroPad2d": ("frame", "zeros around"),
        "ReLU": ("", "ReLU"), "LeakyReLU": ("", "leaky ReLU"), "Tanh": ("", "tanh"), "BatchNorm2d": ("", "batch norm"),
        "Dropout": ("", "dropout"),
    }  # fmt: skip
    return known.get(name)


def traced(encoder: nn.Module, space: Any) -> list[Step]:
    """Return what an observation goes through, layer by layer."""
    found: list[Step] = []
    inputs_of: list[int] = [0]  # width of the last LSTM's

    def hook(module: nn.Module, inputs: Any, output: Any) -> None:
        kind, label = described(module) or ("", "")
        shape = tuple((output[0] if isinstance(output, tuple) else output).shape)
        shape = (shape[2], shape[3], shape[1]) if len(shape) == 4 else shape[-1:]
        if not kind:
            last = found[-1]
            found[-1] = last._replace(after=", ".join(filter(None, (last.after, label))), parameters=last.parameters + count(module))
        elif kind == "residual" and found[-1].kind == kind:
            found[-1] = found[-1]._replace(label="2 × residual", parameters=found[-1].parameters + count(module))
        elif label == "LSTM" and found[-1].kind == kind and inputs_of[-1] == module.input_size:
            found[-1] = found[-1]._replace(label="two LSTMs", parameters=found[-1].parameters + count(module), shape=(2 * shape[0],))
        elif label == "residual LSTM" and label in found[-1].label:
            number = found[-1].parameters // count(module) + 1
            found[-1] = found[-1]._replace(label=f"{number} × {label}", parameters=number * count(module))
        else:
            found.append(Step(kind, label, "", shape, count(module)))
        inputs_of.append(getattr(module, "input_size", 0))

    outer: list[nn.Module] = []
    for module in encoder.modules():
        if described(module) and not any(module is part for other in outer for part in other.modules()):
            outer.append(module)
    handles = [module.register_forward_hook(hook) for module in outer]
    shape = (1, 20) if isinstance(space, spaces.Text) else (1, *space.shape)
    with torch.no_grad():
        encoder.eval()(torch.zeros(shape, dtype=torch.uint8 if isinstance(space, spaces.Box) and len(shape) == 4 else torch.float32))
    for handle in handles:
        handle.remove()
    return found


def made(rows: Any = ROWS) -> list[tuple[str, str, str, Any, nn.Module]]:
    """Return group, name, source, space and encoder of every row."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return [(group, name, source, space_of(seen), encoders.make(name, space_of(seen))) for group, name, seen, source in rows]


def outline() -> str:
    """Return everything that the chart shows as text; the picture carries it, so that it is known to be up to date."""
    lines = [f"{name} {count(encoder)} {encoder.features_dim} {traced(encoder, space)}" for _, name, _, space, encoder in made()]
    return "\n".join(lines)


# The chart ------------------------------------------------------------------------------------------------------------

PITCH, LEFT, ROW, LINE, HEAD = 0.83, 1.82, 1.15, 0.115, 0.5  # inches: between layers, before the first, a row, its labels' lines, a title
WIDTH = LEFT + 11.5 * PITCH + 1.3
FILL = {
    "input": "#e4e4de", "convolution": COLORS[0], "pooling": "#9fbcdf", "residual": "#28456e", "linear": COLORS[1],
    "embedding": COLORS[2], "recurrent": COLORS[4], "frame": "#f3f3ef",
}  # fmt: skip


def size_of(step: Step) -> tuple[float, float]:
    """Return width and height of a layer's box in inches: channels and sides, by their logarithms."""
    if len(step.shape) == 3:
        return 0.1 + 0.048 * math.log2(step.shape[2] + 1), 0.06 + 0.11 * math.log2(step.shape[0] + 1)
    return 0.12, 0.1 + 0.062 * math.log2(step.shape[0] + 1)


def shape_text(shape: tuple[int, ...]) -> str:
    """Return a shape as it is written below a box."""
    return "×".join(str(side) for side in shape)


def steps_of(name: str, space: Any, encoder: Any) -> list[Step]:
    """Return the boxes of a row; two of the autoencoders' halves are functions in part, which no module tells of."""
    seen = space.shape if isinstance(space, spaces.Box) else (20,) if isinstance(space, spaces.Text) else (1,)
    steps = [Step("input", "input", "", tuple(seen), 0), *traced(encoder, space)]
    if name == "ae-sparse":
        units, (high, wide) = encoder.linear.out_features, encoder.places
        steps[1] = steps[1]._replace(label=f"patches {encoder.patch}×{encoder.patch}", after="sigmoid", shape=(high, wide, units))
        steps.append(Step("pooling", "max 2×2", "", ((high + 1) // 2, (wide + 1) // 2, units), 0))
    elif name == "ae-dense":
        steps[1] = steps[1]._replace(after="ReLU")
    return steps


def draw_row(axes: Any, left: float, y: float, name: str, source: str, space: Any, encoder: Any) -> None:
    """Draw one encoder: its name on the left, its layers from left to right around height y."""
    axes.text(left, y + 0.2, name, fontsize=11.5, fontweight="bold", color=INK, va="center", family="monospace")
    axes.text(left, y - 0.03, source, fontsize=8.5, color="#6f6f6a", va="center")
    axes.text(left, y - 0.24, f"{count(encoder):,} parameters", fontsize=8.5, color=INK, va="center")
    steps = steps_of(name, space, encoder)
    centers = [left + LEFT + 0.2 + PITCH * i for i in range(len(steps))]
    boxes = [size_of(step) for step in steps]
    for i in range(len(steps) - 1):
        ends = centers[i] + boxes[i][0] / 2 + 0.04, centers[i + 1] - boxes[i + 1][0] / 2 - 0.04
        axes.annotate(
            "", (ends[1], y), (ends[0], y), arrowprops={"arrowstyle": "-|>", "color": "#a9a9a2", "linewidth": 0.9, "mutation_scale": 7}
        )
    for x, (width, height), step in zip(centers, boxes, steps, strict=True):
        edge = GREY if step.kind in ("input", "frame") else FILL[step.kind]
        look = {"facecolor": FILL[step.kind], "edgecolor": edge, "linewidth": 0.9, "linestyle": "--" if step.kind == "frame" else "-"}
        corner = (x - width / 2, y - height / 2)
        axes.add_patch(FancyBboxPatch(corner, width, height, "round,pad=0,rounding_size=0.03", **look))
        axes.text(x, y + 0.42, "\n".join(step.words), fontsize=7.6, color=INK, ha="center", va="bottom", linespacing=1.1)
        axes.text(x, y - 0.41, shape_text(step.shape), fontsize=7.8, color=INK, ha="center", va="top")
        if step.parameters:
            axes.text(x, y - 0.535, f"{step.parameters:,}", fontsize=7.4, color="#7f7f7a", ha="center", va="top")
    axes.text(centers[-1] + 0.36, y, f"{encoder.features_dim:,}\nfeatures", fontsize=8.5, color=INK, va="center", linespacing=1.2)


def chart() -> Figure:
    """Return the picture of all encoders."""
    lines: list[list[Any]] = []  # of one or two rows each
    for row in made():
        if row[0] == "beside":
            lines[-1].append(row)
        else:
            lines.append([row])
    heights = [ROW + LINE * max(len(step.words) for _, name, _, space, e in line for step in steps_of(name, space, e)) for line in lines]
    height = 0.45 + sum(heights) + HEAD * sum(bool(line[0][0]) for line in lines)
    figure = Figure(figsize=(WIDTH, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH), ylim=(0, height))
    axes.set_axis_off()
    y = height
    for line, high in zip(lines, heights, strict=True):
        if line[0][0]:
            y -= HEAD
            axes.text(0.12, y + 0.05, line[0][0], fontsize=14, color=COLORS[0], fontweight="bold", va="bottom")
            axes.plot((0.12, WIDTH - 0.12), (y, y), color="#cfcfc8", linewidth=1)
        y -= high
        for column, (_, *row) in enumerate(line):
            draw_row(axes, 0.12 + column * (WIDTH / 2 - 0.12), y + 0.64, *row)
    legend = "A box is what a layer puts out: as high as its side, as wide as its channels, both by their logarithms. "
    axes.text(
        0.12, 0.2, legend + "Below it: height × width × channels, and the layer's parameters.", fontsize=8.5, color="#6f6f6a", va="center"
    )
    return figure


# The table ------------------------------------------------------------------------------------------------------------


def table() -> str:
    """Return the table of all names."""
    sized = {name.partition(":")[0]: (name, space, encoder) for _, name, _, space, encoder in made(ROWS + WINDOWS)}
    rows = ["| name | what it is | for | its features | parameters |", "|---|---|---|---|---|"]
    for name, serves in encoders.names().items():
        what, features, parameters = encoders.about(name).rstrip("."), "", ""
        if name in sized:
            full, space, encoder = sized[name]
            at = {"Text": "20 letters of 27", "Discrete": "500 numbers"}.get(type(space).__name__) or shape_text(space.shape)
            at = "8 rows of 4 numbers" if space is _WINDOW else at
            features, parameters = f"{encoder.features_dim:,}", f"{count(encoder):,} at {at}" + (f" (`{full}`)" if full != name else "")
        what, where = (re.sub(r"(?<=\d) ?x ?(?=\d)", "×", text) for text in (what, serves.partition(": Box")[0]))
        rows.append(f"| `{name}` | {what} | {where} | {features} | {parameters} |")
    return "\n".join(rows)


def page(text: str) -> str:
    """Return the page with its block as it should be."""
    block = f"<!-- encoders -->\n\n{table()}\n\n<!-- end -->"
    return re.sub(r"<!-- encoders -->.*?<!-- end -->", lambda _: block, text, flags=re.DOTALL)


def stale() -> list[Path]:
    """Return the files that are out of date."""
    old = [] if PAGE.read_text() == page(PAGE.read_text()) else [PAGE]
    shown = Image.open(CHART).text.get("Description", "") if CHART.exists() else ""  # type: ignore[attr-defined]
    return old if shown == outline() else [*old, CHART]


def main(arguments: list[str]) -> int:
    """Write the page and the chart, or check them."""
    if "--check" in arguments:
        found = stale()
        print("".join(f"{file} is out of date: python docs/build_encoders.py\n" for file in found), end="")
        return 3 if found else 0
    PAGE.write_text(page(PAGE.read_text()))
    chart().savefig(CHART, dpi=130, metadata={"Description": outline(), "Software": None})
    with Image.open(CHART) as picture:  # a palette is enough, and a third of the size
        text = picture.text  # type: ignore[attr-defined]
        small = picture.convert("RGB").quantize(96)
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_itxt("Description", text["Description"])
    small.save(CHART, optimize=True, pnginfo=info)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
