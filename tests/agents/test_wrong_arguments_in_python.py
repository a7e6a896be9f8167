"""What a person calls wrongly in Python is refused in our own sentence, not in numpy's."""

import gymnasium as gym
import numpy as np
import pytest

from rlcourse import agents
from rlcourse.sb3 import agent_class

MADE = {
    "deep": lambda: agents.PPO("CartPole-v1", n_envs=1, hidden=(4,)),
    "linear": lambda: agents.SemiGradientSarsa("MountainCar-v0"),
    "table": lambda: agents.QLearning("FrozenLake-v1"),
    "table of parts": lambda: agents.QLearning("Blackjack-v1"),
    "deep, of parts": lambda: agents.PPO("Blackjack-v1", n_envs=1, hidden=(4,)),
}
WRONG = {
    "ragged": [[1, 2], [3]],
    "text": np.array(["a", "b", "c", "d"]),
    "nothing": None,
    "no numbers": np.array([None, None, None, None]),
    "complex": np.zeros(4, complex),
}


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("wrong", WRONG)
def test_an_observation_that_is_none_is_named(name, wrong):
    with pytest.raises(ValueError, match=r"^observation .*(numbers of|parts of|is outside)"):
        MADE[name]().predict(WRONG[wrong])


class Parted(gym.Env):
    """Observations of two parts."""

    observation_space = gym.spaces.Dict(first=gym.spaces.Box(-1, 1, (2,), np.float32), second=gym.spaces.Box(-1, 1, (3,), np.float32))
    action_space = gym.spaces.Discrete(2)


PPO_IN_PARTS = (lambda: agents.PPO(Parted(), n_envs=1, hidden=(4,)), "second")
FLOATS = {
    "deep": (MADE["deep"], None),
    "linear": (MADE["linear"], None),
    "of parts": PPO_IN_PARTS,
    "with memory": (lambda: agents.RecurrentPPO("CartPole-v1", n_envs=1, hidden=(4,)), None),
    "of stable-baselines3": (lambda: agent_class("sb3-a2c")("CartPole-v1"), None),
}


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("batch", [False, True])
def test_an_observation_with_a_number_that_is_none_gets_no_action(name, number, batch):
    make, part = FLOATS[name]
    agent = make()
    seen = agent.observation_space.sample()
    (seen if part is None else seen[part])[-1] = number
    if batch:
        seen = {key: np.stack([value] * 2) for key, value in seen.items()} if part else np.stack([seen] * 2)
    with pytest.raises(ValueError, match=r"^observation has an entry that is no finite number, -?(nan|inf) in entry \[.*\]: mend"):
        agent.predict(seen)


def test_neither_does_one_that_is_infinite_as_float32_nor_one_whose_second_part_is_complex():
    with pytest.raises(ValueError, match=r"^observation has .* no finite number, inf in entry \[0, 0\]"), np.errstate(over="ignore"):
        MADE["deep"]().predict(np.full(4, 1e308))
    with pytest.raises(ValueError, match=r"^observation .* has not the parts of Dict"):
        PPO_IN_PARTS[0]().predict({"first": np.zeros(2), "second": np.zeros(3, complex)})


@pytest.mark.parametrize("name", MADE)
def test_all_that_reset_returns_is_no_observation(name):
    agent = MADE[name]()
    env = gym.make(agent.env.spec.id)
    with pytest.raises(ValueError, match="pass the first of the two values that reset"):
        agent.predict(env.reset(seed=0))
    agent.predict(env.reset(seed=0)[0])


@pytest.mark.parametrize("kind", ["PPO", "QLearning", "SemiGradientSarsa"])
def test_a_policy_before_the_environment_is_refused(kind):
    with pytest.raises(ValueError, match=rf"^env: {kind}\(env, ...\) takes the environment first, .* not 'MlpPolicy' before it"):
        getattr(agents, kind)("MlpPolicy", "CartPole-v1")


def test_a_folder_and_nothing_are_no_file_to_save_in(tmp_path):
    for path, said in ((tmp_path, "the folder"), (str(tmp_path), "the folder"), ("", "nothing")):
        with pytest.raises(ValueError, match=f"^path must name a file, such as agent.safetensors, not {said}"):
            MADE["table"]().save(path)
