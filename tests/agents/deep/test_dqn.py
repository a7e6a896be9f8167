"""DQN: its targets and losses by hand and beside stable-baselines3's, every combination of its switches, masks, stored size."""

import itertools

import gymnasium as gym
import numpy as np
import pytest
import stable_baselines3
import torch
from one_step import OneStep
from stable_baselines3.common.buffers import ReplayBuffer

from rlcourse.agents import DQN
from rlcourse.agents.deep.q_losses import best_actions, categorical_loss, project, quantile_loss, slopes, td_targets
from rlcourse.agents.deep.q_network import NoisyLinear, QNetwork, perceptron
from rlcourse.core import memory
from rlcourse.core.evaluation import evaluate
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.presets import load

TINY = {"learning_starts": 10, "train_freq": 4, "batch_size": 8, "buffer_size": 200, "target_update_interval": 16, "hidden": (8,)}


def test_a_target_is_the_reward_where_nothing_follows_even_beside_nan():
    targets = td_targets(torch.tensor([1.0, 2.0]), torch.tensor([0.9, 0.0]), torch.tensor([10.0, float("nan")]))
    assert targets.tolist() == [10.0, 2.0]


def test_the_best_action_is_one_that_exists():
    values, masks = torch.tensor([[3.0, 2.0, 1.0]] * 2), torch.tensor([[True, True, True], [False, False, True]])
    assert best_actions(values, masks).tolist() == [0, 2]
    assert best_actions(values, None).tolist() == [0, 0]


def test_the_projection_shares_mass_by_distance_and_keeps_it():
    # support 0, 1, 2: an atom at 0.25 gives 3/4 to 0 and 1/4 to 1; below and above the support all goes to its ends
    projected = project(torch.tensor([[0.25, -3.0, 9.0]]), torch.tensor([[0.4, 0.5, 0.1]]), 0.0, 2.0)
    torch.testing.assert_close(projected, torch.tensor([[0.3 + 0.5, 0.1, 0.1]]))
    torch.testing.assert_close(
        project(torch.tensor([[0.0, 1.0, 2.0]]), torch.tensor([[0.2, 0.3, 0.5]]), 0.0, 2.0)[0], torch.tensor([0.2, 0.3, 0.5])
    )
    drawn = torch.softmax(torch.randn(50, 7), 1)
    torch.testing.assert_close(project(torch.randn(50, 7) * 3, drawn, -2.0, 2.0).sum(1), torch.ones(50))


def test_the_categorical_loss_has_the_gradient_of_the_cross_entropy():
    logits = torch.randn(3, 5, dtype=torch.float64, requires_grad=True)
    targets = torch.softmax(torch.randn(3, 5, dtype=torch.float64), 1)
    categorical_loss(logits, targets).sum().backward()
    torch.testing.assert_close(logits.grad, torch.softmax(logits, 1).detach() - targets)


def test_the_quantile_loss_is_the_written_out_one_and_its_minimum_the_quantile():
    quantiles, targets = torch.tensor([[0.0, 2.0]]), torch.tensor([[1.0, 5.0]])
    # tau 1/4, 3/4; errors 1, 5 and -1, 3; Huber 0.5, 4.5 and 0.5, 2.5
    by_hand = (0.25 * 0.5 + 0.25 * 4.5) / 2 + (0.25 * 0.5 + 0.75 * 2.5) / 2
    assert quantile_loss(quantiles, targets).item() == pytest.approx(by_hand)
    found = torch.zeros(1, 2, requires_grad=True)
    sample = torch.linspace(0, 10, 1001)[None]
    optimizer = torch.optim.Adam([found], lr=0.05)
    for _ in range(600):
        optimizer.zero_grad()
        quantile_loss(found, sample, kappa=0.01).sum().backward()
        optimizer.step()
    torch.testing.assert_close(found.detach(), torch.tensor([[2.5, 7.5]]), atol=0.15, rtol=0)


def test_one_atom_more_or_less_changes_nothing_where_the_return_is_certain():
    agent = DQN("CartPole-v1", distributional="c51", n_atoms=3, v_min=0.0, v_max=2.0, **TINY)
    outputs = torch.tensor([[[-100.0, 0.0, -100.0], [0.0, -100.0, -100.0]]])
    torch.testing.assert_close(agent.values(outputs), torch.tensor([[1.0, 0.0]]))


def test_dueling_advantages_have_mean_zero_and_noise_is_off_in_predictions():
    space = gym.spaces.Box(-1, 1, (3,))
    net = QNetwork(space, 4, (8,), "auto", dueling=True)
    x = torch.randn(5, 3)
    hidden = torch.relu(net.hidden[0](x))
    advantage = net.head(hidden)
    torch.testing.assert_close(net(x), net.value_head(hidden) + advantage - advantage.mean(1, keepdim=True))
    layer = NoisyLinear(3, 2, 0.5)
    plain = layer(x)
    layer.reset_noise(torch.Generator().manual_seed(0))
    assert not torch.allclose(layer(x), plain)
    agent = DQN("CartPole-v1", noisy=True, **TINY).learn(50)
    seen = agent.observation_space.sample()[None]
    assert len({agent.predict(seen)[0].tobytes() for _ in range(20)}) == 1


SWITCHES = list(itertools.product([False, True], [False, True], [1, 3], [False, True], [False, True], ["none", "c51", "qr"]))


@pytest.mark.parametrize("distributional", ["none", "c51", "qr"])
def test_every_combination_of_switches_learns_saves_and_goes_on(distributional, tmp_path):
    for double, dueling, n, prioritized, noisy, kind in SWITCHES:
        if kind == distributional:
            switches = {"double": double, "dueling": dueling, "n_steps": n, "prioritized": prioritized, "noisy": noisy}
            settings = TINY | switches | {"distributional": kind, "n_atoms": 5, "n_envs": 2}
            whole = DQN("CartPole-v1", seed=1, **settings).learn(64)
            half = DQN("CartPole-v1", seed=1, **settings).learn(32)
            resumed = DQN.load(half.save(tmp_path / "half.safetensors")).learn(32)
            assert torch.equal(whole.optimizer.parameters, resumed.optimizer.parameters), switches
            assert np.isfinite(list(whole.metrics.values())).all()


def test_double_is_plain_where_both_networks_are_the_same_and_differs_where_they_are_not():
    plain, double = (DQN("CartPole-v1", double=flag, seed=0, **TINY).learn(60) for flag in (False, True))
    batch = plain.replay.sample(8, np.random.default_rng(0), 0.99)
    for agent in (plain, double):
        agent._target.parameters.copy_(agent.optimizer.parameters)
    double.optimizer.parameters.copy_(plain.optimizer.parameters)
    double._target.parameters.copy_(plain._target.parameters)
    torch.testing.assert_close(plain._targets(batch), double._targets(batch))
    double._target.parameters.normal_(generator=torch.Generator().manual_seed(0))
    plain._target.parameters.copy_(double._target.parameters)
    assert (double._targets(batch) <= plain._targets(batch) + 1e-6).all(), "the maximum is the greatest"
    assert not torch.allclose(double._targets(batch), plain._targets(batch))


@pytest.mark.parametrize(("terminates", "value"), [(True, 1.0), (False, 2.0)])
def test_a_truncated_episode_bootstraps_and_a_terminated_one_does_not(terminates, value):
    env = WorldVectorEnv(OneStep(terminates), 1, max_episode_steps=1)
    agent = DQN(env, gamma=0.5, learning_rate=0.01, train_freq=1, target_update_interval=20, batch_size=16, seed=0).learn(900)
    assert agent.network(torch.tensor([[0.5]])).max().item() == pytest.approx(value, abs=0.1)


def test_loss_and_gradient_are_stable_baselines3s():
    theirs = stable_baselines3.DQN("MlpPolicy", "CartPole-v1", seed=0, device="cpu", policy_kwargs={"net_arch": [16, 16]}, batch_size=32)
    ours = DQN("CartPole-v1", seed=0, hidden=(16, 16), learning_starts=50, target_update_interval=10_000, max_grad_norm=None).learn(400)
    for mine, source in ((ours.network, theirs.q_net.q_net), (ours.target_network, theirs.q_net_target.q_net)):
        for a, b in zip(mine.parameters(), source.parameters(), strict=True):
            a.data.copy_(b.data)
    with torch.no_grad():
        theirs.q_net_target.q_net[0].weight.mul_(1.5)
    ours.target_network.hidden[0].weight.data.copy_(theirs.q_net_target.q_net[0].weight)
    batch = ours.replay.sample(32, np.random.default_rng(3), 0.99)
    buffer = ReplayBuffer(100, ours.observation_space, ours.action_space, device="cpu")
    for i in range(32):
        done = np.array([batch.discounts[i] == 0.0])
        buffer.add(batch.observations[i], batch.next_observations[i], batch.actions[i : i + 1], batch.rewards[i : i + 1], done, [{}])
    theirs.replay_buffer = type("Fixed", (), {"sample": lambda self, size, env=None: buffer._get_samples(np.arange(32))})()
    kept = {}
    theirs.policy.optimizer.step = lambda: kept.update(gradient=[p.grad.clone() for p in theirs.q_net.parameters()])
    theirs._logger = type("Silent", (), {"record": lambda self, name, value, **_: kept.update({name: value})})()
    theirs.max_grad_norm = 1e9
    theirs.train(gradient_steps=1, batch_size=32)

    predicted = ours.network(ours._tensor(batch.observations)).gather(1, torch.from_numpy(batch.actions)[:, None]).squeeze(1)
    loss = ours.prediction.losses(predicted, ours._targets(batch)).mean()
    assert loss.item() == pytest.approx(kept["train/loss"], rel=1e-5)
    for a, b in zip(torch.autograd.grad(loss, list(ours.network.parameters())), kept["gradient"], strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-5)


def test_the_written_out_gradient_of_the_perceptron_is_the_gradient():
    generator = torch.Generator().manual_seed(0)
    shapes = [(5, 3), (6, 3), (6,), (4, 6), (4,), (2, 4), (2,)]
    inputs = [torch.randn(shape, dtype=torch.float64, generator=generator).requires_grad_() for shape in shapes]
    assert torch.autograd.gradcheck(perceptron, inputs)
    with torch.no_grad():
        plain = perceptron(*inputs)
    torch.testing.assert_close(plain, perceptron(*inputs))


@pytest.mark.parametrize("loss", ["huber", "mse"])
def test_a_step_without_a_graph_is_the_step_with_one(loss):
    taped, graph = (DQN("CartPole-v1", seed=0, loss=loss, max_grad_norm=0.1, **TINY).learn(60) for _ in range(2))
    assert taped._taped
    batch = taped.replay.sample(8, np.random.default_rng(0), 0.99)
    actions, targets = torch.from_numpy(batch.actions), taped._targets(batch) + torch.linspace(-3, 3, 8)
    for weights in (None, torch.linspace(0.1, 1.0, 8)):
        what = (taped._tensor(batch.observations), actions, targets, weights, 0.01)
        one, two = taped._descend_taped(*what)[0], graph._descend(*what)[0]
        torch.testing.assert_close(one, two.detach())
        torch.testing.assert_close(taped.optimizer.gradient, graph.optimizer.gradient)
        torch.testing.assert_close(taped.optimizer.parameters, graph.optimizer.parameters)


def test_slopes_are_the_derivatives_by_hand():
    predicted, targets = torch.tensor([3.0, 0.5, -1.0]), torch.tensor([1.0, 0.0, 1.0])
    assert slopes(predicted, targets, "huber").tolist() == [1.0, 0.5, -1.0]
    assert slopes(predicted, targets, "mse").tolist() == [4.0, 1.0, -4.0]


def test_a_soft_target_moves_once_for_every_interval_that_has_passed():
    settings = TINY | {"train_freq": 4, "target_update_interval": 2, "tau": 0.5, "learning_starts": 1_000}
    agent = DQN("CartPole-v1", seed=0, **settings).learn(4)  # begins at the networks' common weights, and has not learned
    agent.optimizer.parameters.fill_(1.0)
    agent._target.parameters.zero_()
    agent.learn(4)
    torch.testing.assert_close(agent._target.parameters, torch.full_like(agent._target.parameters, 0.75))


def test_only_actions_that_exist_are_taken_and_bootstrapped_from():
    agent = DQN("Taxi-v4", n_envs=2, seed=0, **TINY)
    table = np.array([agent.env.unwrapped.action_mask(s) for s in range(500)], bool)
    agent.learn(400)
    rows = agent.replay.stored
    seen, done = agent.replay.observations[rows], agent.replay.actions[rows]
    assert table[seen, done].all()
    batch = agent.replay.sample(300, np.random.default_rng(0), 0.9)
    alive = batch.discounts > 0
    assert np.array_equal(batch.next_masks[alive], table[batch.next_observations[alive]])
    for state in range(0, 500, 7):
        assert table[state, agent.predict(state)[0]]
        assert table[state, agent.predict(state, deterministic=False)[0]]
    only = np.zeros(6, bool)
    only[3] = True
    assert agent.predict(0, action_masks=only)[0] == 3


def test_a_million_atari_frames_take_at_most_seven_and_a_half_gigabytes_and_too_many_are_refused(monkeypatch, capsys):
    from rlcourse.agents.deep.replay import Replay

    space = gym.spaces.Box(0, 255, (4, 84, 84), np.uint8)
    size = Replay.bytes_for(space, gym.spaces.Discrete(6), 1, 1_000_000, stack=4)
    assert 7.0e9 < size <= 7.5e9
    small = Replay(space, gym.spaces.Discrete(6), 1, 1_000, 4)
    held = sum(part.nbytes for part in vars(small).values() if isinstance(part, np.ndarray))
    assert held == pytest.approx(Replay.bytes_for(space, gym.spaces.Discrete(6), 1, 1_000, stack=4), rel=0.01), (
        "the estimate is what is taken"
    )
    monkeypatch.setattr(memory, "free_memory", lambda: 14_000_000_000)
    with pytest.raises(ValueError, match=r"buffer_size: .* would take 7\.\d+ GB, more than half of the 14\.00 GB"):
        memory.require_memory("a replay memory of 1,000,000 transitions", size, "buffer_size")
    memory.require_memory("a replay memory", 200_000_000, "buffer_size")
    assert "0.20 GB" in capsys.readouterr().out


def test_what_it_cannot_do_it_says_at_construction():
    for settings in ({"gradient_steps": 0}, {"v_min": 3.0, "v_max": 1.0}, {"loss": "mae"}, {"hidden": (0,)}, {"n_steps": 0}):
        with pytest.raises(ValueError, match=next(iter(settings))):
            DQN("CartPole-v1", **settings)
    with pytest.raises(ValueError, match="DQN acts in Discrete"):
        DQN("Pendulum-v1")


def test_it_learns_cartpole_with_the_preset():
    # 10 of 10 seeds reach 475 by benchmarks/pass_rates.py cartpole:dqn; here the quickest of them 200
    preset = load("cartpole").of("dqn")
    agent = DQN("CartPole-v1", seed=9, **preset.agents["dqn"])
    best = 0.0

    def look(agent):
        nonlocal best
        best = max(best, evaluate(agent, "CartPole-v1", 10, seed=1000).mean()) if agent.num_timesteps % 2048 < 1000 else best
        return best < 200

    agent.learn(preset.total_timesteps, callback=look)
    assert best >= 200


def test_a_callback_also_stops_it_by_a_comparison_of_numpys_numbers():
    assert DQN("CartPole-v1", **TINY).learn(3_000, callback=lambda agent: np.float64(1.0) < 0.5).num_timesteps == 1_000
