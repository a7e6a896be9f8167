"""What would not fit into memory is refused in one sentence, before anything is taken."""

import pytest

from rlcourse import agents
from rlcourse.cli.main import main
from rlcourse.core.memory import must_fit


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
