"""Masks that come late, from some copies only or malformed; rewards that are no numbers: right, or one sentence that names the fault."""

import warnings

import gymnasium as gym
import numpy as np
import pytest

from rlcourse import agents
from rlcourse.agents.deep.base import DeepAgent
from rlcourse.cli.main import main
from rlcourse.core.evaluation import evaluate
from rlcourse.core.faults import EnvironmentFault

DEEP = [getattr(agents, name) for name, module in agents.MODULES.items() if ".deep." in module]
HEEDING = [kind for kind in DEEP if kind.heeds_masks]
DISCRETE = [kind for kind in DEEP if gym.spaces.Discrete in kind.actions]
CONTINUOUS = [kind for kind in DEEP if gym.spaces.Discrete not in kind.actions]


def small(kind: type[DeepAgent], env, n_envs: int = 1):
    """Make an agent that learns within a hundred steps."""
    wanted = {"learning_starts": 20, "batch_size": 8, "buffer_size": 400, "hidden": (8,), "n_steps": 4, "train_freq": 1}
    wanted |= {"sequence_length": 4, "burn_in": 2, "memory_size": 8, "actor_hidden": (8,), "episodes_per_update": 1}
    settings = {name: value for name, value in wanted.items() if name in kind.Config.__dataclass_fields__}
    return kind(env, seed=0, n_envs=n_envs, **settings)


class Faulty(gym.Env):
    """Episodes of five steps; `mask(t)` is in the info of step t, None: not there; `reward(t)` is what a step gives."""

    def __init__(self, mask=lambda t: None, reward=lambda t: 1.0, space=None) -> None:
        self.observation_space, self.action_space = gym.spaces.Box(-1, 1, (2,)), space or gym.spaces.Discrete(3)
        self.mask, self.reward, self.taken = mask, reward, []

    def _info(self):
        self.existing = self.mask(self.t)
        return {} if self.existing is None else {"action_mask": self.existing}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        return self.observation_space.sample(), self._info()

    def step(self, action):
        self.taken.append((self.existing, action))
        self.t += 1
        return self.observation_space.sample(), self.reward(self.t), self.t == 5, False, self._info()


def taken_where(env: Faulty, masked: bool) -> set[int]:
    """Return the actions taken where a mask was given, or where none was."""
    return {int(action) for mask, action in env.taken if (mask is not None) == masked}


@pytest.mark.parametrize("kind", HEEDING, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("when", ["now and then", "never at the beginning"])
def test_a_step_without_a_mask_allows_every_action(kind, when):
    given = [0, 1, 0]
    env = Faulty(lambda t: given if (t % 2 == 0 if when == "now and then" else t > 0) else None)
    agent = small(kind, env).learn(150)
    assert taken_where(env, masked=True) == {1}
    assert taken_where(env, masked=False) == {0, 1, 2}
    env.taken.clear()
    assert evaluate(agent, env, 3).tolist() == [5.0] * 3
    assert taken_where(env, masked=True) == {1}


@pytest.mark.parametrize("kind", HEEDING, ids=lambda kind: kind.__name__)
def test_a_copy_that_gives_no_mask_may_take_every_action(kind):
    masked, free = Faulty(lambda t: [0, 1, 1]), Faulty()
    mode = gym.vector.AutoresetMode.SAME_STEP
    small(kind, gym.vector.SyncVectorEnv([lambda: masked, lambda: free], autoreset_mode=mode), n_envs=2).learn(300)
    assert taken_where(masked, masked=True) == {1, 2}
    assert taken_where(free, masked=False) == {0, 1, 2}


@pytest.mark.parametrize("kind", HEEDING, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize(("mask", "sentence"), [([1, 1], "must tell of 3 actions"), ([0, 0, 0], "leaves no action")])
def test_a_mask_of_the_wrong_length_or_without_an_action_is_refused(kind, mask, sentence):
    with pytest.raises(EnvironmentFault, match=sentence):
        small(kind, Faulty(lambda t: mask if t == 2 else [1, 1, 1])).learn(100)


def test_predict_refuses_masks_that_cannot_be():
    agent, seen = agents.DQN("CartPole-v1", seed=0), np.zeros(4, np.float32)
    assert agent.predict(seen, action_masks=[False, True])[0] == 1
    for masks, sentence in (
        ([False, False], "leaves no action"),
        ([True] * 3, "2 actions"),
        ([[True, True]] * 2, "one for each observation"),
    ):
        with pytest.raises(ValueError, match=sentence):
            agent.predict(seen, action_masks=masks)
    with pytest.raises(ValueError, match="PPO takes no notice of masks"):
        agents.PPO("CartPole-v1", seed=0).predict(seen, action_masks=[False, True])


@pytest.mark.parametrize("kind", DEEP, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_reward_that_is_no_finite_number_is_named_and_not_the_learning_rate(kind, bad):
    env = Faulty(reward=lambda t: bad if t == 3 else 1.0, space=None if kind in DISCRETE else gym.spaces.Box(-1, 1, (1,)))
    with pytest.raises(EnvironmentFault, match=r"a reward that is no finite number, (nan|inf), at step 3 in copy 0"):
        small(kind, env).learn(1_100)


@pytest.mark.parametrize("kind", [agents.PPO, agents.DQN, agents.SAC])
@pytest.mark.parametrize("bad", [1e39, -1e300])
def test_a_reward_that_float32_cannot_hold_is_named(kind, bad):
    space = None if kind in DISCRETE else gym.spaces.Box(-1, 1, (1,))
    with pytest.raises(EnvironmentFault, match=r"a reward that is too large, above 3.4e38, -?1e\+\d+, at step 3 in copy 0: mend"):
        small(kind, Faulty(reward=lambda t: bad if t == 3 else 1.0, space=space)).learn(100)


def test_a_part_with_a_number_that_is_none_is_named():
    class Parted(Faulty):
        def __init__(self):
            super().__init__()
            self.observation_space = gym.spaces.Dict(a=gym.spaces.Box(-1, 1, (2,)), b=gym.spaces.Box(-1, 1, (2,)))

        def step(self, action):
            seen, *rest = super().step(action)
            seen["b"][1] = np.nan
            return seen, *rest

    with pytest.raises(EnvironmentFault, match=r"observation with a part 'b' that is no finite number, nan in entry \[1\], at step 1 in"):
        small(agents.PPO, Parted()).learn(100)


def test_what_an_environment_tells_under_the_name_of_a_last_observation_is_its_own_affair():
    class Telling(Faulty):
        def step(self, action):
            *answer, info = super().step(action)
            return *answer, info | {"final_obs": np.full(2, 77.0, np.float32)}

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small(agents.PPO, Telling()).learn(100)


def test_a_text_that_is_longer_than_its_space_says_is_refused():
    class Long(gym.Env):
        observation_space, action_space = gym.spaces.Text(3), gym.spaces.Discrete(2)

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            return "abc", {}

        def step(self, action):
            return "abcd", 0.0, False, False, {}

    with pytest.raises(EnvironmentFault, match=r"an observation of 4 characters, more than Text\(3\) says from step\(\), in copy 0"):
        small(agents.PPO, Long()).learn(100)


def test_the_command_line_says_it_in_one_sentence(tmp_path, capsys):
    file = tmp_path / "short.py"
    file.write_text(
        "import gymnasium as gym\n\n\nclass Short(gym.Env):\n"
        "    observation_space, action_space = gym.spaces.Box(-1, 1, (2,)), gym.spaces.Discrete(3)\n"
        "    def reset(self, *, seed=None, options=None):\n"
        "        return self.observation_space.sample(), {'action_mask': [1, 1]}\n"
        "    def step(self, action):\n"
        "        return self.observation_space.sample(), 1.0, True, False, {'action_mask': [1, 1]}\n"
    )
    assert main(["train", f"{file}:Short", "--algo", "dqn", "-n", "100", "--out", str(tmp_path)]) == 2
    assert "must tell of 3 actions" in capsys.readouterr().err


def test_an_observation_of_no_numbers_is_refused():
    env = Faulty()
    env.observation_space = gym.spaces.Box(-1, 1, (0,))
    with pytest.raises(ValueError, match="sees nothing"):
        agents.DQN(env)
