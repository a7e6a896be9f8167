"""What a person calls wrongly in Python is refused in our own sentence, not in numpy's."""

import gymnasium as gym
import numpy as np
import pytest

from rlcourse import agents

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
    if (name, wrong) in (("deep, of parts", "no numbers"), ("deep, of parts", "complex")):
        pytest.skip("its parts are not looked at one by one")
    with pytest.raises(ValueError, match=r"^observation .*(numbers of|parts of|is outside)"):
        MADE[name]().predict(WRONG[wrong])


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
