"""`EncodeObservation`: an encoder's features in the place of observations, such as the codes of a convolutional network.

With a frozen encoder everything behind it, a linear agent too, learns from features that somebody else has learned (the vision model
"V" of Ha & Schmidhuber 2018; "CNN codes" in courses on transfer learning).
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn

from rlcourse.core.arguments import checked
from rlcourse.core.config import Natural
from rlcourse.core.packing import packed
from rlcourse.core.spaces import short
from rlcourse.encoders import files, make
from rlcourse.encoders.recurrent import Recurrent

__all__ = ["EncodeObservation", "Reader", "device_of", "module_of", "not_training"]


class EncodeObservation(gym.ObservationWrapper[Any, Any, Any], gym.utils.RecordConstructorArgs):
    """Show the features of an encoder instead of observations.

    Parameters
    ----------
    env : Env
        Any observation that encoders take.
    encoder : str, path or torch.nn.Module
        A name for `rlcourse.encoders.make`; the file of an agent, an autoencoder or a classifier, whose encoder it is; or a module that
        takes batches of observations.
    frozen : bool
        A module is copied as it is now. Otherwise the features are those of the module itself while it learns elsewhere; such an
        environment cannot be rebuilt from its `spec`.
    seed : int
        Draws the weights of an encoder made by name.
    cache : int
        How many features of frozen encoders are kept, so that an observation that comes again is not encoded again.
    """

    @checked
    def __init__(
        self,
        env: gym.Env[Any, Any],
        encoder: str | os.PathLike[str] | nn.Module,
        frozen: bool = True,
        seed: Natural = 0,
        cache: Natural = 1000,
    ) -> None:
        gym.utils.RecordConstructorArgs.__init__(self, encoder=encoder, frozen=frozen, seed=seed, cache=cache, _disable_deepcopy=not frozen)
        gym.ObservationWrapper.__init__(self, env)
        space = env.observation_space
        self.encoder = module_of(encoder, space, frozen, lambda name, seen: make(name, seen), files.load, seed)
        if isinstance(self.encoder, Recurrent):
            raise ValueError("EncodeObservation has no memory from step to step, and this encoder needs one; use RecurrentObservation")
        self.reader = Reader(space)
        self.frozen, self._cache, self._room = frozen, dict[bytes, np.ndarray](), cache if frozen else 0
        self.observation_space = gym.spaces.Box(-np.inf, np.inf, (width_of(self.encoder, self.reader),), np.float32)

    def observation(self, observation: Any) -> np.ndarray:
        """Return the features of an observation, float32 [features_dim]."""
        array = self.reader.array(observation)
        if not self._room:
            return numbers(self.encoder, self.reader.tensor(array))
        key = hashlib.blake2b(array.tobytes(), digest_size=16).digest()
        if key not in self._cache:
            if len(self._cache) >= self._room:
                del self._cache[next(iter(self._cache))]  # the one that came first
            self._cache[key] = numbers(self.encoder, self.reader.tensor(array))
        return self._cache[key].copy()

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: an encoder has no state from step to step, and its weights are not the environment's."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over a state."""

    @property
    def spec(self) -> Any:  # type: ignore[override]
        """How to make the environment again; None where the encoder is not frozen."""
        return super().spec if self.frozen else None


class Reader:
    """Turns observations of a space into what its encoders take: arrays, and those of several parts into one vector."""

    def __init__(self, space: gym.Space[Any]) -> None:
        self.space, self.packed = space, packed(space)

    def array(self, observation: Any) -> np.ndarray:
        """Return an observation as an array."""
        return self.packed.pack(observation) if self.packed is not None else np.asarray(observation, dtype=self.space.dtype)

    def tensor(self, array: np.ndarray) -> Tensor:
        """Return a batch of one."""
        return torch.as_tensor(np.ascontiguousarray(array)).unsqueeze(0)

    def sample(self) -> Tensor:
        """Return a batch of one observation, whatever it is; the space's own generator stays as it is."""
        space = copy.deepcopy(self.space)
        space.seed(0)
        return self.tensor(self.array(space.sample()))


def module_of(
    encoder: str | os.PathLike[str] | nn.Module,
    space: gym.Space[Any],
    frozen: bool,
    by_name: Callable[[str, Any], nn.Module],
    from_file: Callable[[Any, Any], nn.Module],
    seed: int,
) -> Any:
    """Return a module that was given, in a copy where it is frozen; made by name, its weights drawn from a seed; or from a file."""
    seen = packed(space) or space
    if isinstance(encoder, nn.Module):
        module: nn.Module = copy.deepcopy(encoder).cpu() if frozen else encoder
    elif not isinstance(encoder, str | os.PathLike):
        raise TypeError(f"an encoder is a name, a file or a torch.nn.Module, not {encoder!r}")
    elif isinstance(encoder, os.PathLike) or encoder.endswith(".safetensors") or (os.sep in encoder and Path(encoder).is_dir()):
        if Path(encoder).is_dir():
            raise ValueError(f"{os.fspath(encoder)!r} is a folder: take a file in it, such as best.safetensors or encoder.safetensors")
        if not Path(encoder).is_file():
            raise ValueError(f"there is no file {os.fspath(encoder)!r} to take an encoder from")
        module = from_file(encoder, seen)
    else:
        with torch.random.fork_rng(devices=[]):  # encoders initialise from torch's global generator
            torch.manual_seed(seed)
            module = by_name(encoder, seen)
    if not frozen and not isinstance(encoder, nn.Module):
        raise ValueError("frozen=False follows the training of a module: pass the module itself, not a name or a file")
    return module.eval().requires_grad_(False) if frozen else module


def numbers(module: nn.Module, observations: Tensor) -> np.ndarray:
    """Return the features of a batch of one, float32 [features_dim], as the module has them when it is not trained."""
    with torch.no_grad(), not_training(module):
        features: Tensor = module(observations.to(device_of(module)))
    return np.asarray(features[0].float().cpu().numpy())


@contextlib.contextmanager
def not_training(module: nn.Module) -> Iterator[None]:
    """Put a module into eval mode for a while."""
    learners = [each for each in module.modules() if each.training]
    try:
        for each in learners:
            each.training = False
        yield
    finally:
        for each in learners:
            each.training = True


def device_of(module: nn.Module) -> Any:
    """Return where a module's weights are."""
    return next((weight.device for weight in module.parameters()), "cpu")


def width_of(module: nn.Module, reader: Reader) -> int:
    """Return how many features a module has."""
    try:
        shape = numbers(module, reader.sample()).shape
    except (RuntimeError, TypeError, IndexError) as error:
        raise ValueError(f"the encoder does not take observations of {short(reader.space)}: {str(error).splitlines()[0]}") from error
    if len(shape) != 1:
        raise ValueError(f"an encoder returns one vector for each observation, not an array of shape {shape}")
    return int(shape[0])
