"""config.toml of a run as nobody should write it: edited by hand, by mistake, or by somebody who means harm."""

from __future__ import annotations

import random

__all__ = ["VERBS", "spoiled"]

VERBS = (["evaluate", "--episodes", "1"], ["resume", "-q"], ["resume", "-q", "-n", "8"], ["compare"], ["inspect", "--steps", "4"])
# fmt: off
VALUES = (
    '""', '"x"', '"nan"', '"../../x"', '"evil.py:World"', '"/dev/null"', '"os:Env-v0"', '"\\u0000"', '"Sarsa"', '"DQN"', '"sb3:ppo"',
    '"FrozenLake-v1"', "nan", "inf", "-inf", "-1", "0", "1", "64", "1e400", "0.5", "18446744073709551616", "true", "false", "[]",
    "[1,2]", "[[[]]]", "{}", "{a=1}", "1979-05-27", "0x10", '"linear(1,0,0)"', "none", "'",
)
JUNK = ("[", "a.b.c = 1", "= 1", "\x00", "# a comment", "x = " + "[" * 2000, "y = '''", "[plan]", "surprise = 1")
# fmt: on


def spoiled(text: str, draw: random.Random) -> bytes:
    """Return a config.toml with one to three things changed."""
    lines = text.splitlines()
    for _ in range(draw.choice([1, 1, 2, 3])):
        at = draw.randrange(len(lines)) if lines else 0
        kind = draw.choice(["value", "value", "value", "value", "drop", "double", "insert", "table", "key"])
        if kind == "value" and lines and "=" in lines[at]:
            lines[at] = f"{lines[at].split('=')[0]}= {draw.choice(VALUES)}"
        elif kind == "drop" and lines:
            del lines[at]
        elif kind == "double" and lines:
            lines.insert(draw.randrange(len(lines)), lines[at])
        elif kind == "insert":
            lines.insert(at, draw.choice(JUNK))
        elif kind == "table" and lines and lines[at].startswith("["):
            lines[at] = draw.choice(["[other]", "[[run]]", "[run.env]", "[]", ""])
        elif kind == "key" and lines and "=" in lines[at]:
            lines[at] = "no_such_" + lines[at]
    data = "\n".join(lines).encode()
    if draw.random() < 0.1 and data:
        at = draw.randrange(len(data))
        data = data[:at] + draw.choice([b"\xff", b"", b"\x00"]) + data[at + draw.randrange(3) :]
    return data
