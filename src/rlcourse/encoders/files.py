"""Encoders from files: of agents, autoencoders and classifiers, all of which name an encoder's arrays ``...encoder. ...``.

Word vectors (`rlcourse.core.word_vectors`) are a part of an encoder: its tables. Only the arrays are taken; that a file was made for other
colours, rewards or actions does not matter, where they fit.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from rlcourse.core import files
from rlcourse.core.fits import class_in, fitting, of_file
from rlcourse.encoders import make, make_memory
from rlcourse.encoders.recurrent import Recurrent
from rlcourse.encoders.word_tables import fill_tables

__all__ = ["Stored", "fill", "load", "load_memory", "stored"]

_FIRST = ("encoder", "network", "networks", "policy", "critics", "critic", "actor")  # of several; never a target's


class Stored(NamedTuple):
    """What a file holds of an encoder.

    Attributes
    ----------
    owner : str
        Class of the agent, autoencoder or classifier.
    name : str
        As for `rlcourse.encoders.make`.
    arrays : dict of str to ndarray
        By their names in the module; empty for an encoder that learns nothing, such as "flatten".
    settings : dict
        The owner's.
    """

    owner: str
    name: str
    arrays: dict[str, np.ndarray]
    settings: Mapping[str, Any]


def stored(path: str | os.PathLike[str], module: str = "encoder", part: str | None = None) -> Stored:
    """Read what a file holds of an encoder.

    Parameters
    ----------
    path : path
    module : {"encoder", "memory"}
        The encoder, or the memory around it (of `DRQN` and `RecurrentPPO`).
    part : str, optional
        Whose it is, where a file has several: "actor" or "critics". None: that which the rewards have trained.

    Raises
    ------
    DamagedFile
        Where the file is not whole, or not of rlcourse.
    ValueError
        Where it holds none.
    """
    arrays, metadata = files.read(path)
    with fitting(path, "encoder"):
        settings = dict(metadata.get("state", {}).get("config", metadata).items())
    found: dict[str, dict[str, np.ndarray]] = {}
    for key, array in arrays.items():
        before, mark, rest = f".{key}".partition(f".{module}.")
        owner = before.strip(".").partition(".")[0] or module
        if mark and (owner in _FIRST if part is None else owner == part):
            found.setdefault(owner, {})[rest] = array
    owner = class_in(metadata, path)
    if module == "memory" and not found:
        raise ValueError(f"{path} holds a {owner}, which has no memory; take the file of a DRQN or a RecurrentPPO")
    if "encoder" not in settings:
        raise ValueError(f"{path} holds a {owner}, which has no encoder; take the file of a deep agent, an autoencoder or a classifier")
    if not isinstance(settings["encoder"], str):
        raise files.DamagedFile(f"{path} names no encoder; take another checkpoint of the run")
    chosen = next((found[each] for each in (*_FIRST, part) if each in found), {})
    return Stored(owner, settings["encoder"], chosen, settings)


def load(path: str | os.PathLike[str], observation_space: Any) -> nn.Module:
    """Make the encoder that a file holds, for observations of this space.

    Raises
    ------
    ValueError
        Where it does not fit the space.
    """
    held = stored(path)
    with torch.random.fork_rng(devices=[]), of_file(path):  # the first weights are overwritten
        encoder = make(held.name, observation_space)
    _fill(encoder, held, path)
    return encoder


def load_memory(path: str | os.PathLike[str], observation_space: Any) -> Recurrent:
    """Make the memory that the file of a DRQN or RecurrentPPO holds, for observations of this space."""
    held = stored(path, "memory")
    c = held.settings
    with torch.random.fork_rng(devices=[]), of_file(path):
        memory = make_memory(c["memory"], observation_space, c["memory_size"], held.name, c["memory_layers"])
    _fill(memory, held, path)
    return memory


def fill(encoder: nn.Module, path: str | os.PathLike[str], part: str | None = None, words: Iterable[Sequence[str]] = ()) -> bool:
    """Give an encoder the weights of the one in a file, or its tables the word vectors.

    Parameters
    ----------
    encoder : Module
    path, part
        As of `stored`.
    words : iterable of sequences of str
        What the environment calls the tokens of each text, where that is known: word vectors must be of the same words.

    Returns
    -------
    bool
        Whether these are all of its weights: word vectors need not be.

    Raises
    ------
    ValueError
        Where that one has other arrays, no table has the shape of the vectors, or they are of other words.
    """
    arrays, metadata = files.read(path)
    if metadata.get("class") == "WordVectors":
        return fill_tables(encoder, arrays["vectors"], path, metadata.get("names"), words)
    _fill(encoder, stored(path, part=part), path)
    return True


def _fill(encoder: nn.Module, held: Stored, path: Any) -> None:
    mine = {name: tuple(value.shape) for name, value in encoder.state_dict().items()}
    theirs = {name: array.shape for name, array in held.arrays.items()}
    if mine != theirs:
        name = min(set(mine.items()) ^ set(theirs.items()))[0]
        has, needs = (f"of shape {shapes[name]}" if name in shapes else "missing" for shapes in (theirs, mine))
        raise ValueError(
            f"{path} holds the encoder {held.name!r} of a {held.owner}, which does not fit here: its array {name!r} is {has}, here {needs}"
        )
    encoder.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in held.arrays.items()})
