"""Returns that are reported are those that were earned: of a task that pays the same whatever is done, through orders of wrappers."""

import itertools

import gymnasium as gym
import numpy as np
import pytest
from every_agent import BANDITS, DEEP, GAUSSIAN, LEARNERS, LINEAR, Opaque, acts_in, known, make
from gymnasium import spaces
from gymnasium.wrappers import NormalizeReward, RecordEpisodeStatistics, TimeLimit

from rlcourse.core.copies import as_vector
from rlcourse.core.evaluation import evaluate
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv
from rlcourse.envs import cliff_walk

ID = "rlcourse-test/Paid-v0"
RETURN, LENGTH = 10.0, 4.0
AGENTS = [name for name in [*LEARNERS, *LINEAR, *GAUSSIAN, *DEEP] if name not in BANDITS]


class Paid(gym.Env):
    """Pays 1, 2, 3, 4 and ends, whatever is done."""

    def __init__(self, action_space: spaces.Space, numbered: bool) -> None:
        self.action_space, self.numbered = action_space, numbered
        self.observation_space = spaces.Discrete(5) if numbered else spaces.Box(0, 1, (5,))

    def _seen(self):
        return self.t if self.numbered else np.eye(5, dtype=np.float32)[self.t]

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        return self._seen(), {}

    def step(self, action):
        self.t += 1
        return self._seen(), float(self.t), self.t == 4, False, {}


def paid(name: str) -> Paid:
    box = name in GAUSSIAN or (name in DEEP and not acts_in(name, spaces.Discrete))
    return Paid(spaces.Box(-1, 1, (1,)) if box else spaces.Discrete(2), name in (*LEARNERS, *LINEAR))


@pytest.fixture(autouse=True)
def registered():
    gym.register(ID, Paid, max_episode_steps=9)
    yield
    del gym.registry[ID]


@pytest.mark.parametrize("name", AGENTS)
def test_an_agent_reports_what_was_paid_through_every_order_of_wrappers(name):
    wrappers = (Opaque, RecordEpisodeStatistics, lambda env: TimeLimit(env, 7))
    for order in itertools.permutations(wrappers) if name in ("QLearning", "PPO", "DQN") else [wrappers]:
        env = paid(name)
        for wrap in order:
            env = wrap(env)
        agent = make(name, env, **known(name, n_envs=1, normalize_observations=name in DEEP, normalize_rewards=True)).learn(42)
        assert len(agent.history) >= 10
        assert set(agent.history["return"][:10]) == {RETURN}
        assert set(agent.history["length"][:10]) == {LENGTH}
        assert agent.history["timesteps"][:10].tolist() == [4.0 * (k + 1) for k in range(10)]


@pytest.mark.parametrize("name", DEEP)
def test_copies_report_what_each_was_paid(name):
    base = paid(name)
    env = gym.make(ID, action_space=base.action_space, numbered=base.numbered)
    agent = make(name, env, **known(name, n_envs=3, normalize_rewards=True)).learn(99)
    assert len(agent.history) >= 20
    assert set(agent.history["return"]) == {RETURN}
    assert set(agent.history["length"]) == {LENGTH}


@pytest.mark.parametrize("name", AGENTS)
def test_an_evaluation_returns_what_is_paid_and_leaves_the_wrappers_of_learning_alone(name):
    env = NormalizeReward(paid(name))
    agent = make(name, env, **known(name, n_envs=1)).learn(20)
    count, mean = env.return_rms.count, env.return_rms.mean
    assert evaluate(agent, TimeLimit(paid(name), 7), 5).tolist() == [RETURN] * 5
    assert evaluate(agent, TimeLimit(paid(name), 3), 2).tolist() == [6.0] * 2, "cut after three"
    assert (env.return_rms.count, env.return_rms.mean) == (count, mean)


def test_copies_of_a_world_begin_every_episode_with_nothing():
    env = WorldVectorEnv(cliff_walk(), 3, max_episode_steps=4)
    env.reset(seed=0)
    for t in range(1, 41):
        *_, infos = env.step(np.zeros(3, np.int64))  # up: -1 for every step
        assert ("episode" in infos) == (t % 4 == 0)
        if t % 4 == 0:
            assert infos["episode"]["r"].tolist() == [-4.0] * 3
            assert infos["episode"]["l"].tolist() == [4] * 3


def test_one_copy_and_one_environment_report_the_same_returns():
    env = TimeLimit(WorldEnv(cliff_walk()), 6)
    compiled, interpreted = as_vector(env, 1), as_vector(Opaque(env), 1)
    told = []
    for venv in (compiled, interpreted):
        venv.reset(seed=0)
        told.append([])
        for t in range(30):
            *_, infos = venv.step(np.array([(t * t) % 2]))  # up, or right into the cliff
            if "_episode" in infos:
                told[-1].append((float(infos["episode"]["r"][0]), float(infos["episode"]["l"][0])))
    assert told[0] == told[1]
    assert len(told[0]) == 5
