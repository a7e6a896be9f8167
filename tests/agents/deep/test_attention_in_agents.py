"""Agents whose memory is attention: what they carry, store and save, and what looks into them."""

import numpy as np
import pytest
import torch

from rlcourse.agents import DRQN, RecurrentPPO
from rlcourse.core.evaluation import evaluate
from rlcourse.inspection import gates, play, probe
from rlcourse.plotting.inspection import draw_memory

TINY = {
    RecurrentPPO: {"n_envs": 4, "n_steps": 16, "batch_size": 32, "n_epochs": 2, "hidden": (8,), "memory_size": 8},
    DRQN: {
        "n_envs": 4,
        "learning_starts": 40,
        "sequence_length": 8,
        "burn_in": 3,
        "batch_size": 4,
        "hidden": (8,),
        "memory_size": 8,
        "buffer_size": 400,
    },
}
agents = pytest.mark.parametrize("kind", [RecurrentPPO, DRQN])


def made(kind, **settings):
    return kind("rlcourse/MaskedCartPole-v1", seed=1, **{"memory": "attention:5"} | TINY[kind] | settings)


@agents
def test_learning_goes_on_from_a_file_bit_for_bit(kind, tmp_path):
    whole = made(kind).learn(4 * 16 * 8)
    half = made(kind).learn(4 * 16 * 4)
    half.save(tmp_path / "half.safetensors")
    resumed = kind.load(tmp_path / "half.safetensors", env="rlcourse/MaskedCartPole-v1").learn(4 * 16 * 4)
    mine, theirs = whole.state_dict(), resumed.state_dict()
    assert [key for key in mine if isinstance(mine[key], np.ndarray) and key.startswith(("policy", "network"))]
    for key, value in mine.items():
        if isinstance(value, np.ndarray) and key.startswith(("policy", "network", "carried")):
            np.testing.assert_array_equal(value, theirs[key], err_msg=key)


@agents
def test_the_state_that_predict_hands_over_is_the_last_observations(kind):
    agent = made(kind)
    seen = np.random.default_rng(0).normal(size=(7, 2, 4)).astype(np.float32)
    state = None
    for each in seen:
        _, state = agent.predict(each, state, deterministic=True)
    assert [part.shape for part in state] == [(4, 2, 9)]
    memory = (agent.policy if kind is RecurrentPPO else agent.network).memory
    _, after = memory(torch.from_numpy(seen), memory.initial(2))
    np.testing.assert_allclose(state[0], after[0].detach().numpy(), atol=1e-6)
    action, begun = agent.predict(seen[0], state, episode_start=np.array([True, True]))
    np.testing.assert_allclose(begun[0][:-1], 0.0)
    assert len(action) == 2
    assert len(evaluate(agent, "rlcourse/MaskedCartPole-v1", 2, seed=0)) == 2


def test_the_states_that_drqn_stores_are_those_that_acted():
    agent = made(DRQN).learn(200)
    window = agent.replay.windows(6, 3, 8, np.random.default_rng(0))
    memory = agent.network.memory
    state = tuple(torch.from_numpy(np.ascontiguousarray(part)) for part in window.states)
    assert state[0].shape == (4, 6, 9)
    assert set(np.unique(state[0][..., -1])) <= {0.0, 1.0}
    assert memory(agent._tensor(window.observations), state, torch.from_numpy(window.starts))[0].shape[1:] == (6, 8)


def test_an_unknown_memory_is_refused_in_one_sentence():
    with pytest.raises(ValueError, match="memory must be 'attention', 'gru', 'lstm' or 'rnn', not 'elman'"):
        RecurrentPPO("rlcourse/TMaze-v0", memory="elman")


def test_a_window_that_no_machine_can_hold_is_refused_by_the_name_of_its_setting():
    with pytest.raises(ValueError, match=r"^memory: attention over so many observations would take"):
        RecurrentPPO("rlcourse/TMaze-v0", memory="attention:999999999")


def test_looking_into_a_memory_without_gates_shows_what_it_holds(tmp_path):
    played = play(made(RecurrentPPO), "rlcourse/MaskedCartPole-v1", steps=30, copies=4)
    assert gates(played) == {}
    assert probe(played)
    draw_memory(tmp_path / "hidden.png", "held", np.stack([after[0][-1, 0].numpy() for after in played.after]), played.starts[:, 0], {})
    assert (tmp_path / "hidden.png").stat().st_size > 1000


@agents
@pytest.mark.parametrize("memory", ["lstm", "gru", "attention:5"])
def test_a_state_or_starts_that_do_not_fit_the_observations_are_refused_in_a_sentence(kind, memory):
    agent = made(kind, memory=memory)
    seen = np.zeros((3, *agent.observation_space.shape), np.float32)
    _, state = agent.predict(seen)
    agent.predict(seen, [part.astype(np.float64) for part in state], np.array([True, False, False]))
    for wrong in ((*state, state[0]), state[1:], tuple(part[:, :2] for part in state), tuple(part[..., :5] for part in state), "none", 7):
        with pytest.raises(ValueError, match=r"state must be .* as predict returned it for 3 observations, not "):
            agent.predict(seen, wrong)
    with pytest.raises(ValueError, match=r"episode_start must be one flag for each of 3 observations, not of shape \(2,\)"):
        agent.predict(seen, state, np.array([True, False]))
