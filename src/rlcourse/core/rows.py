"""Rows of arrays, each of them of one copy of a world: states are read from them, and observations written into them.

Whatever steps many copies of a world at once uses these helpers, compiled or interpreted. Nothing here allocates where the world has
``paint`` or shows numbers (see `rlcourse.core.world.World`), so that the same helpers serve where memory cannot be had.
"""

from __future__ import annotations

from rlcourse.core.box import typed_kernel

__all__ = ["draw", "fill", "put", "replaced", "show", "spoilt", "unpack"]


def unpack(states, i, like):
    """Return row i of an array of states as a state: an integer, or a tuple of floats like `like`."""
    return int(states[i]) if states.ndim == 1 else tuple(states[i].tolist())


@typed_kernel(unpack)
def _unpack(states, i, like):
    from numba.np.unsafe.ndarray import to_fixed_tuple

    if states.ndim == 1:
        return lambda states, i, like: int(states[i])
    length = len(like)
    return lambda states, i, like: to_fixed_tuple(states[i], length)


def replaced(values, i, value):
    """Return a tuple with another entry i."""
    return (*values[:i], value, *values[i + 1 :])


@typed_kernel(replaced)
def _replaced(values, i, value):
    from numba.cpython.unsafe.tuple import tuple_setitem

    return lambda values, i, value: tuple_setitem(values, i, value)


def spoilt(state):
    """Return NaN where a state is a tuple of floats of which one is none or infinite, else 0: what makes a score show it."""
    return sum(0.0 * number for number in state) if isinstance(state, tuple) else 0.0


@typed_kernel(spoilt)
def _spoilt(state):
    if not (hasattr(state, "count") and str(state.dtype).startswith("float")):
        return lambda state: 0.0

    def each(state):
        total = 0.0
        for number in state:
            total += 0.0 * number
        return total

    return each


def fill(array, values):
    """Write a number, a tuple of numbers or an array of the same shape into an array."""
    array[...] = values


@typed_kernel(fill)
def _fill(array, values):
    if getattr(values, "layout", "") == array.layout == "C":  # numba's own assignment of an array is thirty times slower

        def copy(array, values):
            for j in range(array.size):
                array.flat[j] = values.flat[j]

        return copy

    def whole(array, values):
        array[:] = values

    return whole


def put(rows, i, seen):
    """Write an observation into row i."""
    rows[i] = seen


@typed_kernel(put)
def _put(rows, i, seen):
    return (lambda rows, i, seen: fill(rows[i], seen)) if hasattr(seen, "layout") else put


def draw(world, state, seen):
    """Write what a world shows into `seen`, an array of its observations' shape: painted in place where the world can."""
    if hasattr(world, "paint"):
        world.paint(state, seen)
    else:
        fill(seen, world.observe(state))


@typed_kernel(draw)
def _draw(world, state, seen):
    if hasattr(world.instance_class, "paint"):
        return lambda world, state, seen: world.paint(state, seen)
    return lambda world, state, seen: fill(seen, world.observe(state))


def show(world, state, rows, i):
    """Write what a world shows into row i."""
    if rows.ndim > 1:
        draw(world, state, rows[i])
    else:
        rows[i] = world.observe(state)


@typed_kernel(show)
def _show(world, state, rows, i):
    if hasattr(world.instance_class, "paint"):
        return lambda world, state, rows, i: world.paint(state, rows[i])
    return lambda world, state, rows, i: put(rows, i, world.observe(state))
