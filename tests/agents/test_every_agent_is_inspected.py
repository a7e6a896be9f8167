"""Every deep agent's network in one form: what it gives is what the agent does."""

import numpy as np
import pytest
import torch
from every_agent import DEEP, SMALL
from gymnasium import spaces

from rlcourse import agents
from rlcourse.inspection import codes, first_weights, gates, network_of, play, probe, saliency

PLAIN = [name for name in DEEP if not getattr(agents, name).recurrent]


def made(name: str):
    kind = getattr(agents, name)
    env = "CartPole-v1" if spaces.Discrete in kind.actions else "Pendulum-v1"
    return kind(env, seed=0, **SMALL[name]), env


@pytest.mark.parametrize("name", DEEP)
def test_it_can_be_looked_into(name):
    agent, env = made(name)
    played = play(agent, env, steps=12, copies=4)
    assert played.observations.shape == (12, 4, *agent.observation_space.shape)
    assert np.isfinite(played.values).all()
    kind, weights = first_weights(played.network)
    assert (kind, weights.shape[1]) == ("weights", agent.observation_space.shape[0])
    assert codes(played).points.shape == (48, 2)
    found = saliency(played, [(t, 0) for t in played.middle()])
    assert found.gradient.shape == found.perturbation.shape == (len(played.middle()), agent.observation_space.shape[0])
    assert found.gradient.sum() > 0
    if agent.recurrent:
        assert all(each.shape == (8, 2) for each in gates(played).values())
        assert {each.measure for each in probe(played)} == {"R2"}


@pytest.mark.parametrize("name", PLAIN)
def test_its_outputs_are_those_that_it_acts_by(name):
    agent, _ = made(name)
    network = network_of(agent)
    observations = np.random.default_rng(0).uniform(-1, 1, (6, *agent.observation_space.shape)).astype(np.float32)
    actions = agent.predict(observations)[0]
    with torch.no_grad():
        outputs = network.outputs(torch.from_numpy(observations)).numpy()
        value = network.value(torch.from_numpy(observations)).numpy()
    assert value.shape == (6,)
    if agent.discrete:
        assert np.array_equal(outputs.argmax(1), actions)
    elif hasattr(agent, "bounds"):
        np.testing.assert_allclose(agent.bounds.taken(outputs), actions, rtol=1e-6)
    if network.kind == "action values":
        np.testing.assert_allclose(outputs.max(1), value)


def test_an_agent_with_memory_acts_as_it_is_played():
    agent, env = made("RecurrentPPO")
    played = play(agent, env, steps=10, copies=2)
    state, start = None, np.ones(2, bool)
    for t in range(10):
        observations = played.observations[t].numpy()
        _, state = agent.predict(observations, state=state, episode_start=start if t == 0 else played.starts[t])
        np.testing.assert_allclose(state[0], played.after[t][0].numpy(), atol=1e-6)
