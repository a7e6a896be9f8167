"""Deep agents beside stable-baselines3's (and sb3-contrib's) with identical hyper-parameters: steps per second, in one process.

    python benchmarks/deep_vs_sb3.py                       # every case
    python benchmarks/deep_vs_sb3.py recurrent_ppo         # one of them

Both sides train in turns, so that a busy machine hits both; a rate is steps per second of processor time, the median of the
rounds, and what counts is the median ratio of the rounds. One thread each (OMP_NUM_THREADS=1); machines differ. Each result goes to
benchmarks/results/deep_vs_sb3_<case>.txt. A case is a function below that returns (what we train, what they train, steps of one round),
both as ``train(steps)``; its docstring says what is compared.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

RESULTS = Path(__file__).parent / "results"
Train = Callable[[int], Any]
Case = tuple[Train, Train, int]


def theirs(model: Any) -> Train:
    """Return how a model of stable-baselines3 is trained further."""
    return lambda steps: model.learn(steps, reset_num_timesteps=False)


def dqn() -> Case:
    """DQN on CartPole, stable-baselines3's defaults: batches of 32, an update every 4 steps."""
    return _dqn({"learning_rate": 1e-4, "batch_size": 32, "train_freq": 4, "gradient_steps": 1}, (64, 64))


def dqn_zoo() -> Case:
    """DQN on CartPole with RL Zoo's settings: after every 256 steps 128 updates with batches of 64, hidden layers of 256 and 256."""
    same = {"learning_rate": 2.3e-3, "batch_size": 64, "train_freq": 256, "gradient_steps": 128, "target_update_interval": 10}
    return _dqn(same, (256, 256))


def _dqn(settings: dict[str, Any], hidden: tuple[int, ...]) -> Case:
    import stable_baselines3

    import rlcourse.agents

    same: dict[str, Any] = {"buffer_size": 100_000, "learning_starts": 1_000, "exploration_final_eps": 0.04} | settings
    agent = rlcourse.agents.DQN("CartPole-v1", exploration_initial_eps=0.04, hidden=hidden, seed=0, **same)
    policy = {"net_arch": list(hidden)}
    model = stable_baselines3.DQN(
        "MlpPolicy", "CartPole-v1", exploration_initial_eps=0.04, policy_kwargs=policy, device="cpu", seed=0, **same
    )
    return agent.learn, theirs(model), 10_240


def ppo() -> Case:
    """PPO on 8 copies of CartPole with RL Zoo's settings."""
    same = {"n_steps": 32, "batch_size": 256, "n_epochs": 20, "learning_rate": 0.001, "gamma": 0.98, "gae_lambda": 0.8, "clip_range": 0.2}
    return _on_policy("PPO", 8, same, 10_240)


def a2c() -> Case:
    """A2C on 8 copies of CartPole with the defaults of stable-baselines3: 5 steps, RMSprop."""
    return _on_policy("A2C", 8, {"n_steps": 5, "learning_rate": 7e-4}, 20_000)


def _on_policy(name: str, copies: int, same: dict[str, Any], steps: int) -> Case:
    import stable_baselines3
    from stable_baselines3.common.env_util import make_vec_env

    import rlcourse.agents

    agent = getattr(rlcourse.agents, name)("CartPole-v1", n_envs=copies, seed=0, **same)
    model = getattr(stable_baselines3, name)("MlpPolicy", make_vec_env("CartPole-v1", copies, seed=0), device="cpu", seed=0, **same)
    return agent.learn, theirs(model), steps


def recurrent_ppo() -> Case:
    """RL Zoo's CartPole without velocities, normalised; one LSTM that actor and critic share, as ours do."""
    return _recurrent_ppo({"shared_lstm": True, "enable_critic_lstm": False})


def recurrent_ppo_windows() -> Case:
    """The same, ours trained on windows of 8 steps with stored memories; sb3-contrib's, which has none, on its whole rollouts of 32."""
    return _recurrent_ppo({"shared_lstm": True, "enable_critic_lstm": False}, sequence_length=8)


def recurrent_ppo_two_lstms() -> Case:
    """The same beside sb3-contrib's default and RL Zoo's choice: an LSTM for the actor and another for the critic."""
    return _recurrent_ppo({"enable_critic_lstm": True})


def _recurrent_ppo(lstm: dict[str, bool], **windows: int) -> Case:
    import sb3_contrib
    from stable_baselines3.common.env_util import make_vec_env
    from stable_baselines3.common.vec_env import VecNormalize

    import rlcourse.agents

    env, copies = "rlcourse/MaskedCartPole-v1", 8
    same = {"n_steps": 32, "batch_size": 256, "n_epochs": 20, "learning_rate": 0.001, "gamma": 0.98, "gae_lambda": 0.8, "clip_range": 0.2}
    normal = {"normalize_observations": True, "normalize_rewards": True}
    agent = rlcourse.agents.RecurrentPPO(env, n_envs=copies, hidden=(64,), **normal, **same, **windows)
    policy = {"lstm_hidden_size": 64, "net_arch": {"pi": [64], "vf": [64]}, "ortho_init": False} | lstm
    venv = VecNormalize(make_vec_env(env, copies, seed=0), gamma=0.98)
    return agent.learn, theirs(sb3_contrib.RecurrentPPO("MlpLstmPolicy", venv, device="cpu", seed=0, policy_kwargs=policy, **same)), 4_096


def sac() -> Case:
    """SAC on Pendulum with the defaults of both: hidden layers of 256 and 256, batches of 256, an update a step."""
    return _off_policy("SAC", {"pi": [256, 256], "qf": [256, 256]})


def td3() -> Case:
    """TD3 on Pendulum, hidden layers of 256 and 256, batches of 256, an update a step, the actor's every other step."""
    return _off_policy("TD3", {"pi": [256, 256], "qf": [256, 256]})


def sac_small() -> Case:
    """SAC on Pendulum at the preset's size: hidden layers of 64 and 64, batches of 256, an update a step."""
    return _off_policy("SAC", {"pi": [64, 64], "qf": [64, 64]})


def td3_small() -> Case:
    """TD3 on Pendulum at the preset's size: hidden layers of 64 and 64, batches of 256, an update a step, the actor's every other step."""
    return _off_policy("TD3", {"pi": [64, 64], "qf": [64, 64]})


def _off_policy(name: str, net_arch: dict[str, list[int]]) -> Case:
    import stable_baselines3
    from stable_baselines3.common.noise import NormalActionNoise

    import rlcourse.agents

    same: dict[str, Any] = {"learning_rate": 1e-3, "batch_size": 256, "buffer_size": 100_000, "learning_starts": 100, "train_freq": 1}
    noise = {"action_noise": NormalActionNoise([0.0], [0.1])} if name == "TD3" else {}
    agent = getattr(rlcourse.agents, name)("Pendulum-v1", hidden=tuple(net_arch["pi"]), **same)
    model = getattr(stable_baselines3, name)(
        "MlpPolicy", "Pendulum-v1", device="cpu", policy_kwargs={"net_arch": net_arch}, **same, **noise
    )
    return agent.learn, theirs(model), 1_000


RECURRENT = (recurrent_ppo, recurrent_ppo_two_lstms, recurrent_ppo_windows)
CASES = {case.__name__: case for case in (a2c, dqn, dqn_zoo, ppo, *RECURRENT, sac, sac_small, td3, td3_small)}


def measure(name: str, rounds: int) -> str:
    """Train both sides in turns; return the report."""
    ours, other, steps = CASES[name]()
    rates: dict[str, list[float]] = {"ours": [], "theirs": []}
    for i in range(rounds + 1):
        for side, train in (("ours", ours), ("theirs", other)):
            begin = time.process_time()
            train(steps)
            if i:  # the first round compiles and warms up
                rates[side].append(steps / (time.process_time() - begin))
    mine, their = (statistics.median(rates[side]) for side in ("ours", "theirs"))
    ratio = statistics.median(a / b for a, b in zip(rates["ours"], rates["theirs"], strict=True))
    title = " ".join((CASES[name].__doc__ or "").split())
    return f"{name}: {mine:,.0f} steps/s beside {their:,.0f}, {ratio:.1f} times ({rounds} rounds of {steps:,} steps)\n{title}"


def main() -> None:
    """Measure the cases asked for."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    for name in arguments.cases or CASES:
        report = f"{measure(name, arguments.rounds)}\npython {platform.python_version()}, {platform.machine()}"
        (RESULTS / f"deep_vs_sb3_{name}.txt").write_text(report + "\n")
        print(report, flush=True)


if __name__ == "__main__":
    main()
