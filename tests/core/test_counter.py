"""The counter-based generator: known answers, distributions, permutations, and the same numbers at both speeds."""

import collections
import math

import numpy as np
import pytest

from rlcourse.core.box import box
from rlcourse.core.counter import Counter, normal, open_uniform, philox, shuffled, stream_keys, uniform


@box
def _draws(rng, out):
    for k in range(len(out)):
        out[k, 0] = rng.random()
        out[k, 1] = rng.standard_normal()


@box
def _numbers(key, out):
    for k in range(len(out)):
        out[k, 0] = uniform(key, k)
        out[k, 1] = open_uniform(key, k)
        out[k, 2] = normal(key, k)


@box
def _permutations(n, key, out):
    for k in range(len(out)):
        for i in range(n):
            out[k, i] = shuffled(i, n, key, k)


def test_the_words_are_those_of_the_published_test_vector():
    assert [int(word) for word in philox(0, 0)] == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]  # Random123, kat_vectors


def test_uniform_and_normal_numbers_have_the_moments_and_tails_of_their_distributions():
    out = np.zeros((200_000, 3))
    _numbers(7, out)
    n = len(out)
    for column in (0, 1):
        x = out[:, column]
        assert abs(x.mean() - 0.5) < 5 / math.sqrt(12 * n)
        counts = np.histogram(x, 50, (0, 1))[0]
        assert ((counts - n / 50) ** 2 / (n / 50)).sum() < 49 + 5 * math.sqrt(98)
    z = out[:, 2]
    assert abs(z.mean()) < 5 / math.sqrt(n)
    assert abs(z.var() - 1) < 5 * math.sqrt(2 / n)
    assert abs((np.abs(z) > 2).mean() - math.erfc(math.sqrt(2))) < 5 * math.sqrt(0.0455 / n)
    assert abs(np.corrcoef(z[1:], z[:-1])[0, 1]) < 5 / math.sqrt(n)


def test_an_open_uniform_number_is_neither_end_also_as_a_float32():
    out = np.zeros((200_000, 3))
    _numbers(3, out)
    small = out[:, 1].astype(np.float32)
    assert 0 < small.min()
    assert small.max() < 1
    assert np.float32((2**23 - 1 + 0.5) * 2.0**-23) < 1


def test_streams_do_not_resemble_each_other():
    a, b = np.zeros((50_000, 3)), np.zeros((50_000, 3))
    keys = stream_keys(0, 1, 2)
    _numbers(int(keys[0]), a)
    _numbers(int(keys[1]), b)
    for shift in (0, 1, 5):
        assert abs(np.corrcoef(a[shift:, 0], b[: len(b) - shift, 0])[0, 1]) < 5 / math.sqrt(50_000)


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_all_permutations_are_equally_likely(n):
    times = 2000 * math.factorial(n)
    out = np.zeros((times, n), np.int64)
    _permutations(n, 11, out)
    counts = collections.Counter(map(tuple, out.tolist()))
    assert len(counts) == math.factorial(n)
    freedom = len(counts) - 1
    assert sum((count - 2000) ** 2 / 2000 for count in counts.values()) <= freedom + 5 * math.sqrt(2 * freedom)


@pytest.mark.parametrize("n", [16, 255, 256, 257, 100_003])
def test_a_shuffle_is_a_permutation_that_looks_like_none_before(n):
    out = np.zeros((2, n), np.int64)
    _permutations(n, 4, out)
    for row in out:
        assert np.array_equal(np.sort(row), np.arange(n))
    for a, b in ((out[0], out[1]), (out[0], np.arange(n)), (out[0, 1:], out[0, :-1])):
        assert abs(np.corrcoef(a, b)[0, 1]) < 5 / math.sqrt(n)


def test_a_key_depends_on_seed_purpose_and_index_alone():
    assert np.array_equal(stream_keys(5, 1, 3), stream_keys(5, 1, 1000)[:3])
    every = np.concatenate([stream_keys(seed, purpose, 100) for seed in range(5) for purpose in range(3)])
    assert len(np.unique(every)) == len(every)
    assert every.min() >= 0


def test_compiled_and_interpreted_numbers_are_the_same_bits():
    results = []
    for draw in (_draws.compiled, _draws.python):
        rng = Counter(stream_keys(1, 1, 4), np.zeros(4, np.int64), 2)
        out = np.zeros((300, 2))
        draw(rng, out)
        results.append((out, rng.counts.copy()))
    assert np.array_equal(results[0][0], results[1][0])
    assert results[0][1].tolist() == results[1][1].tolist() == [0, 0, 600, 0]
