"""What the pieces of the core promise at their edges."""

import threading
import time
from dataclasses import dataclass
from typing import Annotated, Literal

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces as gs
from gymnasium.wrappers import RecordEpisodeStatistics, TimeLimit
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save

from rlcourse.agents import QLearning, Sarsa
from rlcourse.agents.temporal_difference.q_learning import q_learning
from rlcourse.core import files, seeds, spaces
from rlcourse.core.config import Config, GradientSteps, Interval, Positive, SomeWidths, Widths, build
from rlcourse.core.gymworld import GymWorld, as_env, as_world, id_of, model_of
from rlcourse.core.history import History
from rlcourse.core.mdp import MDP
from rlcourse.core.schedules import Exponential, Linear, Schedule
from rlcourse.core.trial import Trial
from rlcourse.envs import cliff_walk

# Settings


@dataclass(frozen=True)
class Settings(Config):
    rate: Annotated[Schedule, Interval(0)] = 0.1
    norm: Positive | None = None
    bias: float = 0.0
    widths: tuple[int, ...] = (8,)
    hidden: Widths = ()
    layers: SomeWidths = (8,)
    steps: GradientSteps = -1
    kind: Literal["a", "b"] = "a"
    on: bool = False


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("norm", -1),
        ("norm", float("nan")),
        ("norm", 0),
        ("bias", float("nan")),
        ("bias", float("inf")),
        ("bias", "1"),
        ("rate", float("inf")),
        ("rate", Linear(0.1, -1.0, 5)),
        ("rate", Linear(0.1, 0.0, 0)),
        ("rate", True),
        ("widths", 8),
        ("widths", (1.5,)),
        ("widths", "88"),
        ("hidden", (8, 0)),
        ("hidden", (8, 1.5)),
        ("layers", ()),
        ("layers", (-1,)),
        ("steps", 0),
        ("steps", -2),
        ("kind", "c"),
        ("on", 1),
    ],
)
def test_a_bad_setting_is_refused_by_its_name(name, value):
    with pytest.raises(ValueError, match=f"^{name} must (be|name)"):
        Settings(**{name: value})


@given(st.floats(0, 1), st.floats(0, 1), st.floats(1e-3, 1e12), st.sampled_from([Linear, Exponential]))
def test_settings_survive_their_own_text_exactly(start, end, steps, kind):
    config = Settings(rate=kind(start, end, steps), norm=end + 0.1, widths=(3, 4))
    assert build(Settings, config.as_dict()) == config


def test_numbers_of_numpy_are_numbers():
    config = build(Settings, {"rate": np.float64(0.5), "bias": np.float32(0.5), "norm": np.int64(2), "on": np.bool_(True)})
    assert (config.rate, config.bias, config.norm, config.on) == (0.5, 0.5, 2.0, True)
    assert type(config.bias) is float
    assert config.on is True


# Models


@pytest.mark.parametrize(
    ("table", "start", "sentence"),
    [
        ({}, 0, "number its states"),
        ({0: {}}, 0, "0 actions"),
        ({0: {1: [(1.0, 0, 0.0, False)]}}, 0, "number its states"),
        ({0: {0: [(1.0, 0, 0.0, False)]}, 2: {0: [(1.0, 0, 0.0, False)]}}, 0, "number its states"),
        ({0: {0: [(1.0, 0, 0.0, False)]}, 1: {0: [(1.0, 0, 0.0, False)], 1: [(1.0, 0, 0.0, False)]}}, 0, "state 1 has 2 actions"),
        ({0: {0: []}}, 0, "sum to"),
        ({0: {0: [(1.0, 0, float("inf"), False)]}}, 0, "finite"),
        ({0: {0: [(1.0, -1, 0.0, False)]}}, 0, "leads to state -1"),
        ({0: {0: [(1.0, 0, 0.0, False)]}}, 1, "start must be"),
        ({0: {0: [(1.0, 0, 0.0, False)]}}, -1, "start must be"),
        ({0: {0: [(1.0, 0, 0.0, False)]}}, [float("nan")], "start must be"),
        ({0: {0: [(1.0, 0, 0.0, False)]}}, [0.5, 0.5], "start must be"),
    ],
)
def test_a_model_that_is_none_is_refused(table, start, sentence):
    with pytest.raises(ValueError, match=sentence):
        MDP.of(table, start)


def test_rounding_never_draws_an_impossible_outcome():
    class AlmostOne:
        def random(self):
            return float(np.nextafter(1.0, 0.0))

    tenths = [(0.1, 1, float(k), False) for k in range(10)] + [(0.0, 0, -1.0, True)]
    model = MDP.of({0: {0: tenths}, 1: {0: [(1.0, 1, 0.0, True)]}}, [1.0, 0.0])
    assert model.step(0, 0, AlmostOne()) == (1, 9.0, False, False)
    assert model.reset(AlmostOne()) == 0


def test_a_model_behind_a_wrapper_that_may_change_it_is_not_believed():
    env = gym.make("FrozenLake-v1")
    assert model_of(env) is not None
    assert model_of(gym.wrappers.TransformReward(env, lambda r: -r)) is None
    assert isinstance(as_world(RecordEpisodeStatistics(env))[0], GymWorld)


def test_the_strictest_of_several_time_limits_counts():
    assert as_world(TimeLimit(gym.make("FrozenLake-v1", max_episode_steps=30), 7))[1] == 7
    assert as_world(TimeLimit(gym.make("FrozenLake-v1", max_episode_steps=5), 7))[1] == 5


def test_an_environment_is_named_by_its_id_only_where_that_makes_it():
    assert id_of(gym.make("CartPole-v1", render_mode="rgb_array")) == "CartPole-v1"
    assert id_of(gym.make("FrozenLake-v1")) == "FrozenLake-v1"
    for env in (
        gym.make("FrozenLake-v1", is_slippery=False),
        gym.make("CartPole-v1", max_episode_steps=3),
        RecordEpisodeStatistics(gym.make("CartPole-v1")),
        as_env(cliff_walk()),
    ):
        assert id_of(env) is None


def test_an_environment_shares_the_generator_of_the_agent_again_after_someone_seeded_it():
    env, rng = gym.make("FrozenLake-v1"), np.random.default_rng(0)
    world = GymWorld(env)
    world.reset(rng)
    assert env.unwrapped.np_random is rng
    env.reset(seed=5)
    assert env.unwrapped.np_random is not rng
    world.reset(rng)
    assert env.unwrapped.np_random is rng


# Spaces, seeds, history, files


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(-9, 9)), min_size=1, max_size=4), st.data())
def test_ravel_and_unravel_are_inverse_for_any_counts_and_starts(parts, data):
    counts, starts = zip(*parts, strict=True)
    discrete = [gs.Discrete(n, start=s) for n, s in parts]
    for space in (discrete[0], gs.MultiDiscrete(counts, start=starts), gs.Tuple(discrete)):
        index = data.draw(st.integers(0, spaces.size(space) - 1))
        element = spaces.unravel(space, index)
        assert space.contains(element)
        assert spaces.ravel(space, element) == index
        assert not spaces.is_batch(space, element)


def test_a_table_of_switches_is_not_one_integer():
    assert not spaces.is_finite(gs.MultiDiscrete([[2, 2], [2, 2]]))
    with pytest.raises(ValueError, match="not finite"):
        spaces.size(gs.Box(0, 1, (2,)))


def test_a_generator_goes_on_from_its_snapshot():
    rng, other = np.random.default_rng(1), np.random.default_rng(2)
    rng.random(3)
    seeds.restore(other, seeds.snapshot(rng))
    assert rng.random(5).tolist() == other.random(5).tolist()


def test_compiled_runs_in_threads_are_those_of_one_worker():
    def run(rng):
        Q = np.zeros((48, 4))
        q_learning(Trial.of(cliff_walk(), steps=2000), Q, 0.5, 1.0, 0.1, rng)
        return Q

    one, four = seeds.replicate(run, 6, seed=1, workers=1), seeds.replicate(run, 6, seed=1, workers=4)
    assert np.array_equal(one, four)
    assert np.array_equal(one[:3], seeds.replicate(run, 3, seed=1)), "result i does not depend on the number of runs"
    assert not np.array_equal(one[0], one[1])


def test_a_history_grows_and_answers_by_column_and_by_row():
    history = History()
    for i in range(50):
        history.extend(np.full((i % 4, 4), float(i)))
    assert len(history) == sum(i % 4 for i in range(50)) == len(history["return"])
    assert history[-1] == {"return": 49.0, "length": 49.0, "terminated": 49.0, "timesteps": 49.0}
    history["return"][:] = -1.0  # a copy
    assert history[0]["return"] == 1.0
    with pytest.raises(KeyError, match="columns are return"):
        history["returns"]


@pytest.mark.parametrize("data", [b"", b"1234567", b"\xff" * 64, save({"x": np.zeros(2)}), (16).to_bytes(8, "little") + b"[" * 16])
def test_other_files_are_refused(tmp_path, data):
    path = tmp_path / "other"
    path.write_bytes(data)
    with pytest.raises(files.DamagedFile, match="other"):
        files.read(path)


def test_a_file_with_empty_metadata_is_refused(tmp_path):
    header = b'{"__metadata__":null}'
    (tmp_path / "other").write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(files.DamagedFile):
        files.read(tmp_path / "other")


# Stopping and calling back


def test_another_thread_stops_an_interpreted_box_too():
    agent = Sarsa(RecordEpisodeStatistics(gym.make("FrozenLake-v1")))
    worker = threading.Thread(target=agent.learn, args=(10**12,), daemon=True)
    worker.start()
    time.sleep(0.1)
    agent.stop()
    asked = time.perf_counter()
    worker.join(5)
    assert not worker.is_alive()
    assert time.perf_counter() - asked < 0.5
    assert 0 < agent.num_timesteps == agent.history["length"].sum()


def test_learning_goes_on_after_a_stop():
    agent = QLearning(cliff_walk())
    agent.learn(10_000, callback=lambda agent: agent.stop(), callback_every=100)
    assert 100 <= agent.num_timesteps < 10_000
    before = agent.num_timesteps
    assert agent.learn(500).num_timesteps == before + 500


@pytest.mark.parametrize("every", [0, -1, float("nan")])
def test_a_callback_that_would_never_let_go_is_refused(every):
    with pytest.raises(ValueError, match="callback_every"):
        QLearning(cliff_walk()).learn(100, callback_every=every)


@pytest.mark.parametrize("budget", [float("nan"), float("inf"), "5", "many", [1], 0.5])
def test_a_budget_that_is_no_whole_number_is_refused_in_one_sentence(budget):
    with pytest.raises(ValueError, match="total_timesteps must be a whole number"):
        QLearning(cliff_walk()).learn(budget)
