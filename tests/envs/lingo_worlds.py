"""What the tests of LingoBandit and LingoGrid share: one who reads all languages, and text held against compiled tokens."""

import numpy as np

from rlcourse.core.copies import as_vector
from rlcourse.core.packing import packed
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.envs.languages import LANGUAGES
from rlcourse.wrappers import TextTokens


def reader(mission):
    """Return the target token of a mission, and colour and kind that it names; check the order of the words."""
    target, *words = mission.split()
    language, known = next((k, known) for k, known in enumerate(LANGUAGES.values()) if words[-1] in known)
    numbers = [known.index(word) for word in words]
    parts = [0 if n == 0 else 1 if n == 1 else 2 if n < 6 else 3 for n in numbers]
    assert parts == ([0, 3, 2, 1] if language % 2 else [1, 0, 2, 3])
    return target, (numbers[parts.index(2)] - 2, numbers[parts.index(3)] - 6)


def same_behind_tokens(env, length, shuffled=False, known=None, copies=64, steps=5):
    """Whether TextTokens around the text of each copy's state is what the compiled copy sees, along random episodes."""
    words = list(env.unwrapped.world.vocabulary)
    if shuffled:
        np.random.default_rng(0).shuffle(words)
    tokens = TextTokens(env, words[:known], length)
    envs = as_vector(tokens, copies)
    assert isinstance(envs, WorldVectorEnv)
    packing, rng = packed(tokens.observation_space), np.random.default_rng(1)
    assert envs.single_observation_space == packing
    seen, _ = envs.reset(seed=2)
    for _ in range(steps):
        for state, row in zip(envs.states, seen, strict=True):
            shown, _ = tokens.reset(options={"state": tuple(state.tolist())})
            assert tokens.observation_space.contains(shown)
            if not np.array_equal(packing.pack(shown), row):
                return False
        seen, *_ = envs.step(rng.integers(0, env.action_space.n, copies))
    return True
