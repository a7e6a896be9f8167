"""Sequence to sequence: what is read, a decoder's steps by hand, and that padding never matters."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from rlcourse.encoders.seq2seq import EOS, GO, LuongDecoder, Seq2Seq, likeliest, sequence_loss
from rlcourse.encoders.source import PAD, SourceEncoder
from rlcourse.envs import sorting

SCORES = (None, "dot", "general", "concat")
TOKENS, LENGTHS = 9, (5, 2, 1, 4)


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def sentences(lengths=LENGTHS):
    """Return padded sequences, [L, B]."""
    return nn.utils.rnn.pad_sequence([torch.randint(EOS + 1, TOKENS, (n,)) for n in lengths])


def answers(lengths=LENGTHS):
    """Return padded targets with their ends, [T, B]."""
    return nn.utils.rnn.pad_sequence([torch.cat([torch.randint(EOS + 1, TOKENS, (n,)), torch.tensor([EOS])]) for n in lengths])


def translator(score="general", input_feeding=True, layers=2, bi_first=False):
    encoder = SourceEncoder(TOKENS, 8, 5, layers, bi_first)
    return Seq2Seq(encoder, LuongDecoder(TOKENS, encoder.width, 8, 5, layers, score, input_feeding))


def test_the_tokens_are_those_of_the_world():
    assert (PAD, GO, EOS) == (0, sorting.GO, sorting.END)


@pytest.mark.parametrize("bi_first", [False, True])
def test_what_is_read_and_remembered_is_what_torch_makes_of_packed_sequences(bi_first):
    encoder, tokens = SourceEncoder(TOKENS, 8, 5, 2, bi_first), sentences()
    first, second = nn.LSTM(5, 8, bidirectional=bi_first), nn.LSTM(8 * (1 + bi_first), 8)
    first.load_state_dict(
        encoder.cells[0].state_dict()
        | ({f"{key}_reverse": value for key, value in encoder.from_end.state_dict().items()} if bi_first else {})
    )
    second.load_state_dict(encoder.cells[1].state_dict())
    packed = nn.utils.rnn.pack_padded_sequence(encoder.embedding(tokens), torch.tensor(LENGTHS), enforce_sorted=False)
    between, (h1, c1) = first(packed)
    outputs, (h2, c2) = second(between)
    outputs, _ = nn.utils.rnn.pad_packed_sequence(outputs)
    source = encoder.read(tokens)
    torch.testing.assert_close(source.outputs * source.mask.unsqueeze(2), outputs)
    torch.testing.assert_close(source.state[0], torch.stack([h1[-1], h2[0]]))
    torch.testing.assert_close(source.state[1], torch.stack([c1[-1], c2[0]]))
    assert source.mask.sum(0).tolist() == list(LENGTHS)


def test_gradients_are_those_of_packed_sequences():
    encoder, tokens = SourceEncoder(TOKENS, 8, 5), sentences()
    (encoder.read(tokens).outputs * encoder.read(tokens).mask.unsqueeze(2)).square().sum().backward()
    oracle, vectors = nn.LSTM(5, 8), encoder.embedding.weight.detach().clone().requires_grad_()
    oracle.load_state_dict(encoder.cells[0].state_dict())
    packed = nn.utils.rnn.pack_padded_sequence(vectors[tokens], torch.tensor(LENGTHS), enforce_sorted=False)
    oracle(packed)[0].data.square().sum().backward()
    for name, parameter in oracle.named_parameters():
        torch.testing.assert_close(encoder.cells[0].get_parameter(name).grad, parameter.grad)
    torch.testing.assert_close(encoder.embedding.weight.grad[1:], vectors.grad[1:])


def test_sequences_of_one_length_are_read_as_by_a_bidirectional_lstm():
    encoder, tokens = SourceEncoder(TOKENS, 8, 5, bi_first=True), torch.randint(1, TOKENS, (6, 3))
    oracle = nn.LSTM(5, 8, bidirectional=True)
    oracle.load_state_dict(
        encoder.cells[0].state_dict() | {f"{key}_reverse": value for key, value in encoder.from_end.state_dict().items()}
    )
    torch.testing.assert_close(encoder.read(tokens).outputs, oracle(encoder.embedding(tokens))[0])


def test_a_source_in_reverse_is_read_from_its_end_and_padding_stays_where_it_is():
    encoder, tokens = SourceEncoder(TOKENS, 8, reverse=True), sentences()
    forwards = SourceEncoder(TOKENS, 8)
    forwards.load_state_dict(encoder.state_dict())
    turned = nn.utils.rnn.pad_sequence([tokens[:n, b].flip(0) for b, n in enumerate(LENGTHS)])
    for mine, theirs in zip(encoder.read(tokens)[:2], forwards.read(turned)[:2], strict=True):
        torch.testing.assert_close(mine, theirs)


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("input_feeding", [False, True])
def test_two_steps_of_the_decoder_are_those_written_out(score, input_feeding):
    model, tokens = translator(score, input_feeding), sentences()
    decoder, source = model.decoder, model.encoder.read(tokens)
    said = torch.tensor([[GO] * 4, [5, 3, 4, 8]])
    logits, _ = decoder(said, source, decoder.initial(source))
    for b in range(4):
        h, c = ([part[layer, b] for layer in range(2)] for part in source.state)
        told = torch.zeros(8)
        for t in range(2):
            x = decoder.embedding.weight[said[t, b]]
            if input_feeding and score is not None:
                x = torch.cat([x, told])
            for layer, cell in enumerate(decoder.cells):
                gates = cell.weight_ih_l0 @ x + cell.bias_ih_l0 + cell.weight_hh_l0 @ h[layer] + cell.bias_hh_l0
                i, f, g, o = gates.chunk(4)
                c[layer] = torch.sigmoid(f) * c[layer] + torch.sigmoid(i) * torch.tanh(g)
                x = h[layer] = torch.sigmoid(o) * torch.tanh(c[layer])
            told = x
            if score is not None:
                told = decoder.attention.attend(x.view(1, 1, 8), source.outputs[: LENGTHS[b], b : b + 1])[0, 0]
            torch.testing.assert_close(logits[t, b], decoder.output.weight @ told + decoder.output.bias)


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("input_feeding", [False, True])
def test_a_target_at_once_is_the_same_as_sign_by_sign(score, input_feeding):
    model, tokens, target = translator(score, input_feeding), sentences(), answers()
    source = model.encoder.read(tokens)
    state, steps = model.decoder.initial(source), []
    for sign in torch.cat([torch.full_like(target[:1], GO), target[:-1]]).split(1):
        step, state = model.decoder(sign, source, state)
        steps.append(step)
    torch.testing.assert_close(model(tokens, target), torch.cat(steps))


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("bi_first", [False, True])
def test_padding_never_matters(score, bi_first):
    model, tokens, target = translator(score, bi_first=bi_first), sentences(), answers()
    together = model(tokens, target)
    for b, n in enumerate(LENGTHS):
        alone = model(tokens[:n, b : b + 1], target[: n + 1, b : b + 1])
        torch.testing.assert_close(together[: n + 1, b : b + 1], alone)
    longer = nn.functional.pad(target, (0, 0, 0, 3))
    torch.testing.assert_close(sequence_loss(model(tokens, longer), longer), sequence_loss(together, target))
    each = [cross_entropy(together[: n + 1, b], target[: n + 1, b], reduction="sum") for b, n in enumerate(LENGTHS)]
    torch.testing.assert_close(sequence_loss(together, target), torch.stack(each).sum() / (sum(LENGTHS) + 4))


@pytest.mark.parametrize("score", SCORES)
def test_gradients_reach_everything(score):
    model, tokens, target = translator(score, bi_first=True), sentences(), answers()
    sequence_loss(model(tokens, target), target).backward()
    still = [name for name, parameter in model.named_parameters() if parameter.grad is None or not parameter.grad.any()]
    assert not still


def test_greedy_decoding_says_the_likeliest_sign_given_what_it_has_said():
    model, tokens = translator(), sentences()
    said = model.greedy(tokens, 12)
    assert said.shape == (12, 4)
    chosen = likeliest(model(tokens, said))
    for b in range(4):
        signs = said[:, b].tolist()
        end = signs.index(EOS) + 1 if EOS in signs else 12
        assert signs[:end] == chosen[:end, b].tolist()
        assert not any(signs[end:])
    assert (said[0] >= EOS).all()
    model.decoder.output.bias.data[EOS] = 100.0
    assert model.greedy(tokens, 3).tolist() == [[EOS] * 4, [PAD] * 4, [PAD] * 4]


def test_padding_and_go_are_never_said():
    logits = torch.zeros(1, 2, TOKENS)
    logits[..., PAD], logits[..., GO], logits[..., 4] = 9.0, 8.0, 1.0
    assert likeliest(logits).tolist() == [[4, 4]]


def test_dropout_is_for_training_only():
    encoder = SourceEncoder(TOKENS, 8, 5, 2, dropout=0.5)
    model, tokens, target = Seq2Seq(encoder, LuongDecoder(TOKENS, 8, 8, 5, 2, dropout=0.5)), sentences(), answers()
    assert not torch.equal(model(tokens, target), model(tokens, target))
    assert torch.equal(model.eval()(tokens, target), model(tokens, target))


def test_a_decoder_that_cannot_begin_with_the_encoders_memory_is_refused():
    with pytest.raises(ValueError, match="2 layers of 8 units do not fit 1 of 8"):
        Seq2Seq(SourceEncoder(TOKENS, 8), LuongDecoder(TOKENS, 8, 8, layers=2))
    with pytest.raises(ValueError, match="layers must be at least 1"):
        SourceEncoder(TOKENS, 8, layers=0)


def test_it_learns_to_copy():
    model, generator = translator(layers=1), torch.Generator().manual_seed(1)
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    losses = []
    for _ in range(150):
        letters = torch.randint(EOS + 1, TOKENS, (3, 32), generator=generator)
        target = torch.cat([letters, torch.full((1, 32), EOS)])
        loss = sequence_loss(model(letters, target), target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert np.mean(losses[-10:]) < 0.3 * losses[0]
