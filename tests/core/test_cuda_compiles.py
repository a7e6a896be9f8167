"""Every registered world compiles to PTX: one kernel that steps a copy, begins its next episode and shows it. No GPU is needed."""

from typing import NamedTuple

import numpy as np
import pytest
from every_world import ALLOCATE, WORLDS, copies

from rlcourse.core.kernels import STEP
from rlcourse.envs import CartPole

pytest.importorskip("numba_cuda", reason="the extra cuda is not installed: numba-cuda compiles for GPUs")

COMPILED: dict = {}  # type of the arguments: the PTX; all MDPs are of one type


def ptx(world):
    """The kernel, compiled once for all worlds of one type."""
    from numba.cuda.cudadrv import nvvm
    from numba.cuda.typing.typeof import typeof

    from rlcourse.core.cuda import compile_to_ptx

    if not nvvm.is_available():
        pytest.skip("NVVM, which makes PTX, is not installed")
    _, arguments = copies(world, 2)
    kind = typeof(arguments)
    if kind not in COMPILED:
        COMPILED[kind] = compile_to_ptx(STEP, arguments)
    return COMPILED[kind]


@pytest.mark.parametrize("name", [name for name in WORLDS if name not in ALLOCATE])
def test_it_compiles_to_a_kernel_that_writes_and_makes_nothing(name):
    code = ptx(WORLDS[name]())
    assert code.count(".visible .entry") == 1
    assert "st." in code
    assert "malloc" not in code
    assert "NRT_" not in code


class Careless(NamedTuple):
    """A world that makes an array in its step."""

    inside: CartPole = CartPole()
    observation_space, action_space = CartPole().observation_space, CartPole().action_space

    def reset(self, rng):
        return self.inside.reset(rng)

    def step(self, state, action, rng):
        forces = np.zeros(2)
        forces[0] = 1.0
        return self.inside.step(state, action + int(forces[1]), rng)

    def observe(self, state):
        return state


def test_a_world_that_makes_an_array_in_its_step_is_found():
    from numba.core.errors import TypingError

    with pytest.raises(TypingError):
        ptx(Careless())


class Fielded(NamedTuple):
    """A world with a field that is the name of another world's method."""

    boxes: float = 0.5
    inside: CartPole = CartPole()
    observation_space, action_space = CartPole().observation_space, CartPole().action_space

    def reset(self, rng):
        return self.inside.reset(rng)

    def step(self, state, action, rng):
        x, v, angle, speed = state
        return self.inside.step((x * self.boxes, v, angle, speed), action, rng)

    def observe(self, state):
        return state


def test_a_field_stays_a_field_where_another_world_has_a_method_of_its_name():
    ptx(WORLDS["rlcourse/PixelCatch-v0"]())  # registers `boxes`
    assert ".visible .entry" in ptx(Fielded())
