"""Word vectors in the tables of encoders and agents: what is taken, what stays, and what may be frozen."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Dict, Discrete, MultiDiscrete

from rlcourse.agents import DQN, PPO
from rlcourse.core.skip_gram import train
from rlcourse.encoders import files, make
from rlcourse.wrappers import TextTokens

TOKENS = MultiDiscrete([6] * 4)


@pytest.fixture
def vectors(tmp_path):
    """Vectors of 8 numbers for tokens 2 to 5 of six; 0 is padding, 1 never occurs."""
    found = train([[2, 3, 4], [3, 4, 5]] * 5, 6, vector_size=8, epochs=2)
    return found, found.save(tmp_path / "vectors.safetensors")


def start(encoder, path):
    """Fill an encoder; return its weights before and whether the vectors are all of it."""
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    return before, files.fill(encoder, path)


def test_a_table_begins_with_the_vectors_of_all_tokens_that_were_learned(vectors):
    found, path = vectors
    encoder = make("embedding:8", Discrete(6))
    before, whole = start(encoder, path)
    np.testing.assert_allclose(encoder.table.weight.detach()[2:], found.vectors[2:], rtol=1e-6)
    assert torch.equal(encoder.table.weight[:2], before["table.weight"][:2]), "what never occurred stays as it was drawn"
    assert whole


def test_an_embedding_of_several_places_has_the_vectors_in_each(vectors):
    found, path = vectors
    encoder = make("embedding:8", TOKENS)
    assert start(encoder, path)[1]
    tokens = torch.tensor([[2, 5, 5, 3]])
    np.testing.assert_allclose(encoder(tokens)[0].detach(), found.vectors[[2, 5, 5, 3]].sum(axis=0), rtol=1e-5)


def test_a_bag_of_words_is_nothing_but_its_table(vectors):
    found, path = vectors
    encoder = make("text-bag:8", TOKENS)
    assert start(encoder, path)[1]
    tokens = torch.tensor([[2, 5, 3, 0]])
    np.testing.assert_allclose(encoder(tokens)[0].detach(), found.vectors[[2, 5, 3]].sum(axis=0), rtol=1e-5)


def test_of_a_text_encoder_only_the_table_changes_and_padding_stays_zero(tmp_path):
    found = train([[2, 3, 4], [3, 4, 5]] * 5, 6, vector_size=32)
    space = Dict({"mission": TOKENS, "scene": Box(-1, 1, (3,))})
    encoder = make("mission=text-lstm,scene=mlp:8", space)
    before, whole = start(encoder, found.save(tmp_path / "vectors"))
    assert not whole
    changed = [name for name, value in encoder.state_dict().items() if not torch.equal(value, before[name])]
    assert changed == ["encoders.0.embedding.weight"]
    table = encoder.encoders[0].embedding.weight.detach()
    np.testing.assert_allclose(table[2:], found.vectors[2:], rtol=1e-6)
    assert not table[0].any()


def test_an_embedding_of_unequal_parts_takes_no_vectors_though_its_rows_divide(vectors):
    _, path = vectors
    for counts in ([2, 4], [6, 3, 3], [4, 8]):
        with pytest.raises(ValueError, match=r"no table of the encoder is so; it has [0-9]+ of 8 in unequal parts"):
            files.fill(make("embedding:8", MultiDiscrete(counts)), path)
    assert start(make("embedding:8", MultiDiscrete([6, 6])), path)[1]


LINGO = {"encoder": "mission=text-lstm", "encoder_mode": "warmstart", "n_envs": 2, "n_steps": 16}


def test_vectors_of_other_words_are_refused_by_name_though_they_are_as_many(tmp_path):
    """LingoBandit and LingoGrid have 46 tokens each, of which those of the tasks differ."""
    grid, bandit = (gym.make(f"rlcourse/Lingo{name}Tokens-v0") for name in ("Grid", "Bandit"))
    names = ["", "<unknown>", *grid.unwrapped.world.vocabulary]
    path = str(train([[2, 3, 8]] * 5, names, vector_size=32).save(tmp_path / "grid"))
    PPO(grid, encoder_from=path, **LINGO)
    sentence = "vectors of other words: 4 of 46 tokens differ, the first is .* learn vectors of its own words with rlcourse pretrain"
    for env in (bandit, gym.make_vec("rlcourse/LingoBanditTokens-v0", 2), bandit.unwrapped.world):
        with pytest.raises(ValueError, match=sentence):
            PPO(env, encoder_from=path, **LINGO)


def test_words_of_a_wrapper_in_another_order_are_other_words(tmp_path):
    words = ("red", "blue", "ball", "please")
    path = str(train([[2, 3, 4]] * 5, ["", "<unknown>", *words], vector_size=32).save(tmp_path / "four"))
    PPO(TextTokens(gym.make("rlcourse/LingoBandit-v0"), words, 5), encoder_from=path, **LINGO)
    with pytest.raises(ValueError, match="2 of 6 tokens differ, the first is 'red' there and 'blue' in this environment"):
        PPO(TextTokens(gym.make("rlcourse/LingoBandit-v0"), ("blue", "red", "ball", "please"), 5), encoder_from=path, **LINGO)


def test_where_nobody_says_what_tokens_are_called_names_do_not_matter(tmp_path):
    path = train([[2, 3, 4]] * 5, list("abcdef"), vector_size=8).save(tmp_path / "six")
    PPO(Says(), encoder="embedding:8", encoder_mode="warmstart", encoder_from=str(path), n_envs=1, n_steps=16)


def test_what_does_not_fit_is_said_in_one_sentence(vectors):
    _, path = vectors
    for encoder, shapes in (
        (make("embedding:9", Discrete(6)), "6 of 9"),
        (make("text-lstm", TOKENS), "6 of 32"),
        (make("mlp:4", TOKENS), "none"),
    ):
        with pytest.raises(ValueError, match=f"holds 6 word vectors of 8 numbers, and no table of the encoder is so; it has {shapes}"):
            files.fill(encoder, path)
    with pytest.raises(ValueError, match="holds a WordVectors, which has no encoder"):
        files.load(path, TOKENS)


class Says(gym.Env):
    """Four tokens; the last one says what to do."""

    observation_space, action_space = TOKENS, Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.seen = np.append(self.np_random.integers(2, 6, 3), self.np_random.integers(2, 4))
        return self.seen, {}

    def step(self, action):
        return self.seen, float(action == self.seen[3] - 2), True, False, {}


def test_an_agent_warm_starts_its_table_and_resumes_without_the_file(vectors, tmp_path):
    found, path = vectors
    agent = PPO(Says(), encoder="embedding:8", encoder_mode="warmstart", encoder_from=str(path), n_envs=1, n_steps=16, seed=0)
    np.testing.assert_allclose(
        agent.policy.encoder.table.weight.detach().view(4, 6, 8)[:, 2:], np.tile(found.vectors[2:], (4, 1, 1)), rtol=1e-6
    )
    saved = agent.learn(32).save(tmp_path / "agent.safetensors")
    path.unlink()
    assert not torch.equal(PPO.load(saved, Says()).policy.encoder.table.weight, torch.from_numpy(found.vectors).float().tile(4, 1))


def test_vectors_alone_may_be_frozen_and_an_encoder_that_has_more_may_not(vectors):
    _, path = vectors
    frozen = DQN(Says(), encoder="embedding:8", encoder_mode="frozen", encoder_from=str(path), n_envs=1, learning_starts=8, seed=0)
    before = frozen.network.encoder.table.weight.clone()
    assert torch.equal(frozen.learn(64).network.encoder.table.weight, before)
    wide = train([[2, 3, 4, 5]] * 5, 6, vector_size=32).save(path)
    for mode in ("frozen", "finetune"):
        with pytest.raises(ValueError, match=f"encoder_mode '{mode}': word vectors are only the tables .* set it to warmstart"):
            PPO(Says(), encoder="text-lstm", encoder_mode=mode, encoder_from=str(wide), n_envs=1)
    PPO(Says(), encoder="text-lstm", encoder_mode="warmstart", encoder_from=str(wide), n_envs=1, n_steps=16).learn(16)
