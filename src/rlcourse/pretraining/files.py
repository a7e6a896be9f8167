"""Files of autoencoders, classifiers, forecasters and translators: arrays by the names of their parts, and how to make the module again."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch

from rlcourse.core import files, spaces
from rlcourse.core.fits import Misfit, class_in, finite, fitting

__all__ = ["load", "save"]

_LARGEST = 10_000_000  # numbers of an observation


def save(path: str | os.PathLike[str], module: Any, options: Mapping[str, Any], settings: Mapping[str, Any] | None) -> Path:
    """Save an autoencoder, a classifier, a forecaster or a translator; see their `save`.

    Parameters
    ----------
    path : path
    module : Autoencoder, Classifier, Forecaster or Translator
    options : mapping
        Further arguments that make it again.
    settings : mapping, optional
        How it was trained, as JSON can hold it.
    """
    from rlcourse import __version__

    arrays = {name: value.detach().cpu().numpy() for name, value in module.state_dict().items()}
    metadata = {
        "class": type(module).__name__,
        "encoder": module.name,
        "options": dict(options) | {"seed": module.seed},
        "space": spaces.describe(module.observation_space),
        "settings": dict(settings or {}),
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "torch": torch.__version__, "rlcourse": __version__},
    }
    return files.write(path, arrays, metadata)


def load(path: str | os.PathLike[str], observation_space: gym.Space[Any] | None = None, kind: Any = None) -> Any:
    """Load an autoencoder, a classifier, a forecaster or a translator.

    Parameters
    ----------
    path : path
    observation_space : gymnasium.Space, optional
        The file describes it; it has to be given where its bounds differ from number to number.
    kind : class, optional
        `Autoencoder`, `Classifier`, `Forecaster` or `Translator`; None takes what the file holds.

    Raises
    ------
    ValueError
        Where the file holds something else, is for another space, or is damaged.
    """
    from rlcourse.pretraining.autoencoder import Autoencoder
    from rlcourse.pretraining.classifier import Classifier
    from rlcourse.pretraining.forecaster import Forecaster
    from rlcourse.pretraining.translator import Translator

    arrays, metadata = files.read(path)
    kinds = {each.__name__: each for each in (Autoencoder, Classifier, Forecaster, Translator)}
    name = class_in(metadata, path)
    if name not in kinds or (kind is not None and kind is not kinds[name]):
        wanted = " or ".join(kinds) if kind is None else kind.__name__
        raise ValueError(f"{path} holds a {name}, not a {wanted}")
    with fitting(path, name):
        held = sum(array.size for array in arrays.values())
        if any(option != "seed" and isinstance(value, int) and value > held for option, value in metadata["options"].items()):
            raise Misfit("its options describe layers wider than it holds")
        space = _space(metadata["space"]) if observation_space is None else observation_space
        if spaces.describe(space) != metadata["space"]:
            raise Misfit(f"it was trained on {str(metadata['space'])[:500]}; this space is {spaces.describe(space)}")
        module = kinds[name](space, metadata["encoder"], **metadata["options"])
        for buffer in ("mean", "scale"):  # their shapes depend on the data
            if buffer in arrays:
                setattr(module, buffer, torch.from_numpy(arrays[buffer].copy()))
        for key, value in arrays.items():
            finite(value, key)
        module.load_state_dict({key: torch.from_numpy(value.copy()) for key, value in arrays.items()})
    module.eval()
    return module


def _space(described: dict[str, Any]) -> gym.Space[Any]:
    """Return the space of a description, where that says all of it."""
    numbers = described.get("shape", described.get("nvec", [described.get("n")]))
    if not all(isinstance(number, int) for number in numbers) or not 0 < math.prod(numbers) <= _LARGEST:
        raise Misfit(f"its space is none: {str(described)[:500]}")
    if described["type"] == "Discrete":
        return gym.spaces.Discrete(described["n"], start=described["start"])
    if described["type"] == "MultiDiscrete":
        return gym.spaces.MultiDiscrete(described["nvec"], start=described["start"])
    if described["type"] == "MultiBinary":
        return gym.spaces.MultiBinary(described["shape"])
    if described["type"] == "Box" and len(described["low"]) == len(described["high"]) == 1:
        dtype: Any = np.dtype(described["dtype"]).type
        low, high = (float({"True": 1, "False": 0}.get(text, text)) for text in (described["low"][0], described["high"][0]))
        return gym.spaces.Box(dtype(low), dtype(high), tuple(described["shape"]), dtype)
    raise Misfit(f"give observation_space, of which the file tells only {str(described)[:500]}")
