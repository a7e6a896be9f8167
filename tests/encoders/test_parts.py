"""Encoders of observations that are no single array, and of tokens."""

import itertools

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import nn

from rlcourse import encoders
from rlcourse.core.packing import packed
from rlcourse.encoders.embedding import Embedding
from rlcourse.encoders.flatten import Flatten
from rlcourse.encoders.merge import Merge
from rlcourse.encoders.text import TextBiLSTM, TextLSTM

IMAGE = spaces.Box(0, 255, (8, 8, 3), np.uint8)
SPACE = spaces.Dict(
    {
        "camera": IMAGE,
        "goal": spaces.Discrete(4, start=-3),
        "inner": spaces.Tuple((spaces.MultiDiscrete([1, 1]), spaces.Dict({"words": spaces.Text(5, charset="abc")}))),
        "switches": spaces.MultiBinary((2, 3)),
    }
)
TOKENS = spaces.MultiDiscrete([9] * 7)


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def samples(space, count=4):
    space.seed(2)
    return [space.sample() for _ in range(count)]


def vectors(space, observations):
    return torch.as_tensor(np.stack([packed(space).pack(observation) for observation in observations]))


def tensors(observations):
    """Return a batch as a dictionary or tuple of tensors; of text there is none."""
    first = observations[0]
    if isinstance(first, dict):
        return {key: tensors([observation[key] for observation in observations]) for key in first}
    if isinstance(first, tuple):
        return tuple(tensors([observation[i] for observation in observations]) for i in range(len(first)))
    return torch.as_tensor(np.stack(observations))


def letters(text):
    """Return the tokens of a text of a, b and c, at most five."""
    return [*(1 + "abc".index(letter) for letter in text), 0, 0, 0, 0, 0][:5]


def test_each_part_goes_through_its_own_encoder():
    encoder = encoders.make("camera=notes-mnist:16+ln,inner.1.words=text-bilstm:6", packed(SPACE))
    kinds = [type(part).__name__ for part in encoder.encoders]
    assert kinds == ["NotesMNIST", "Flatten", "Flatten", "TextBiLSTM", "Flatten"]
    observations = samples(SPACE)
    features = encoder(vectors(SPACE, observations))
    camera, goal, pair, words, switches = encoder.encoders
    expected = [
        camera(torch.as_tensor(np.stack([each["camera"] for each in observations]))),
        goal(torch.as_tensor([int(each["goal"]) for each in observations])),
        pair(torch.as_tensor(np.stack([each["inner"][0] for each in observations]))),
        words(torch.as_tensor([letters(each["inner"][1]["words"]) for each in observations])),
        switches(torch.as_tensor(np.stack([each["switches"] for each in observations]))),
    ]
    torch.testing.assert_close(features, torch.cat(expected, 1))
    assert features.shape == (4, encoder.features_dim) == (4, 16 + 4 + 2 + 6 + 6)


@pytest.mark.parametrize("name", ["auto", "flatten", "mlp:5", "auto:5", "camera=impala,goal=embedding:3"])
def test_a_packed_vector_is_the_dictionary_of_its_parts(name):
    space = spaces.Dict(
        {"camera": IMAGE, "goal": spaces.Discrete(4, start=-3), "both": spaces.Tuple((spaces.Discrete(2), spaces.Box(-1, 1, (2, 3))))}
    )
    encoder, observations = encoders.make(name, packed(space)), samples(space)
    assert encoder.features_dim == (5 if name.endswith(":5") else encoder.features_dim)
    features = encoder(vectors(space, observations))
    torch.testing.assert_close(features, encoder(tensors(observations)))
    torch.testing.assert_close(features[1:2], encoder(vectors(space, observations[1:2])))
    assert features.shape == (4, encoder.features_dim)


def test_auto_joins_parts_and_reads_text():
    assert isinstance(encoders.make("auto", SPACE), Merge)
    assert isinstance(encoders.make("auto", spaces.OneOf((spaces.Discrete(2), IMAGE))), Merge)
    assert isinstance(encoders.make("auto", packed(spaces.Text(4))), TextLSTM)
    assert isinstance(encoders.make("embedding", packed(spaces.Text(4))), Embedding)
    tuples = spaces.Tuple((spaces.Discrete(3), spaces.Box(-1, 1, (2,))))
    joined, flat, observations = encoders.make("auto", tuples), Flatten(tuples), vectors(tuples, samples(tuples))
    assert torch.equal(joined(observations), encoders.make("flatten", packed(tuples))(observations))
    assert flat.features_dim == joined.features_dim == 5


def test_a_part_that_is_not_there_or_not_named_has_a_sentence():
    with pytest.raises(ValueError, match="no part 'camra'; did you mean 'camera'"):
        encoders.make("camra=nature", packed(SPACE))
    with pytest.raises(ValueError, match=r"takes one part of .*: say which, for example 'camera=notes-mnist'"):
        encoders.make("notes-mnist", packed(SPACE))
    with pytest.raises(ValueError, match=r"say which, for example 'inner\.0=text-lstm:8'"):
        encoders.make("text-lstm:8", packed(SPACE))
    with pytest.raises(ValueError, match=r"'nature' can take no part of Dict\(camera: Box\(0, 255, \(8, 8, 3\), uint8\), goal: Discrete"):
        encoders.make("nature", packed(SPACE))
    with pytest.raises(ValueError, match="'merge' needs Dict, Tuple or OneOf"):
        encoders.make("merge", IMAGE)
    with pytest.raises(ValueError, match=r"'a=flatten' names parts, and Text.* has none"):
        encoders.make("a=flatten", spaces.Text(3))
    with pytest.raises(ValueError, match="no layers to normalise"):
        encoders.make("auto+bn", packed(SPACE))
    with pytest.raises(ValueError, match="fixed size"):
        encoders.make("auto", spaces.Dict({"a": spaces.Sequence(spaces.Discrete(2))}))


def test_one_hot_parts_are_their_numbers():
    for space in (spaces.MultiDiscrete([3, 4, 2]), spaces.MultiDiscrete([1, 1]), spaces.MultiDiscrete([[2, 3], [1, 5]])):
        numbers = torch.as_tensor(np.stack(samples(space)))
        flatten = Flatten(space)
        one_hot = flatten(numbers)
        assert one_hot.shape == (4, int(space.nvec.sum()))
        torch.testing.assert_close(flatten(one_hot), one_hot)


def test_an_embedding_adds_the_vectors_of_ones_and_of_characters():
    switches = spaces.MultiBinary((2, 3))
    embedding, ones = Embedding(switches, 4), torch.as_tensor(np.stack(samples(switches)))
    torch.testing.assert_close(embedding(ones), ones.float().view(4, 6) @ embedding.table.weight)
    torch.testing.assert_close(embedding(ones.float()), embedding(ones))
    text = spaces.Text(5, charset="abc")
    embedding = encoders.make("embedding:4", packed(text))
    table = embedding.table.weight
    torch.testing.assert_close(
        embedding(torch.as_tensor(packed(text).pack_batch(("ba?", "")))), torch.stack([table[2] + table[1] + table[4], 0 * table[0]])
    )


@pytest.mark.parametrize("layers", [1, 2])
def test_a_text_is_read_as_torchs_packed_sequences_are(layers):
    tokens = torch.randint(1, 9, (6, 7))
    lengths = torch.tensor([7, 1, 3, 5, 2, 7])
    tokens[torch.arange(7) >= lengths[:, None]] = 0
    for kind in (TextLSTM, TextBiLSTM):
        encoder = kind(TOKENS, 8, embedding=5, layers=layers)
        oracle = nn.LSTM(5, 8 // kind.directions, layers, bidirectional=kind is TextBiLSTM)
        for layer, (back, end) in itertools.product(range(layers), enumerate(["", "_reverse"][: kind.directions])):
            for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                getattr(oracle, f"{part}_l{layer}{end}").data = getattr(encoder.cells[layer][back], f"{part}_l0").data
        sequences = nn.utils.rnn.pack_padded_sequence(encoder.embedding(tokens.t()), lengths, enforce_sorted=False)
        _, (h, _) = oracle(sequences)
        torch.testing.assert_close(encoder(tokens), torch.cat(list(h[-kind.directions :]), 1))
        one_hot = nn.functional.one_hot(tokens, 9).float().flatten(1)
        torch.testing.assert_close(encoder(one_hot), encoder(tokens))


def test_a_bag_of_words_is_the_sum_of_their_vectors_whatever_their_order():
    encoder, tokens = encoders.make("text-bag:5", TOKENS), torch.randint(1, 9, (6, 7))
    tokens[:, 5:] = 0
    table = encoder.embedding.weight
    torch.testing.assert_close(encoder(tokens), torch.stack([sum(table[token] for token in row[:5]) for row in tokens]))
    torch.testing.assert_close(encoder(tokens.flip(1)), encoder(tokens))
    torch.testing.assert_close(encoder(nn.functional.one_hot(tokens, 9).float().flatten(1)), encoder(tokens))
    wide = encoders.make("text-bag:10000", TOKENS)
    assert wide(torch.arange(1, 8)[None]).var().item() == pytest.approx(1.0, abs=0.05)


def test_what_is_behind_the_end_of_a_text_does_not_matter_and_an_empty_one_is_read():
    text = spaces.Text(6, charset="ab")
    short, long = spaces.Text(3, charset="ab"), text
    for name in ("text-lstm", "text-bilstm"):
        one, other = encoders.make(name, short), encoders.make(name, long)
        other.load_state_dict(one.state_dict())
        mine, theirs = (encoder(torch.as_tensor(packed(s).pack_batch(("ab", "b", "")))) for encoder, s in ((one, short), (other, long)))
        torch.testing.assert_close(mine, theirs)
        assert not torch.allclose(mine[0], mine[1])


def test_what_holds_no_tokens_is_refused():
    for space in (spaces.MultiDiscrete([3, 4]), spaces.MultiDiscrete([3, 3], start=[1, 1]), spaces.Discrete(4), IMAGE):
        with pytest.raises(ValueError, match="'text-lstm' needs Text, or tokens"):
            encoders.make("text-lstm", space)
    with pytest.raises(ValueError, match="multiple of 2"):
        encoders.make("text-bilstm:5", TOKENS)


def test_dropout_between_layers_is_for_training_only():
    encoder, tokens = TextLSTM(TOKENS, 8, layers=2, dropout=0.5), torch.randint(1, 9, (6, 7))
    assert not torch.equal(encoder(tokens), encoder(tokens))
    assert torch.equal(encoder.eval()(tokens), encoder(tokens))
