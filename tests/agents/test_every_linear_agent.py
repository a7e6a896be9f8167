"""What holds for every agent with linear values: features of every kind, bootstraps, both speeds, files."""

import gymnasium as gym
import numpy as np
import pytest
from every_agent import LINEAR, OneStep, Opaque, differences, known, learned, make

from rlcourse import agents
from rlcourse.core.gymworld import GymWorld
from rlcourse.core.mdp import MDP
from rlcourse.features import TableFeatures

ROWS = np.random.default_rng(5).normal(size=(16, 6)) / 6  # of FrozenLake's states
OF_PAIRS = [name for name in LINEAR if not getattr(agents, name).values_of_states]
ODD_BOOTSTRAP = {  # whose first step does not show the discounted value of the next state
    "ContinuingActorCritic",  # no discount: test_policy_gradient.py
    "DifferentialSarsa",  # no discount: test_linear_control.py
    "LSTD",
    "LinearREINFORCE",  # no values
    "GTD2",  # moves its second weights first: test_off_policy_approximation.py
    "NStepDifferentialSarsa",
    "RescorlaWagner",
}


@pytest.mark.parametrize("name", LINEAR)
def test_a_table_of_gymnasium_compiled_equals_its_environment_interpreted(name):
    for features in ("one-hot", ROWS):
        fast, slow = make(name, "FrozenLake-v1", features=features), make(name, Opaque(gym.make("FrozenLake-v1")), features=features)
        assert isinstance(fast.world, MDP)
        assert isinstance(slow.world, GymWorld)
        assert differences(learned(fast.learn(1500)), learned(slow.learn(1500))) == []


@pytest.mark.parametrize("name", LINEAR)
def test_it_learns_in_gymnasium_s_mountain_car_and_in_ours(name):
    for env in ("MountainCar-v0", "rlcourse/MountainCar-v0"):
        agent = make(name, env, **known(name, alpha=0.01)).learn(episodes=2)
        assert len(agent.history) == 2
        assert all(np.all(np.isfinite(getattr(agent, table))) for table in agent.tables)


@pytest.mark.parametrize("name", OF_PAIRS)
def test_features_of_pairs_share_their_weights_between_actions(name):
    rows = np.random.default_rng(5).normal(size=(16, 4, 6)) / 6
    agent = make(name, "FrozenLake-v1", features=rows).learn(200)
    weights = getattr(agent, agent.tables[0])
    assert weights.shape == (6,)
    np.testing.assert_allclose(agent.action_values(3), rows[3] @ weights)


@pytest.mark.parametrize("name", LINEAR)
def test_given_features_are_saved_and_come_back(name, tmp_path):
    for features in (ROWS, TableFeatures.of(np.arange(16).reshape(16, 1) // 2)):
        agent = make(name, "FrozenLake-v1", features=features).learn(100)
        loaded = type(agent).load(agent.save(tmp_path / "agent.safetensors"))
        assert differences(agent.state_dict(), loaded.state_dict()) == []
        assert type(loaded.features) is type(agent.features)
        assert differences(agent.learn(100).state_dict(), loaded.learn(100).state_dict()) == []


@pytest.mark.parametrize("name", sorted(set(LINEAR) - ODD_BOOTSTRAP))
def test_a_truncated_step_bootstraps_and_a_terminated_one_does_not(name):
    for terminated, value in ((True, 1.0), (False, 1.0 + 0.9 * 10.0)):
        agent = make(name, OneStep(terminated), **known(name, alpha=1.0, alpha_w=1.0, gamma=0.9, epsilon=0.0))
        agent.w[..., 1] = 10.0  # the value of the state in which the episode ends
        agent.learn(episodes=1)
        assert agent.w[..., 0].max() == pytest.approx(value)
        assert agent.history[-1]["terminated"] == float(terminated)


@pytest.mark.parametrize("name", LINEAR)
def test_features_that_do_not_suit_are_refused_in_one_sentence(name):
    with pytest.raises(ValueError, match="features"):
        make(name, "FrozenLake-v1", features=np.zeros((5, 2)))
    with pytest.raises(ValueError, match="features"):
        make(name, "FrozenLake-v1", features=np.zeros((16, 3, 2)))
    with pytest.raises(ValueError, match="features"):
        make(name, "FrozenLake-v1", features="no-such-features")


@pytest.mark.parametrize("id", ["MountainCar-v0", "CartPole-v1", "Acrobot-v1"])
def test_it_learns_in_the_twin_of_a_gymnasium_environment_and_not_behind_a_wrapper_that_changes_it(id):
    twin, ours, foreign = (make("SemiGradientSarsa", env) for env in (id, f"rlcourse/{id}", Opaque(gym.make(id))))
    assert not isinstance(twin.world, GymWorld)
    assert isinstance(foreign.world, GymWorld)
    assert twin.limit == ours.limit == gym.spec(id).max_episode_steps
    assert np.array_equal(twin.learn(1000).w, ours.learn(1000).w)
