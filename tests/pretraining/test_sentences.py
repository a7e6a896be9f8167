"""Missions as sentences: words of one category stand in the same places, and their vectors find one another."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

import rlcourse  # noqa: F401 - its environments
from rlcourse.core.skip_gram import train
from rlcourse.envs import lingo_bandit
from rlcourse.pretraining import gather
from rlcourse.pretraining.sentences import names_of, sentences
from rlcourse.wrappers import TextTokens
from rlcourse.wrappers.tokens import split, vocabulary_of

COLORS = ("red", "green", "blue", "purple", "yellow", "grey")
KINDS = ("key", "ball", "box")
ASKED = ("get the", "fetch the", "find the", "touch the", "please take the")
VERBS = ("get", "fetch", "find", "touch", "take")


def missions(n, seed):
    """Five ways to ask for something of one of six colours and three kinds."""
    rng = np.random.default_rng(seed)
    return [" ".join(part[rng.integers(len(part))] for part in (ASKED, COLORS, KINDS)) for _ in range(n)]


def purity(found, categories):
    """Return how many words have a word of their own category for the nearest."""
    return np.mean([found.most_similar(word, 1)[0][0] in words for words in categories for word in words])


def test_the_nearest_word_of_a_mission_is_of_the_same_category():
    """Purity is 1 for each of seeds 0 to 9; that of vectors as they are drawn has a mean of 0.29 (`benchmarks/word_vectors.py`)."""
    texts = missions(2_000, 0)
    words = vocabulary_of(texts)
    said = [[words.index(word) for word in split(text, "words")] for text in texts]
    found = train(said, words, vector_size=32, seed=0)
    assert purity(found, (COLORS, KINDS, VERBS)) >= 0.9
    drawn = train(said, words, vector_size=32, seed=0, alpha=1e-9, min_alpha=1e-9)
    assert purity(drawn, (COLORS, KINDS, VERBS)) < 0.7


def test_missions_of_lingobandit_are_grouped_by_language_and_category():
    """Purity is 1 for each of seeds 0 to 9, by `benchmarks/word_vectors.py`."""
    world = lingo_bandit(languages=4, colors=4, kinds=4)
    env = gym.make("rlcourse/LingoBanditTokens-v0", languages=4, colors=4, kinds=4)
    said, part = sentences(gather(world, 5_000, seed=0))
    assert part.path == ("mission",)
    words = names_of(env, part)
    assert words == ["", "<unknown>", *world.vocabulary]
    found = train(said, words, vector_size=32, seed=0)
    categories = [words[at : at + 4] for language in range(4) for at in (8 + 10 * language, 12 + 10 * language)]
    assert ["red", "green", "blue", "yellow"] in categories
    assert purity(found, categories) >= 0.9


def test_the_vocabulary_of_a_wrapper_and_the_characters_of_text_are_names():
    env = TextTokens(gym.make("rlcourse/LingoBandit-v0"), ("the", "red", "ball"), 6)
    said, part = sentences(gather(env, 20, copies=1))
    assert names_of(env, part) == ["", "<unknown>", "the", "red", "ball"]
    assert len(said) == 20
    assert min(map(min, said)) >= 1
    text = gym.make("rlcourse/LingoBandit-v0")
    said, part = sentences(gather(text, 3, copies=1))
    names = names_of(text, part)
    assert "please" in "".join("".join(names[token] for token in each) for each in said) or len(said) == 3
    assert len(names) == len(part.space.characters) + 2


def test_observations_without_tokens_are_refused_in_one_sentence():
    with pytest.raises(ValueError, match=r"one part of the observations that holds text or tokens; in Box.* there are: none"):
        sentences(gather("CartPole-v1", 4))

    class Two(gym.Env):
        observation_space = spaces.Dict({"a": spaces.MultiDiscrete([3, 3]), "b": spaces.Text(4)})
        action_space = spaces.Discrete(2)

        def reset(self, *, seed=None, options=None):
            return {"a": np.array([1, 2]), "b": "hm"}, {}

        def step(self, action):
            return *self.reset()[:1], 0.0, True, False, {}

    with pytest.raises(ValueError, match="there are: a, b"):
        sentences(gather(Two(), 4, copies=1))
