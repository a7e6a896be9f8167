"""Every deep agent in bfloat16: its passes run in it, and what learns and what leaves them is float32; it learns what float32 learns."""

from typing import NamedTuple

import gymnasium as gym
import numpy as np
import pytest
import torch
from every_agent import DEEP, ROLLOUT, acts_in, differences, make
from gymnasium import spaces
from torch import nn

from rlcourse import agents
from rlcourse.agents.deep.batched import BatchedMLP
from rlcourse.agents.deep.optimizer import FlatOptimizer
from rlcourse.core.evaluation import evaluate
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv
from rlcourse.encoders import make_memory
from rlcourse.encoders import passes as passes_of_networks
from rlcourse.encoders.passes import Passes, set_passes

IMAGE = spaces.Box(0, 255, (5, 5, 1), np.uint8)


class Shades(NamedTuple):
    """An image of one of two shades; right is the action that its shade says: one of two, or a number near 0.6 or -0.6."""

    numbers: bool = False

    @property
    def observation_space(self):
        return IMAGE

    @property
    def action_space(self):
        return spaces.Box(-1, 1, (1,), np.float32) if self.numbers else spaces.Discrete(2)

    def reset(self, rng):
        return int(rng.random() < 0.5)

    def step(self, state, action, rng):
        error = np.abs(np.float64(np.asarray(action).flat[0]) - (1.2 * state - 0.6 if self.numbers else state))
        return state, 1.0 - error, True, False

    def observe(self, state):
        return np.full((5, 5, 1), 200 * state, np.uint8)


class Interpreted(gym.Env):
    """The same as a Gymnasium environment, which needs no compiler."""

    observation_space = IMAGE

    def __init__(self, numbers):
        self.world = Shades(numbers)
        self.action_space = self.world.action_space

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.state = self.world.reset(self.np_random)
        return self.world.observe(self.state), {}

    def step(self, action):
        state, reward, terminated, truncated = self.world.step(self.state, action, self.np_random)
        return self.world.observe(state), reward, terminated, truncated, {}


def shades(name):
    numbers = not acts_in(name, spaces.Discrete)
    if "test/Shades-v0" not in gym.registry:
        gym.register("test/Shades-v0", lambda numbers: Interpreted(numbers), kwargs={"numbers": numbers})
    return "test/Shades-v0"


@pytest.fixture(autouse=True)
def unregistered():
    yield
    gym.registry.pop("test/Shades-v0", None)


@pytest.fixture
def seen(monkeypatch):
    """The types of what leaves the passes, and of what the products and convolutions within them return."""
    found = {"outputs": set(), "products": set()}
    run = Passes.__call__

    def recorded(self, method, network, inputs, options):
        outputs = run(self, method, network, inputs, options)
        within = torch.is_autocast_enabled("cpu")
        found["outputs"] |= set() if within else {part.dtype for part in (outputs if isinstance(outputs, tuple) else (outputs,))}
        return outputs

    def noted(kind):
        forward = kind.forward

        def note(self, *inputs):
            out = forward(self, *inputs)
            found["products"].add(out.dtype)
            return out

        monkeypatch.setattr(kind, "forward", note)

    monkeypatch.setattr(Passes, "__call__", recorded)
    for kind in (nn.Conv2d, nn.Linear, BatchedMLP):
        noted(kind)
    return found


@pytest.mark.parametrize("name", DEEP)
def test_passes_are_bfloat16_and_all_that_learns_or_leaves_them_is_float32(name, seen, tmp_path):
    agent = make(name, shades(name), precision="bfloat16", device="cpu")
    before = agent.state_dict()
    seen["products"].clear()  # of the encoder's measuring of itself
    agent.learn(4 * ROLLOUT)
    assert seen == {"outputs": {torch.float32}, "products": {torch.bfloat16}}
    for part in agent.parts().values():
        tensors = list(part.parameters()) + [p.grad for p in part.parameters() if p.grad is not None] if isinstance(part, nn.Module) else []
        tensors += [v for v in vars(part).values() if isinstance(v, torch.Tensor)] if isinstance(part, FlatOptimizer) else []
        assert {tensor.dtype for tensor in tensors} <= {torch.float32}
    changed = differences(agent.state_dict(), before)
    assert any("encoder" in key for key in changed), "the encoder has learned, by a gradient in bfloat16"
    resumed = type(agent).load(agent.save(tmp_path / "agent"))
    assert resumed.config.precision == "bfloat16"
    images = np.stack([IMAGE.sample() for _ in range(5)])
    np.testing.assert_array_equal(resumed.predict(images)[0], agent.predict(images)[0])


PASSES = {  # a pass of an agent
    "PPO": lambda agent, x: agent.policy(x)[0],
    "A2C": lambda agent, x: agent.policy.act(x),
    "PQN": lambda agent, x: agent.network(x),
    "DQN": lambda agent, x: agent.network.forward(x),
    "DiscreteSAC": lambda agent, x: agent.networks.logits(x),
    "DiscreteCrossQ": lambda agent, x: agent.network(x, train=False),
    "CrossQ": lambda agent, x: agent.critics.encode(x),
    "SAC": lambda agent, x: agent.actor.parameters_at(x),
    "TD3": lambda agent, x: agent.critics(x, torch.zeros(len(x), 1)),
}


@pytest.mark.parametrize("name", PASSES)
def test_a_pass_in_bfloat16_is_that_in_float32_but_for_its_rounding(name):
    x = torch.from_numpy(np.stack([IMAGE.sample() for _ in range(16)]))
    with torch.no_grad():
        exact, rounded = (PASSES[name](make(name, shades(name), precision=kind), x) for kind in ("float32", "bfloat16"))
    assert not torch.equal(exact, rounded)
    torch.testing.assert_close(rounded, exact, atol=0.02 * float(exact.abs().max()), rtol=0.0)


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn", "attention"])
def test_a_memory_stays_float32_within_a_pass_and_its_encoder_does_not(kind):
    torch.manual_seed(0)
    plain = make_memory(kind, spaces.Box(-1, 1, (3,)), 8, "mlp:8")
    x, starts = torch.randn(6, 2, 3), torch.rand(6, 2) < 0.3
    state = tuple(torch.randn_like(part) for part in plain.initial(2))
    exact = plain(x, state, starts)[0]
    set_passes(plain, Passes("bfloat16", torch.device("cpu")))
    lean, after = plain(x, state, starts)
    with torch.autocast("cpu", torch.bfloat16):
        within, _ = plain(x, state, starts)
    lean.sum().backward()
    assert {lean.dtype, within.dtype, *(part.dtype for part in after)} == {torch.float32}
    assert not torch.equal(lean, exact)
    torch.testing.assert_close(lean, exact, atol=0.02, rtol=0.0)
    torch.testing.assert_close(within, lean, atol=0.02, rtol=0.0)


LEARN = {  # settings, and steps (SAC: 0.963 to 0.997 in ten seeds of each precision); chance is a reward of 0.5, and of 0.4 in numbers
    "PPO": ({"n_envs": 8, "n_steps": 32, "learning_rate": 3e-3}, 2048),
    "PQN": ({"n_envs": 8, "n_steps": 16, "exploration_steps": 1000}, 2048),
    "DQN": ({"n_envs": 4, "learning_rate": 1e-3, "exploration_steps": 500, "target_update_interval": 100}, 1500),
    "SAC": (
        {"n_envs": 4, "learning_rate": 3e-3, "batch_size": 64, "hidden": (32,), "ent_coef": 0.01},
        2500,
    ),
}


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", LEARN)
def test_it_reaches_in_bfloat16_what_it_reaches_in_float32(name, precision):
    settings, steps = LEARN[name]
    world = Shades(name == "SAC")
    agent = getattr(agents, name)(WorldVectorEnv(world, settings["n_envs"]), precision=precision, **settings).learn(steps)
    assert evaluate(agent, WorldEnv(world), 50, seed=1).mean() > 0.95


@pytest.mark.parametrize("name", ["DQN", "DiscreteCrossQ", "PPO"])
def test_gradients_that_are_written_out_give_way_to_plain_ones_or_are_float32(name):
    gradients = []
    for precision in ("float32", "bfloat16"):
        agent = (
            make(name, "CartPole-v1", precision=precision, n_epochs=1) if name == "PPO" else make(name, "CartPole-v1", precision=precision)
        )
        agent.learn({"DQN": 12, "DiscreteCrossQ": 16, "PPO": 16}[name])  # to the first update, on the same experience
        gradients.append(agent.optimizer.gradient)
        assert agent.optimizer.steps == 1
    assert not getattr(agent, "_taped", False), "it knows no bfloat16"
    exact, rounded = gradients
    assert not torch.equal(exact, rounded)
    assert torch.linalg.vector_norm(rounded - exact) < 0.05 * torch.linalg.vector_norm(exact)


def test_nothing_is_wrapped_where_the_settings_are_the_defaults():
    agent = make("PPO")
    assert not any("_passes" in vars(part) for part in agent.policy.modules())
    assert passes_of_networks.hand_written(torch.zeros(1))
    with pytest.raises(ValueError, match=r"precision must be one of 'float32', 'bfloat16', not 'float16'"):
        make("PPO", precision="float16")
