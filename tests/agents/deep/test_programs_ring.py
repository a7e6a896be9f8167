"""Replay memories of programs: what is drawn is what was stored, to the end of an episode or of the memory, and all of it equally often."""

import numpy as np
import pytest
import torch

from rlcourse.agents import DQN, learn_together
from rlcourse.agents.deep.programs.copies import Copies
from rlcourse.agents.deep.programs.prioritized import PrioritizedRing
from rlcourse.agents.deep.programs.ring import Ring
from rlcourse.envs.cartpole import CartPole

SEEDS, N, T, B = [5, 6, 7], 2, 3, 64
GAMMA = torch.tensor([0.5, 0.9, 0.99], dtype=torch.float64)
M = len(SEEDS) * N


class Filled:
    """A ring, and by row of it what each column was given: observation, action, reward, successor, terminated, ended, counted."""

    def __init__(self, n: int, kind=Ring, rounds: int = 9, **options) -> None:
        cpu = torch.device("cpu")
        self.copies = Copies(CartPole(), 9, SEEDS, N, T, cpu)
        actions = torch.zeros(T, M, dtype=torch.int64)
        self.ring = kind(self.copies, SEEDS, 13, B, GAMMA, n, actions, **options)
        self.copies.reset()
        self.log, self.newest, rng = {}, -1, np.random.default_rng(0)
        for k in range(rounds):
            rows = T if k % 4 < 3 else 2
            valid = rows * N if k % 4 < 3 else 3  # now and then a budget ends within a round, and within a row
            for t in range(rows):
                actions[t] = torch.from_numpy(rng.integers(2, size=M))
                self.copies.actions.copy_(actions[t])
                self.copies.step(t)
                self.newest = (self.newest + 1) % self.ring.rows
                c = self.copies
                for m in range(M):
                    parts = (c.observations[t, m].clone(), int(actions[t, m]), float(c.rewards[t, m]), c.successors[t, m].clone())
                    counted = t * N + m % N < valid
                    self.log[self.newest, m] = (*parts, bool(c.terminated[t, m]), bool(c.ended[t, m]), counted)
            self.ring.keep(rows, valid)
            self.copies.turn(rows)

    def expected(self, row: int, m: int, n: int):
        """Return reward, discount, action, observation and successor of n steps from a slot, as they follow from what was stored."""
        gamma = float(GAMMA[m // N])
        observation, action, total, successor, terminated, ended, counted = self.log[row, m]
        assert counted
        for k in range(1, n):
            following = (row + k) % self.ring.rows
            if ended or (row + k - 1) % self.ring.rows == self.newest or not self.log[following, m][6]:
                return total, 0.0 if terminated else gamma**k, action, observation, successor
            _, _, reward, successor, terminated, ended, _ = self.log[following, m]
            total += gamma**k * reward
        return total, 0.0 if terminated else gamma**n, action, observation, successor


@pytest.mark.parametrize("n", [1, 4])
@pytest.mark.parametrize(("kind", "options"), [(Ring, {}), (PrioritizedRing, {"alpha": 0.6})])
@pytest.mark.parametrize("rounds", [2, 9])
def test_what_is_drawn_is_what_was_stored(n, kind, options, rounds):
    filled = Filled(n, kind, rounds, **options)
    cuts = set()
    for _ in range(5):
        batch = filled.ring.sample()
        for s in range(len(SEEDS)):
            for b in range(B):
                row, m = divmod(int(batch.slots[s, b]), M)
                assert m // N == s
                reward, discount, action, observation, successor = filled.expected(row, m, n)
                assert float(batch.rewards[s, b]) == pytest.approx(reward)
                assert float(batch.discounts[s, b]) == pytest.approx(discount)
                assert int(batch.actions[s, b]) == action
                assert torch.equal(batch.observations[s, b], observation)
                assert torch.equal(batch.successors[s, b], successor)
                cuts.add(round(discount, 4))
    assert len(cuts) > 3 * (n > 1)  # terminations, cuts and whole windows were among them


def test_all_that_is_stored_is_drawn_about_equally_often_and_nothing_else():
    filled = Filled(1)
    counts = np.zeros((filled.ring.rows, M))
    for _ in range(400):
        np.add.at(counts.reshape(-1), filled.ring.sample().slots.numpy().ravel(), 1)
    stored = np.array([[filled.log[row, m][6] for m in range(M)] for row in range(filled.ring.rows)])
    assert (~stored).any()
    assert not counts[~stored].any()
    whole = stored.reshape(-1, len(SEEDS), N).all(2).repeat(N, 1)
    shares = counts[whole] / counts.sum() * len(SEEDS) * filled.ring.rows * N  # rows are equally likely
    assert abs(shares - 1.0).max() < 0.2  # 1900 draws of each: seven standard deviations


def test_priorities_draw_in_proportion_and_weights_correct_for_it():
    filled = Filled(1, PrioritizedRing, alpha=0.5)
    ring = filled.ring
    batch = ring.sample()
    torch.testing.assert_close(batch.weights, torch.ones(len(SEEDS), B))  # all priorities are those of new transitions
    errors = torch.linspace(0.0, 30.0, B).repeat(len(SEEDS), 1)
    ring.correct(errors)
    assert torch.equal(ring.greatest, ((errors.double() + 1e-6) ** 0.5).amax(1))
    ring.beta = torch.full((len(SEEDS),), 0.7)
    counts, total = torch.zeros(len(SEEDS), ring.rows * N), ring.priorities.flatten(1).sum(1)
    stored = int(ring.counts.sum())
    for _ in range(400):
        batch = ring.sample()
        counts.scatter_add_(1, ring._places, torch.ones(len(SEEDS), B))
        p = ring.priorities.flatten(1).gather(1, ring._places) / total[:, None]
        weights = (stored * p) ** -0.7
        torch.testing.assert_close(batch.weights, (weights / weights.amax(1, keepdim=True)).float())
    shares = ring.priorities.flatten(1) / total[:, None]
    torch.testing.assert_close(counts / counts.sum(1, keepdim=True), shares.float(), atol=4e-3, rtol=0)
    before = ring.newest.clone()
    filled.ring.keep(1, N)
    fresh = ring.priorities[:, int((before + 1) % ring.rows)]
    assert torch.equal(fresh, ring.greatest[:, None].expand(-1, N))


@pytest.mark.parametrize("error", [np.nan, np.inf])
def test_an_error_that_is_no_number_counts_as_the_greatest_priority(error):
    spoilt, sound = Filled(1, PrioritizedRing, alpha=0.5).ring, Filled(1, PrioritizedRing, alpha=0.5).ring
    for ring in (spoilt, sound):
        ring.sample()
        ring.correct(torch.full((len(SEEDS), B), 9.0))
        errors = torch.linspace(0.0, 4.0, B).repeat(len(SEEDS), 1)
        errors[1, 3:] = error if ring is spoilt else 1.0
        ring.sample()
        ring.correct(errors)
    assert torch.equal(spoilt.greatest, sound.greatest)
    assert torch.equal(spoilt.priorities.flatten(1)[1, spoilt._places[1, 3:]], spoilt.greatest[1].expand(B - 3))
    mine, theirs = spoilt.sample(), sound.sample()
    assert torch.isfinite(mine.weights).all()
    for a, b in zip(mine, theirs, strict=True):
        assert torch.equal(a[[0, 2]], b[[0, 2]])


def test_priorities_that_are_no_numbers_point_at_no_place_behind_the_end():
    spoilt, sound = Filled(1, PrioritizedRing, alpha=0.5).ring, Filled(1, PrioritizedRing, alpha=0.5).ring
    spoilt.priorities[1] = np.nan  # as in the file of an agent that had diverged
    for a, b in zip(spoilt.sample(), sound.sample(), strict=True):
        assert torch.equal(a[[0, 2]], b[[0, 2]])
    assert int(spoilt._places.max()) < spoilt.rows * N


def test_memories_that_were_filled_in_other_steps_are_not_taken_for_the_same():
    settings = {"n_envs": 4, "buffer_size": 64, "learning_starts": 1000, "batch_size": 8, "train_freq": 2}
    one, other = (DQN("CartPole-v1", seed=seed, **settings) for seed in range(2))
    for budget in (30, 34):
        learn_together([one], budget)
    learn_together([other], 64)
    with pytest.raises(ValueError, match="filled their replay memories in the same steps"):
        learn_together([one, other], 64)
