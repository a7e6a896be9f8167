"""Training on sequences: the first memory of a window, what counts in it, and what has no influence on it."""

import gymnasium as gym
import numpy as np
import pytest
import torch

from rlcourse.agents import DRQN, RecurrentPPO
from rlcourse.agents.deep.sequences import Past, check_half, first_counted, first_memory, tile
from rlcourse.encoders import make_memory

MASKED = "rlcourse/MaskedCartPole-v1"
TINY = {"n_envs": 3, "n_steps": 20, "batch_size": 24, "n_epochs": 2, "hidden": (8,), "memory_size": 8, "learning_rate": 0.01}
HANDLINGS = {
    "zero": {"start": "zero"},
    "stored": {"start": "stored"},
    "burned in": {"start": "stored", "burn_in": 7},
    "burned in from zero": {"start": "zero", "burn_in": 7},
    "half-masked": {"start": "zero", "half_masked": True},
    "all of it": {"start": "stored", "burn_in": 7, "half_masked": True},
}
kinds = pytest.mark.parametrize("memory", ["lstm", "gru", "rnn"])
handlings = pytest.mark.parametrize("handling", HANDLINGS)


def windows(length, rollouts=3, **settings):
    """Return an agent, its last rollout, the windows of it, and the past that they look back on."""
    agent = RecurrentPPO(MASKED, seed=1, **TINY | {"sequence_length": length} | settings)
    N, T = TINY["n_envs"], TINY["n_steps"]
    agent.learn((rollouts - 1) * N * T)
    kept = []

    def update(begin):
        whole = agent._prepare(begin)
        kept.extend([whole, agent._windows(whole), list(agent.past.rows)])

    agent._update = update
    agent.learn(N * T)
    return agent, *kept


def features_of(agent, w):
    state = first_memory(agent.policy.memory, agent.config.start, w.begin, w.warm)
    return agent.policy.memory(w.observations, state, w.starts)[0]


@pytest.mark.parametrize("steps", [1, 7, 20])
@pytest.mark.parametrize("length", [1, 4, 5, 20])
@pytest.mark.parametrize("half_masked", [False, True])
def test_every_step_counts_in_exactly_one_window_and_a_half_masked_one_counts_its_later_half(steps, length, half_masked):
    if half_masked and length < 2:
        pytest.skip("there is no half")
    tiles = tile(steps, length, 3, half_masked)
    assert tiles.rows.shape == (3 + length, tiles.counted.shape[1])
    assert (np.diff(tiles.rows, axis=0) == 1).all()
    assert sorted(tiles.rows[3:][tiles.counted].tolist()) == list(range(steps))
    late = np.arange(length) >= first_counted(length, half_masked)
    assert not tiles.counted[~late].any()
    inside = (tiles.rows[3:] >= 0) & (tiles.rows[3:] < steps)
    assert np.array_equal(tiles.counted, inside & late[:, None])


def test_the_later_half_of_an_odd_window_is_the_longer_one_and_a_single_step_has_none():
    assert [first_counted(length, True) for length in (2, 5, 6)] == [1, 2, 3]
    assert first_counted(6, False) == 0
    with pytest.raises(ValueError, match="sequence_length must be at least 2"):
        check_half(1, True)


@kinds
def test_a_first_memory_is_empty_or_stored_and_the_burn_in_is_a_pass_step_by_step_without_a_gradient(memory):
    network = make_memory(memory, gym.spaces.Box(-1, 1, (2,)), 4, layers=2)
    x = torch.randn(5, 3, 2, generator=torch.Generator().manual_seed(0), requires_grad=True)
    stored = tuple(part + 0.5 for part in network.initial(3))
    starts = torch.zeros(5, 3, dtype=torch.bool)
    starts[2, 1] = True
    assert first_memory(network, "stored", stored) is stored
    assert all(not part.any() for part in first_memory(network, "zero", stored))
    for start in ("stored", "zero"):
        found = first_memory(network, start, stored, (x, starts))
        state = first_memory(network, start, stored)
        for t in range(5):
            _, state = network.step(x[t], state, starts[t])
        for mine, theirs in zip(found, state, strict=True):
            torch.testing.assert_close(mine, theirs.detach(), atol=1e-6, rtol=1e-5)
            assert not mine.requires_grad


@kinds
@handlings
@pytest.mark.parametrize("length", [1, 6, 20])
def test_the_features_of_a_window_are_those_of_a_pass_step_by_step_from_the_same_first_memory(memory, handling, length):
    settings = HANDLINGS[handling]
    if settings.get("half_masked") and length < 2:
        pytest.skip("there is no half")
    agent, whole, w, past = windows(length, memory=memory, **settings)
    T, N, network, held = TINY["n_steps"], TINY["n_envs"], agent.policy.memory, len(past)
    seen = torch.cat([*(torch.from_numpy(row[0])[None] for row in past), whole.observations])
    begun = torch.cat([*(torch.from_numpy(row[1])[None] for row in past), whole.starts])
    states = [*(row[2] for row in past), whole.begin, *agent._states[:-1]]
    tiles = tile(T, length, agent.config.burn_in, agent.config.half_masked)
    features = features_of(agent, w).view(length, -1, N, 8)
    assert w.stored.sum() == T * N, "each step once"
    for j, rows in enumerate(tiles.rows.T):
        assert rows[0] + held >= 0, "the past holds all that windows look back on"
        state = network.initial(N) if agent.config.start == "zero" else states[rows[0] + held]
        for k, row in enumerate(rows):
            if row < T:
                x, state = network.step(seen[row + held], state, begun[row + held])
                if k >= agent.config.burn_in:
                    torch.testing.assert_close(features[k - agent.config.burn_in, j], x, atol=1e-5, rtol=1e-4)


@kinds
@pytest.mark.parametrize("handling", ["stored", "burned in", "all of it"])
def test_from_stored_memories_and_with_the_weights_of_acting_windows_have_the_features_of_acting(memory, handling):
    agent, whole, w, _ = windows(6, memory=memory, **HANDLINGS[handling] | {"learning_rate": 0.0})
    tiles = tile(20, 6, agent.config.burn_in, agent.config.half_masked)
    acted = torch.stack([state[0][-1] for state in agent._states])
    mine = features_of(agent, w).view(6, -1, 3, 8)
    counted = torch.from_numpy(tiles.counted)
    torch.testing.assert_close(mine[counted], acted[torch.from_numpy(tiles.rows[agent.config.burn_in :])[counted]], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(w.log_prob.view(6, -1, 3)[counted], whole.log_prob[tiles.rows[agent.config.burn_in :][tiles.counted]])


@kinds
@handlings
def test_before_the_first_update_every_ratio_is_one_however_a_window_begins(memory, handling):
    agent, _, w, _ = windows(6, memory=memory, **HANDLINGS[handling] | {"normalize_advantage": False})
    _, policy_term, _, log_prob, _, v, old, target = agent.loss(w, 0.2)
    torch.testing.assert_close(log_prob, old, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(policy_term, -w.advantage[w.stored].mean(), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(v, w.value[w.stored], atol=1e-5, rtol=1e-4)
    assert torch.equal(target, w.target[w.stored])


@kinds
@pytest.mark.parametrize("burn_in", [0, 3])
def test_what_is_older_than_a_window_has_no_influence_from_zero_and_what_is_burned_in_has_one_without_a_gradient(memory, burn_in):
    network = make_memory(memory, gym.spaces.Box(-1, 1, (2,)), 8)
    x = torch.randn(20, 3, 2, generator=torch.Generator().manual_seed(0), requires_grad=True)
    starts = torch.zeros(20, 3, dtype=torch.bool)

    def features(x, first):
        warm = x[first - burn_in : first], starts[first - burn_in : first]
        state = first_memory(network, "zero", network.initial(3), warm)
        return network(x[first : first + 5], state, starts[first : first + 5])[0]

    found = features(x, 10)
    (gradient,) = torch.autograd.grad(found.square().sum(), x)
    assert not gradient[:10].any(), "exactly zero"
    assert gradient[10:15].any(2).all()
    for row in range(20):
        other = x.detach().clone()
        other[row] += 1.0
        assert torch.equal(features(other, 10), found) == (not 10 - burn_in <= row < 15), f"row {row}"


@handlings
def test_nothing_leaks_over_the_start_of_an_episode_in_a_window_or_before_it(handling):
    agent, _, w, _ = windows(6, **HANDLINGS[handling])
    W = agent.config.burn_in
    rows, starts = torch.cat([w.warm[0], w.observations]), torch.cat([w.warm[1], w.starts])
    found, held = features_of(agent, w), 0
    for b, last in [(b, int(starts[:, b].nonzero().max())) for b in range(starts.shape[1]) if starts[:, b].any()]:
        other = rows.clone()
        other[:last, b] += 9.0
        begin = tuple(part.clone() for part in w.begin)
        for part in begin:
            part[:, b] = 9.0
        again = features_of(agent, w._replace(observations=other[W:], warm=(other[:W], w.warm[1]), begin=begin))
        assert torch.equal(again[max(0, last - W) :, b], found[max(0, last - W) :, b])
        held += 1
    assert held > 3


def test_a_half_masked_window_of_a_rollout_is_learned_from_in_its_later_half_only():
    agent, _, w, _ = windows(6, start="zero", half_masked=True, normalize_advantage=False)
    loss = agent.loss(w, 0.2)[0]
    early, late = torch.zeros(6, w.stored.shape[1]), torch.zeros(6, w.stored.shape[1])
    early[:3], late[3:] = 5.0, 5.0
    assert agent.loss(w._replace(advantage=w.advantage + early, target=w.target - early), 0.2)[0] == loss
    assert agent.loss(w._replace(advantage=w.advantage + late, target=w.target - late), 0.2)[0] != loss


@pytest.mark.parametrize("memory", ["lstm", "gru"])
def test_one_window_of_the_whole_rollout_learns_the_same(memory):
    one = RecurrentPPO(MASKED, seed=0, memory=memory, **TINY).learn(2 * 60 + 1)
    other = RecurrentPPO(MASKED, seed=0, memory=memory, **TINY | {"sequence_length": 20}).learn(2 * 60 + 1)
    torch.testing.assert_close(one.optimizer.parameters, other.optimizer.parameters, atol=1e-4, rtol=1e-3)


def test_minibatches_of_windows_hold_every_step_once_where_windows_copies_and_steps_differ_in_number():
    agent, _, w, _ = windows(6, batch_size=13)
    batches = list(agent._batches(w))
    assert [batch.observations.shape[:2] for batch in batches[:6]] == [(6, 2)] * 6, "13 // 6 windows of 6 steps; 4 windows of 3 copies"
    for epoch in (batches[:6], batches[6:]):
        assert sum(int(batch.stored.sum()) for batch in epoch) == 60
        assert torch.equal(torch.cat([batch.target[batch.stored] for batch in epoch]).sort().values, w.target[w.stored].sort().values)


@pytest.mark.parametrize("memory", ["lstm", "gru"])
@pytest.mark.parametrize("env", [MASKED, "FrozenLake-v1"])
def test_it_resumes_bit_for_bit_the_rows_before_the_rollout_included(memory, env, tmp_path):
    settings = TINY | {"memory": memory, "sequence_length": 6, "burn_in": 25, "half_masked": True, "normalize_observations": env == MASKED}
    whole = RecurrentPPO(env, seed=3, **settings).learn(240)
    RecurrentPPO(env, seed=3, **settings).learn(120).save(tmp_path / "half.safetensors")
    half = RecurrentPPO.load(tmp_path / "half.safetensors", env=env)
    assert len(half.past.rows) == 28
    half.learn(120)
    assert torch.equal(whole.optimizer.parameters, half.optimizer.parameters)
    assert all(torch.equal(a, b) for a, b in zip(whole.past.rows[0][2], half.past.rows[0][2], strict=True))


@pytest.mark.parametrize("total", [1, 3, 59, 60, 61, 130])
@handlings
def test_the_number_of_steps_is_exact_however_windows_fall(total, handling):
    agent = RecurrentPPO(MASKED, **TINY | HANDLINGS[handling] | {"sequence_length": 6}).learn(total)
    assert agent.num_timesteps == total
    assert torch.isfinite(agent.optimizer.parameters).all()


def test_a_past_without_rows_is_no_state_and_one_with_rows_comes_back():
    past = Past(2)
    assert past.state_dict() == {}
    states = [(torch.full((1, 3, 4), float(t)),) for t in range(5)]
    past.extend(np.arange(15).reshape(5, 3), np.eye(5, 3, dtype=bool), states)
    again = Past(2)
    again.load_state_dict({key: np.asarray(value) for key, value in past.state_dict().items()})
    assert [row[0].tolist() for row in again.rows] == [[9, 10, 11], [12, 13, 14]]
    assert all(torch.equal(row[2][0], states[t][0]) for t, row in zip((3, 4), again.rows, strict=True))


@pytest.mark.parametrize("agent", [DRQN, RecurrentPPO])
def test_what_no_window_can_be_is_said_at_construction(agent):
    for settings, words in (
        ({"sequence_length": 1, "half_masked": True}, "sequence_length must be at least 2"),
        ({"start": "full"}, "start"),
        ({"burn_in": -1}, "burn_in"),
    ):
        with pytest.raises(ValueError, match=words):
            agent("CartPole-v1", **settings)
    with pytest.raises(ValueError, match="at most n_steps, 128, not 129"):
        RecurrentPPO("CartPole-v1", sequence_length=129)
