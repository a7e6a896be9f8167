"""On a GPU copies of a world live the episodes that they live on the CPU."""

import numpy as np
import pytest
import torch
from on_device import DEVICE

from rlcourse.agents.deep.programs.copies import Copies
from rlcourse.agents.deep.programs.draws import Draws, Shuffles
from rlcourse.envs.acrobot import Acrobot
from rlcourse.envs.breakout import SmallBreakout
from rlcourse.envs.cartpole import CartPole
from rlcourse.envs.catch import pixel_catch
from rlcourse.envs.cliff import cliff_walk
from rlcourse.envs.mountain_car import MountainCar
from rlcourse.envs.pendulum import Pendulum

WORLDS = {
    "CartPole": CartPole(),
    "Acrobot": Acrobot(),
    "MountainCar": MountainCar(),
    "Pendulum": Pendulum(),
    "PixelCatch": pixel_catch(),
    "PixelCatch with themes": pixel_catch(themes=3, size=20),
    "SmallBreakout": SmallBreakout(),
    "a finite world": cliff_walk(),
}
STEPS, N = 50, 37  # rows of copies that fill no block


def lived(world, device: str) -> list[np.ndarray]:
    """Return what copies write in some steps with actions that do not depend on the device."""
    copies = Copies(world, 30, [1, 2], N, STEPS, torch.device(device))
    rng = np.random.default_rng(0)
    copies.reset()
    for t in range(STEPS):
        space = world.action_space
        chosen = rng.integers(space.n, size=2 * N) if hasattr(space, "n") else rng.uniform(space.low, space.high, (2 * N, *space.shape))
        copies.actions.copy_(torch.as_tensor(chosen))
        copies.step(t)
    parts = (copies.observations, copies.successors, copies.rewards, copies.terminated, copies.ended, copies.lengths, copies.counts)
    return [part.cpu().numpy() for part in parts]


@pytest.mark.parametrize("name", WORLDS)
def test_copies_live_the_same_episodes_on_both(name):
    here, there = lived(WORLDS[name], DEVICE), lived(WORLDS[name], "cpu")
    for mine, theirs in zip(here, there, strict=True):
        assert mine.dtype == theirs.dtype
        if mine.dtype.kind == "f":
            assert np.allclose(mine, theirs, rtol=1e-4, atol=1e-5)  # both round, and fuse products and sums, otherwise
        else:
            assert np.array_equal(mine, theirs)
    assert there[4].any()  # episodes have ended


def test_numbers_and_shuffles_are_those_of_the_cpu():
    drawn = []
    for device in (DEVICE, "cpu"):
        where = torch.device(device)
        uniform, normal = Draws([1, 2], 5, 3, 4, False, where), Draws([1, 2], 5, 3, 4, True, where)
        shuffles = Shuffles([1, 2], where)
        drawn.append([each().cpu().numpy().copy() for each in (uniform, normal, uniform, normal)] + [shuffles(99).cpu().numpy()])
    for mine, theirs in zip(*drawn, strict=True):
        assert np.allclose(mine, theirs, rtol=1e-5, atol=1e-6)
    assert np.array_equal(drawn[0][0], drawn[1][0])  # integers throughout: the same bits
    assert np.array_equal(drawn[0][4], drawn[1][4])
