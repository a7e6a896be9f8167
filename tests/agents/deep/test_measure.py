"""`device="auto"`: decided by measured speed, once, and never at the cost of learning."""

import numpy as np
import pytest
import torch

from rlcourse.agents import DQN, PPO
from rlcourse.agents.deep import measure
from rlcourse.agents.deep.measure import choose, measured, rate, settle, throw_away, warm_up_of
from rlcourse.agents.deep.state import rebuilt
from rlcourse.envs.cartpole import CartPole

SMALL = {"n_envs": 4, "n_steps": 16, "batch_size": 32, "n_epochs": 1, "hidden": (8,)}


@pytest.fixture(autouse=True)
def nothing_chosen(monkeypatch):
    monkeypatch.setattr(measure, "_chosen", {})


def make(**settings):
    return PPO(CartPole(), **SMALL | settings)


def speeds(**rates):
    """Return a measurement that finds these steps/s, and what it was asked."""
    asked = []

    def fake(agent, device, seeds):
        asked.append((device, seeds))
        if isinstance(rates[device], Exception):
            raise rates[device]
        return rates[device]

    return fake, asked


@pytest.mark.parametrize(("cuda", "cpu", "device"), [(2e6, 3e4, "cuda"), (2e4, 3e4, "cpu")])
def test_the_faster_device_is_taken_and_the_sentence_says_both_speeds(cuda, cpu, device):
    fake, asked = speeds(cuda=cuda, cpu=cpu)
    choice = choose(make(), seeds=3, measure=fake, available=True)
    assert choice.device == device
    assert choice.because == f"training makes {cuda:,.2g} steps/s on the GPU and {cpu:,.2g} on the CPU"
    assert asked == [("cuda", 3), ("cpu", 3)]


def test_without_a_gpu_nothing_is_measured():
    fake, asked = speeds(cuda=2e6, cpu=3e4)
    assert choose(make(), measure=fake, available=False).device == "cpu"
    assert not asked


def test_what_was_measured_is_not_measured_again():
    fake, asked = speeds(cuda=2e6, cpu=3e4)
    for agent in (make(), make(), make(learning_rate=0.1)):
        choose(agent, measure=fake, available=True)
    assert len(asked) == 4  # two settings on two devices


def test_a_measurement_that_fails_leaves_the_cpu_and_says_why():
    fake, _ = speeds(cuda=RuntimeError("CUDA out of memory\nand a long story"), cpu=3e4)
    choice = choose(make(), measure=fake, available=True)
    assert choice.device == "cpu"
    assert choice.because == "measuring on cuda failed: CUDA out of memory"


def test_all_agents_move_to_the_device_that_is_chosen_and_remember_it(monkeypatch, tmp_path):
    moved = []
    monkeypatch.setattr(measure, "rebuilt", lambda agent, device: moved.append((agent.seed, device.type)))
    fake, asked = speeds(cuda=2e6, cpu=3e4)
    agents = [make(seed=s, learning_rate=0.1 * (s + 1)) for s in range(2)]
    settle(agents, fake, available=True)
    assert moved == [(0, "cuda"), (1, "cuda")]
    assert len(asked) == 2
    assert [agent.settled for agent in agents] == ["cuda", "cuda"]
    assert PPO.load(agents[0].save(tmp_path / "ppo.safetensors"), env=CartPole()).settled == "cuda"


def test_a_device_that_was_named_is_not_measured():
    fake, asked = speeds(cuda=2e6, cpu=3e4)
    assert settle([make(device="cpu")], fake, available=True) is None
    assert not asked


@pytest.mark.parametrize("kind", [PPO, DQN])
def test_an_agent_that_is_rebuilt_on_a_device_goes_on_bit_for_bit(kind):
    settings = SMALL if kind is PPO else {"learning_starts": 10, "batch_size": 8, "hidden": (8,)}
    moved, stayed = (kind("CartPole-v1", seed=1, **settings) for _ in range(2))
    for agent in (moved, stayed):
        agent.learn(128)
    rebuilt(moved, torch.device("cpu"))
    for agent in (moved, stayed):
        agent.learn(128)
    mine, theirs = moved.state_dict(), stayed.state_dict()
    assert mine.keys() == theirs.keys()
    assert all(np.array_equal(mine[name], theirs[name]) for name in mine if isinstance(mine[name], np.ndarray))


def test_the_rate_is_that_of_the_last_stretch_after_warming_up():
    now = [0.0]
    learned = []

    def learn(steps):
        learned.append(steps)
        now[0] += steps * 0.01 + (5.0 if len(learned) == 1 else 0.0)  # the first round compiles

    assert rate(learn, 10, warm=1, clock=lambda: now[0]) == pytest.approx(100.0)
    assert learned == [10, 20]
    learned.clear()
    now[0] = 0.0
    assert rate(learn, 10, warm=7, clock=lambda: now[0]) == pytest.approx(100.0)
    assert learned == [10, 20, 40, 80]


def test_nothing_is_counted_before_an_agent_replays():
    agent = throw_away(DQN("CartPole-v1", learning_starts=50_000, n_envs=4, train_freq=2, hidden=(8,)), "cpu", 0)
    assert agent.config.learning_starts == 256
    assert warm_up_of(agent, False) == 33  # rounds of eight steps, and one that compiles
    assert warm_up_of(agent, True) == 39
    assert warm_up_of(make(), False) == 1


def test_a_measurement_trains_agents_of_its_own():
    agent = DQN("CartPole-v1", learning_starts=50_000, batch_size=8, hidden=(8,))
    before = agent.state_dict()
    assert measured(agent, "cpu") > 100.0
    after = agent.state_dict()
    assert agent.num_timesteps == 0
    assert all(np.array_equal(before[name], after[name]) for name in before if isinstance(before[name], np.ndarray))
