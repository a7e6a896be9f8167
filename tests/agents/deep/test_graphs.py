"""The emulation of CUDA graphs notices what a real graph does not do, refuses what it cannot do, and replays the rest."""

import numpy as np
import pytest
import torch
from graphs import Refused, record
from torch.func import vmap

from rlcourse.agents.deep.programs.draws import Draws
from rlcourse.agents.deep.programs.launch import Launch

CPU = torch.device("cpu")


def test_operations_are_replayed_on_the_same_memory():
    x, seen = torch.tensor([1.0, 2.0]), torch.zeros(2)

    def round() -> None:
        y = (x * 3.0).view(2, 1)  # new memory, and a view of it
        y[0] += 1.0  # in place, through a view of the view
        seen.copy_(y.flatten())
        x.add_(1.0)

    recording = record(round)
    assert seen.tolist() == [4.0, 6.0]
    recording.replay()
    recording.replay()
    assert x.tolist() == [4.0, 5.0]
    assert seen.tolist() == [10.0, 12.0]


def test_a_number_of_the_host_stays_what_it_was():
    total, count = torch.zeros(1), [1.0]

    def round() -> None:
        total.add_(count[0])
        count[0] *= 10.0

    recording = record(round)
    recording.replay()
    assert total.item() == 2.0  # 11 would be right
    assert count == [10.0]


def test_a_tensor_that_is_replaced_is_not_seen_by_a_replay():
    held = {"x": torch.zeros(1)}

    def round() -> None:
        held["x"] = held["x"] + 1.0

    recording = record(round)
    recording.replay()
    assert held["x"].item() == 1.0  # 2 would be right


def test_gradients_are_replayed():
    weights = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    alone = weights.detach().clone().requires_grad_(True)
    x = torch.tensor([[1.0, -1.0], [0.5, 2.0]])

    def round(parameters: torch.Tensor) -> None:
        losses = vmap(lambda w, row: (torch.tanh(w @ row) + (w * w).sum().unsqueeze(0).squeeze()).square() + 1)(parameters, x)
        gradient = torch.autograd.grad(losses.sum(), parameters)[0]
        with torch.no_grad():
            parameters.sub_(1e-3 * gradient)

    recording = record(lambda: round(weights))
    for _ in range(3):
        recording.replay()
    for _ in range(4):
        round(alone)
    assert torch.equal(weights, alone)
    assert weights.requires_grad


def test_launches_are_replayed_in_their_order():
    draws, again = (Draws([3], 2, 1, 2, False, CPU) for _ in range(2))
    sums = torch.zeros(2, 2)
    recording = record(lambda: sums.add_(draws()[0]))
    recording.replay()
    assert torch.equal(sums, again()[0].clone() + again()[0])
    assert Launch.recorder is None
    assert recording.operations == ["launch", "aten.add_.Tensor", "aten.add_.Tensor"]  # the count of what is drawn, and the sum


X = torch.tensor([0.0, 1.0, 2.0])
MASK = X > 0.5


@pytest.mark.parametrize(
    "bad",
    [
        lambda: X.sum().item(),
        lambda: float(X.sum()),
        lambda: 1 if X.sum() > 0 else 0,
        lambda: X.tolist(),
        lambda: X.numpy(),
        lambda: np.asarray(X),
        lambda: X.cpu(),
        lambda: torch.equal(X, X),
        lambda: X.nonzero(),
        lambda: torch.where(MASK),
        lambda: X[MASK],
        lambda: X.clone().__setitem__(MASK, 1.0),
        lambda: X.masked_select(MASK),
        lambda: X.unique(),
        lambda: X.repeat_interleave(MASK.long()),
        lambda: torch.rand(3),
        lambda: torch.randperm(3, generator=torch.Generator().manual_seed(0)),
        lambda: X.bernoulli(0.5),
        lambda: torch.nn.functional.dropout(X),
        lambda: torch.zeros(3),
        lambda: torch.arange(3),
        lambda: torch.tensor([1.0]),
        lambda: torch.as_tensor(np.zeros(3)),
    ],
    ids=range(23),
)
def test_what_waits_for_the_device_or_depends_on_the_host_is_refused(bad):
    with pytest.raises(Refused):
        record(bad)


def test_what_is_only_near_to_it_is_recorded():
    place = torch.tensor([2, 0])
    y = torch.zeros(3)

    def round() -> None:
        y[place] = X[place] * 2.0
        y[1:] += 1.0
        y.masked_fill_(MASK & (y > 4.0), -1.0)
        y.copy_(torch.where(MASK, y, 7.0))
        torch.arange(3, device=CPU)

    recording = record(round)
    recording.replay()
    assert y.tolist() == [7.0, 2.0, -1.0]
