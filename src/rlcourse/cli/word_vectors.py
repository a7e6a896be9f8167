"""`rlcourse pretrain --kind skip-gram`: vectors of the tokens that an environment says, or of its states."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import tomli_w
from gymnasium import spaces
from rich.console import Console

from rlcourse.cli.folder import RunFolder
from rlcourse.cli.outputs import held
from rlcourse.cli.targets import Target, agent_class, agent_name, default_algo, find_agent
from rlcourse.cli.usage import UsageError
from rlcourse.core.files import write_bytes

__all__ = ["pretrain_words"]

SHOWN = 8  # tokens whose neighbours are printed


def pretrain_words(parsed: Any, argv: Sequence[str], target: Target, console: Console, here: Path) -> int:
    """Learn word vectors and write them, from the working folder `here`; see ``rlcourse pretrain --help``."""
    began = time.perf_counter()
    env = target.make()
    states = isinstance(env.observation_space, spaces.Discrete)
    parsed.vector_size = parsed.vector_size or (16 if states else 32)
    settings = {"vector_size": parsed.vector_size, "epochs": parsed.epochs, "seed": parsed.seed}
    settings |= {"window": parsed.window} if parsed.window else {}
    try:
        found, encoder = _of_states(parsed, env, settings) if states else _of_tokens(parsed, env, target, settings, console)
    except ValueError as error:
        raise UsageError(str(error)) from error
    folder = RunFolder.create(held(parsed.out, here), target.label, f"pretrain-{parsed.kind}", parsed.seed, checkpoints=False).named
    kept = {name: value for name, value in vars(parsed).items() if value is not None and name not in ("quiet", "out")}
    settings = kept | {"command": f"rlcourse pretrain {shlex.join(argv)}"}
    write_bytes(folder / "pretraining.toml", tomli_w.dumps(settings).encode())
    file = found.save(folder / "vectors.safetensors")
    learned = int(found.vectors.any(axis=1).sum())
    console.print(f"{learned} vectors of {parsed.vector_size} numbers, {time.perf_counter() - began:.1f} s")
    for token in np.argsort(-found.counts, kind="stable")[: min(SHOWN, learned)]:
        beside = ", ".join(f"{name} {cosine:.2f}" for name, cosine in found.most_similar(int(token), 3))
        console.print(f"  {token if found.names is None else found.names[token]}: {beside}", markup=False)
    console.print(f"{folder}: vectors.safetensors, pretraining.toml", soft_wrap=True)
    deep = hasattr(agent_class(agent_name(default_algo(target))).Config, "encoder")
    words = ["rlcourse", "train", target.text, *([] if deep else ["--algo", "dqn"]), "--encoder", encoder]
    console.print(f"use it: {shlex.join([*words, '--encoder-mode', 'warmstart', '--encoder-from', str(file)])}", soft_wrap=True)
    if parsed.quiet:
        print(file)
    return 0


def _of_states(parsed: Any, env: Any, settings: dict[str, Any]) -> tuple[Any, str]:
    """Return vectors of states, and the encoder whose table they are."""
    from rlcourse.features import state2vec

    if parsed.policy:
        raise UsageError("--from: vectors of states are learned from random play; leave it out")
    return state2vec(env, steps=parsed.frames, **settings), f"embedding:{parsed.vector_size}"


def _of_tokens(parsed: Any, env: Any, target: Target, settings: dict[str, Any], console: Console) -> tuple[Any, str]:
    """Return vectors of the tokens of an environment's text, and an encoder with a table for them."""
    from rlcourse.core.skip_gram import train
    from rlcourse.pretraining import gather
    from rlcourse.pretraining.sentences import names_of, sentences

    agent = find_agent(parsed.policy)[0] if parsed.policy else None
    said, part = sentences(gather(target.env, parsed.frames, parsed.seed, agent))
    if isinstance(part.space, spaces.Text):
        worded = target.text.replace("-v", "Tokens-v")
        advice = f"{worded} has words" if worded in gym.registry else "rlcourse.wrappers.TextTokens makes words of it"
        console.print(f"vectors of characters, of which the text of {target.text} is made; {advice}", markup=False, soft_wrap=True)
    name = "text-lstm" if parsed.vector_size == 32 else f"text-bag:{parsed.vector_size}"
    return train(said, names_of(env, part), **settings), "=".join([*([".".join(part.path)] if part.path else []), name])
