"""Pictures and text of worlds that are no grids: robot, car parks, gambler, golf course, and the walk that is too long for cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rlcourse.envs.canvas import BLUE, GREEN, GREY, INK, OCHRE, ORANGE, PAPER, SAND, SHADE, Canvas

__all__ = [
    "capital",
    "capital_text",
    "car_parks",
    "car_parks_text",
    "course_picture",
    "course_text",
    "long_walk",
    "long_walk_text",
    "robot",
    "robot_text",
]

CHARGE, DOES = ("high", "low"), ("searches", "waits", "recharges")


def robot(world: Any, state: Any, action: Any = None) -> np.ndarray:
    """Draw the robot with its battery, and what it has just done."""
    canvas = Canvas(320, 220)
    canvas.line([(20, 192), (300, 192)], GREY, 3)
    for x in (78, 132):
        canvas.disc(x, 182, 10, INK)
    canvas.box(60, 92, 150, 176, BLUE, 12)
    canvas.box(78, 58, 132, 96, BLUE, 10)
    for x in (94, 116):
        canvas.disc(x, 76, 5, PAPER)
    canvas.box(196, 70, 228, 80, INK, 3)
    canvas.box(180, 78, 244, 178, INK, 8)
    canvas.box(185, 83, 239, 173, PAPER, 5)
    full = int(state) == 0
    for i in range(4 if full else 1):
        canvas.box(189, 153 - 22 * i, 235, 170 - 22 * i, GREEN if full else ORANGE, 3)
    canvas.text(212, 54, CHARGE[int(state)], INK, 18)
    canvas.text(105, 26, "" if action is None else DOES[int(action)], INK, 18)
    return canvas.array()


def robot_text(world: Any, state: Any, action: Any = None) -> str:
    """Return the charge, and what the robot has just done."""
    return f"battery {CHARGE[int(state)]}" + ("" if action is None else f"; the robot {DOES[int(action)]}") + "\n"


def car_parks(world: Any, state: Any, action: Any = None) -> np.ndarray:
    """Draw both car parks at the end of a day; an arrow shows which way the last action meant to move cars."""
    canvas, places = Canvas(560, 200), world.capacity + 1
    for lot, cars in enumerate(divmod(int(state), places)):
        left = 20 + 300 * lot
        canvas.box(left, 40, left + 220, 170, SAND, 8)
        canvas.text(left, 22, f"location {lot + 1}", INK, 16, anchor="lm")
        canvas.text(left + 220, 22, f"{cars} of {world.capacity}", INK, 16, anchor="rm")
        for i in range(world.capacity):
            x, y = left + 14 + 40 * (i % 5), 50 + 29 * (i // 5)
            canvas.box(x, y, x + 32, y + 20, BLUE if i < cars else SHADE, 6)
            if i < cars:
                canvas.box(x + 9, y + 4, x + 23, y + 16, PAPER, 3)
    moved = 0 if action is None else int(action) - world.most_moved
    if moved:
        x = 280 - 20 * np.sign(moved)
        canvas.arrow([(x, 105), (x + 26 * np.sign(moved), 105)], ORANGE, 5, head=14)
        canvas.text(280, 80, str(abs(moved)), ORANGE, 18)
    return canvas.array()


def car_parks_text(world: Any, state: Any, action: Any = None) -> str:
    """Return the cars at both locations, one mark each."""
    numbers = divmod(int(state), world.capacity + 1)
    return "".join(f"location {i + 1}  {'#' * n}{'.' * (world.capacity - n)}  {n}\n" for i, n in enumerate(numbers))


def capital(world: Any, state: Any, action: Any = None) -> np.ndarray:
    """Draw the capital on its way to the goal; the last stake is the mark above it."""
    goal = int(world.successor.max())
    canvas = Canvas(560, 120)

    def at(dollars: float) -> float:
        return 30 + 500 * dollars / goal

    canvas.box(at(0), 50, at(goal), 82, SAND, 6)
    if int(state):
        canvas.box(at(0), 50, at(int(state)), 82, GREEN if int(state) == goal else OCHRE, 6)
    for share in range(5):
        canvas.line([(at(share * goal / 4), 84), (at(share * goal / 4), 90)], GREY, 2)
        canvas.text(at(share * goal / 4), 104, f"{share * goal / 4:g}", INK, 13)
    canvas.text(at(0), 24, f"capital {int(state)}" + ("" if action is None else f", last stake {int(action)}"), INK, 18, anchor="lm")
    return canvas.array()


def capital_text(world: Any, state: Any, action: Any = None) -> str:
    """Return the capital as a bar of 50 marks and as a number."""
    goal = int(world.successor.max())
    filled = round(50 * int(state) / goal)
    return f"[{'$' * filled}{'.' * (50 - filled)}] {int(state)} of {goal}\n"


def course_picture(signs: np.ndarray) -> Callable[..., np.ndarray]:
    """Return what draws a golf course: "o" green, ":" sand, "G" the hole; shape [rows, columns]."""
    size = 7.0

    def picture(world: Any, state: Any, action: Any = None) -> np.ndarray:
        rows, columns = signs.shape
        canvas = Canvas(round(columns * size), round(rows * size))
        canvas.box(0, 0, columns * size, rows * size, (214, 226, 199))
        for (row, column), sign in np.ndenumerate(signs):
            if sign != ".":
                color = OCHRE if sign == ":" else (150, 190, 130)
                canvas.box(column * size, row * size, (column + 1) * size, (row + 1) * size, color)
        row, column = np.argwhere(signs == "G")[0]
        x, y = (column + 0.5) * size, (row + 0.5) * size
        canvas.disc(x, y, 4, INK)
        canvas.line([(x, y), (x, y - 32)], INK, 2)
        canvas.polygon([(x, y - 32), (x + 16, y - 26), (x, y - 20)], ORANGE)
        row, column = divmod(int(state), columns)
        canvas.disc((column + 0.5) * size, (row + 0.5) * size, 6, INK)
        canvas.disc((column + 0.5) * size, (row + 0.5) * size, 5, PAPER)
        return canvas.array()

    return picture


def course_text(signs: np.ndarray) -> Callable[..., str]:
    """Return what writes a golf course as lines; A is the ball."""

    def text(world: Any, state: Any, action: Any = None) -> str:
        shown = signs.copy()
        shown.flat[int(state)] = "A"
        return "\n".join("".join(row) for row in shown) + "\n"

    return text


def long_walk(world: Any, state: Any, action: Any = None) -> np.ndarray:
    """Draw the row of states, its two ends, the walker, and to which side the last jump went."""
    canvas, n, at_end = Canvas(640, 130), int(world.n), int(state) >= int(world.n)

    def at(position: float) -> float:
        return 60 + 520 * (position + 0.5) / n

    canvas.box(60, 56, 580, 78, SAND)
    reach = 0 if at_end else int(world.longest)
    canvas.box(max(60, at(state - reach)), 56, min(580, at(state + reach)), 78, SHADE)  # where the next jump may lead
    for x, reward, end in ((12, "-1", n), (588, "+1", n + 1)):
        canvas.box(x, 50, x + 40, 84, ORANGE if reward == "-1" else GREEN, 6)
        canvas.text(x + 20, 67, reward, PAPER, 16)
        if int(state) == end:
            canvas.disc(x + 20, 38, 8, INK)
    for share in range(5):
        position = share * (n - 1) / 4
        canvas.line([(at(position), 80), (at(position), 87)], GREY, 2)
        canvas.text(at(position), 102, f"{round(position)}", INK, 13)
    if not at_end:
        canvas.disc(at(state), 67, 9, INK)
        canvas.text(at(state), 26, f"state {int(state)}", INK, 15)
    if action is not None:
        way = 1 if int(action) == 1 else -1
        canvas.arrow([(320 - 20 * way, 120), (320 + 20 * way, 120)], BLUE, 4)
    return canvas.array()


def long_walk_text(world: Any, state: Any, action: Any = None) -> str:
    """Return the row as 50 marks between its ends, the walker among them, and the number of the state."""
    n, state = int(world.n), int(state)
    marks = ["."] * 50
    if state < n:
        marks[50 * state // n] = "A"
    ends = ("A" if state == n else "-1", "A" if state == n + 1 else "+1")
    return f"{ends[0]} {''.join(marks)} {ends[1]}  state {state}\n"
