"""What the tests of the worlds that are seen as pixels share."""

import numpy as np

from rlcourse.core.vector import vector_reset, vector_step


def play(game, begin, step, steps=60, N=6):
    """Everything that N copies of a game go through at one speed, under actions that are the same each time."""
    rng, like = np.random.default_rng(5), game.reset(np.random.default_rng(0))
    images, states = np.zeros((N, *game.observation_space.shape), np.uint8), np.zeros((N, len(like)))
    final, lengths, numbers, flags = images.copy(), np.zeros(N, int), np.zeros((2, N)), np.zeros((2, N), bool)
    actions_of, n = np.random.default_rng(1), int(game.action_space.n)
    begin(game, states, like, images, lengths, numbers[0], np.ones(N, bool), rng)
    seen = [images.copy(), states.copy()]
    for _ in range(steps):
        actions = actions_of.integers(0, n, N)
        step(game, states, like, actions, n, images, final, numbers[1], *flags, lengths, numbers[0], 99, 0, rng)
        seen += [images.copy(), states.copy(), final.copy(), numbers.copy(), flags.copy()]
    return seen


def two_speeds_agree(game):
    """Whether compiled and interpreted copies agree to the bit."""
    compiled = play(game, vector_reset.compiled, vector_step.compiled)
    python = play(game, vector_reset.python, vector_step.python)
    return all(np.array_equal(a, b) for a, b in zip(compiled, python, strict=True))
