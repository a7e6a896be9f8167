"""Translators: they learn from demonstrations, act in the world, and survive their files."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3.common.evaluation import evaluate_policy

from rlcourse import encoders
from rlcourse.core import files
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.encoders.files import fill
from rlcourse.envs import sort_sequence
from rlcourse.envs.sorting import END, demonstrations
from rlcourse.pretraining import Autoencoder, Translator, fit, load

WORLD = sort_sequence(letters=5, longest=4)
NAMES = ("seq2seq", "gnmt")


def pairs(n, seed=0):
    return demonstrations(WORLD, n, np.random.default_rng(seed))


def tensors(n, seed=0):
    return tuple(torch.from_numpy(part) for part in pairs(n, seed))


@pytest.fixture(scope="module")
def learned():
    model = Translator(WORLD.observation_space, hidden=32, seed=0)
    fit(model, *pairs(4000), epochs=4, batch_size=64, learning_rate=5e-3, max_grad_norm=5.0)
    return model


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_it_learns_to_sort_from_demonstrations(seed):  # benchmarks/sorting.py --small: at least 0.9935 in ten seeds
    model = Translator(WORLD.observation_space, hidden=32, seed=seed)
    fit(model, *pairs(4000, seed), epochs=4, batch_size=64, learning_rate=5e-3, max_grad_norm=5.0)
    scores = model.scores(*tensors(1000, 1000 + seed))
    assert scores.exact >= 0.95
    assert scores.tokens >= scores.exact


def test_it_acts_in_the_world_as_well_as_it_decodes(learned):
    copies = WorldVectorEnv(WORLD, 16)
    seen, _ = copies.reset(seed=3)
    state, starts, returns, shown = None, np.ones(16, bool), [], []
    while len(returns) < 500:
        shown += [seen[i, 1:].copy() for i in np.flatnonzero(starts)]
        actions, state = learned.predict(seen, state, starts)
        seen, _, terminated, _, infos = copies.step(actions)
        starts = terminated
        returns += infos["episode"]["r"][terminated].tolist() if terminated.any() else []
    exact = np.mean(np.array(returns) >= 1.0)
    assert exact == pytest.approx(learned.scores(*tensors(1000, 9)).exact, abs=0.04)


def test_one_episode_is_what_greedy_decoding_says(learned):
    env = gym.make("rlcourse/SortSequence-v0", letters=5, longest=4)
    for seed in range(20):
        seen, _ = env.reset(seed=seed)
        said = learned.greedy(torch.from_numpy(seen[1:])[:, None], 5)[:, 0].tolist()
        state, over, actions = None, False, []
        while not over:
            action, state = learned.predict(seen, state)
            seen, _, over, _, _ = env.step(action)
            actions.append(action + END)
        assert actions == said[: len(actions)]


def test_stable_baselines3_evaluates_it(learned):
    returns, _ = evaluate_policy(learned, gym.make("rlcourse/SortSequence-v0", letters=5, longest=4), 40, return_episode_rewards=True)
    assert np.mean(np.array(returns) >= 1.0) >= 0.8


def test_copies_whose_episodes_begin_forget_and_the_others_do_not(learned):
    observations = np.array([[1, 5, 3, 0, 0], [1, 7, 4, 6, 0]])
    _, state = learned.predict(observations)
    then = np.array([[3, 5, 3, 0, 0], [1, 3, 3, 3, 0]])
    _, mixed = learned.predict(then, state, np.array([False, True]))
    _, kept = learned.predict(then, state, np.array([False, False]))
    _, begun = learned.predict(then)
    for part, one, other in zip(mixed, kept, begun, strict=True):
        rows = part if part.dim() == 2 else part[0]
        torch.testing.assert_close(rows[0], (one if one.dim() == 2 else one[0])[0])
        torch.testing.assert_close(rows[1], (other if other.dim() == 2 else other[0])[1])


def test_what_is_drawn_follows_the_probabilities_and_the_seed():
    model = Translator(WORLD.observation_space, hidden=8, seed=4)
    observation = np.tile([1, 5, 3, 0, 0], (4000, 1))
    drawn, _ = model.predict(observation, deterministic=False)
    source = model.encoder.read(torch.from_numpy(observation[:1, 1:]).t())
    logits, _ = model.decoder(torch.tensor([[1]]), source, model.decoder.initial(source))
    share = torch.softmax(logits[0, 0, END:], 0).detach().numpy()
    np.testing.assert_allclose(np.bincount(drawn, minlength=6) / 4000, share, atol=0.03)
    again = Translator(WORLD.observation_space, hidden=8, seed=4).predict(observation, deterministic=False)[0]
    assert np.array_equal(drawn, again)


@pytest.mark.parametrize("name", NAMES)
def test_it_survives_its_file(name, tmp_path):
    model = Translator(WORLD.observation_space, name, hidden=8, layers=3, score="concat", reverse=True, input_feeding=False, seed=5)
    path = model.save(tmp_path / "t.safetensors", {"epochs": 0})
    again = load(path)
    sources, answers = tensors(7)
    assert torch.equal(again(sources.t(), answers.t()), model.eval()(sources.t(), answers.t()))
    assert (again.name, again.options, again.seed) == (name, model.options, 5)
    arrays, metadata = files.read(path)
    assert {key.partition(".")[0] for key in arrays} == {"encoder", "decoder"}
    assert metadata["class"] == "Translator"
    with pytest.raises(ValueError, match="holds a Translator, not a Autoencoder"):
        Autoencoder.load(path)
    with pytest.raises(ValueError, match="was trained on"):
        load(path, sort_sequence().observation_space)


def test_the_stack_that_it_has_trained_is_an_encoder_for_agents(tmp_path):
    model = Translator(WORLD.observation_space, "gnmt", hidden=6, layers=8)
    path = model.save(tmp_path / "t.safetensors")
    encoder = encoders.make("gnmt:6", spaces.MultiDiscrete([8] * 4))
    fill(encoder, path)
    assert torch.equal(encoder.cells[7].weight_hh_l0, model.encoder.cells[7].weight_hh_l0)


def test_training_is_the_same_for_the_same_seed_and_clips_the_gradient():
    first = [Translator(WORLD.observation_space, "gnmt", hidden=8, layers=2, seed=seed) for seed in (3, 3, 4)]
    losses = [fit(model, *pairs(200), epochs=1, seed=0)[-1].train for model in first]
    assert losses[0] == losses[1] != losses[2]
    model = Translator(WORLD.observation_space, hidden=8, seed=3)
    before = [part.clone() for part in model.parameters()]
    fit(model, *pairs(200), epochs=1, learning_rate=1e-3, max_grad_norm=1e-15)
    for one, other in zip(before, model.parameters(), strict=True):  # Adam divides by the gradient's size, but adds 1e-8 to it
        torch.testing.assert_close(one, other, rtol=0.0, atol=1e-7)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"name": "transformer"}, "must be 'seq2seq' or 'gnmt'"),
        ({"name": "gnmt", "score": None}, "needs attention"),
        ({"score": "cosine"}, "score must be"),
        ({"observation_space": spaces.Discrete(4)}, "one axis of the last sign and the source"),
        ({"name": "gnmt", "observation_space": spaces.MultiDiscrete([5, 4, 3])}, "equal counts"),
        ({"observation_space": spaces.MultiDiscrete([5, 4, 3])}, "equal counts"),
        ({"observation_space": spaces.MultiDiscrete([5, 4, 4], start=[1, 0, 0])}, "from 0"),
        ({"observation_space": spaces.MultiDiscrete([2, 4, 4])}, "must be one of at least 3"),
        ({"hidden": 0}, r"hidden must be a whole number in \[1, 65536\], not 0"),
        ({"embedding": 0}, r"embedding must be a whole number in \[1, 65536\], not 0"),
        ({"layers": 1.5}, r"layers must be a whole number in \[1, 64\], not 1.5"),
        ({"dropout": 2.0}, r"dropout must be a number in \[0, 1\], not 2.0"),
    ],
)
def test_what_cannot_be_is_refused(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        Translator(**{"observation_space": WORLD.observation_space} | arguments)


@pytest.mark.parametrize(
    ("change", "settings", "sentence"),
    [
        (lambda x, y: (x, y[:-1]), {}, "labels must be one for each of 40 observations, not 39"),
        (lambda x, y: (x, None), {}, "a translator learns from answers: give them as labels"),
        (lambda x, y: (x, y[:, 0]), {}, r"must be of one number N, not of shapes \(40, 4\) and \(40,\)"),
        (lambda x, y: (x + 8, y), {}, "sources must be whole numbers from 0 to 7, the vocabulary, not from 8 to"),
        (lambda x, y: (x / 2, y), {}, "sources must be whole numbers .* not float32"),
        (lambda x, y: (x, y - 1), {}, "answers must be whole numbers from 0 to 7, the vocabulary, not from -1 to"),
        (lambda x, y: (x, y * (np.arange(40) > 0)[:, None]), {}, "answers must each hold at least one sign"),
        (lambda x, y: (x, y), {"max_grad_norm": 0.0}, "max_grad_norm must be above 0, or None, which clips nothing, not 0.0"),
        (lambda x, y: (x, y), {"max_grad_norm": -1.0}, "max_grad_norm must be above 0"),
        (lambda x, y: (x, y), {"epochs": 0}, "epochs must be a whole number of at least 1, not 0"),
        (lambda x, y: (x, y), {"batch_size": 0}, "batch_size must be a whole number of at least 1, not 0"),
        (lambda x, y: (x, y), {"learning_rate": -1.0}, "learning_rate must be a number above 0 and below 1e30, not -1.0"),
    ],
)
def test_what_it_cannot_learn_from_is_refused_before_it_learns(change, settings, sentence):
    model = Translator(WORLD.observation_space, hidden=4)
    before = [part.clone() for part in model.parameters()]
    with pytest.raises(ValueError, match=sentence):
        fit(model, *change(*pairs(40)), **{"epochs": 1} | settings)
    assert all(torch.equal(one, other) for one, other in zip(before, model.parameters(), strict=True))


def test_scores_of_fewer_answers_than_sources_are_refused():
    sources, answers = tensors(5)
    with pytest.raises(ValueError, match="must be of one number N"):
        Translator(WORLD.observation_space, hidden=4).scores(sources, answers[:3])


@pytest.mark.parametrize("name", NAMES)
def test_a_state_or_signs_that_it_cannot_know_are_refused(name):
    model = Translator(WORLD.observation_space, name, hidden=4)
    seen = np.array([[1, 5, 3, 0, 0], [1, 7, 4, 6, 0]])
    _, state = model.predict(seen)
    for wrong in (state[:2], tuple(part[..., :1, :] for part in state), 7):
        with pytest.raises(ValueError, match=r"state must be 3 arrays of shape .* as predict returned it for 2 observations, not "):
            model.predict(seen, wrong)
    for place, sentence in ((0, "the sign said last must be"), (1, "the source's tokens must be")):
        beyond = seen.copy()
        beyond[1, place] = 8
        with pytest.raises(ValueError, match=sentence + " whole numbers from 0 to 7"):
            model.predict(beyond, state)
