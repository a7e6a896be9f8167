"""Command lines: right ones of every verb, and what becomes of them in careless and in hostile hands."""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import random
import re
from pathlib import Path

__all__ = ["LIGHT", "ODD", "command", "flags_of", "places", "written_by"]

# fmt: off
NUMBERS = [
    "nan", "inf", "-inf", "-1", "0", "1", "2", "0.5", "1e400", "1e-400", "18446744073709551616", "9" * 5000, "1_0", "0x10",
    "1e5.5", "٣", "²", "1,5", "--1", "1k", "1e18",
]
TEXTS = [
    "", " ", "-", "--", "---", "=", "None", "none", "null", "true", "maybe", "\0", "a\0b", "\n", "a\nb", "\udcff", "a\udc80b",
    "‮abc", "日本", "x" * 5000, "-" + "y" * 300, "{}", "[1]", "%s%n", "$(touch owned)", "`touch owned`", ";ls", "%", "\x1b[31m",
    "[bold]x[/]", "[/]", "'\"", "🦊",
]
# fmt: on
SETTINGS = [
    "linear(0.1,0,100)",
    "linear(1,0,0)",
    "exponential(1,nan,3)",
    "linear(1)",
    "64,64",
    "64,",
    ",",
    "0,0",
    "tiles:8x8",
    "tiles:0x0",
    "tiles:999999999x8",
    "fourier:3",
    "mlp",
    "mlp:",
    "mlp:99999999999",
    "auto",
    "ae-dense",
    "adam",
    "relu",
    "cuda",
    "cuda:99",
    "cpu",
    "mps",
    "auto:auto",
]
ENVIRONMENTS = [
    "frozenlake",
    "CartPole-v1",
    "FrozenLake-v1",
    "good.py:Corridor",
    "cliffwalk",
    "cartpole",
    "rlcourse/CliffWalk-v0",
    "CartPole-v999",
    "CartPole",
    "ALE/Pong-v5",
    "no_such_module:Env-v0",
    "os:Env-v0",
    "../../x",
    "..",
    "a/../b",
    ".py:X",
    "good.py:Corridor",
    "good.py:nothing",
    "good.py:",
    "raises.py:World",
    "syntax.py:World",
    "good.py:number",
    "good.py:__name__",
    "good.py:../x",
    "note.txt:X",
    "missing.py:X",
    "FrozenLake-v1",
    "Blackjack-v1",
    "Pendulum-v1",
    "rlcourse/",
    "/",
    "./good.py:Corridor",
    "folder.py:X",
]
# fmt: off
RUNS = [
    "runs/good", "runs/deep", "runs/empty", "runs/truncated", "runs/other", "runs/noise", "runs/lacking", "runs/odd-plan",
    "runs/odd-env", "runs/odd-algo", "runs/no-table", "runs/tables", "runs/result", "latest", "runs", "note.txt", "config.toml",
    "/dev/null", "/dev/zero", "pipe", "loop", "missing", "..", ".", "~", "runs/good/best.safetensors",
    "runs/good/last.safetensors", "runs/good/config.toml", "runs/good/", "runs//good", "a b/good", "runs/../runs/good",
    "runs/truncated/best.safetensors",
]
OUTS = [
    "out", "out/", "./out", "a b", "out/../out2", "note.txt", "note.txt/below", "/dev/null", "/dev/null/x", "loop", "loop/x",
    "pipe", "~", "/proc/x", "/proc/self/x", "日本", "x" * 300, "a\nb", "a\0b", "\udcff", "", ".", "-out", "runs/good",
]
PICTURES = [
    "p.png", "p.gif", "p", "p.exe", "runs", "runs/good", "note.txt", "missing/p.png", "loop", "loop/p.png", "/dev/null",
    "/dev/null/p.png", "pipe", "", "a\0b.png", "\udcff.png", "日本.png", "x" * 300 + ".png", ".png", "..", "p.svg", "p.pdf",
]
# fmt: on
ODD = [*NUMBERS, *TEXTS]
LIGHT = ["-n", "64", "--eval-episodes", "1", "--no-progress"]
VERBS = ("train", "evaluate", "enjoy", "resume", "pretrain", "inspect", "compare", "figure", "doctor", "list", "show")
_HELP = {
    "train": [
        "train cliffwalk",
        "train cartpole",
        "train cartpole --algo dqn",
        "train Pendulum-v1 --algo sac",
        "train MountainCar-v0 --algo sarsa_lambda",
        "train cliffwalk --algo dyna_q",
    ],
    "doctor": ["doctor"],
}
_flags: dict[str, list[str]] = {}


def flags_of(verb: str) -> list[str]:
    """Return all flags that the help of a verb names."""
    if verb not in _flags:
        from rlcourse.cli.main import main

        text = io.StringIO()
        for line in _HELP.get(verb, [verb]):
            with contextlib.redirect_stdout(text), contextlib.suppress(SystemExit):
                main([*line.split(), "--help"])
        _flags[verb] = sorted(set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", text.getvalue())) - {"--help", "-h"})
    return _flags[verb] or ["--json"]


def _right(verb: str, draw: random.Random) -> list[str]:
    """Return a command line that is right, or nearly so, and quickly done."""
    env = draw.choice(ENVIRONMENTS[:3]) if draw.random() < 0.7 else draw.choice(ENVIRONMENTS)
    run = draw.choice(["runs/good", "runs/deep"]) if draw.random() < 0.4 else draw.choice(RUNS)
    words = {
        "train": [
            "train",
            env,
            *LIGHT,
            *draw.choice([[], ["-q"], ["--algo", draw.choice(["sarsa", "q-learning", "dqn", "ppo", "td0", "sb3:ppo"])]]),
        ],
        "evaluate": ["evaluate", run, "--episodes", "1"],
        "enjoy": ["enjoy", run, "--max-steps", "3", *draw.choice([[], ["--gif", draw.choice(PICTURES)], ["--gif", "p.gif", "--values"]])],
        "resume": ["resume", run, *draw.choice([[], ["-n", "16"]]), "-q"],
        "pretrain": [
            "pretrain",
            draw.choice(["CartPole-v1", "cliffwalk", env]),
            "--frames",
            "32",
            "--epochs",
            "1",
            *draw.choice(
                [[], ["--kind", "dense"], ["--kind", "skip-gram"], ["--kind", "classifier"], ["--data", draw.choice(RUNS)], ["--from", run]]
            ),
        ],
        "inspect": ["inspect", run, "--steps", "4", *draw.choice([[], ["--only", draw.choice(["codes", "filters,codes", ",", "all"])]])],
        "compare": ["compare", run, *draw.choice([[], [draw.choice(RUNS)]]), *draw.choice([[], ["-o", draw.choice(PICTURES)]])],
        "figure": ["figure", draw.choice(["4.1", "fig4.1", "99.1", "chapter99", "exx", "4.", "../4.1", *ODD]), "--fast", "--workers", "1"],
        "doctor": ["doctor", env],
        "list": ["list", draw.choice(["envs", "agents", "presets", "figures", "env", *ODD])],
        "show": ["show", draw.choice(["sarsa", "PPO", "sb3:ppo", "sb3:", "../sarsa", "Config", *ODD])],
    }[verb]
    if verb in ("train", "pretrain", "inspect", "figure") and draw.random() < 0.3:
        words += [draw.choice(["-o", "--out"]), draw.choice(OUTS)]
    return words


def command(draw: random.Random) -> list[str]:
    """Draw a command line."""
    verb = draw.choice(VERBS) if draw.random() < 0.6 else "train"
    words = _right(verb, draw)
    for _ in range(draw.choice([0, 1, 1, 1, 2, 3])):
        words = _spoil(words, verb, draw)
    return words


def _spoil(words: list[str], verb: str, draw: random.Random) -> list[str]:
    """Return a command line with one thing changed."""
    words, at = list(words), draw.randrange(1, max(2, len(words)))
    value = draw.choice(draw.choice([NUMBERS, NUMBERS, TEXTS, SETTINGS, RUNS, ENVIRONMENTS, OUTS]))
    flag = draw.choice(flags_of(verb if draw.random() < 0.9 else draw.choice(VERBS)))
    kind = draw.choice(
        [
            "flag",
            "flag",
            "flag",
            "flag",
            "replace",
            "replace",
            "insert",
            "drop",
            "double",
            "joined",
            "shortened",
            "misspelt",
            "unknown",
            "bare",
            "odd verb",
        ]
    )
    if kind == "flag":
        words[at:at] = [flag, value]
    elif kind == "joined":
        words[at:at] = [f"{flag}={value}"]
    elif kind == "bare":
        words.append(flag)
    elif kind == "shortened":
        words[at:at] = [flag[: max(3, len(flag) - draw.randrange(1, 5))], value]
    elif kind == "misspelt":
        words[at:at] = [flag + draw.choice("sx-_é"), value]
    elif kind == "unknown":
        words[at:at] = [f"--{draw.choice([*TEXTS, 'colour', 'lr_'])}", value]
    elif kind == "replace" and at < len(words):
        words[at] = value
    elif kind == "insert":
        words[at:at] = [value]
    elif kind == "drop" and at < len(words):
        del words[at]
    elif kind == "double" and at < len(words):
        words[at:at] = words[at : at + 2]
    elif kind == "odd verb" and draw.random() < 0.2:
        words[0] = draw.choice([*ODD, *VERBS, "Train", "trian"])
    return words


def written_by(words: list[str], folder: Path) -> list[Path]:
    """Return the places where a command line may write; ~ is the home folder, as in a shell."""
    return [folder / "cwd" / os.path.expanduser(place) for place in places(words)]


def places(words: list[str]) -> list[str]:
    """Return where a command line says that it writes, and the place where it writes when it does not say."""
    parts = [part for word in words for part in (word.split("=", 1) if word.startswith("-") else [word])]
    verb = words[0] if words else ""
    named = [after for word, after in itertools.pairwise(parts) if word in ("-o", "--out", "--gif", "--mp4") and "\0" not in after]
    named += [word[2:] for word in parts if word.startswith("-o") and len(word) > 2 and "\0" not in word]
    usual = {
        "train": ["runs"],
        "pretrain": ["runs"],
        "figure": ["figures"],
        "compare": ["compare.png"],
        "resume": ["runs", "a b"],
        "inspect": ["runs", "a b"],
    }
    return named + usual.get(verb, [])
