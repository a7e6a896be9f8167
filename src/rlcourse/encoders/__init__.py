"""Encoders: from an observation to a feature vector, as plain `torch.nn.Module`s that any agent can take.

An encoder is ``Encoder(observation_space, features_dim=...)`` with an attribute `features_dim` and ``forward(observations)``, which
is all that stable-baselines3's ``features_extractor_class`` asks for. One with memory also takes ``(x[T, B, ...], state,
episode_start[T, B])`` and returns ``(features, state)``: see `rlcourse.encoders.recurrent`.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gymnasium import spaces

from rlcourse.core.arguments import checked
from rlcourse.core.config import Count, did_you_mean, whole
from rlcourse.core.memory import require_memory
from rlcourse.core.packing import Packed
from rlcourse.core.spaces import short

if TYPE_CHECKING:
    from torch import nn

    from rlcourse.encoders.recurrent import Recurrent

__all__ = ["about", "class_of", "make", "make_memory", "memories", "names"]

_IMAGES = "images and boards: Box of three axes, or of two of bytes"
_INSTRUCTED = "Dict and Tuple of an instruction (Text or tokens) and other parts"
_WINDOWS = "windows of observations, which the wrapper Window shows"
_HOMES = {  # name: module, class, the spaces it serves
    "flatten": ("flatten", "Flatten", "all that has a fixed size"),
    "mlp": ("mlp", "MLP", "all that has a fixed size, but no large images"),
    "embedding": ("embedding", "Embedding", "Discrete, MultiDiscrete, MultiBinary and Text"),
    "text-lstm": ("text", "TextLSTM", "Text, and MultiDiscrete that holds tokens"),
    "text-bilstm": ("text", "TextBiLSTM", "Text, and MultiDiscrete that holds tokens"),
    "text-bag": ("text", "TextBag", "Text, and MultiDiscrete that holds tokens"),
    "gnmt": ("gnmt", "GNMT", "Text, and MultiDiscrete that holds tokens"),
    "window-lstm": ("windowed", "WindowLSTM", _WINDOWS),
    "window-gru": ("windowed", "WindowGRU", _WINDOWS),
    "window-rnn": ("windowed", "WindowRNN", _WINDOWS),
    "window-attention": ("windowed", "WindowAttention", _WINDOWS),
    "merge": ("merge", "Merge", "Dict, Tuple and OneOf, each part through its own encoder"),
    "notes-mnist": ("notes_networks", "NotesMNIST", _IMAGES),
    "notes-cifar": ("notes_networks", "NotesCIFAR", _IMAGES),
    "notes-cifar-bn": ("notes_networks", "NotesCIFARBatchNorm", _IMAGES),
    "deep-mnist": ("notes_networks", "DeepMNIST", _IMAGES),
    "dcgan-d": ("notes_networks", "DCGANDiscriminator", _IMAGES),
    "dcgan-svhn-d": ("notes_networks", "DCGANDiscriminatorSVHN", _IMAGES),
    "lenet5": ("standard_networks", "LeNet5", _IMAGES),
    "cs231n": ("standard_networks", "CS231n", _IMAGES),
    "nature": ("standard_networks", "Nature", "images of at least 36 x 36 pixels"),
    "impala": ("standard_networks", "Impala", _IMAGES),
    "minatar": ("standard_networks", "MinAtar", _IMAGES),
    "torch-ac": ("standard_networks", "TorchAC", "images and boards of at least 7 x 7"),
    "minigrid": ("categorical", "MiniGrid", "images of categories: a Box of bytes and three axes"),
    "instruction": ("instruction", "Instruction", _INSTRUCTED),
    "instruction-dot": ("instruction", "InstructionDot", _INSTRUCTED),
    "instruction-concat": ("instruction", "InstructionConcat", _INSTRUCTED),
    "instruction-final": ("instruction", "InstructionFinal", _INSTRUCTED),
    "film": ("instruction", "FiLM", f"{_INSTRUCTED}, with an image among them"),
    "film-instruction": ("instruction", "FiLMInstruction", f"{_INSTRUCTED}, with an image among them"),
    "ae-dense": ("autoencoders", "DenseCode", "everything that 'flatten' takes"),
    "ae-conv": ("autoencoders", "ConvolutionalCode", _IMAGES),
    "ae-denoising": ("autoencoders", "DenoisingCode", _IMAGES),
    "ae-sparse": ("autoencoders", "SparseCode", f"{_IMAGES}, by their patches"),
}
_MEMORIES = {  # name: module, class
    "attention": ("attentive", "AttentionMemory"),
    "gru": ("recurrent", "GRU"),
    "lstm": ("recurrent", "LSTM"),
    "rnn": ("recurrent", "RNN"),
}
_INSTRUCTIONS = tuple(name for name, (home, _, _) in _HOMES.items() if home == "instruction")
_SEVERAL = (Packed, spaces.Dict, spaces.Tuple, spaces.OneOf)


def names() -> dict[str, str]:
    """Return the names that `make` knows, with the spaces that each serves."""
    return {"auto": "everything that has a fixed size"} | {name: spaces for name, (_, _, spaces) in _HOMES.items()}


def memories() -> list[str]:
    """Return the names that `make_memory` knows; each reads what the encoder before it does, one observation after another."""
    return list(_MEMORIES)


@checked
def about(name: str) -> str:
    """Return in one line what an encoder or a memory is: the first of its class's docstring, read from the source, without torch."""
    if name == "auto":
        return "Picks one by the space."
    known = _HOMES | _MEMORIES
    if name not in known:
        raise ValueError(f"unknown encoder or memory {name!r}{did_you_mean(name, ['auto', *known])}")
    module, kind, *_ = known[name]
    tree = ast.parse((Path(__file__).parent / f"{module}.py").read_text(encoding="utf-8"))
    found = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == kind)
    line = re.sub(r"; parameters as `\w+`", "", (ast.get_docstring(found) or "").partition("\n")[0])
    keys = {each: key for key, (_, each, _) in _HOMES.items()}
    return re.sub(r"`(\w+)`", lambda match: f"`{keys.get(match[1], match[1])}`", line)


@checked
def class_of(name: str) -> type[nn.Module]:
    """Return the class of a kind of encoder, such as "notes-mnist": for stable-baselines3's ``features_extractor_class``."""
    if name not in _HOMES:
        raise ValueError(f"unknown encoder {name!r}{did_you_mean(name, ['auto', *_HOMES])}")
    module, kind, _ = _HOMES[name]
    found: type[nn.Module] = getattr(importlib.import_module(f"rlcourse.encoders.{module}"), kind)
    return found


def make(name: str, observation_space: Any, features_dim: int | None = None) -> nn.Module:
    """Make an encoder.

    Parameters
    ----------
    name : str
        One of `names`, then perhaps numbers after a colon and a normalisation after a plus: "notes-mnist", "embedding:32", "mlp:64+ln",
        "cs231n:2,2,1+bn". The number is the width of the features; those of "cs231n" are its N, M, K, and perhaps the width.
        "auto" takes "minigrid" for images whose bounds say that they hold categories, "nature" for others of at least 36 x 36 pixels,
        "minatar" for smaller ones and boards, "text-lstm" for Text, "merge" for Dict, Tuple and OneOf, "flatten" for everything else.
        Encoders of parts have the form "camera=nature,goal=mlp:16"; parts without one have "auto". "image=minigrid,mission=film:64" says
        which part is the instruction, for the encoders that take one; "film:64" finds it, where there is but one part of tokens.
        "+bn" is batch normalisation of every layer before its activation, "+ln" layer normalisation.
    observation_space : gymnasium.Space
    features_dim : int, optional
        Width of the feature vector where the name has none; by default the encoder's own. "flatten" has that of the space.
    """
    if not isinstance(name, str):
        raise TypeError(f"an encoder has a name, such as 'auto' or 'mlp:64', not {name!r:.60}")
    options: dict[str, Any] = {} if features_dim is None else {"features_dim": whole("features_dim", features_dim, 1, 2**20)}
    if isinstance(observation_space, Packed) and isinstance(observation_space.original, spaces.Text):
        observation_space = observation_space.original  # whose vectors are its tokens
    if "=" in name:
        given = [part.partition("=") for part in re.split(r",(?=[^,=]+=)", name)]
        if not isinstance(observation_space, _SEVERAL):
            raise ValueError(f"encoder {name!r} names parts, and {short(observation_space)} has none: leave {given[0][0]!r} and '=' out")
        return _joined(name, observation_space, {path: encoder for path, _, encoder in given}, options)
    kind, numbers, norm = _parsed(name)
    kind = _picked(observation_space) if kind == "auto" else kind
    made = class_of(kind)
    if kind == "cs231n" and numbers:
        if len(numbers) not in (3, 4):
            raise ValueError(f"encoder {name!r}: N, M and K follow the colon, for example 'cs231n:2,2,1', and perhaps a width")
        options["pattern"], numbers = tuple(numbers[:3]), numbers[3:]
    if numbers:
        if len(numbers) > 1 or numbers[0] < 1:
            raise ValueError(f"encoder {name!r}: a width of features follows the colon, for example 'embedding:32'")
        options["features_dim"] = numbers[0]
    if norm:
        if "norm" not in inspect.signature(made).parameters:
            raise ValueError(f"encoder {kind!r} has no layers to normalise: leave '+{norm}' out, or take 'mlp+{norm}'")
        options["norm"] = norm
    if kind not in ("ae-dense", "flatten", "merge", "mlp", *_INSTRUCTIONS) and isinstance(observation_space, _SEVERAL):
        raise ValueError(f"encoder {name!r} {_advice(name, observation_space, made, options)}")
    return made(observation_space, **options)


def _advice(name: str, space: Any, made: type[nn.Module], options: dict[str, Any]) -> str:
    """Return which part of several an encoder can take."""
    from rlcourse.encoders.pieces import parts_of

    for part in parts_of(space):
        try:
            made(part.space, **options)
        except (ValueError, RuntimeError):
            continue
        return f"takes one part of {short(space)}: say which, for example '{'.'.join(part.path)}={name}'"
    return f"can take no part of {short(space)}: leave it 'auto', which gives each part its own"


def _joined(name: str, space: Any, given: dict[str, str], options: dict[str, Any]) -> nn.Module:
    """Make what joins parts, whose encoders are given by their paths: "merge", or the encoder of one of them that is the instruction."""
    parsed = {path: _parsed(encoder) for path, encoder in given.items()}
    instructions = [path for path, (kind, _, _) in parsed.items() if kind in _INSTRUCTIONS]
    if not instructions:
        return class_of("merge")(space, encoders=given, **options)
    path, *others = instructions
    kind, numbers, norm = parsed[path]
    if others or norm or len(numbers) > 1 or 0 in numbers:
        raise ValueError(
            f"encoder {name!r}: one part is the instruction, and a width may follow its encoder, for example '{path}={kind}:64'"
        )
    options |= {"features_dim": numbers[0]} if numbers else {}
    return class_of(kind)(space, encoders={each: encoder for each, encoder in given.items() if each != path}, part=path, **options)


def _parsed(name: str) -> tuple[str, list[int], str]:
    """Return kind, numbers and normalisation of a name."""
    rest, plus, norm = name.partition("+")
    if plus and norm not in ("bn", "ln"):
        raise ValueError(f"encoder {name!r}: after the plus comes 'bn' (batch normalisation) or 'ln' (layer normalisation)")
    kind, colon, numbers = rest.partition(":")
    if colon and not re.fullmatch(r"\d+(,\d+)*", numbers):
        raise ValueError(f"encoder {name!r}: a width of features follows the colon, for example 'embedding:32'")
    return kind, [int(number) for number in numbers.split(",")] if colon else [], norm


def _picked(space: Any) -> str:
    """Return the kind that "auto" takes for a space."""
    from rlcourse.encoders.categorical import categorical
    from rlcourse.encoders.images import image_size

    if isinstance(space, _SEVERAL):
        return "merge"
    if isinstance(space, spaces.Text):
        return "text-lstm"
    if categorical(space):
        return "minigrid"
    side = min((image_size(space) or (0,))[:2])
    return "nature" if side >= 36 else "minatar" if side >= 5 else "flatten"


@checked
def make_memory(
    name: str, observation_space: Any, features_dim: Count = 64, encoder: str = "auto", layers: Count = 1, dropout: float = 0.0
) -> Recurrent:
    """Make an encoder with memory.

    Parameters
    ----------
    name : str
        "lstm", "gru" or "rnn"; or "attention:16", attention over the last 16 observations of the episode, which "attention" has too.
    observation_space : gymnasium.Space
    features_dim, encoder, layers, dropout
        See `rlcourse.encoders.recurrent.Recurrent`.
    """
    kind, colon, window = name.partition(":") if isinstance(name, str) else ("", "", "")
    if kind.startswith("bi") and kind[2:] in _MEMORIES:
        raise ValueError(f"memory {name!r} reads from both ends, and who acts cannot see the future: take {kind[2:]!r}")
    if kind not in _MEMORIES:
        raise ValueError(f"memory must be 'attention', 'gru', 'lstm' or 'rnn', not {name!r:.60}")
    module, name_of_class = _MEMORIES[kind]
    made = getattr(importlib.import_module(f"rlcourse.encoders.{module}"), name_of_class)
    if not colon:
        return made(observation_space, features_dim, encoder, layers, dropout)
    if kind != "attention" or not window.isdecimal():
        raise ValueError(f"memory {name!r}: only of attention a number of observations follows the colon, for example 'attention:16'")
    if int(window) < 2:
        raise ValueError(f"memory {name!r} remembers nothing: it looks at the observation itself, so that 2 is the least")
    require_memory("attention over so many observations, its gradients and moments", 16 * int(window) * features_dim, "memory")
    return made(observation_space, features_dim, encoder, layers, dropout, int(window))
