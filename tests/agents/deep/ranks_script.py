"""What a rank of `test_ranks` does: ``torchrun --nproc-per-node 2 ranks_script.py FOLDER``; it leaves what it came to in FOLDER."""

import sys
from pathlib import Path

import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from torch import distributed

from rlcourse.agents import DQN, PPO

T, N = 6, 4  # steps of the given rollout, and copies of all ranks
GIVEN = {
    "n_envs": N,
    "n_steps": T,
    "batch_size": T * N,
    "n_epochs": 3,
    "learning_rate": 1e-2,
    "hidden": (8,),
    "clip_range_vf": 0.2,
    "ent_coef": 0.01,
    "target_kl": 10.0,
    "normalize_observations": True,
    "normalize_rewards": True,
}
LEARN = {"n_envs": N, "n_steps": 16, "batch_size": 16, "n_epochs": 2, "hidden": (8,), "target_kl": 0.05, "encoder": "mlp:8+bn"}
LEARN |= {"normalize_observations": True, "normalize_rewards": True}


def copies(n):
    import gymnasium as gym

    return SyncVectorEnv([lambda: gym.make("CartPole-v1")] * n, autoreset_mode=AutoresetMode.SAME_STEP)


def updated(first, last, counts, **settings):
    """An agent that has updated twice on columns first to last of a given rollout, as if all had been collected."""
    agent = PPO(copies(last - first), seed=5, **(GIVEN | settings))
    agent._begin(agent.venv.reset(seed=1)[0], {})
    rng, r, mine = np.random.default_rng(0), agent.rollout, slice(first, last)
    for _ in range(2):
        observations, rewards = rng.standard_normal((T + 1, N, 4)), rng.standard_normal((T, N))
        actions, terminated = rng.integers(2, size=(T, N)), rng.random((T, N)) < 0.2
        r.observations[:], r.rewards[:] = observations[:, mine], rewards[:, mine]
        r.actions[:], r.terminated[:] = actions[:, mine], terminated[:, mine]
        r.ended[:] = r.terminated
        r.length, r.valid = T, T * (last - first)
        r.cuts.clear()
        if last == N and not terminated[2, N - 1]:  # a time limit in the last copy, which one rank has
            r.ended[2, -1] = True
            r.cuts.append((2, last - first - 1, np.full(4, 0.3, np.float32)))
        agent.ranks.counts = counts
        agent._update()
    return agent


def refused(kind, **settings):
    try:
        kind(copies(1), **settings)
    except ValueError as error:
        return str(error)
    return ""


def main(folder):
    distributed.init_process_group("gloo")
    rank = distributed.get_rank()
    half = N // 2
    given = updated(rank * half, (rank + 1) * half, [T * half] * 2)
    agent = PPO(copies(half), seed=3, **LEARN).learn(203).learn(1)  # the last rollout has one step, and rank 1 none of it
    by_episodes = PPO(copies(half), seed=4, **LEARN).learn(episodes=3)
    stopped = PPO(copies(half), seed=3, **LEARN).learn(640, callback=lambda agent: not (rank == 1 and agent.num_timesteps >= 128))
    np.savez(
        folder / f"{rank}.npz",
        given=given.optimizer.parameters.numpy(),
        given_moments=given.normalizer.seen.data,
        given_metrics=[given.metrics["value_loss"], given.metrics["approx_kl"]],
        learned=np.concatenate([part.numpy().reshape(-1) for part in agent.policy.state_dict().values()]),
        moments=np.concatenate([agent.normalizer.seen.data.reshape(-1), agent.normalizer.returned.data]),
        rows=agent.history.rows,
        steps=[agent.num_timesteps, agent.optimizer.steps, by_episodes.num_timesteps, len(by_episodes.history), stopped.num_timesteps],
        seen=agent.rollout.observations,
        drawn=agent.rng.random(4),
        refused=[refused(PPO, n_envs=3), refused(PPO, batch_size=9), refused(DQN)],
    )
    agent.save(folder / f"{rank}.safetensors")
    distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
