"""The GNMT stack: its size, residual connections, a decoder's steps by hand, and it as an encoder for agents."""

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import nn

from rlcourse import encoders
from rlcourse.agents import PPO
from rlcourse.encoders.gnmt import GNMT, GNMTDecoder
from rlcourse.encoders.seq2seq import EOS, GO, Seq2Seq, sequence_loss
from rlcourse.encoders.source import PaddedLSTM, ResidualLSTM, SourceEncoder

TOKENS = spaces.MultiDiscrete([9] * 5)
LENGTHS = (5, 2, 1, 4)


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def sentences():
    """Return padded sequences, [L, B]."""
    return nn.utils.rnn.pad_sequence([torch.randint(EOS + 1, 9, (n,)) for n in LENGTHS])


def translator(layers=4, input_feeding=True, score="general"):
    encoder = GNMT(TOKENS, 6, 5, layers)
    return Seq2Seq(encoder, GNMTDecoder(9, encoder.width, 6, 5, layers, score=score, input_feeding=input_feeding))


def test_four_layers_of_64_units_over_vectors_of_32_have_166_400_weights():
    encoder = GNMT(TOKENS, 64, 32, layers=4)
    lstms = sum(parameter.numel() for name, parameter in encoder.named_parameters() if not name.startswith("embedding"))
    first, second, others = 2 * 4 * 64 * (32 + 64 + 2), 4 * 64 * (128 + 64 + 2), 2 * 4 * 64 * (64 + 64 + 2)
    assert lstms == first + second + others == 166_400


def test_a_layer_whose_weights_are_zero_passes_on_its_inputs():
    x = torch.randn(4, 3, 10)
    for kind in (PaddedLSTM, ResidualLSTM):
        layer = kind(10, 6)
        for parameter in layer.parameters():
            nn.init.zeros_(parameter)
        outputs, (h, _) = layer(x, last=torch.tensor([[3, 1, 0]]))
        assert torch.equal(outputs, x[:, :, :6] if kind is ResidualLSTM else torch.zeros(4, 3, 6))
        assert not h.any()


def test_residual_connections_begin_at_the_third_layer():
    encoder, decoder = GNMT(TOKENS, 6), GNMTDecoder(9, 6, 6)
    for stack in (encoder.cells, decoder.cells):
        assert [isinstance(cell, ResidualLSTM) for cell in stack] == [False, False] + [True] * 6
    assert not any(isinstance(cell, ResidualLSTM) for cell in GNMT(TOKENS, 6, residual_from=0).cells)
    with pytest.raises(ValueError, match="at least 3"):
        GNMT(TOKENS, 6, residual_from=2)


def test_the_stack_is_its_layers_one_after_the_other():
    encoder, tokens = GNMT(TOKENS, 6, 5, layers=4), torch.randint(1, 9, (5, 3))
    both = nn.LSTM(5, 6, bidirectional=True)
    both.load_state_dict(encoder.cells[0].state_dict() | {f"{key}_reverse": value for key, value in encoder.from_end.state_dict().items()})
    x = both(encoder.embedding(tokens))[0]
    for layer in (1, 2, 3):
        plain = nn.LSTM(12 if layer == 1 else 6, 6)
        plain.load_state_dict(encoder.cells[layer].state_dict())
        outputs, (h, c) = plain(x)
        x = outputs + x if layer > 1 else outputs
        for mine, theirs in zip(encoder.read(tokens).state, (h, c), strict=True):
            torch.testing.assert_close(mine[layer], theirs[0])
    torch.testing.assert_close(encoder.read(tokens).outputs, x)


@pytest.mark.parametrize("input_feeding", [False, True])
@pytest.mark.parametrize("layers", [1, 2, 4])
def test_two_steps_of_the_decoder_are_those_written_out(layers, input_feeding):
    model, tokens = translator(layers, input_feeding), sentences()
    decoder, source = model.decoder, model.encoder.read(tokens)
    said = torch.tensor([[GO] * 4, [5, 3, 4, 8]])
    logits, after = decoder(said, source, decoder.initial(source))
    for b in range(4):
        h, c = ([part[layer, b] for layer in range(layers)] for part in source.state)
        context = torch.zeros(source.outputs.shape[2])
        for t in range(2):
            x = decoder.embedding.weight[said[t, b]]
            for layer, cell in enumerate(decoder.cells):
                inputs = torch.cat([x, context]) if layer or input_feeding else x
                h[layer], c[layer] = torch.lstm_cell(
                    inputs[None], (h[layer][None], c[layer][None]), cell.weight_ih_l0, cell.weight_hh_l0, cell.bias_ih_l0, cell.bias_hh_l0
                )
                h[layer], c[layer] = h[layer][0], c[layer][0]
                if layer == 0:  # it asks, and what it finds goes to all layers above at this very step
                    found, weights = decoder.attention(h[0].view(1, 1, -1), source.outputs[: LENGTHS[b], b : b + 1])
                    context = found[0, 0]
                    torch.testing.assert_close(weights.sum(), torch.tensor(1.0))
                x = h[layer] + x if layer >= 2 else h[layer]
            x = torch.cat([x, context]) if layers == 1 else x
            torch.testing.assert_close(logits[t, b], decoder.output.weight @ x + decoder.output.bias)
        torch.testing.assert_close(after[2][b], context)
        torch.testing.assert_close(after[1][:, b], torch.stack(c))


@pytest.mark.parametrize("score", ["dot", "general", "concat"])
def test_padding_never_matters_and_gradients_reach_everything(score):
    model, tokens = translator(score=score), sentences()
    target = nn.utils.rnn.pad_sequence([torch.cat([tokens[:n, b], torch.tensor([EOS])]) for b, n in enumerate(LENGTHS)])
    together = model(tokens, target)
    for b, n in enumerate(LENGTHS):
        torch.testing.assert_close(together[: n + 1, b : b + 1], model(tokens[:n, b : b + 1], target[: n + 1, b : b + 1]))
    sequence_loss(together, target).backward()
    assert not [name for name, parameter in model.named_parameters() if parameter.grad is None or not parameter.grad.any()]


def test_a_target_at_once_is_the_same_as_sign_by_sign():
    for input_feeding in (False, True):
        model, tokens = translator(4, input_feeding), sentences()
        source = model.encoder.read(tokens)
        said = torch.cat([torch.full((1, 4), GO), tokens[:3].clamp(min=EOS)])
        state, steps = model.decoder.initial(source), []
        for sign in said.split(1):
            step, state = model.decoder(sign, source, state)
            steps.append(step)
        torch.testing.assert_close(model.decoder(said, source, model.decoder.initial(source))[0], torch.cat(steps))


def test_it_is_an_encoder_whose_features_are_the_last_outputs_of_tokens_or_of_one_hot_ones():
    encoder, tokens = encoders.make("gnmt:6", TOKENS), sentences()
    assert (encoder.layers, encoder.features_dim) == (8, 6)
    outputs = encoder.read(tokens).outputs
    torch.testing.assert_close(encoder(tokens.t()), torch.stack([outputs[n - 1, b] for b, n in enumerate(LENGTHS)]))
    one_hot = nn.functional.one_hot(tokens.t(), 9).float().flatten(1)
    torch.testing.assert_close(encoder(one_hot), encoder(tokens.t()))
    assert encoder(torch.zeros(2, 5)).shape == (2, 6)
    assert GNMT(TOKENS, 6, layers=1).features_dim == 12
    with pytest.raises(ValueError, match="'gnmt' needs Text, or tokens"):
        encoders.make("gnmt", spaces.Discrete(4))


def test_agents_see_sequences_through_it():
    agent = PPO("rlcourse/SortSequence-v0", encoder="gnmt:8", n_envs=4, n_steps=8, batch_size=16, n_epochs=1, seed=0).learn(64)
    assert agent.predict(np.array([1, 5, 3, 0, 0, 0, 0]))[0] in range(9)


def test_a_plain_encoder_is_a_stack_without_residuals():
    plain, stack = SourceEncoder(9, 6, 5, 4, bi_first=True), GNMT(TOKENS, 6, 5, 4, residual_from=0)
    stack.load_state_dict(plain.state_dict())
    tokens = sentences()
    torch.testing.assert_close(stack.read(tokens).outputs, plain.read(tokens).outputs)
