"""Where an environment says which actions exist, agents that heed it take no other; and no agent steps or resets what it is given."""

import gymnasium as gym
import numpy as np
import pytest
import torch

from rlcourse import agents
from rlcourse.agents.deep.base import DeepAgent
from rlcourse.agents.deep.q_losses import existing
from rlcourse.core.evaluation import evaluate

DEEP = [getattr(agents, name) for name, module in agents.MODULES.items() if ".deep." in module]
HEEDING = [kind for kind in DEEP if kind.heeds_masks]
HEEDLESS = [kind for kind in DEEP if not kind.heeds_masks and gym.spaces.Discrete in kind.actions]
SMALL = {"learning_starts": 40, "batch_size": 8, "buffer_size": 400, "hidden": (8,)}
DRQN = {"sequence_length": 4, "burn_in": 2, "memory_size": 8}


def make(kind, env, **settings):
    own = {"n_steps": 10, "batch_size": 8, "hidden": (8,)} if kind is agents.PQN else SMALL | (DRQN if kind is agents.DRQN else {})
    return kind(env, seed=0, n_envs=1, **own, **settings)


class Masked(gym.Env):
    """One action exists at each step, and taking another is an error; every second episode is cut by a time limit."""

    observation_space, action_space = gym.spaces.Box(-1, 1, (2,)), gym.spaces.Discrete(3, start=4)

    def __init__(self) -> None:
        self.resets = 0

    def _info(self):
        self.mask = np.zeros(3, np.int8)
        self.mask[self.np_random.integers(3)] = 1
        return {"action_mask": self.mask}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.resets, self.t = self.resets + 1, 0
        return self.observation_space.sample(), self._info()

    def step(self, action):
        assert self.mask[action - 4], "an action that does not exist"
        self.t += 1
        over = self.t == 5
        return self.observation_space.sample(), 1.0, over and self.resets % 2 == 0, over and self.resets % 2 == 1, self._info()


@pytest.mark.parametrize("kind", HEEDING, ids=lambda kind: kind.__name__)
def test_an_action_that_does_not_exist_is_never_taken_while_learning_or_in_evaluation(kind, tmp_path):
    agent = make(kind, Masked()).learn(200)
    assert all(np.isfinite(list(agent.metrics.values())))
    assert evaluate(agent, Masked(), 5).tolist() == [5.0] * 5
    assert evaluate(agent, Masked(), 5, deterministic=False).tolist() == [5.0] * 5
    loaded = kind.load(agent.save(tmp_path / "agent.safetensors"), env=Masked())
    assert evaluate(loaded, Masked(), 5).tolist() == [5.0] * 5, "also before it has seen a mask of its own"
    loaded.learn(50)


@pytest.mark.parametrize("kind", HEEDING, ids=lambda kind: kind.__name__)
def test_in_taxi_a_table_tells_and_resuming_is_exact(kind, tmp_path):
    agent = make(kind, "Taxi-v4").learn(150)
    table = np.array([agent.env.unwrapped.action_mask(s) for s in range(500)], bool)
    memory = agent.rollout if kind is agents.PQN else agent.replay
    rows = slice(0, 10) if kind is agents.PQN else memory.stored
    assert table[memory.observations[rows], memory.actions[rows]].all()
    assert np.array_equal(memory.masks[rows], table[memory.observations[rows]])
    seen = np.arange(0, 500, 7)
    for deterministic in (True, False):
        assert table[seen, agent.predict(seen, deterministic=deterministic)[0]].all()
    resumed = kind.load(agent.save(tmp_path / "agent.safetensors")).learn(150)
    agent.learn(150)
    assert torch.equal(resumed.optimizer.parameters, agent.optimizer.parameters)
    other = resumed.rollout if kind is agents.PQN else resumed.replay
    assert np.array_equal(other.actions, memory.actions)
    assert np.array_equal(other.masks, memory.masks)


def test_windows_know_the_actions_behind_every_step_also_where_an_episode_was_cut():
    agent = make(agents.DRQN, Masked()).learn(200)
    replay = agent.replay
    w = replay.windows(200, 2, 4, np.random.default_rng(0))
    assert len(w.masks) == len(w.observations) > 5, "some windows hold a cut"
    behind = np.take_along_axis(w.masks, (w.at + 1)[:, :, None], axis=0)
    cut = np.take_along_axis(w.starts, w.at + 1, axis=0)
    assert (behind[~w.terminated & ~cut].sum(1) == 1).all()
    here = np.take_along_axis(w.masks, w.at[:, :, None], axis=0)
    assert np.take_along_axis(here, w.actions[:, :, None], axis=2).all(), "what was done existed"


@pytest.mark.parametrize("kind", HEEDLESS, ids=lambda kind: kind.__name__)
def test_an_agent_that_does_not_heed_masks_says_so_once(kind):
    settings = {"n_envs": 1, "hidden": (8,)} | ({} if kind.__name__ == "REINFORCE" else {"n_steps": 8})
    agent = kind("Taxi-v4", **settings)
    with pytest.warns(UserWarning, match=f"{kind.__name__} takes no notice of info\\['action_mask'\\]; DQN respects it") as said:
        agent.learn(64)
    assert len(said) == 1


@pytest.mark.parametrize("kind", DEEP, ids=lambda kind: kind.__name__)
def test_making_an_agent_does_not_reset_its_environment(kind):
    assert issubclass(kind, DeepAgent)

    class Counting(gym.Wrapper):
        resets = 0

        def reset(self, **options):
            self.resets += 1
            return super().reset(**options)

    env = Counting(gym.make("CartPole-v1" if gym.spaces.Discrete in kind.actions else "Pendulum-v1"))
    kind(env, n_envs=1)
    assert env.resets == 0


def test_an_action_that_does_not_exist_adds_nothing_to_an_entropy():
    log_pi = existing(torch.tensor([[1.0, 5.0, 1.0]]), torch.tensor([[True, False, True]])).log_softmax(1)
    torch.testing.assert_close(-(log_pi.exp() * log_pi).sum(1), torch.tensor([2.0]).log())


class NeverTheLast(gym.Env):
    """Of three actions the last one never exists; every step is worth 1, and some end the episode, some cut it."""

    observation_space, action_space = gym.spaces.Box(-1, 1, (2,)), gym.spaces.Discrete(3)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.observation_space.sample(), {"action_mask": np.array([1, 1, 0], np.int8)}

    def step(self, action):
        terminated, truncated = self.np_random.random(2) < 0.1
        return self.observation_space.sample(), 1.0, bool(terminated), bool(truncated), {"action_mask": np.array([1, 1, 0], np.int8)}


@pytest.mark.parametrize("kind", HEEDING, ids=lambda kind: kind.__name__)
def test_the_value_of_an_action_that_does_not_exist_reaches_no_target(kind):
    """It begins as high as 1,000, as does its part in a policy; those of the others may come to 1 / (1 - gamma) = 2."""
    agent = make(kind, NeverTheLast(), gamma=0.5, learning_rate=0.1)
    with torch.no_grad():
        for part in agent.parts().values():
            for parameter in part.parameters() if isinstance(part, torch.nn.Module) else ():
                if parameter.shape[-1:] == (3,) and parameter.shape[-2:-1] in ((), (1,)):  # biases of actions
                    parameter[..., 2] = 1_000.0
    agent.learn(120)
    seen = torch.linspace(-1, 1, 10).view(5, 2)
    with torch.no_grad():
        if kind is agents.DiscreteSAC:
            values = agent.networks(seen)[1].amin(0)
        elif agent.recurrent:
            values = agent.network(seen[None], agent.network.memory.initial(5), torch.ones(1, 5, dtype=torch.bool))[0]
        else:
            values = agent.network(seen, train=False).amin(0) if kind is agents.DiscreteCrossQ else agent.network(seen)
    assert values[:, 2].min() > 100.0, "there was something to be mistaken"
    assert values[:, :2].abs().max() < 10.0
