"""Skip-gram with negative sampling: one step by hand, the optimum of Levy & Goldberg, sentences, settings, files."""

import math

import numpy as np
import pytest

from rlcourse.core import files
from rlcourse.core.skip_gram import skip_gram, train
from rlcourse.core.word_vectors import WordVectors


def sigma(x):
    return 1.0 / (1.0 + math.exp(-x))


def corpus(sentences=60, length=50, seed=0):
    """Sentences of a Markov chain over six tokens, some of which often follow one another."""
    rng = np.random.default_rng(seed)
    P = 0.1 + np.kron(np.eye(3), np.ones((2, 2)))
    P = np.cumsum(P / P.sum(axis=1, keepdims=True), axis=1)
    found = []
    for _ in range(sentences):
        tokens = [int(rng.integers(6))]
        while len(tokens) < length:
            tokens.append(int(np.searchsorted(P[tokens[-1]], rng.random())))
        found.append(tokens)
    return found


def shifted_pmi(sequences, N, window, k):
    """Return PMI - log k of all pairs within a window, shape [N, N]."""
    pairs = np.zeros((N, N))
    for tokens in sequences:
        for i, w in enumerate(tokens):
            for j in range(max(0, i - window), min(len(tokens), i + window + 1)):
                pairs[w, tokens[j]] += i != j
    joint, counts = pairs / pairs.sum(), np.bincount(np.concatenate(sequences), minlength=N)
    return np.log(joint / np.outer(joint.sum(axis=1), counts / counts.sum())) - math.log(k)


def test_one_step_follows_the_gradient_of_equation_4():
    """Two tokens: from w = token 0 towards its neighbour 1, away from one noise token; then token 1 the same way."""
    W, C = np.array([[0.3, -0.2], [0.5, 0.1]]), np.array([[0.4, 0.7], [-0.6, 0.2]])
    w, c = W.copy(), C.copy()
    tokens, begins, noise = np.array([0, 1]), np.array([True, False]), np.array([1.0, 1.0])  # noise is always token 0
    skip_gram.python(tokens, begins, w, c, noise, np.ones(2), 1, False, 1, 1, 0.1, 0.1, np.random.default_rng(0))
    for centre, beside in ((0, 1), (1, 0)):
        before = W[centre].copy()
        g = 0.1 * (1.0 - sigma(before @ C[beside]))
        change = g * C[beside]
        C[beside] = C[beside] + g * before
        g = 0.1 * (0.0 - sigma(before @ C[0]))
        change = change + g * C[0]
        C[0] = C[0] + g * before
        W[centre] = before + change
    np.testing.assert_allclose(w, W, rtol=1e-12)
    np.testing.assert_allclose(c, C, rtol=1e-12)


def test_inner_products_approach_the_shifted_pointwise_mutual_information():
    sequences = corpus()
    found = train(sequences, vector_size=8, window=2, shrink_windows=False, negative=3, ns_exponent=1.0, epochs=200, alpha=0.05)
    expected = shifted_pmi(sequences, 6, 2, 3)
    products = found.vectors @ found.outputs.T
    assert expected.max() - expected.min() > 1.0
    assert np.abs(products - expected).max() < 0.15
    assert np.corrcoef(products.ravel(), expected.ravel())[0, 1] > 0.99


def test_no_window_reaches_into_another_sentence():
    joined = np.array([0, 1, 2, 3] * 200)
    vectors = {}
    for name, begins in (("sentences", np.arange(800) % 2 == 0), ("one", np.arange(800) == 0)):
        w, c = np.eye(4), np.zeros((4, 4))
        skip_gram(joined, begins, w, c, np.ones(4), np.ones(4), 1, False, 0, 1, 0.01, 0.01, np.random.default_rng(0))
        vectors[name] = c
    beside = vectors["sentences"] > 0
    assert np.array_equal(beside, [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]])
    assert vectors["one"][1, 2] > 0


def test_it_is_reproducible_by_its_seed():
    sequences = corpus(10)
    first, again, other = (train(sequences, vector_size=5, epochs=1, seed=seed) for seed in (3, 3, 4))
    assert np.array_equal(first.vectors, again.vectors)
    assert np.array_equal(first.outputs, again.outputs)
    assert not np.array_equal(first.vectors, other.vectors)


def test_similar_tokens_are_those_that_stand_in_the_same_places():
    found = train(corpus(), ["a", "b", "c", "d", "e", "f"], vector_size=8, epochs=20, seed=1)
    assert [found.most_similar(name, 1)[0][0] for name in "abcdef"] == list("badcfe")
    assert found.most_similar(found["a"], 1)[0] == ("a", pytest.approx(1.0))
    assert len(found.most_similar("a", 99)) == 5


def test_rare_tokens_are_left_out_and_the_others_close_up():
    """Token 1 occurs once; without it 0 and 2 are neighbours. A sentence that it began begins with the next token."""
    found = train([[0, 1, 2], [0, 2]], 5, vector_size=3, window=1, min_count=2, epochs=3)
    assert list(found.counts) == [2, 1, 2, 0, 0]
    assert [bool(row.any()) for row in found.vectors] == [True, False, True, False, False]
    assert [bool(row.any()) for row in found.outputs] == [True, False, True, False, False]
    begun = train([[0, 2], [1, 0, 2]], 3, vector_size=3, min_count=2, epochs=1)
    assert np.array_equal(begun.vectors, train([[0, 2], [0, 2]], 3, vector_size=3, epochs=1).vectors)


def test_frequent_tokens_are_thinned_out_by_their_frequency():
    """With t = 0.01 a token of frequency 0.9 stays with probability sqrt(0.01 / 0.9); each token that stays moves its output once."""
    rng = np.random.default_rng(0)
    tokens = (rng.random(20_000) < 0.1).astype(np.int64)
    share = np.bincount(tokens) / len(tokens)
    kept = np.minimum(1.0, np.sqrt(0.01 / share))
    w, c = np.ones((2, 1)), np.zeros((2, 1))
    begins = np.arange(len(tokens)) == 0
    skip_gram(tokens, begins, w, c, np.ones(2), kept, 1, False, 0, 1, 1e-7, 1e-7, np.random.default_rng(1))
    drawn = c[:, 0] / (0.5 * 1e-7 * 2)  # each is its left and its right neighbour's context
    np.testing.assert_allclose(drawn, len(tokens) * share * kept, rtol=0.06)


def test_the_learning_rate_falls_to_its_least_value():
    """Pairs of one token each way, products near zero: the output of the k-th sentence moves by half the rate."""
    n = 100
    tokens, begins = np.arange(2 * n), np.arange(2 * n) % 2 == 0
    w, c = np.full((2 * n, 1), 1e-3), np.zeros((2 * n, 1))
    skip_gram(tokens, begins, w, c, np.ones(2 * n), np.ones(2 * n), 1, False, 0, 1, 0.5, 0.1, np.random.default_rng(0))
    rate = c[1::2, 0] / (0.5 * 1e-3)  # of the first token of each sentence
    np.testing.assert_allclose(rate, np.maximum(0.5 * (1 - np.arange(n) / n), 0.1), rtol=1e-3)


def test_noise_is_drawn_by_the_power_of_frequencies_and_never_what_does_not_occur():
    found = train([[2] * 900 + [4] * 100], 7, vector_size=2, epochs=1)
    assert [bool(row.any()) for row in found.outputs] == [False, False, True, False, True, False, False]


def test_windows_that_shrink_reach_as_far_as_the_longest():
    tokens, begins = np.arange(3000), np.arange(3000) == 0
    w, c = np.eye(3000), np.zeros((3000, 3000))
    skip_gram(tokens, begins, w, c, np.ones(3000), np.ones(3000), 3, True, 0, 1, 0.01, 0.01, np.random.default_rng(0))
    shares = [np.mean(np.diagonal(c, k) > 0) for k in (1, 2, 3, 4)]
    np.testing.assert_allclose(shares, [1, 2 / 3, 1 / 3, 0], atol=0.04)


def test_a_file_holds_all_of_it(tmp_path):
    found = train([[0, 1, 2]] * 5, ["red", "green", "blue"], vector_size=4, seed=7)
    again = WordVectors.load(found.save(tmp_path / "vectors.safetensors"))
    for name in ("vectors", "outputs", "counts"):
        assert np.array_equal(getattr(again, name), getattr(found, name))
    assert (again.names, again.settings) == (found.names, found.settings)
    assert again.settings["seed"] == 7


@pytest.mark.parametrize(
    ("sequences", "options", "sentence"),
    [
        ([[0.5, 1.0]], {}, "sequences must be lists of whole numbers"),
        (["text"], {}, "sequences must be lists of whole numbers"),
        ([[0, -1]], {}, "sequences hold tokens -1 to 0: they must be numbers from 0"),
        ([[0, 3]], {"names": ["a", "b"]}, "below the 2 that have names"),
        ([], {}, "no two tokens that stand beside one another"),
        ([[0], [1]], {}, "no two tokens that stand beside one another"),
        ([[0, 1]], {"min_count": 2}, "or lower min_count"),
        ([[0, 1]], {"window": 0}, "window must be a whole number"),
        ([[0, 1]], {"windows": 2}, "unknown setting 'windows'; did you mean 'window'"),
    ],
)
def test_what_cannot_be_learned_from_is_said_in_one_sentence(sequences, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        train(sequences, **options)


def test_learning_that_diverges_is_said_in_one_sentence():
    with pytest.raises(FloatingPointError, match=r"the vectors are no longer finite: lower alpha, which is 1e\+09"):
        train(corpus(), 6, vector_size=8, alpha=1e9)


def test_what_has_no_neighbours_and_names_that_are_ambiguous_are_said_in_one_sentence():
    found = train([[0, 1]] * 5, ["red", "green", "blue"], vector_size=2)
    with pytest.raises(ValueError, match="token 'blue' has no vector: it was never learned from"):
        found.most_similar("blue")
    for vector in (np.ones(3), np.ones((1, 2)), np.zeros(2)):
        with pytest.raises(ValueError, match="token must be a vector of 2 numbers, not all of them 0, not one of shape"):
            found.most_similar(vector)
    with pytest.raises(ValueError, match="names must differ: 'red' is there twice"):
        train([[0, 1]], ["red", "green", "red"])
    with pytest.raises(ValueError, match="names must be as many as the vectors, 3, not 1"):
        WordVectors(found.vectors, found.outputs, found.counts, ("red",))


def test_unknown_tokens_and_other_files_are_said_in_one_sentence(tmp_path):
    found = train([[0, 1]], ["red", "green"], vector_size=2)
    with pytest.raises(ValueError, match="token 'gren' has no vector; did you mean 'green'"):
        found["gren"]
    with pytest.raises(ValueError, match=r"token must be a number in 0..1, not 2"):
        found.most_similar(2)
    with pytest.raises(ValueError, match="tokens have numbers here"):
        train([[0, 1]], vector_size=2)["red"]
    files.write(tmp_path / "other", {}, {"class": "DQN"})
    with pytest.raises(ValueError, match="holds a DQN, not word vectors"):
        WordVectors.load(tmp_path / "other")
