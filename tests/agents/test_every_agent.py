"""What holds for every agent of the package; an agent is found by its name in `rlcourse.agents.MODULES`."""

import dataclasses
import inspect

import gymnasium as gym
import numpy as np
import pytest
from every_agent import BANDITS, BOXED, DEEP, EVERY, GAUSSIAN, LEARNERS, LINEAR, ROLLOUT, SUITED, TABULAR, differences, known, learn, make
from stable_baselines3.common.evaluation import evaluate_policy

from rlcourse import agents
from rlcourse.core.agent import Agent
from rlcourse.core.callbacks import WarnIfConstant


def test_the_registry_names_classes_that_exist_and_are_agents():
    assert set(EVERY) <= set(agents.__all__)
    for name in EVERY:
        kind = getattr(agents, name)
        assert issubclass(kind, Agent)
        assert kind.__name__ == name
        assert {field.name for field in dataclasses.fields(kind.Config)} <= set(inspect.signature(kind).parameters)


@pytest.mark.parametrize("name", EVERY)
def test_stable_baselines3_evaluates_every_agent(name):
    agent = learn(make(name), 5)
    mean, deviation = evaluate_policy(agent, gym.make(agent.env.spec.id), n_eval_episodes=3, warn=False)
    assert np.isfinite([mean, deviation]).all()
    returns, lengths = evaluate_policy(agent, gym.make(agent.env.spec.id), 3, deterministic=False, return_episode_rewards=True, warn=False)
    assert len(returns) == len(lengths) == 3


@pytest.mark.parametrize("deterministic", [True, False])
@pytest.mark.parametrize("name", EVERY)
def test_one_observation_gives_an_int_and_a_batch_an_array(name, deterministic):
    agent = make(name)
    one = agent.observation_space.sample()
    action, state = agent.predict(one, deterministic=deterministic)
    shape = agent.action_space.shape
    assert type(action) is int if shape == () else action.shape == shape
    assert (state is None) == (not getattr(agent, "recurrent", False))
    assert agent.action_space.contains(action)
    batch = np.stack([np.asarray(agent.observation_space.sample()) for _ in range(5)])
    many, _ = agent.predict(batch, deterministic=deterministic)
    assert many.shape == (5, *shape)
    if deterministic:
        np.testing.assert_allclose(many, [agent.predict(each)[0] for each in batch], rtol=1e-5, atol=1e-6)
    assert agent.predict(batch[:1], deterministic=deterministic)[0].shape == (1, *shape)


@pytest.mark.parametrize("steps", [1, 31, 33, 101])
@pytest.mark.parametrize("name", [*LEARNERS, *SUITED, *LINEAR, *GAUSSIAN, *DEEP])
def test_the_budget_of_steps_is_exact_and_counts_on(name, steps):
    agent = make(name).learn(steps)
    assert agent.num_timesteps == steps
    assert agent.learn(7).num_timesteps == steps + 7
    assert np.all(np.diff(agent.history["timesteps"]) >= 0)
    assert not len(agent.history) or agent.history["timesteps"][-1] <= steps + 7


@pytest.mark.parametrize("bad", [{}, {"total_timesteps": 0}, {"total_timesteps": -5}, {"total_timesteps": 1.5}, {"episodes": True}])
@pytest.mark.parametrize("name", [*LEARNERS, *SUITED, *LINEAR, *GAUSSIAN, *DEEP])
def test_a_budget_that_is_none_is_refused(name, bad):
    with pytest.raises(ValueError, match=r"total_timesteps|episodes"):
        make(name).learn(**bad)


@pytest.mark.parametrize("name", [*LEARNERS, *SUITED, *LINEAR, *GAUSSIAN, *DEEP])
def test_a_callback_that_says_false_stops_and_none_goes_on(name):
    calls = []
    agent = make(name).learn(100 * ROLLOUT, callback=[lambda a: calls.append(a), lambda a: len(calls) < 3], callback_every=ROLLOUT)
    assert len(calls) == 3
    assert calls[0] is agent
    assert 3 * ROLLOUT <= agent.num_timesteps < 30 * ROLLOUT


@pytest.mark.parametrize("name", EVERY)
def test_settings_are_checked_at_construction_in_one_sentence(name):
    setting = next(iter(known(name, gamma=0, alpha=0, c=0, alpha_w=0)))  # bandits and continuing tasks have no discount
    with pytest.raises(ValueError, match=f"did you mean '{setting}'"):
        make(name, **{f"{setting}_": 0.9})
    for wrong in (1.5, -0.1, float("nan"), "high", None, True):
        if (wrong is None and name in BANDITS) or (wrong == 1.5 and setting != "gamma"):
            continue  # there a step size of None is the sample average, and c or alpha may be larger than one
        with pytest.raises(ValueError, match=f"{setting} must be a number"):
            make(name, **{setting: wrong})
    for seed in (-1, 1.5, True, "0"):
        with pytest.raises(ValueError, match="seed"):
            make(name, seed=seed)
    config = getattr(agents, name).Config(**{setting: 0.5})
    assert getattr(make(name, config=config).config, setting) == 0.5
    with pytest.raises(ValueError, match=f"did you mean '{setting}'"):
        make(name, config=config, **{f"{setting}_": 0.9})
    with pytest.raises(ValueError, match="config must be"):
        make(name, config={setting: 0.5})


@pytest.mark.parametrize("name", EVERY)
def test_an_environment_that_it_cannot_serve_is_refused_in_one_sentence(name):
    with pytest.raises(ValueError, match="NoSuch"):
        make(name, "NoSuchEnvironment-v0")
    with pytest.raises(ValueError, match="env must be"):
        make(name, 42)
    if name in TABULAR:
        with pytest.raises(ValueError, match="finite observations"):
            make(name, "CartPole-v1")


@pytest.mark.parametrize("name", EVERY)
def test_a_progress_bar_disturbs_nothing(name, capsys):
    plain, barred = learn(make(name), 2), make(name)
    barred.learn(**({"episodes": 2} if name in BOXED else {"total_timesteps": 2 * ROLLOUT}), progress_bar=True)
    assert differences(plain.state_dict(), barred.state_dict()) == []
    assert name in capsys.readouterr().out


@pytest.mark.parametrize(("name", "settings"), [*((name, {}) for name in DEEP), ("REINFORCE", {"baseline": "mean"})], ids=str)
def test_no_deep_agent_seems_to_stand_still_while_it_learns(name, settings, monkeypatch):
    monkeypatch.setattr(getattr(agents, name), "between_callbacks", 1)
    watch = WarnIfConstant(calls=3)
    agent = make(name, "Pendulum-v1" if name in ("CrossQ", "DDPG", "SAC", "TD3") else "CartPole-v1", **settings)
    agent.learn(400, callback=lambda agent: watch(agent))
    assert agent.metrics
    assert not watch.warned
