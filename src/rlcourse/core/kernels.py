"""What is done for each copy of a world, each number and each sample: functions of an index, in a compiled loop or on threads of a GPU.

Each function of one index (`step_copy`, ...) is the whole source; `EACH` pairs it with its loop for the CPU, and `rlcourse.core.cuda`
runs it on one thread per index. Arguments are arrays that are written in place, so that the same call can be made again and again, and
recorded once as a CUDA graph.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from rlcourse.core.box import Box, box, kernel
from rlcourse.core.counter import Counter, normal, open_uniform, shuffled
from rlcourse.core.rows import show, spoilt, unpack

__all__ = [
    "ADVANTAGES",
    "DRAW",
    "EACH",
    "LAMBDA_RETURNS",
    "NORMAL",
    "RESET",
    "SHUFFLE",
    "STEP",
    "Each",
    "Outcome",
    "Place",
]


class Place(NamedTuple):
    """Where N copies are: arrays that `RESET` and `STEP` change in place.

    Attributes
    ----------
    states : ndarray of int64 [N], or of float64 [N, k]
    lengths : ndarray of int64, shape [N]
        Steps of the episode so far.
    scores : ndarray of float64, shape [N]
        Its return so far.
    """

    states: np.ndarray
    lengths: np.ndarray
    scores: np.ndarray


class Outcome(NamedTuple):
    """What a step of N copies writes.

    Attributes
    ----------
    observations : ndarray, shape [N, ...]
        What the copies see now; where an episode has ended, the first observation of the next one.
    successors : ndarray, shape [N, ...]
        The true successors, also where an episode has ended.
    rewards : ndarray of float32, shape [N]
    terminated, ended : ndarray of bool, shape [N]
        Ended: terminated or truncated.
    lengths : ndarray of int64, shape [N]
    scores : ndarray of float64, shape [N]
        Steps and return of the episode up to this step.
    """

    observations: np.ndarray
    successors: np.ndarray
    rewards: np.ndarray
    terminated: np.ndarray
    ended: np.ndarray
    lengths: np.ndarray
    scores: np.ndarray


@kernel
def reset_copy(i, world, like, rng, place, observations):
    """Begin an episode in copy i."""
    state = world.reset(Counter(rng.keys, rng.counts, i))
    place.states[i] = state
    show(world, state, observations, i)
    place.lengths[i] = 0
    place.scores[i] = 0.0


@kernel
def step_copy(i, world, like, rng, place, actions, limit, out):
    """Step copy i, and begin its next episode where this one has ended."""
    own = Counter(rng.keys, rng.counts, i)
    state, reward, over, cut = world.step(unpack(place.states, i, like), actions[i], own)
    length, score = place.lengths[i] + 1, place.scores[i] + reward + spoilt(state)
    out.rewards[i] = reward
    out.lengths[i] = length
    out.scores[i] = score
    out.terminated[i] = over
    ended = over or cut or length >= limit
    out.ended[i] = ended
    show(world, state, out.successors, i)
    if ended:
        state = world.reset(own)
        length = 0
        score = 0.0
    place.states[i] = state
    place.lengths[i] = length
    place.scores[i] = score
    show(world, state, out.observations, i)


@kernel
def draw_number(e, keys, drawn, out):
    """Write number e of `out`, float32 [R, M, A]: uniform in (0, 1), of M streams.

    `drawn`, int64 [S], counts what each stream of an agent has drawn before; M is a multiple of S.
    """
    M, A = out.shape[1], out.shape[2]
    a, m, r = e % A, e // A % M, e // (A * M)
    out[r, m, a] = open_uniform(keys[m], drawn[m * len(drawn) // M] + r * A + a)


@kernel
def draw_normal(e, keys, drawn, out):
    """Write number e of `out`, float32 [R, M, A]: standard normal; see `draw_number`."""
    M, A = out.shape[1], out.shape[2]
    a, m, r = e % A, e // A % M, e // (A * M)
    out[r, m, a] = normal(keys[m], drawn[m * len(drawn) // M] + r * A + a)


@kernel
def shuffle_number(e, keys, drawn, out):
    """Write number e of `out`, int64 [S, B]: in each row a permutation of 0..B-1, of a stream of its own."""
    B = out.shape[1]
    s, b = e // B, e % B
    out[s, b] = shuffled(b, B, keys[s], drawn[s])


@kernel
def column_advantages(i, per_agent, rewards, values, following, terminated, ended, gamma, lam, out):
    """Write column i of the advantages [T, M] (`rlcourse.core.returns.gae`); gamma and lam are arrays [S], M = S * per_agent."""
    discount, decay = gamma[i // per_agent], lam[i // per_agent]
    advantage = 0.0
    for t in range(len(rewards) - 1, -1, -1):
        target = rewards[t, i] + (0.0 if terminated[t, i] else discount * following[t, i])
        advantage = target - values[t, i] + (0.0 if ended[t, i] else discount * decay * advantage)
        out[t, i] = advantage


@kernel
def column_lambda_returns(i, per_agent, rewards, following, terminated, ended, gamma, lam, out):
    """Write column i of the lambda-returns [T, M] (`rlcourse.core.returns.lambda_returns`); gamma and lam are arrays [S]."""
    discount, decay = gamma[i // per_agent], lam[i // per_agent]
    T = len(rewards)
    G = 0.0
    for t in range(T - 1, -1, -1):
        cut = ended[t, i] or t == T - 1
        after = following[t, i] if cut else (1.0 - decay) * following[t, i] + decay * G
        G = rewards[t, i] + (0.0 if terminated[t, i] else discount * after)
        out[t, i] = G


# Loops of the CPU: one box each, so that compiled code is kept on disk ------------------------------------------------


@box
def _reset_all(count, arguments):
    for i in range(count):
        reset_copy(i, *arguments)


@box
def _step_all(count, arguments):
    for i in range(count):
        step_copy(i, *arguments)


@box
def _draw_all(count, arguments):
    for e in range(count):
        draw_number(e, *arguments)


@box
def _draw_all_normal(count, arguments):
    for e in range(count):
        draw_normal(e, *arguments)


@box
def _shuffle_all(count, arguments):
    for e in range(count):
        shuffle_number(e, *arguments)


@box
def _advantages_all(count, arguments):
    for i in range(count):
        column_advantages(i, *arguments)


@box
def _lambda_returns_all(count, arguments):
    for i in range(count):
        column_lambda_returns(i, *arguments)


class Each(NamedTuple):
    """A function of one index, and its loop over all.

    Attributes
    ----------
    one : callable
        ``one(i, *arguments)``.
    loop : Box
        ``loop(count, arguments)``.
    """

    one: Any
    loop: Box[Any, Any]


RESET, STEP = Each(reset_copy, _reset_all), Each(step_copy, _step_all)
DRAW, NORMAL, SHUFFLE = Each(draw_number, _draw_all), Each(draw_normal, _draw_all_normal), Each(shuffle_number, _shuffle_all)
ADVANTAGES = Each(column_advantages, _advantages_all)
LAMBDA_RETURNS = Each(column_lambda_returns, _lambda_returns_all)
EACH = (RESET, STEP, DRAW, NORMAL, SHUFFLE, ADVANTAGES, LAMBDA_RETURNS)
