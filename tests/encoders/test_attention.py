"""Attention: scores by hand, what padding does, and what the weights are."""

import pytest
import torch

from rlcourse.encoders.attention import Attention

SCORES = ("dot", "general", "concat")


def parts(T=3, B=2, L=5, width=4):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(T, B, width, generator=generator), torch.randn(L, B, width, generator=generator)


@pytest.mark.parametrize("score", SCORES)
def test_context_and_weights_are_those_written_out_element_by_element(score):
    queries, source = parts()
    attention = Attention(4, 4, score)
    context, weights = attention(queries, source)
    for t in range(3):
        for b in range(2):
            h = queries[t, b]
            if score == "dot":
                scores = [h @ s for s in source[:, b]]
            elif score == "general":
                scores = [h @ (attention.weight.weight @ s) for s in source[:, b]]
            else:
                scores = [
                    attention.v.weight[0] @ torch.tanh(attention.of_query.weight @ h + attention.of_source.weight @ s) for s in source[:, b]
                ]
            a = torch.softmax(torch.stack(scores), 0)
            torch.testing.assert_close(weights[t, b], a)
            torch.testing.assert_close(context[t, b], (a.unsqueeze(1) * source[:, b]).sum(0))
            joined = torch.tanh(attention.combine.weight @ torch.cat([context[t, b], h]))
            torch.testing.assert_close(attention.attend(queries, source)[t, b], joined)


@pytest.mark.parametrize("score", SCORES)
def test_padding_is_never_looked_at(score):
    queries, source = parts()
    attention = Attention(4, 4, score)
    mask = torch.ones(5, 2, dtype=torch.bool)
    mask[3:, 0] = False
    context, weights = attention(queries, source, mask)
    assert (weights[:, 0, 3:] == 0).all()
    assert (weights[:, 1] > 0).all()
    alone, _ = attention(queries[:, :1], source[:3, :1])
    torch.testing.assert_close(context[:, :1], alone)


def test_a_score_that_does_not_exist_and_widths_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="must be 'dot', 'general' or 'concat'"):
        Attention(4, 4, "cosine")
    with pytest.raises(ValueError, match="take 'general'"):
        Attention(4, 5, "dot")
