"""Text as tokens: vocabularies, padding, what is unknown, and back again."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.spaces import Box, Dict, Discrete, MultiDiscrete, Text
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import SyncVectorEnv
from stable_baselines3.common.env_checker import check_env as sb3_check_env

from rlcourse.agents import PPO
from rlcourse.wrappers import TextTokens, vocabulary_of

CORPUS = ["Go to the red door.", "go to the blue ball", "pick up the red ball"]
WORDS = ("the", "ball", "go", "red", "to", ".", "blue", "door", "pick", "up")


class Missions(gym.Env):
    """A sentence to obey, alone or beside a picture; right is the action whose number is that of the sentence."""

    action_space = Discrete(3)

    def __init__(self, picture=True):
        text = Text(30, charset="abcdefghijklmnopqrstuvwxyz G")
        self.observation_space = Dict({"mission": text, "picture": Box(0, 1, (2,), np.float32)}) if picture else text
        self.number = 0

    def _seen(self):
        mission = CORPUS[self.number].replace(".", "")
        return {"mission": mission, "picture": np.ones(2, np.float32)} if isinstance(self.observation_space, Dict) else mission

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.number = int(self.np_random.integers(3))
        return self._seen(), {}

    def step(self, action):
        return self._seen(), float(action == self.number), True, False, {}


gym.register("test/Missions-v0", Missions)


def test_a_vocabulary_has_the_most_frequent_first_and_leaves_out_what_is_rare():
    assert vocabulary_of(CORPUS) == WORDS
    assert vocabulary_of(CORPUS, min_count=2) == WORDS[:5]
    assert vocabulary_of(["abba"], "characters") == ("a", "b")


def test_text_becomes_numbers_with_padding_and_an_unknown_and_becomes_text_again():
    env = TextTokens(Missions(picture=False), WORDS, 7)
    assert env.observation_space == MultiDiscrete([12] * 7)
    tokens = env.encode("Go to the GREEN door.")
    assert tokens.tolist() == [4, 6, 2, 1, 9, 7, 0]
    assert env.decode(tokens) == "go to the <unknown> door ."
    assert env.encode("the " * 20).tolist() == [2] * 7, "what is longer is cut"
    assert env.encode("").tolist() == [0] * 7
    letters = TextTokens(Missions(picture=False), list("abc "), 6, "characters")
    assert letters.encode("a cab!").tolist() == [2, 5, 4, 2, 3, 1]
    assert letters.decode(letters.encode("a cab!")) == "a cab\N{REPLACEMENT CHARACTER}"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("picture", [False, True])
def test_it_passes_both_checkers_and_leaves_other_parts_alone(picture):
    env = TextTokens(gym.make("test/Missions-v0", picture=picture), WORDS, 6)
    check_env(env, skip_render_check=True)
    sb3_check_env(env)
    seen = env.reset(seed=0)[0]
    assert env.observation_space.contains(seen)
    if picture:
        assert seen["picture"].tolist() == [1, 1]


def test_copies_have_the_same_vocabulary():
    env = TextTokens(gym.make("test/Missions-v0", picture=False), WORDS, 6)
    copies = SyncVectorEnv([lambda: gym.make(env.spec)] * 3)
    seen = copies.reset(seed=0)[0]
    assert seen.shape == (3, 6)
    assert [env.decode(row) for row in seen] == [
        text.lower().replace(".", "") for text in (CORPUS[e.unwrapped.number] for e in copies.envs)
    ]


def test_an_agent_learns_to_obey_what_it_reads():
    """Of the seeds 0 to 19, 19 did."""
    env = TextTokens(gym.make("test/Missions-v0", picture=False), WORDS, 6)
    agent = PPO(env, encoder="embedding:16", learning_rate=3e-3, ent_coef=0.02, n_steps=32, seed=0).learn(4_000)
    tokens = np.stack([env.encode(text.replace(".", "")) for text in CORPUS])
    assert agent.predict(tokens, deterministic=True)[0].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: TextTokens(gym.make("CartPole-v1"), WORDS, 6), "TextTokens needs observations of Text"),
        (lambda: TextTokens(Missions(), (), 6), "vocabulary must be a sequence of different words"),
        (lambda: TextTokens(Missions(), ("a", "a"), 6), "vocabulary must be a sequence of different words"),
        (lambda: TextTokens(Missions(), ("Go",), 6), "single words, in small letters, not 'Go'"),
        (lambda: TextTokens(Missions(), (1, 2), 6), r"vocabulary\[0\] must be a text, not 1"),
        (lambda: TextTokens(Missions(), WORDS, 0), r"length must be a whole number in \[1, inf\), not 0"),
        (lambda: TextTokens(Missions(), WORDS, 2.5), r"length must be a whole number in \[1, inf\), not 2.5"),
        (lambda: TextTokens(Missions(), WORDS, 6, "letters"), "unit must be 'words' or 'characters'"),
        (lambda: vocabulary_of("one text"), "several texts"),
        (lambda: vocabulary_of(["a b"], min_count=2), "lower min_count"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
