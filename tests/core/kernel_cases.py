"""A call of every kernel of an index. As a program: runs each on simulated threads and in its loop, and prints those that agree."""

import copy

import numpy as np

from rlcourse.core.counter import Counter, stream_keys
from rlcourse.core.kernels import ADVANTAGES, DRAW, LAMBDA_RETURNS, NORMAL, RESET, SHUFFLE, STEP, Outcome, Place
from rlcourse.core.replay_kernels import FOLLOW, SAMPLE, Sampled, Stored
from rlcourse.core.sequence_kernels import WINDOWS, Window
from rlcourse.envs import CartPole

S, N, R, B, T = 2, 3, 7, 4, 3
M = S * N


def numbers(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def some(*shape, share=0.2):
    return np.random.default_rng(1).random(shape) < share


def whole(*shape):
    return np.zeros(shape, np.int64)


def copies():
    place = Place(np.zeros((M, 4)), whole(M), np.zeros(M))
    return CartPole(), (0.0, 0.0, 0.0, 0.0), Counter(stream_keys(0, 1, M), whole(M), 0), place


def stored():
    return Stored(np.array([2]), np.array([R]), np.array([N] * (R - 1) + [N - 1]), numbers(R, M), some(R, M, share=0.1), some(R, M))


def sampled(slots=0):
    return Sampled(whole(S, B) + slots, whole(S, B), np.zeros((S, B), np.float32), np.zeros((S, B), np.float32))


def window():
    rows, steps = (2 * T, S, B), (T, S, B)
    flags = (np.zeros((1, S, B), np.bool_), np.zeros(rows, np.bool_))
    floats = (np.zeros(steps, np.float32), np.zeros(steps, np.float32))
    first = (whole(1, S, B), whole(*rows), np.zeros(rows, np.bool_))
    return Window(*first, *flags, whole(*steps), whole(*steps), whole(*steps), *floats, np.zeros(steps, np.bool_))


def outcome():
    flags = (np.zeros(M, np.bool_), np.zeros(M, np.bool_))
    return Outcome(np.zeros((M, 4), np.float32), np.zeros((M, 4), np.float32), np.zeros(M, np.float32), *flags, whole(M), np.zeros(M))


def table():
    return numbers(R, M), numbers(R, M) + 1, some(R, M, share=0.1), some(R, M)


def advantages():
    rewards, following, terminated, ended = table()
    gamma, lam = np.array([0.9, 0.99]), np.array([0.5, 0.95])
    return N, rewards, numbers(R, M) - 1, following, terminated, ended, gamma, lam, np.zeros((R, M), np.float32)


def lambda_returns():
    rewards, following, terminated, ended = table()
    return N, rewards, following, terminated, ended, np.array([0.9, 0.99]), np.array([0.5, 0.95]), np.zeros((R, M), np.float32)


KEYS, GAMMA = stream_keys(3, 4, S), np.array([0.9, 0.99])
CASES = {  # name: kernel, how many indices, arguments
    "reset": (RESET, M, lambda: (*copies(), np.zeros((M, 4), np.float32))),
    "step": (STEP, M, lambda: (*copies(), whole(M), 20, outcome())),
    "draw": (DRAW, 2 * M * 5, lambda: (stream_keys(0, 2, M), whole(S) + 7, np.zeros((2, M, 5), np.float32))),
    "normal": (NORMAL, 2 * M * 5, lambda: (stream_keys(0, 2, M), whole(S) + 7, np.zeros((2, M, 5), np.float32))),
    "shuffle": (SHUFFLE, S * 9, lambda: (KEYS, whole(S) + 1, whole(S, 9))),
    "advantages": (ADVANTAGES, M, advantages),
    "lambda_returns": (LAMBDA_RETURNS, M, lambda_returns),
    "sample": (SAMPLE, S * B, lambda: (KEYS, whole(S) + 2, stored(), GAMMA, 3, sampled())),
    "follow": (FOLLOW, S * B, lambda: (stored(), GAMMA, 3, sampled(np.array([[0], [N]]) + M * np.arange(B)))),
    "windows": (WINDOWS, S * B, lambda: (KEYS, whole(S) + 2, stored(), GAMMA, 2, window())),
}


def arrays(value):
    """All arrays of a value, nested tuples included."""
    if isinstance(value, tuple):
        return [array for item in value for array in arrays(item)]
    return [value] if isinstance(value, np.ndarray) else []


def main():
    from rlcourse.core.cuda import threads

    for name, (each, count, arguments) in CASES.items():
        mine, before = arguments(), copy.deepcopy(arguments())
        theirs = copy.deepcopy(mine)
        threads(each, count, mine)()
        each.loop(count, theirs)
        changed = [not np.array_equal(a, b) for a, b in zip(arrays(mine), arrays(before), strict=True)]
        if any(changed) and all(np.array_equal(a, b) for a, b in zip(arrays(mine), arrays(theirs), strict=True)):
            print(name)


if __name__ == "__main__":
    main()
