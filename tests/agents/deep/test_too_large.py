"""What would not fit into memory is refused in one sentence, before anything is taken."""

import pytest
import torch

from rlcourse import agents
from rlcourse.agents.deep.programs.together import learn_together, program_of
from rlcourse.cli.main import main
from rlcourse.core import memory
from rlcourse.core.memory import must_fit
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.envs import CartPole
from rlcourse.envs.pendulum import Pendulum


@pytest.mark.parametrize(
    ("name", "env", "settings"),
    [
        ("DQN", "CartPole-v1", {"buffer_size": 10**12}),
        ("DRQN", "CartPole-v1", {"memory_size": 10**9}),
        ("RecurrentPPO", "CartPole-v1", {"memory_size": 10**9}),
        ("DQN", "CartPole-v1", {"hidden": (10**9, 64)}),
        ("PPO", "CartPole-v1", {"hidden": (10**10,)}),
        ("SAC", "Pendulum-v1", {"hidden": (3 * 10**9, 3 * 10**9)}),
        ("CrossQ", "Pendulum-v1", {"actor_hidden": (10**6, 10**6)}),
        ("PPO", "CartPole-v1", {"n_envs": 10**14}),
    ],
)
def test_an_agent_that_does_not_fit_is_refused_by_the_name_of_its_setting(name, env, settings):
    with pytest.raises(ValueError, match=f"^{next(iter(settings))}"):
        getattr(agents, name)(env, **settings)


@pytest.mark.parametrize("env", ["CartPole-v1", CartPole(), "Blackjack-v1"])
def test_too_many_copies_are_refused_by_name_before_the_first_is_made(env, monkeypatch):
    free, copies = (10**7, 10**5) if env != "Blackjack-v1" else (10**6, 100)
    monkeypatch.setattr(memory, "free_memory", lambda: free)
    with pytest.raises(ValueError, match=rf"^n_envs: {copies:,} copies of the environment would take \d\.\d\d GB, more than half"):
        agents.PPO(env, n_envs=copies, n_steps=1, batch_size=1, hidden=(4,))
    if isinstance(env, CartPole):
        with pytest.raises(ValueError, match=r"^num_envs: 100,000 copies"):
            WorldVectorEnv(env, copies)
        assert WorldVectorEnv(env, 1000).num_envs == 1000


@pytest.mark.parametrize("arguments", ["cartpole --algo dqn --buffer-size 1e12", "maskedcartpole --algo drqn --memory-size 1e9"])
def test_the_command_says_it_in_one_sentence_and_exits_with_two(arguments, tmp_path, capsys):
    assert main(["train", *arguments.split(), "-n", "100", "-o", str(tmp_path)]) == 2
    said = capsys.readouterr().err.strip()
    assert said.count("\n") == 0
    assert "lower it" in said


def test_an_error_of_another_kind_is_left_as_it_is():
    with pytest.raises(RuntimeError, match="shapes"), must_fit("hidden"):
        raise RuntimeError("shapes do not match")
    with pytest.raises(ValueError, match="hidden: this agent does not fit"), must_fit("hidden"):
        raise MemoryError


REPLAYING = {
    "uniform": ("DQN", CartPole(), {}),
    "prioritized": ("DQN", CartPole(), {"prioritized": True}),
    "with memory": ("DRQN", CartPole(), {"memory_size": 16}),
    "of a Box": ("SAC", Pendulum(), {}),
}


@pytest.mark.parametrize("case", REPLAYING)
def test_a_program_says_of_its_replay_memories_what_they_take_and_refuses_too_much(case, monkeypatch):
    name, world, settings = REPLAYING[case]
    made = [getattr(agents, name)(world, seed=s, buffer_size=4000, hidden=(8,), device="cpu", **settings) for s in range(2)]
    asked = []
    monkeypatch.setattr("rlcourse.agents.deep.programs.off_policy.require_memory", lambda what, needed, setting: asked.append(needed))
    ring = program_of(made).ring
    tables = [part for part in vars(ring).values() if isinstance(part, torch.Tensor) and part.dim() > 1 and ring.rows in part.shape[:2]]
    assert asked == pytest.approx([sum(part.nbytes for part in tables)], rel=1e-3)
    monkeypatch.undo()
    for agent in made:
        agent.program = None
    monkeypatch.setattr(memory, "free_memory", lambda: 2 * asked[0] - 2)
    with pytest.raises(ValueError, match=r"^buffer_size: replay memories of 4,000 transitions would take"):
        learn_together(made, 64)


def test_a_program_refuses_batches_of_whole_episodes_that_do_not_fit(monkeypatch):
    made = [agents.REINFORCE(WorldVectorEnv(CartPole(), 3, 1000), seed=s, episodes_per_update=30, hidden=(8,)) for s in range(2)]
    asked = []
    monkeypatch.setattr("rlcourse.agents.deep.programs.reinforce.require_memory", lambda *what: asked.append(what))
    program = program_of(made)
    held = [*program.batch.values(), *program._columns.values(), program.returns]
    assert asked == [("batches of 10,032 steps in each copy", sum(part.nbytes for part in held), "episodes_per_update")]
    monkeypatch.undo()
    for agent in made:
        agent.program = None
    monkeypatch.setattr(memory, "free_memory", lambda: 2 * asked[0][1] - 2)
    with pytest.raises(ValueError, match=r"^episodes_per_update: batches of 10,032 steps in each copy would take"):
        learn_together(made, 64)
