"""Transfer of encoders: an agent begins with what another agent, an autoencoder or a classifier has learned to see.

The notes' three scenarios beside learning from scratch (cs231n, "Transfer learning"): the encoder is a fixed extractor of features; it is
fine-tuned, at a tenth of the learning rate, because what it has learned is mostly right; or its weights are only where learning begins.
Word vectors are the beginning of an encoder's tables: what else it has is learned from nothing, so it can neither be frozen nor fine-tuned.
"""

from __future__ import annotations

from typing import Any

from torch import nn

from rlcourse.core.spoken import words_of
from rlcourse.encoders.files import fill

__all__ = ["FINETUNE", "encoders_of", "pace_of", "take_over"]

FINETUNE = 0.1  # the learning rate of a fine-tuned encoder, as a share of the others'


def encoders_of(network: nn.Module) -> list[nn.Module]:
    """Return the encoders of a network that have weights: those of several networks, not the parts of one."""
    named = [(name.split("."), part) for name, part in network.named_modules()]
    found = [part for path, part in named if path[-1] == "encoder" and "encoder" not in path[:-1]]
    return [part for part in found if any(True for _ in part.parameters())]


def pace_of(config: Any) -> float:
    """Return the learning rate of an encoder as a share of the others'."""
    return FINETUNE if config.encoder_mode == "finetune" else 1.0


def take_over(network: nn.Module, config: Any, restored: bool, env: Any) -> None:
    """Give the encoders of a network the weights in `encoder_from`, and fix them if they are to be frozen.

    Parameters
    ----------
    network : nn.Module
    config : Config
        With `encoder_mode` and `encoder_from`.
    restored : bool
        The weights come from the agent's own file: that one is not read.
    env : Env or VectorEnv
        The agent's: word vectors must be of its words, where it has a vocabulary.

    Raises
    ------
    ValueError
        Where the settings contradict one another, or the file does not exist, is damaged, or holds an encoder that does not fit.
    """
    mode, source = config.encoder_mode, config.encoder_from
    if (mode == "scratch") != (source is None):
        if source is None:
            raise ValueError(f"encoder_mode {mode!r} needs encoder_from: the file of an agent, an autoencoder or a classifier")
        raise ValueError("encoder_from is for an encoder_mode: say 'frozen', 'finetune' or 'warmstart'")
    if mode == "scratch":
        return
    for encoder in encoders_of(network):
        if not restored:
            try:
                whole = fill(encoder, source, words=words_of(env))
            except (ValueError, OSError) as error:
                raise ValueError(f"encoder_from: {error}") from error
            if not whole and mode != "warmstart":
                advice = f"word vectors are only the tables of encoder {config.encoder!r}, and the rest has yet to learn"
                raise ValueError(f"encoder_mode {mode!r}: {advice}; set it to warmstart")
        encoder.requires_grad_(mode != "frozen")
