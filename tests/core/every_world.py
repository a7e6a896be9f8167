"""Every registered world, and one behind each wrapper that has a compiled form, by name; and what the kernels take to step copies."""

import gymnasium as gym
import numpy as np

import rlcourse  # noqa: F401 - registers the environments
from rlcourse.core.catalogue import ENVIRONMENTS, world_of
from rlcourse.core.counter import Counter, stream_keys
from rlcourse.core.kernels import Outcome, Place
from rlcourse.wrappers import (
    FeatureObservation,
    Flicker,
    MaskVelocity,
    Occlude,
    PreviousActionReward,
    RandomFlip,
    RandomShift,
    Tint,
    Window,
)

WRAPPED = {  # what is wrapped, by what
    "masked": ("Pendulum-v1", (MaskVelocity, {})),
    "flickering": ("CartPole-v1", (Flicker, {"p": 0.5})),
    "flickering image": ("PixelCatch-v0", (Flicker, {"p": 0.5})),
    "reminded": ("Pendulum-v1", (PreviousActionReward, {})),
    "windowed": ("CartPole-v1", (Window, {"k": 3})),
    "windowed number": ("TMaze-v0", (Window, {"k": 4})),
    "featured": ("MountainCar-v0", (FeatureObservation, {"features": "tiles"})),
    "flipped": ("PixelGrid-v0", (RandomFlip, {})),
    "shifted": ("PixelCatch-v0", (RandomShift, {"pixels": 2})),
    "occluded": ("SmallBreakout-v0", (Occlude, {})),
    "tinted": ("PixelGrid-v0", (Tint, {})),
    "one behind the other": ("CartPole-v1", (MaskVelocity, {}), (PreviousActionReward, {}), (Flicker, {"p": 0.3})),
    "windowed behind another": ("CartPole-v1", (MaskVelocity, {}), (Window, {"k": 3})),
}
ALLOCATE = (
    "featured",  # features are made as arrays
    "windowed behind another",  # what is kept of an observation goes through an array
)


def wrapped(id, *wrappers):
    """The compiled form of an environment behind wrappers."""
    env = gym.make(f"rlcourse/{id}").unwrapped
    world = env.world
    for wrapper, settings in wrappers:
        env = wrapper(env, **settings)
        world = env.around(world)
    return world


REGISTERED = {entry.id: lambda id=entry.id: world_of(id) for entry in ENVIRONMENTS}
WORLDS = REGISTERED | {name: lambda case=case: wrapped(*case) for name, case in WRAPPED.items()}


def copies(world, N, limit=20):
    """What `RESET` and `STEP` take for N copies: both tuples share the arrays, actions are zeros."""
    like, space, discrete = world.reset(np.random.default_rng(0)), world.observation_space, hasattr(world.action_space, "n")
    shape = np.shape(like)
    place = Place(np.zeros((N, *shape), np.float64 if shape else np.int64), np.zeros(N, np.int64), np.zeros(N))
    seen = np.zeros((N, *space.shape), space.dtype)
    flags = np.zeros((2, N), np.bool_)
    out = Outcome(seen, seen.copy(), np.zeros(N, np.float32), flags[0], flags[1], np.zeros(N, np.int64), np.zeros(N))
    actions = np.zeros(N, np.int64) if discrete else np.zeros((N, *world.action_space.shape))
    rng = Counter(stream_keys(0, 0, N), np.zeros(N, np.int64), 0)
    return (world, like, rng, place, seen), (world, like, rng, place, actions, limit, out)
