"""Files of autoencoders, classifiers, forecasters and translators: arrays by the names of their parts, and how to make the module again."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch

from rlcourse.core import files, spaces

__all__ = ["load", "save"]


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
    name = metadata.get("class")
    if name not in kinds or (kind is not None and kind is not kinds[name]):
        wanted = " or ".join(kinds) if kind is None else kind.__name__
        raise ValueError(f"{path} holds a {name}, not a {wanted}")
    try:
        space = _space(metadata["space"], path) if observation_space is None else observation_space
        if spaces.describe(space) != metadata["space"]:
            raise ValueError(f"{path} was trained on {metadata['space']}; this space is {spaces.describe(space)}")
        module = kinds[name](space, metadata["encoder"], **metadata["options"])
        for buffer in ("mean", "scale"):  # their shapes depend on the data
            if buffer in arrays:
                setattr(module, buffer, torch.from_numpy(arrays[buffer].copy()))
        module.load_state_dict({key: torch.from_numpy(value.copy()) for key, value in arrays.items()})
    except (KeyError, RuntimeError) as error:
        raise files.DamagedFile(f"{path} does not fit this version of rlcourse: {str(error).splitlines()[0]}") from error
    module.eval()
    return module


def _space(described: dict[str, Any], path: Any) -> gym.Space[Any]:
    """Return the space of a description, where that says all of it."""
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
    raise ValueError(f"{path}: give observation_space, of which the file tells only {described}")
