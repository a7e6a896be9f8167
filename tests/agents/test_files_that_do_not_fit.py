"""Files with a right digest whose content is not what an agent can take over: one sentence, in our words, that names the file."""

import gymnasium as gym
import numpy as np
import pytest
from every_agent import make
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from rlcourse import agents
from rlcourse.core import files


def forge(path, change):
    """Change arrays and metadata of a file, and give it a digest that fits."""
    arrays, metadata = files.read(path)
    metadata.pop("format")
    change(arrays, metadata)
    return files.write(path, arrays, metadata)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    return {
        name: make(name).learn(64).save(folder / f"{name}.safetensors") for name in ("QLearning", "DynaQ", "PrioritizedSweeping", "PPO")
    }


CASES = {
    "another shape": ("QLearning", lambda a, m: a.update(Q=np.zeros((3, 4))), r"Q has shape \(3, 4\) in the file, \(16, 4\) here"),
    "another type": ("DynaQ", lambda a, m: a.update(states=np.zeros(17)), "states holds float64 in the file, int64 here"),
    "no array": ("QLearning", lambda a, m: a.pop("Q"), "lacks 'Q'"),
    "no numbers": ("QLearning", lambda a, m: a["Q"].fill(np.nan), "Q has values that are no numbers"),
    "a state beyond the last": ("DynaQ", lambda a, m: a["states"].fill(16), r"states has numbers outside 0\.\.15"),
    "a successor beyond the last": ("DynaQ", lambda a, m: a["outcome"].fill(1e6), r"outcome has numbers outside 0\.\.15"),
    "an action beyond the last": ("DynaQ", lambda a, m: a["actions"].fill(4), r"actions has numbers outside 0\.\.3"),
    "a heap of other pairs": ("PrioritizedSweeping", lambda a, m: a["heap"].fill(2**40), r"heap has numbers outside 0\.\.63"),
    "weights that diverged": ("PPO", lambda a, m: a["policy.weights.0"].fill(np.inf), "policy.weights.0 is no longer finite"),
    "weights of other widths": ("PPO", lambda a, m: m["state"]["config"].update(hidden=[9]), r"policy.* has shape"),
    "widths beyond all bounds": ("PPO", lambda a, m: m["state"]["config"].update(hidden=[50_000, 50_000]), "less than the networks"),
    "other copies": ("PPO", lambda a, m: m["state"]["config"].update(n_envs=3), "saved with 2 copies of the environment, here are 3"),
    "an unknown setting": ("QLearning", lambda a, m: m["state"]["config"].update(alhpa=1), "unknown setting 'alhpa'; did you mean 'alpha'"),
    "a setting out of range": ("QLearning", lambda a, m: m["state"]["config"].update(alpha=2), "alpha must be a number in"),
    "a setting that is a text": ("QLearning", lambda a, m: m["state"]["config"].update(gamma="x"), "gamma must be"),
    "settings that are a list": ("QLearning", lambda a, m: m["state"].update(config=[]), "no QLearning can take over"),
    "a generator of nonsense": (
        "QLearning",
        lambda a, m: m["state"].update(rng={"bit_generator": "os.system"}),
        "no QLearning can take over",
    ),
    "a count that is none": ("QLearning", lambda a, m: m["state"].update(num_timesteps="many"), "num_timesteps is no whole number"),
    "a class by its path": ("QLearning", lambda a, m: m.update({"class": "os.system"}), "names no class"),
    "a class that is none": ("QLearning", lambda a, m: m.update({"class": "Popen"}), "which is no agent of rlcourse"),
    "an environment to import": ("QLearning", lambda a, m: m.update(env_id="antigravity:Env-v0"), "not registered here"),
    "another space": ("QLearning", lambda a, m: m.update(spaces=[]), "was trained on"),
}


@pytest.mark.parametrize("what", CASES)
def test_what_does_not_fit_is_said_in_one_sentence_that_names_the_file(what, saved, tmp_path):
    name, change, message = CASES[what]
    path = tmp_path / "forged.safetensors"
    path.write_bytes(saved[name].read_bytes())
    with pytest.raises(ValueError, match=message) as raised:
        agents.load(forge(path, change))
    assert "forged.safetensors" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_copies_of_another_number_are_refused_by_the_name_of_the_setting(saved):
    with pytest.raises(ValueError, match="set n_envs to 2"):
        agents.load(saved["PPO"], env=SyncVectorEnv([lambda: gym.make("CartPole-v1")] * 5, autoreset_mode=AutoresetMode.SAME_STEP))


def test_a_replay_memory_that_does_not_fit_is_refused_and_may_hold_nothing_else(tmp_path):
    path = make("DQN").learn(64).save(tmp_path / "q.safetensors")
    memory = tmp_path / "q.replay.safetensors"
    whole = memory.read_bytes()
    for change, message in (
        (lambda a, m: a.update({"replay.actions": a["replay.actions"] + 2}), r"actions has numbers outside 0\.\.1"),
        (lambda a, m: a.update({"replay.rewards": a["replay.rewards"][:-1]}), "rewards has shape"),
        (lambda a, m: a["replay.position"].put(0, 10**9), "position is no whole number"),
        (lambda a, m: a["replay.position"].put(3, 10**9), "set buffer_size and n_envs as they were"),
        (
            lambda a, m: a.update({"replay.final_slots": np.array([-1]), "replay.final_observations": np.zeros((1, 4), np.float32)}),
            "final_slots",
        ),
    ):
        memory.write_bytes(whole)
        forge(memory, change)
        with pytest.raises(ValueError, match=message):
            agents.load(path)
    memory.write_bytes(whole)
    forge(memory, lambda a, m: a.update(generator=np.zeros(5056, np.uint8)))
    assert agents.load(path).generator.get_state().any()
    with pytest.raises(ValueError, match="holds a replay memory: name the file of the agent beside it"):
        agents.load(memory)
