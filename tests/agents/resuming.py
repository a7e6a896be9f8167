"""Learning with stops and without, for every agent, in the three kinds of environments."""

import gymnasium as gym
from every_agent import BOXED, DEEP, EVERY, PLANNERS, SMALL, SUITED, differences, make, small_env
from gymnasium import wrappers
from gymnasium.vector import AutoresetMode, SyncVectorEnv

KINDS = ("world", "gymnasium", "vectorised")

STOPS = (37, 60, 101)  # steps, after which the next update is waited for; an agent with a box stops at the end of an episode

STEPS = 170

EPISODES, ENDS = 12, (2, 5, 9)


def learns_in(name: str, kind: str) -> bool:
    """Whether an agent learns in a kind of environment at all: behind an unknown wrapper there is no model, and no game."""
    return kind == "world" or name not in (*PLANNERS, *SUITED)


CASES = [(name, kind) for name in EVERY for kind in KINDS if learns_in(name, kind)]


def foreign(id: str) -> gym.Env:
    """Return an environment behind a wrapper that no agent looks through, and that keeps something from one episode to the next."""
    return wrappers.NormalizeReward(gym.make(id))


def env_of(name: str, kind: str):
    """Return a new environment of a kind for an agent: an id, an environment, or copies of one."""
    id = small_env(name)
    if kind == "world":
        return id
    if kind == "gymnasium" or name in DEEP:
        return foreign(id)
    return SyncVectorEnv([lambda: foreign(id)] * 2, autoreset_mode=AutoresetMode.SAME_STEP)  # it learns in the first of them


def settings_of(name: str, kind: str) -> dict:
    """Return how many copies an agent with a network learns in."""
    if name in BOXED or kind == "world":
        return {}
    copies = {"gymnasium": 1, "vectorised": 3}[kind]
    rows = {"n_steps": 11, "batch_size": 11} if "n_steps" in SMALL.get(name, {}) and copies == 3 else {}
    return {"n_envs": copies} | {key: value for key, value in rows.items() if key in SMALL[name]}


VARIANTS = {  # what has a state of its own, inside agents and around environments
    "prioritized, noisy, c51": ("DQN", {"prioritized": True, "noisy": True, "distributional": "c51", "n_steps": 3}),
    "stacked frames": ("DQN", {"double": True, "prioritized": True}, lambda env: wrappers.FrameStackObservation(env, 3)),
    "quantiles, masks": ("DQN", {"distributional": "qr", "n_envs": 3}, lambda env: wrappers.NormalizeReward(gym.make("Taxi-v4"))),
    "Ornstein-Uhlenbeck": ("DDPG", {"action_noise": "ornstein_uhlenbeck", "n_envs": 2}),
    "held noise": ("SAC", {"noise_steps": 5, "n_envs": 2}),
    "schedules, normalisers": (
        "PPO",
        {
            "normalize_observations": True,
            "normalize_rewards": True,
            "learning_rate": f"linear(0.001, 0, {STEPS})",
            "clip_range": f"linear(0.2, 0.1, {STEPS})",
        },
        lambda env: wrappers.RecordEpisodeStatistics(wrappers.StickyAction(env, 0.3)),
    ),
    "windows with burn-in": ("RecurrentPPO", {"sequence_length": 5, "burn_in": 3, "half_masked": True}),
    "half-masked windows": ("DRQN", {"half_masked": True, "n_envs": 1, "n_steps": 2}),
    "masks": ("PQN", {}, lambda env: wrappers.NormalizeReward(gym.make("Taxi-v4"))),
}


def differences_by_stop(name: str, kind: str, folder, stops=None, settings=None, around=lambda env: env) -> dict[int, list[str]]:
    """Learn in one go, save at some steps (or ends of episodes), load and learn on in new environments; return what differs by stop.

    Parameters
    ----------
    stops : sequence of int, optional
        Steps after which the next update is waited for; numbers of episodes for an agent with a box.
    settings, around : optional
        Of the agent beside those of the kind, and what is put around its environments.
    """
    box = name in BOXED
    left = list(stops or (ENDS if box else STOPS))
    settings = settings_of(name, kind) | (settings or {})
    whole, files = make(name, around(env_of(name, kind)), **settings), []

    def callback(agent):
        done = len(agent.history) if box else agent.num_timesteps
        if left and left[0] <= done < (EPISODES if box else STEPS):
            left.pop(0)
            files.append((done, agent.save(folder / f"{done}.safetensors")))

    whole.learn(**({"episodes": EPISODES} if box else {"total_timesteps": STEPS}), callback=callback, callback_every=1)
    expected, found = whole.state_dict(), {}
    for done, file in files:
        agent = type(whole).load(file, env=around(env_of(name, kind)))
        notes = [agent.resume_note] if agent.resume_note else []
        agent.learn(**({"episodes": EPISODES - done} if box else {"total_timesteps": STEPS - done}))
        found[done] = notes + differences(agent.state_dict(), expected)
    return found
