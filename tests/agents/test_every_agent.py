"""What holds for every agent of the package; an agent is found by its name in `rlcourse.agents.MODULES`."""

import dataclasses
import inspect

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.wrappers import TimeLimit
from stable_baselines3.common.evaluation import evaluate_policy

from rlcourse import agents
from rlcourse.agents.tabular import TabularAgent
from rlcourse.core.agent import Agent
from rlcourse.core.evaluation import evaluate
from rlcourse.core.files import DamagedFile
from rlcourse.core.gymworld import GymWorld
from rlcourse.core.mdp import MDP
from rlcourse.envs import cliff_walk


def needs_model(name: str) -> bool:
    """Whether an agent refuses an environment without a model."""
    try:
        getattr(agents, name)(gym.make("Blackjack-v1"))
    except ValueError as error:
        return "needs a model" in str(error)
    return False


EVERY = sorted(agents.MODULES)
TABULAR = [name for name in EVERY if issubclass(getattr(agents, name), TabularAgent)]
PLANNERS = [name for name in TABULAR if needs_model(name)]
BANDITS = [name for name in TABULAR if ".bandits." in agents.MODULES[name]]
SUITED = {"AfterstateTD": "rlcourse/TicTacToe-v0"}  # agents that need an environment of a kind, and one of that kind
LEARNERS = [name for name in TABULAR if name not in PLANNERS and name not in SUITED]
BOOTSTRAPPERS = [name for name in LEARNERS if name not in BANDITS]
PREDICTORS = [name for name in TABULAR if "policy" in getattr(agents, name).inputs]  # they act by the policy that they evaluate
DEEP = [name for name in EVERY if name not in TABULAR]
VALUES = ("Q", "V", "Q1", "Q2")  # tables of values: what a bootstrap reads
DETERMINISTIC = {"IterativePolicyEvaluation", "PolicyIteration", "ValueIteration"}  # no seed matters to them
SMALL = {  # settings that make a test quick; a rollout of a deep agent has n_envs * n_steps = 32 steps
    "DDPG": {"learning_starts": 10, "batch_size": 8, "buffer_size": 100, "hidden": (8, 8)},
    "SAC": {"learning_starts": 10, "batch_size": 8, "buffer_size": 100, "hidden": (8, 8)},
    "TD3": {"learning_starts": 10, "batch_size": 8, "buffer_size": 100, "hidden": (8, 8)},
    "DQN": {"learning_starts": 10, "train_freq": 4, "batch_size": 8, "buffer_size": 100, "target_update_interval": 16, "hidden": (8,)},
    "A2C": {"n_envs": 2, "n_steps": 8, "hidden": (8,)},
    "DRQN": {
        "n_envs": 2,
        "learning_starts": 10,
        "train_freq": 4,
        "batch_size": 4,
        "sequence_length": 4,
        "burn_in": 2,
        "buffer_size": 100,
        "target_update_interval": 16,
        "hidden": (8,),
        "memory_size": 8,
    },
    "PPO": {"n_envs": 2, "n_steps": 16, "batch_size": 16, "n_epochs": 2, "hidden": (8,)},
    "CrossQ": {"n_envs": 2, "batch_size": 8, "learning_starts": 16, "buffer_size": 100, "hidden": (8,), "actor_hidden": (8,)},
    "DiscreteCrossQ": {"n_envs": 2, "batch_size": 8, "learning_starts": 16, "buffer_size": 100, "hidden": (8,)},
    "DiscreteSAC": {"n_envs": 2, "batch_size": 8, "learning_starts": 16, "buffer_size": 100, "hidden": (8,)},
    "PQN": {"n_envs": 2, "n_steps": 16, "batch_size": 16, "n_epochs": 2, "hidden": (8,)},
    "REINFORCE": {"episodes_per_update": 1, "hidden": (8,)},
    "RecurrentPPO": {"n_envs": 2, "n_steps": 16, "batch_size": 16, "n_epochs": 2, "hidden": (8,), "memory_size": 8},
    "BatchMC": {"sweeps": 3},
    "BatchTD0": {"sweeps": 3},
}
ROLLOUT = 32
ALONE = {  # settings under which a real step makes one update, and no planning follows
    "DynaQ": {"n": 0},
    "DynaQPlus": {"n": 0},
    "DynaQSelection": {"n": 0},
    "PrioritizedSweeping": {"n": 1},
}


def acts_in(name: str, kind: type) -> bool:
    """Whether a deep agent acts in spaces of a kind."""
    return kind in getattr(agents, name).actions


def small_env(name: str) -> str:
    """Return the id of a small environment that suits an agent."""
    return SUITED.get(name, "FrozenLake-v1" if name in TABULAR else "CartPole-v1" if acts_in(name, spaces.Discrete) else "Pendulum-v1")


def make(name: str, env=None, seed: int = 3, **settings) -> Agent:
    """An agent on a small environment that suits it."""
    env = small_env(name) if env is None else env
    return getattr(agents, name)(env, seed=seed, **(SMALL.get(name, {}) | settings))


def known(name: str, **settings) -> dict:
    """Return those of the settings that an agent has."""
    return {
        key: value for key, value in settings.items() if key in {field.name for field in dataclasses.fields(getattr(agents, name).Config)}
    }


def values_of(agent: Agent) -> list[np.ndarray]:
    """Return an agent's tables of values."""
    weights = [agent.w.reshape(agent.Q.shape)] if "w" in agent.tables else []  # one feature for each pair, unless others are given
    return [getattr(agent, table) for table in VALUES if table in agent.tables] + weights


def learn(agent: Agent, units: int) -> Agent:
    """Learn for a number of episodes (tabular) or rollouts (deep)."""
    tabular = isinstance(agent, TabularAgent)
    return agent.learn(episodes=units) if tabular else agent.learn(units * ROLLOUT)


def differences(a, b, where: str = "state") -> list[str]:
    """Return the names of what differs between two states."""
    if isinstance(a, dict):
        inner = [difference for k in a.keys() & b.keys() for difference in differences(a[k], b[k], f"{where}.{k}")]
        return inner + [f"{where}.{k}" for k in a.keys() ^ b.keys()]
    return [] if np.array_equal(np.asarray(a), np.asarray(b)) else [where]


class Opaque(gym.Wrapper):
    """A wrapper that rlcourse does not know: boxes run interpreted behind it."""


class OneStep(gym.Env):
    """One step with reward 1 ends the episode, terminated or truncated; the state that it leads to has its own number."""

    action_space = spaces.Discrete(2)
    observation_space = spaces.Discrete(2)

    def __init__(self, terminated: bool) -> None:
        self.terminated = terminated

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return 0, {}

    def step(self, action):
        return 1, 1.0, self.terminated, not self.terminated, {}


class Grid(gym.Env):
    """Two coordinates in a space of choice; actions that begin at 5. Episodes last 6 steps."""

    action_space = spaces.Discrete(2, start=5)

    def __init__(self, space) -> None:
        self.observation_space = space

    def _seen(self):
        self.observation_space.seed(int(self.np_random.integers(1000)))
        return self.observation_space.sample()

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        return self._seen(), {}

    def step(self, action):
        assert self.action_space.contains(action), action
        self.t += 1
        return self._seen(), float(action == 6), self.t == 6, False, {}


def test_the_registry_names_classes_that_exist_and_are_agents():
    assert set(EVERY) <= set(agents.__all__)
    for name in EVERY:
        kind = getattr(agents, name)
        assert issubclass(kind, Agent)
        assert kind.__name__ == name
        assert {field.name for field in dataclasses.fields(kind.Config)} <= set(inspect.signature(kind).parameters)


@pytest.mark.parametrize("name", EVERY)
def test_learning_saving_loading_and_learning_on_is_learning_in_one_go(name, tmp_path):
    interrupted, whole = learn(make(name), 6), learn(learn(make(name), 6), 6)
    resumed = learn(type(interrupted).load(interrupted.save(tmp_path / "agent.safetensors")), 6)
    assert differences(resumed.state_dict(), whole.state_dict()) == []
    assert resumed.history.columns == whole.history.columns
    if name in TABULAR:  # for them a call of learn leaves no trace: one call of 12 episodes is the same too
        assert differences(learn(make(name), 12).state_dict(), whole.state_dict()) == []
    else:
        assert differences(make(name).learn(2 * 6 * ROLLOUT).state_dict(), whole.state_dict()) == []


@pytest.mark.parametrize("name", [name for name in DEEP if acts_in(name, spaces.Box)])
def test_deep_agents_also_resume_exactly_with_box_actions_schedules_and_normalisation(name, tmp_path):
    wanted = {"normalize_observations": True, "normalize_rewards": True, "learning_rate": "linear(0.001234567, 0, 1234567)"}
    settings = known(name, **wanted)
    first = make(name, "Pendulum-v1", **settings).learn(4 * ROLLOUT)
    resumed = type(first).load(first.save(tmp_path / "agent.safetensors"))
    assert resumed.config == first.config
    assert differences(resumed.learn(4 * ROLLOUT).state_dict(), make(name, "Pendulum-v1", **settings).learn(8 * ROLLOUT).state_dict()) == []


@pytest.mark.parametrize("name", LEARNERS)
def test_resuming_is_exact_also_where_the_environment_is_a_foreign_one(name, tmp_path):
    def env():
        return Opaque(gym.make("FrozenLake-v1"))

    first = make(name, env()).learn(episodes=10)
    resumed = type(first).load(first.save(tmp_path / "agent.safetensors"), env=env()).learn(episodes=10)
    assert differences(resumed.state_dict(), make(name, env()).learn(episodes=20).state_dict()) == []


@pytest.mark.parametrize("name", LEARNERS)
def test_evaluating_in_the_environment_it_learns_in_changes_nothing_for_a_learner(name):
    undisturbed, disturbed = (make(name, Opaque(gym.make("FrozenLake-v1"))) for _ in range(2))
    undisturbed.learn(episodes=20)
    disturbed.learn(episodes=10)
    evaluate(disturbed, disturbed.env, 3)
    disturbed.learn(episodes=10)
    assert differences(undisturbed.state_dict(), disturbed.state_dict()) == []


@pytest.mark.parametrize("name", EVERY)
def test_one_seed_gives_one_result_and_another_seed_another(name):
    def run(seed):
        return {k: v for k, v in learn(make(name, seed=seed), 20).state_dict().items() if k != "rng"}

    assert differences(run(1), run(1)) == []
    assert name in DETERMINISTIC or differences(run(1), run(2)) != []


@pytest.mark.parametrize("name", EVERY)
def test_stable_baselines3_evaluates_every_agent(name):
    agent = learn(make(name), 5)
    mean, deviation = evaluate_policy(agent, gym.make(agent.env.spec.id), n_eval_episodes=3, warn=False)
    assert np.isfinite([mean, deviation]).all()
    returns, lengths = evaluate_policy(agent, gym.make(agent.env.spec.id), 3, deterministic=False, return_episode_rewards=True, warn=False)
    assert len(returns) == len(lengths) == 3


@pytest.mark.parametrize("deterministic", [True, False])
@pytest.mark.parametrize("name", EVERY)
def test_one_observation_gives_an_int_and_a_batch_an_array(name, deterministic):
    agent = make(name)
    one = agent.observation_space.sample()
    action, state = agent.predict(one, deterministic=deterministic)
    shape = agent.action_space.shape
    assert type(action) is int if shape == () else action.shape == shape
    assert (state is None) == (not getattr(agent, "recurrent", False))
    assert agent.action_space.contains(action)
    batch = np.stack([np.asarray(agent.observation_space.sample()) for _ in range(5)])
    many, _ = agent.predict(batch, deterministic=deterministic)
    assert many.shape == (5, *shape)
    if deterministic:
        np.testing.assert_allclose(many, [agent.predict(each)[0] for each in batch], rtol=1e-5, atol=1e-6)
    assert agent.predict(batch[:1], deterministic=deterministic)[0].shape == (1, *shape)


@pytest.mark.parametrize(
    "space",
    [
        spaces.Discrete(6, start=-2),
        spaces.MultiDiscrete([3, 2]),
        spaces.MultiDiscrete([3, 2], start=[4, -1]),
        spaces.Tuple((spaces.Discrete(3), spaces.Discrete(2, start=1))),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", LEARNERS)
def test_tables_take_every_finite_observation_and_actions_that_begin_anywhere(name, space):
    agent = make(name, Grid(space), **known(name, alpha=0.1, gamma=0.5)).learn(3000)
    assert agent.action_values(np.arange(6)).shape == (6, 2)
    assert agent.num_timesteps == 3000
    observation, best = space.sample(), 5 if name in PREDICTORS else 6
    assert agent.predict(observation)[0] == best, "the action with the reward"
    batch = tuple(np.array([part] * 4) for part in observation) if isinstance(space, spaces.Tuple) else np.array([observation] * 4)
    assert agent.predict(batch)[0].tolist() == [best] * 4


@pytest.mark.parametrize("name", TABULAR)
def test_an_observation_outside_the_space_is_refused(name):
    for wrong in (make(name).observation_space.n, -1):
        with pytest.raises(ValueError, match="outside"):
            make(name).predict(wrong)


@pytest.mark.parametrize("name", LEARNERS)
def test_a_component_outside_its_range_is_refused_and_not_taken_for_another_observation(name):
    agent = make(name, Grid(spaces.MultiDiscrete([3, 2])))
    with pytest.raises(ValueError, match="outside"):
        agent.predict(np.array([0, 3]))


@pytest.mark.parametrize("steps", [1, 31, 33, 101])
@pytest.mark.parametrize("name", [*LEARNERS, *SUITED, *DEEP])
def test_the_budget_of_steps_is_exact_and_counts_on(name, steps):
    agent = make(name).learn(steps)
    assert agent.num_timesteps == steps
    assert agent.learn(7).num_timesteps == steps + 7
    assert np.all(np.diff(agent.history["timesteps"]) >= 0)
    assert not len(agent.history) or agent.history["timesteps"][-1] <= steps + 7


@pytest.mark.parametrize("name", [*LEARNERS, *SUITED])
def test_the_budget_of_episodes_is_exact(name):
    assert len(make(name).learn(episodes=17).history) == 17


@pytest.mark.parametrize("bad", [{}, {"total_timesteps": 0}, {"total_timesteps": -5}, {"total_timesteps": 1.5}, {"episodes": True}])
@pytest.mark.parametrize("name", [*LEARNERS, *SUITED, *DEEP])
def test_a_budget_that_is_none_is_refused(name, bad):
    with pytest.raises(ValueError, match=r"total_timesteps|episodes"):
        make(name).learn(**bad)


@pytest.mark.parametrize("name", [*LEARNERS, *SUITED, *DEEP])
def test_a_callback_that_says_false_stops_and_none_goes_on(name):
    calls = []
    agent = make(name).learn(100 * ROLLOUT, callback=[lambda a: calls.append(a), lambda a: len(calls) < 3], callback_every=ROLLOUT)
    assert len(calls) == 3
    assert calls[0] is agent
    assert 3 * ROLLOUT <= agent.num_timesteps < 30 * ROLLOUT


@pytest.mark.parametrize("name", EVERY)
def test_settings_are_checked_at_construction_in_one_sentence(name):
    setting = next(iter(known(name, gamma=0, alpha=0, c=0)))  # bandits have no discount
    with pytest.raises(ValueError, match=f"did you mean '{setting}'"):
        make(name, **{f"{setting}_": 0.9})
    for wrong in (1.5, -0.1, float("nan"), "high", None, True):
        if (wrong is None and name in BANDITS) or (wrong == 1.5 and setting != "gamma"):
            continue  # there a step size of None is the sample average, and c or alpha may be larger than one
        with pytest.raises(ValueError, match=f"{setting} must be a number"):
            make(name, **{setting: wrong})
    for seed in (-1, 1.5, True, "0"):
        with pytest.raises(ValueError, match="seed"):
            make(name, seed=seed)
    config = getattr(agents, name).Config(**{setting: 0.5})
    assert getattr(make(name, config=config).config, setting) == 0.5
    with pytest.raises(ValueError, match=f"did you mean '{setting}'"):
        make(name, config=config, **{f"{setting}_": 0.9})
    with pytest.raises(ValueError, match="config must be"):
        make(name, config={setting: 0.5})


@pytest.mark.parametrize("name", EVERY)
def test_an_environment_that_it_cannot_serve_is_refused_in_one_sentence(name):
    with pytest.raises(ValueError, match="NoSuch"):
        make(name, "NoSuchEnvironment-v0")
    with pytest.raises(ValueError, match="env must be"):
        make(name, 42)
    if name in TABULAR:
        with pytest.raises(ValueError, match="finite observations"):
            make(name, "CartPole-v1")


@pytest.mark.parametrize("name", EVERY)
def test_a_file_that_is_not_the_agents_is_refused(name, tmp_path):
    agent, path = make(name), tmp_path / "agent.safetensors"
    agent.save(path)
    other = getattr(agents, next(other for other in EVERY if other != name))
    with pytest.raises(ValueError, match=f"holds a {name}, not a {other.__name__}"):
        other.load(path)
    others = {"FrozenLake-v1": "CliffWalking-v1", "CartPole-v1": "Acrobot-v1", "Pendulum-v1": "MountainCarContinuous-v0"}
    with pytest.raises(ValueError, match="needs a game" if name in SUITED else "was trained on"):
        type(agent).load(path, env=others.get(small_env(name), "CliffWalking-v1"))
    assert type(agents.load(path)) is type(agent)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(DamagedFile):
        type(agent).load(path)
    with pytest.raises(FileNotFoundError):
        type(agent).load(tmp_path / "none.safetensors")


@pytest.mark.parametrize("name", EVERY)
def test_a_state_is_a_copy_and_of_one_class_only(name):
    agent = learn(make(name), 3)
    state = agent.state_dict()
    learn(agent, 3)
    other = make(name, seed=9)
    other.load_state_dict(state)
    assert differences(learn(other, 3).state_dict(), agent.state_dict()) == []
    with pytest.raises(ValueError, match="state of a Stranger"):
        agent.load_state_dict(state | {"class": "Stranger"})


@pytest.mark.parametrize("name", BOOTSTRAPPERS)
def test_a_truncated_step_bootstraps_and_a_terminated_one_does_not(name):
    for terminated, value in ((True, 1.0), (False, 1.0 + 0.9 * 10.0)):
        agent = make(name, OneStep(terminated), **known(name, alpha=1.0, gamma=0.9, epsilon=0.0))
        for table in values_of(agent):
            table[1] = 10.0  # the value of the state in which the episode ends
        agent.learn(episodes=1)
        assert max(table[0].max() for table in values_of(agent)) == pytest.approx(value)
        assert agent.history[-1]["terminated"] == float(terminated)


@pytest.mark.parametrize("name", BOOTSTRAPPERS)
def test_the_time_limit_of_an_environment_truncates_and_bootstraps_at_both_speeds(name):
    for wrap in (lambda env: env, Opaque):
        env = wrap(TimeLimit(gym.make("rlcourse/CliffWalk-v0").unwrapped, 1))
        agent = make(name, env, **known(name, alpha=1.0, gamma=0.5, epsilon=0.0), **ALONE.get(name, {}))
        for table in values_of(agent):
            table[:] = -8.0
        agent.learn(episodes=1)
        assert agent.history[-1] == {"return": agent.history[-1]["return"], "length": 1.0, "terminated": 0.0, "timesteps": 1.0}
        changed = np.concatenate([table[table != -8.0] for table in values_of(agent)])
        assert changed.tolist() == [agent.history[-1]["return"] + 0.5 * -8.0]


@pytest.mark.parametrize("name", LEARNERS)
def test_a_table_of_gymnasium_compiled_equals_its_environment_interpreted(name):
    for id in ("FrozenLake-v1", "Taxi-v4", "CliffWalking-v1"):
        begin = known(name, start_anywhere=False)  # with exploring starts only the first action is random
        fast, slow = make(name, id, seed=1, **begin), make(name, Opaque(gym.make(id)), seed=1, **begin)
        assert isinstance(fast.world, MDP)
        assert isinstance(slow.world, GymWorld)
        assert differences(fast.learn(1500).state_dict(), slow.learn(1500).state_dict()) == []


@pytest.mark.parametrize("name", LEARNERS)
def test_it_learns_interpreted_in_gymnasium_s_blackjack(name):
    agent = make(name, "Blackjack-v1").learn(episodes=30)
    assert isinstance(agent.world, GymWorld)
    assert len(agent.history) == 30


@pytest.mark.parametrize("name", EVERY)
def test_a_progress_bar_disturbs_nothing(name, capsys):
    plain, barred = learn(make(name), 2), make(name)
    barred.learn(**({"episodes": 2} if name in TABULAR else {"total_timesteps": 2 * ROLLOUT}), progress_bar=True)
    assert differences(plain.state_dict(), barred.state_dict()) == []
    assert name in capsys.readouterr().out


def test_an_agent_that_names_no_environment_asks_for_one(tmp_path):
    path = agents.QLearning(cliff_walk()).save(tmp_path / "q.safetensors")
    with pytest.raises(ValueError, match="pass env="):
        agents.QLearning.load(path)
    assert agents.QLearning.load(path, env=cliff_walk()).Q.shape == (48, 4)


@pytest.mark.parametrize("name", EVERY)
def test_a_file_names_its_environment_only_where_the_id_alone_makes_it(name, tmp_path):
    id = small_env(name)
    variants = {"FrozenLake-v1": {"is_slippery": False}, "CartPole-v1": {"sutton_barto_reward": True}, "Pendulum-v1": {"g": 5.0}}
    options = variants.get(id, {"draw": 0.25})
    path = tmp_path / "agent.safetensors"
    make(name, gym.make(id, render_mode="rgb_array")).save(path)
    assert getattr(agents, name).load(path).env.spec.id == id
    for other in (gym.make(id, **options), gym.make(id, max_episode_steps=7)):
        make(name, other).save(path)
        with pytest.raises(ValueError, match="pass env="):
            getattr(agents, name).load(path)
