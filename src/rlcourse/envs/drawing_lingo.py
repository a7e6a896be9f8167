"""Pictures and texts of LingoBandit and LingoGrid: the mission, and the objects in their places."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rlcourse.envs.canvas import BLUE, GREEN, GREY, INK, OCHRE, ORANGE, PAPER, SAND, SHADE, Canvas
from rlcourse.envs.languages import COLORS, KINDS

__all__ = ["bandit_picture", "bandit_text", "lingo_grid_picture", "lingo_grid_text", "mission"]

PAINTS = ((196, 64, 52), GREEN, BLUE, (222, 176, 48))  # red, green, blue, yellow


def mission(world: Any, state: Any) -> str:
    """Return the words of a state's mission, and the task where the words do not tell it."""
    words = ("", "", *world.vocabulary)
    seen = world.observe(state)[: world.length]
    return " ".join(words[int(token)] for token in seen if token)


def bandit_text(world: Any, state: Any, action: Any = None) -> str:
    """Return the mission, the objects by place, and after ";" which place was chosen."""
    objects = [int(number) for number in state[3:]]
    names = [f"{place}: {COLORS[n // world.kinds]} {KINDS[n % world.kinds]}" for place, n in enumerate(objects)]
    chosen = "" if action is None else f"; {action} was chosen"
    return f"{mission(world, state)}\n{', '.join(names)} (task {int(state[1])}){chosen}\n"


def bandit_picture(world: Any, state: Any, action: Any = None) -> np.ndarray:
    """Draw the circle of places with their objects; a ring marks the place chosen, green where it was right."""
    canvas = Canvas(400, 400)
    canvas.text(200, 26, mission(world, state), INK, 17)
    right = int(state[1] + state[2]) % 4
    canvas.disc(200, 222, 116, SHADE)
    canvas.disc(200, 222, 113, PAPER)
    for place in range(4):
        angle = place * math.pi / 2
        x, y = 200 + 114 * math.sin(angle), 222 - 114 * math.cos(angle)
        if action == place:
            canvas.disc(x, y, 50, GREEN if place == right else (196, 64, 52))
        canvas.disc(x, y, 44, SAND)
        number = int(state[3 + place])
        thing(canvas, x, y, 24, number // world.kinds, number % world.kinds)
        canvas.text(200 + 50 * math.sin(angle), 222 - 50 * math.cos(angle), str(place), GREY, 15)
    return canvas.array()


def thing(canvas: Canvas, x: float, y: float, r: float, color: int, kind: int) -> None:
    """Draw an object of a colour and a kind around a point, r pixels to each side."""
    paint = PAINTS[color]
    if KINDS[kind] == "ball":
        canvas.disc(x, y, r, paint)
        canvas.disc(x - r / 3, y - r / 3, r / 5, PAPER)
    elif KINDS[kind] == "key":
        canvas.disc(x - r / 2, y, r / 2, paint)
        canvas.disc(x - r / 2, y, r / 5, SAND)
        canvas.box(x - r / 8, y - r / 8, x + r, y + r / 8, paint)
        for tooth in (0.5, 0.85):
            canvas.box(x + tooth * r - r / 10, y, x + tooth * r + r / 10, y + r / 2.2, paint)
    elif KINDS[kind] == "box":
        canvas.box(x - r, y - r * 0.75, x + r, y + r * 0.75, paint, r / 8)
        canvas.line([(x - r, y - r / 6), (x + r, y - r / 6)], PAPER, 2)
        canvas.box(x - r / 6, y - r / 3, x + r / 6, y + r / 8, PAPER, 2)
    else:
        canvas.disc(x + r * 0.6, y - r * 0.1, r * 0.42, paint)
        canvas.disc(x + r * 0.6, y - r * 0.1, r * 0.22, SAND)
        canvas.polygon(
            [(x - r * 0.8, y - r * 0.8), (x + r * 0.6, y - r * 0.8), (x + r * 0.42, y + r * 0.8), (x - r * 0.62, y + r * 0.8)], paint
        )


def lingo_grid_text(world: Any, state: Any, action: Any = None) -> str:
    """Return the mission and the grid: A the agent, two letters an object (colour, kind), in small letters under the agent."""
    lines = [["  ." for _ in range(world.side)] for _ in range(world.side)]
    for n, cell in enumerate(int(number) for number in state[4:]):
        lines[cell // world.side][cell % world.side] = f" {COLORS[n // 2][0].upper()}{KINDS[n % 2][0].upper()}"
    row, column = divmod(int(state[3]), world.side)
    below = lines[row][column].strip().lower()
    lines[row][column] = "  A" if below == "." else f"A{below}"
    return f"{mission(world, state)} (task {int(state[1])})\n" + "".join("".join(line) + "\n" for line in lines)


def lingo_grid_picture(world: Any, state: Any, action: Any = None) -> np.ndarray:
    """Draw the grid with its objects, and the agent as an orange ring; while it stops or takes, the ring is filled."""
    cell = 320 / world.side
    canvas = Canvas(360, 400)
    canvas.text(180, 30, mission(world, state), INK, 17)
    for row in range(world.side):
        for column in range(world.side):
            x, y = 20 + column * cell, 60 + row * cell
            canvas.box(x + 2, y + 2, x + cell - 2, y + cell - 2, SAND, 4)
    x, y = (20 + (int(state[3]) % world.side + 0.5) * cell, 60 + (int(state[3]) // world.side + 0.5) * cell)
    canvas.disc(x, y, 0.46 * cell, ORANGE)
    canvas.disc(x, y, 0.39 * cell, OCHRE if action in (4, 5) else SAND)
    for n, place in enumerate(int(number) for number in state[4:]):
        thing(canvas, 20 + (place % world.side + 0.5) * cell, 60 + (place // world.side + 0.5) * cell, 0.27 * cell, n // 2, n % 2)
    return canvas.array()
