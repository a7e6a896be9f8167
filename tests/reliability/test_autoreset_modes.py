"""All three modes of resetting, in Gymnasium's copies and in ours: the same agent comes out, and no row that is no step goes in."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from counting import Corridor, Counting, CountingWorld, Ring
from every_agent import DEEP, acts_in, differences, make
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import TimeLimit
from gymnasium.wrappers.vector import NormalizeObservation, NormalizeReward, RecordEpisodeStatistics

from rlcourse.agents import DQN, PPO
from rlcourse.agents.deep.replay import Replay
from rlcourse.core.autoreset import same_step
from rlcourse.core.copies import as_vector
from rlcourse.core.vector import WorldVectorEnv

SAME, NEXT, DISABLED = AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP, AutoresetMode.DISABLED
MODES = [SAME, NEXT, DISABLED]
OTHERS = [NEXT, DISABLED]
N = 3


def space_of(name):
    return gym.spaces.Discrete(2) if acts_in(name, gym.spaces.Discrete) else gym.spaces.Box(-1, 1, (1,), np.float32)


def sync(mode, space=None, **options):
    return SyncVectorEnv([lambda i=i: Counting(i, space) for i in range(N)], autoreset_mode=mode, **options)


def copies(kind, mode, name):
    if kind == "world":
        return WorldVectorEnv(CountingWorld(not acts_in(name, gym.spaces.Discrete)), N, autoreset_mode=mode, copy=False)
    if kind == "async":
        return AsyncVectorEnv([lambda i=i: Counting(i, space_of(name)) for i in range(N)], autoreset_mode=mode)
    return sync(mode, space_of(name), copy=False)


def learned(name, kind, mode, steps=77):
    """An agent that has learned, and its state; where its copies are is described otherwise, because layers of wrappers are part of it."""
    env = copies(kind, mode, name)
    agent = make(name, env).learn(steps)
    state = {key: value for key, value in agent.state_dict().items() if not key.startswith("env.")}
    if kind == "world":
        state["where"] = np.concatenate([env.states.ravel(), env._lengths, env._scores])
    elif kind == "sync":
        state["where"] = np.array([[each.t, each.episode, each.taken] for each in env.envs])
    env.close()
    return agent, state


@pytest.mark.filterwarnings("ignore:.*interpreted")
@pytest.mark.parametrize("kind", ["sync", "world"])
@pytest.mark.parametrize("name", DEEP)
def test_what_an_agent_learns_does_not_depend_on_the_mode_and_steps_are_counted_once(name, kind):
    reference, wanted = learned(name, kind, SAME)
    assert reference.num_timesteps == 77
    assert len(reference.history) > 10
    for mode in OTHERS:
        agent, state = learned(name, kind, mode)
        assert differences(wanted, state) == [], mode
        assert agent.num_timesteps == 77


@pytest.mark.parametrize("name", ["DQN", "PPO"])
@pytest.mark.parametrize("mode", OTHERS)
def test_an_agent_goes_on_exactly_from_its_file_in_every_mode(name, mode, tmp_path):
    whole = make(name, sync(mode)).learn(96).learn(96)
    file = make(name, sync(mode)).learn(96).save(tmp_path / "a.safetensors")
    again = type(whole).load(file, env=sync(mode)).learn(96)
    assert differences(whole.state_dict(), again.state_dict()) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["DQN", "PPO", "SAC"])
def test_copies_in_other_processes_teach_the_same_in_every_mode(name):
    _, wanted = learned(name, "sync", SAME)
    for mode in MODES:
        assert differences(wanted, learned(name, "async", mode)[1] | {"where": wanted["where"]}) == [], mode


def test_workers_without_shared_memory_reset_in_their_own_time_and_are_refused_in_one_mode_only():
    makers = [lambda i=i: Counting(i) for i in range(2)]
    env = AsyncVectorEnv(makers, shared_memory=False, autoreset_mode=NEXT)
    with pytest.raises(ValueError, match=r"AsyncVectorEnv without shared memory .*SAME_STEP"):
        same_step(env)
    env.reset()
    for _ in range(3):
        seen, _, terminated, truncated, _ = env.step(np.zeros(2, np.int64))
    ended = terminated | truncated
    assert ended.tolist() == [True, False]
    env.reset(options={"reset_mask": ended})
    seen = env.step(np.zeros(2, np.int64))[0]
    assert seen[0, 0] == 0, "Gymnasium 1.4 resets once more; where that has changed, the refusal can go"
    env.close()


@pytest.mark.parametrize("kind", ["sync", "world"])
@pytest.mark.parametrize("mode", MODES)
def test_the_copies_show_what_gymnasium_shows_in_the_same_step(mode, kind):
    reference, env = (as_vector(copies(kind, each, "DQN"), N) for each in (SAME, mode))
    assert env.metadata["autoreset_mode"] == SAME
    wanted, got = reference.reset(seed=0)[0], env.reset(seed=0)[0]
    rng, finals = np.random.default_rng(0), 0
    for _ in range(40):
        np.testing.assert_array_equal(wanted, got)
        actions = rng.integers(2, size=N)
        wanted, *outcome, infos = reference.step(actions)
        got, *mine, my_infos = env.step(actions)
        np.testing.assert_array_equal(np.array(outcome), np.array(mine))
        assert ("final_obs" in infos) == ("final_obs" in my_infos) == bool((outcome[1] | outcome[2]).any())
        if "final_obs" not in infos:
            continue
        np.testing.assert_array_equal(infos["_final_obs"], my_infos["_final_obs"])
        for i in np.flatnonzero(infos["_final_obs"]):
            finals += 1
            np.testing.assert_array_equal(infos["final_obs"][i], my_infos["final_obs"][i])
            assert [infos["episode"][key][i] for key in "rl"] == [my_infos["episode"][key][i] for key in "rl"]
            if kind == "sync":
                assert infos["final_info"]["t"][i] == my_infos["final_info"]["t"][i] == my_infos["episode"]["l"][i]
                assert infos["begins"][i] == my_infos["begins"][i]
    assert finals > 20


@pytest.mark.parametrize("mode", MODES)
def test_no_memory_joins_the_end_of_an_episode_to_the_beginning_of_the_next(mode):
    env = as_vector(sync(mode), N)
    memory = Replay.of(env, 1000)
    seen, infos = env.reset(seed=0)
    memory.begin(seen, infos)
    lengths, stored = 0, 0
    while stored < 200:
        seen, episodes = memory.collect(env, seen, lambda t, seen: (np.zeros(N, np.int64),) * 2, 200 - stored)
        stored, lengths = stored + memory.valid, lengths + int(episodes[:, 1].sum())
    assert len(memory) == int(memory.stored.sum()) == 200
    begun = [env.unwrapped.envs[i].t for i in range(N)]
    taken = sum(each.taken for each in env.unwrapped.envs)
    assert lengths + sum(begun) == taken == 201, "the last step of one copy is not stored"
    slots = np.flatnonzero(memory.stored.reshape(-1))
    batch = memory.take(slots, 0.9)
    ahead = batch.discounts > 0
    np.testing.assert_array_equal(batch.next_observations[ahead, 0], batch.observations[ahead, 0] + 1)
    np.testing.assert_array_equal(batch.next_observations[ahead, 1], batch.observations[ahead, 1])
    np.testing.assert_allclose(batch.rewards, 0.1 * (batch.observations[:, 0] + 1), rtol=1e-6)
    assert (~ahead).sum() > 20


@pytest.mark.parametrize("mode", MODES)
def test_episodes_are_told_right_by_whatever_counts_them(mode):
    makers = [lambda: TimeLimit(Counting(), 2), lambda: Counting(1), lambda: Counting(2)]
    each = [*makers[:2], lambda: gym.wrappers.RecordEpisodeStatistics(Counting(2))]  # Gymnasium's own around such copies raises
    for wrap in (None, lambda env: env, RecordEpisodeStatistics, lambda env: NormalizeReward(RecordEpisodeStatistics(env))):
        env = SyncVectorEnv(each if wrap is None else makers, autoreset_mode=mode)
        agent = PPO(env if wrap is None else wrap(env), n_steps=8, batch_size=8, hidden=(4,), n_epochs=1, learning_rate=0.0, seed=0).learn(
            60
        )
        rows = agent.history.rows
        assert len(rows) == 10 + 6 + 7
        assert sorted(rows[:, 1].tolist()) == sorted([2.0] * 10 + [4.0, 2.0, 3.0] * 2 + [2.0, 3.0, 4.0] * 2 + [2.0])
        sums = 0.05 * rows[:, 1] * (rows[:, 1] + 1)  # and 0.01 for each action that was 1
        assert ((rows[:, 0] >= sums - 1e-5) & (rows[:, 0] <= sums + 0.01 * rows[:, 1] + 1e-5)).all()


@pytest.mark.parametrize("mode", OTHERS)
def test_a_reset_by_mask_leaves_what_wrappers_know_of_other_copies(mode):
    env = same_step(NormalizeReward(RecordEpisodeStatistics(sync(mode)), gamma=1.0))
    env.reset(seed=0)
    for t in range(1, 4):
        *_, infos = env.step(np.zeros(N, np.int64))
        if t == 2:
            assert infos["_episode"].tolist() == [False, False, True]
            np.testing.assert_allclose(env.env.accumulated_reward, [0.3, 0.3, 0.0], rtol=1e-5)
            assert env.env.env.episode_lengths.tolist() == [2, 2, 0]
    assert infos["episode"]["l"][0] == 3


def test_each_vector_environment_keeps_its_mode_and_no_class_is_changed():
    before = dict(Counting.metadata)
    same, following = sync(SAME), sync(NEXT)
    adapted = same_step(following)
    assert [env.metadata["autoreset_mode"] for env in (same, following, adapted)] == [SAME, NEXT, SAME]
    assert Counting.metadata == before == gym.Env.metadata
    assert "autoreset_mode" not in gym.vector.VectorEnv.metadata
    assert same_step(same) is same
    assert same_step(adapted) is adapted


def test_observations_of_several_parts_keep_their_last_ones():
    class Parts(Counting):
        observation_space = gym.spaces.Dict({"t": gym.spaces.Discrete(9), "x": gym.spaces.Box(0, 9, (2,), np.float32)})

        def _seen(self):
            return {"t": self.t, "x": np.full(2, self.t, np.float32)}

    makers = [lambda i=i: Parts(i) for i in range(N)]
    states = []
    for mode in MODES:
        env = SyncVectorEnv(makers, autoreset_mode=mode, copy=False)
        state = DQN(env, learning_starts=10, batch_size=8, buffer_size=100, hidden=(8,), seed=0).learn(80).state_dict()
        states.append({key: value for key, value in state.items() if not key.startswith("env.")})
        seen, _ = as_vector(env, N).reset()
        assert seen["t"].tolist() == [0, 0, 0]
    assert differences(states[0], states[1]) == differences(states[0], states[2]) == []


def test_what_cannot_be_reset_by_mask_is_refused_in_one_sentence():
    with pytest.raises(ValueError, match=r"CartPoleVectorEnv resets in the step after.*SAME_STEP"):
        PPO(gym.make_vec("CartPole-v1", 2), seed=0)
    with pytest.raises(ValueError, match=r"NormalizeObservation cannot reset single copies.*normalize_observations"):
        PPO(NormalizeObservation(sync(NEXT)), seed=0)
    nameless = sync(SAME)
    del nameless.metadata["autoreset_mode"]
    with pytest.raises(ValueError, match=r"metadata\['autoreset_mode'\] must say"):
        PPO(nameless, seed=0)


def values(kind, makers, mode, states, steps, **settings):
    """What an agent with gamma 0.5 has learned, at one-hot observations."""
    env = SyncVectorEnv(makers, autoreset_mode=mode)
    agent = kind(env, gamma=0.5, hidden=(16,), seed=0, **settings).learn(steps)
    with torch.no_grad():
        where = torch.eye(states)
        found = agent.policy(where)[1] if kind is PPO else agent.values(agent.network.forward(where)).mean(1)
    return found.numpy().ravel()


@pytest.mark.parametrize(
    ("kind", "mode", "settings"),
    [
        (PPO, NEXT, {"n_steps": 32, "batch_size": 64, "learning_rate": 0.02}),
        (DQN, DISABLED, {"learning_starts": 100, "learning_rate": 0.01, "target_update_interval": 50}),
    ],
)
def test_values_are_the_known_ones_behind_a_limit_and_where_both_end_an_episode(kind, mode, settings):
    limits = [lambda: TimeLimit(Ring(), 3), lambda: TimeLimit(Ring(), 2)]
    np.testing.assert_allclose(values(kind, limits, mode, 2, 1500, **settings), 2.0, atol=0.1)
    found = values(kind, [Corridor, Corridor], mode, 4, 1500, **settings)[:3]
    np.testing.assert_allclose(found, [1.75, 1.5, 1.0], atol=0.1)


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("name", DEEP)
def test_budgets_that_divide_nothing_are_exact_and_no_step_is_taken_in_vain(name, n):
    agent = make(name, SyncVectorEnv([lambda i=i: Counting(i, space_of(name)) for i in range(n)], autoreset_mode=NEXT))
    taken, counted = 0, 0
    for budget in (1, 10, 46):
        agent.learn(budget)
        counted += budget
        assert agent.num_timesteps == counted
        before, taken = taken, sum(env.taken for env in agent.venv.unwrapped.envs)
        assert budget <= taken - before < budget + n
        assert agent.history["timesteps"].max(initial=0) <= counted
    assert agent.history["length"].sum() <= taken
    assert set(agent.history["length"]) <= {2.0, 3.0, 4.0}
