"""Ten defects of the notes' code, each with what keeps ours from having it; 3, 8 and 9 are in test_defects_of_the_notes_in_modes.py."""

import json
import warnings
from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import pytest
import torch
from worlds_of_the_defects import DeadSensor, Numbered, ZeroInBetween

from rlcourse.agents import DQN, DRQN, PPO, RecurrentPPO
from rlcourse.cli.main import main
from rlcourse.cli.targets import find_agent
from rlcourse.core.callbacks import WarnIfConstant
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.encoders import make_memory

COPIES, STEPS = 3, 5  # never equal: a sampler that takes the one for the other is invisible where they are
DRQN_SETTINGS = {"n_envs": COPIES, "learning_starts": 30, "batch_size": 7, "sequence_length": STEPS, "burn_in": 2, "memory_size": 8}


# 1: windows were cut as wide as there are sequences


@pytest.mark.parametrize("batch_size", [4, 100])
def test_1_minibatches_of_a_rollout_hold_every_step_of_every_copy_once(batch_size):
    agent = PPO(Numbered(), n_envs=COPIES, n_steps=STEPS, batch_size=batch_size, n_epochs=1, gamma=0.0, seed=0).learn(COPIES * STEPS)
    batches = [batch for batch, _ in agent._batches(agent._prepare())]
    assert sum(len(batch.target) for batch in batches) == COPIES * STEPS
    seen = torch.cat([batch.observations for batch in batches])
    assert torch.allclose(torch.cat([batch.target for batch in batches]), seen[:, 1], atol=1e-5), "the reward is the observed count"
    for number in seen[:, 0].unique():
        assert sorted(seen[seen[:, 0] == number, 1].tolist()) == list(range(STEPS)), "each copy's steps"
    assert len(seen[:, 0].unique()) == COPIES


def test_1_minibatches_of_sequences_are_as_long_as_the_rollout_and_each_is_one_copys():
    agent = RecurrentPPO(Numbered(), n_envs=COPIES, n_steps=STEPS, batch_size=2 * STEPS, n_epochs=1, seed=0)
    begin = agent.carried.state
    agent.learn(COPIES * STEPS)
    batches = list(agent._batches(agent._prepare(begin)))
    assert [tuple(batch.observations.shape) for batch in batches] == [(STEPS, 2, 2), (STEPS, 1, 2)]
    for batch in batches:
        assert (batch.observations[..., 0] == batch.observations[:1, :, 0]).all(), "one copy, not a slice over copies"
        assert (batch.observations[..., 1] == torch.arange(STEPS)[:, None]).all(), "in the order of time"
        assert batch.begin[0].shape == (1, batch.observations.shape[1], agent.config.memory_size)


def test_1_windows_of_the_replay_memory_are_as_long_as_asked_and_each_is_one_copys():
    agent = DRQN(Numbered(), **DRQN_SETTINGS, seed=0).learn(120)
    w = agent.replay.windows(7, 2, STEPS, np.random.default_rng(0))
    assert w.warm_observations.shape == (2, 7, 2)
    assert w.observations.shape == (STEPS + 1, 7, 2)
    assert w.actions.shape == w.rewards.shape == (STEPS, 7)
    whole = np.concatenate([w.warm_observations, w.observations])
    assert (whole[..., 0] == whole[:1, :, 0]).all()
    assert (np.diff(whole[..., 1], axis=0) == 1).all()
    assert (w.rewards == w.observations[:-1, :, 1]).all()


# 2: the state that each window was fed was ignored


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_2_another_first_memory_gives_another_output(kind):
    memory = make_memory(kind, gym.spaces.Box(-1, 1, (2,)), 8)
    x = torch.randn(STEPS, COPIES, 2, generator=torch.Generator().manual_seed(0))
    empty = memory.initial(COPIES)
    other = tuple(part + 0.5 for part in empty)
    assert not torch.allclose(memory(x, empty)[0][0], memory(x, other)[0][0])
    starts = torch.zeros(STEPS, COPIES, dtype=torch.bool)
    starts[0] = True
    assert torch.equal(memory(x, empty, starts)[0], memory(x, other, starts)[0]), "only where an episode starts it does not count"


def test_2_a_rollout_begins_with_the_memory_in_which_the_last_one_ended():
    agent = RecurrentPPO(Numbered(), n_envs=COPIES, n_steps=STEPS, seed=0).learn(COPIES * STEPS)
    ended = [part.clone() for part in agent.carried.state]
    assert all(part.abs().sum() > 0 for part in ended)
    given = []
    update = agent._update
    agent._update = lambda begin: (given.append(begin), update(begin))
    agent.learn(COPIES * STEPS)
    assert all(map(torch.equal, given[0], ended))


def test_2_a_replayed_window_begins_with_the_memory_that_the_agent_had_and_learning_sees_it():
    agent = DRQN(Numbered(), **DRQN_SETTINGS | {"burn_in": 0}, seed=0).learn(120)
    w = agent.replay.windows(7, 0, STEPS, np.random.default_rng(0))
    assert np.abs(w.states).sum() > 0
    begins = agent._warm(agent.network, w)
    assert all(np.array_equal(part.numpy(), stored) for part, stored in zip(begins, w.states, strict=True))
    loss, _ = agent.loss(w)
    other, _ = agent.loss(w._replace(states=w.states + 0.5))
    assert abs(loss.item() - other.item()) > 1e-6


# 4: one cell was listed n times


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_4_each_layer_of_a_memory_has_weights_of_its_own(kind):
    one, two = (make_memory(kind, gym.spaces.Box(-1, 1, (2,)), 8, layers=layers) for layers in (1, 2))
    numbers = [sum(parameter.numel() for parameter in memory.parameters()) for memory in (one, two)]
    gates = {"lstm": 4, "gru": 3}[kind]
    assert numbers[1] - numbers[0] == gates * 8 * (8 + 8 + 2)
    stored = {parameter.data_ptr() for parameter in two.parameters()}
    assert len(stored) == len(list(two.parameters())), "no two share their storage"
    x = torch.randn(STEPS, COPIES, 2, generator=torch.Generator().manual_seed(0))
    two(x, two.initial(COPIES))[0].square().sum().backward()
    first, second = (cell.weight_hh_l0.grad for cell in two.cells)
    assert not torch.allclose(first, second)


# 5: the time limit ended the return; 6: so did a next observation of zeros


def gathered(world, limit=None, steps=40):
    """Return a DQN that has acted and not learned yet, and all transitions of its memory."""
    agent = DQN(WorldVectorEnv(world, 2, max_episode_steps=limit), n_envs=2, learning_starts=1000, seed=0).learn(steps)
    slots = np.flatnonzero(agent.replay.stored.reshape(-1))
    return agent, agent.replay.take(slots, gamma=0.9)


def test_5_an_episode_that_the_time_limit_cuts_still_bootstraps_from_its_true_last_observation():
    _, batch = gathered(Numbered(length=100), limit=4)
    last = batch.next_observations[:, 1] == 4
    assert last.sum() >= 8
    assert (batch.discounts == np.float32(0.9)).all(), "nothing terminates here"
    assert (batch.next_observations == batch.observations + np.array([0, 1])).all(), "no next observation is that of the following episode"
    _, batch = gathered(Numbered(length=4))
    assert (batch.discounts[batch.observations[:, 1] == 3] == 0.0).all()
    assert (batch.discounts[batch.observations[:, 1] != 3] == np.float32(0.9)).all()


def test_5_on_policy_agents_bootstrap_there_too():
    for length, bootstraps in ((100, True), (4, False)):
        settings = {"n_envs": 2, "n_steps": 8, "gamma": 0.5, "gae_lambda": 0.0, "n_epochs": 1, "learning_rate": 1e-12}
        agent = PPO(WorldVectorEnv(Numbered(length), 2, max_episode_steps=4), **settings, seed=0).learn(16)
        samples = agent._prepare()
        last = samples.observations[samples.observations[:, 1] == 3]
        with torch.no_grad():
            _, following = agent.policy(last + torch.tensor([0.0, 1.0]))
        assert len(last) == 4
        expected = 3.0 + 0.5 * bootstraps * following.numpy()
        assert samples.target[samples.observations[:, 1] == 3].numpy() == pytest.approx(expected, abs=1e-4)


def test_6_an_observation_of_zeros_is_not_taken_for_the_end():
    agent, batch = gathered(ZeroInBetween())
    zero = batch.next_observations[:, 0] == 0
    assert zero.sum() >= 8
    assert (batch.discounts[zero] == np.float32(0.9)).all()
    assert (batch.discounts[batch.next_observations[:, 0] == -2] == 0.0).all()
    with torch.no_grad():  # every value is 5
        for parameter in agent.target_network.parameters():
            parameter.zero_()
        agent.target_network.head.bias.fill_(5.0)
    assert agent._targets(batch).numpy()[zero] == pytest.approx(1.0 + 0.9 * 5.0)


# 7: there was no target network, and the last weights were what came out


def test_7_targets_come_from_a_network_that_follows_later():
    settings = {"learning_starts": 50, "train_freq": 1, "target_update_interval": 400, "learning_rate": 1e-2}
    agent = DQN("CartPole-v1", **settings, seed=0).learn(300)
    batch = agent.replay.sample(16, np.random.default_rng(0), 0.9)
    mine, targets = agent.network.head.bias, agent.target_network.head.bias
    assert not torch.equal(mine, targets), "it does not follow at once"
    before = agent._targets(batch)
    with torch.no_grad():
        mine.add_(100.0)
    assert torch.equal(agent._targets(batch), before)
    with torch.no_grad():
        mine.sub_(100.0)
        targets.add_(100.0)
    assert torch.allclose(agent._targets(batch), before + 100.0 * torch.from_numpy(batch.discounts), atol=1e-3)
    agent.learn(100)
    assert torch.equal(mine, targets), "at step 400 it does"


def test_7_a_run_is_judged_by_its_best_checkpoint(tmp_path, capsys):
    words = ["cartpole", "--algo", "dqn", "-n", "3000", "--eval-every", "500", "--eval-episodes", "3", "--out", str(tmp_path), "--quiet"]
    assert main(["train", *words]) == 0
    folder = capsys.readouterr().out.split()[1]
    rows = [line.split(",") for line in (tmp_path / folder / "evaluations.csv").read_text().splitlines()[1:]]
    best = max(rows, key=lambda row: float(row[1]))
    agent, _, file = find_agent(folder)
    assert file.name == "best.safetensors"
    assert agent.num_timesteps == int(best[0])
    assert json.loads((tmp_path / folder / "result.json").read_text())["best_step"] == int(best[0])


# 10: all labels were the same by mistake, and the loss stood still for ever


def test_10_a_loss_that_stands_still_is_warned_of_once():
    agent = DQN(DeadSensor(), n_envs=20, learning_starts=100, init="xavier", exploration_steps=50_000, train_freq=50, seed=0)
    with pytest.warns(UserWarning, match="loss has been 0 in 10 measurements in a row") as caught:
        agent.learn(25_000, callback=WarnIfConstant())
    assert len(caught) == 1


@pytest.mark.parametrize("kind", [PPO, DQN])
def test_10_nothing_is_said_of_an_agent_that_learns(kind):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kind("CartPole-v1", n_envs=8, seed=0).learn(12_000, callback=WarnIfConstant())


def test_10_what_does_not_change_at_all_is_no_measurement_and_losses_of_a_policy_may_stay_zero():
    agent, warn = SimpleNamespace(metrics={"loss": 0.5, "epsilon": 0.1}), WarnIfConstant(calls=2)
    assert [warn.verdict(agent) for _ in range(5)] == [None] * 5, "nothing was learned between the calls"
    agent.metrics = {"loss": 0.5, "epsilon": 0.1, "entropy": float("nan")}
    assert warn.verdict(agent) is None
    for i in range(5):
        agent.metrics = {"policy_loss": 0.0, "actor_loss": 0.0, "loss": float("nan"), "value_loss": 1.0 + 1e-4 * (i % 2), "epsilon": i}
        assert warn.verdict(agent) is None
    agent.metrics = {"value_loss": 1.0, "epsilon": 6, "loss": float("nan")}
    assert "value_loss has been 1 in 2 measurements" in warn.verdict(agent)
    agent.metrics = {"value_loss": 1.0, "epsilon": 7}
    assert warn.verdict(agent) is None, "once"
    with pytest.raises(ValueError, match="calls must be at least 2"):
        WarnIfConstant(calls=1)


def test_10_rlcourse_train_says_it(tmp_path, capsys):
    world = tmp_path / "dead.py"
    world.write_text(
        "import gymnasium as gym, numpy as np\n"
        "class Dead(gym.Env):\n"
        "    observation_space, action_space = gym.spaces.Box(-1, 1, (3,)), gym.spaces.Discrete(2)\n"
        "    def reset(self, seed=None, options=None):\n"
        "        return np.zeros(3, np.float32), {}\n"
        "    def step(self, action):\n"
        "        return np.zeros(3, np.float32), 0.0, True, False, {}\n"
    )
    words = ["--algo", "dqn", "--init", "xavier", "--exploration-steps", "100000", "-n", "12k", "--train-freq", "100"]
    assert main(["train", f"{world}:Dead", *words, "--eval-episodes", "2", "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().out.count("measurements in a row") == 1
