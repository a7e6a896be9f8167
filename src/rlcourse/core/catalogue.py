"""The catalogue of environments: what is registered with Gymnasium under ``rlcourse/``, and whose twin it is.

Data only: nothing here imports an environment, numba or torch. Entry points are text, so spawned workers find them too.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import gymnasium as gym

__all__ = ["ENVIRONMENTS", "GAMES", "TEXTS", "Entry", "register_all", "twin_of", "world_of"]


class Entry(NamedTuple):
    """One environment.

    Attributes
    ----------
    id : str
        Gymnasium id.
    env : str
        ``module:make_env``, which makes the environment; ``make_vec`` beside it makes N copies.
    world : str
        ``module:callable`` that makes the world.
    limit : int or None
        Time limit, steps.
    threshold : float or None
        Undiscounted return at which it counts as solved.
    twin : str or None
        Gymnasium's environment with the same dynamics, tested step by step.
    options : dict
        Keyword arguments of `env` and `world` that make this variant.
    """

    id: str
    env: str
    world: str
    limit: int | None = None
    threshold: float | None = None
    twin: str | None = None
    options: Mapping[str, Any] = MappingProxyType({})


RACETRACK = ("rlcourse.envs.racetracks:make_env", "rlcourse.envs.racetracks:racetrack")
LINGO_BANDIT = ("rlcourse.envs.language_bandit:make_env", "rlcourse.envs.language_bandit:lingo_bandit")
COPY = ("rlcourse.envs.copying:make_env", "rlcourse.envs.copying:delayed_copy")
LINGO_GRID = ("rlcourse.envs.language_grid:make_env", "rlcourse.envs.language_grid:lingo_grid")
WINDY = ("rlcourse.envs.windy:make_env", "rlcourse.envs.windy:windy_gridworld")

ENVIRONMENTS = (
    Entry("rlcourse/AccessControl-v0", "rlcourse.envs.servers:make_env", "rlcourse.envs.servers:access_control", 1000),
    Entry("rlcourse/CarRental-v0", "rlcourse.envs.car_rental:make_env", "rlcourse.envs.car_rental:CarRental", 365),
    Entry("rlcourse/FourRooms-v0", "rlcourse.envs.rooms:make_env", "rlcourse.envs.rooms:four_rooms", 200, 1.0),
    Entry("rlcourse/Gambler-v0", "rlcourse.envs.gambler:make_env", "rlcourse.envs.gambler:gamblers_problem", 1000),
    Entry("rlcourse/Golf-v0", "rlcourse.envs.golf:make_env", "rlcourse.envs.golf:golf_hole", 100, -3.0),
    Entry("rlcourse/GridWorld-v0", "rlcourse.envs.gridworld:make_env", "rlcourse.envs.gridworld:grid_world", 1000),
    Entry("rlcourse/RecyclingRobot-v0", "rlcourse.envs.recycling:make_env", "rlcourse.envs.recycling:recycling_robot", 1000),
    Entry("rlcourse/RobotRoom-v0", "rlcourse.envs.room:make_env", "rlcourse.envs.room:robot_room", 1000),
    Entry(
        "rlcourse/SmallGridworld-v0",
        "rlcourse.envs.small_grid:make_env",
        "rlcourse.envs.small_grid:small_gridworld",
        1000,
    ),
    Entry("rlcourse/ASplit-v0", "rlcourse.envs.learnability:make_env", "rlcourse.envs.learnability:a_split"),
    Entry(
        "rlcourse/ASplitPresplit-v0",
        "rlcourse.envs.learnability:make_env",
        "rlcourse.envs.learnability:a_split",
        options={"presplit": True},
    ),
    Entry("rlcourse/Baird-v0", "rlcourse.envs.baird:make_env", "rlcourse.envs.baird:baird_counterexample", 1000),
    Entry("rlcourse/TwoStates-v0", "rlcourse.envs.tsitsiklis_van_roy:make_env", "rlcourse.envs.tsitsiklis_van_roy:two_states", 1000),
    Entry("rlcourse/Bandit-v0", "rlcourse.envs.k_armed:make_env", "rlcourse.envs.k_armed:bandit"),
    Entry(
        "rlcourse/BernoulliBandit-v0",
        "rlcourse.envs.bernoulli:make_env",
        "rlcourse.envs.bernoulli:bernoulli_bandit",
    ),
    Entry("rlcourse/RL2Bandit-v0", "rlcourse.wrappers.rl2_bandit:make_env", "rlcourse.wrappers.rl2_bandit:rl2_bandit", None, 6.5),
    Entry("rlcourse/TicTacToe-v0", "rlcourse.envs.tictactoe:make_env", "rlcourse.envs.tictactoe:tic_tac_toe", None, 0.98),
    Entry("rlcourse/DriftingBandit-v0", "rlcourse.envs.drifting:make_env", "rlcourse.envs.drifting:DriftingBandit", 10_000),
    Entry("rlcourse/CliffWalk-v0", "rlcourse.envs.cliff:make_env", "rlcourse.envs.cliff:cliff_walk", 1000, -13.0),
    Entry("rlcourse/WindyGridworld-v0", *WINDY, 1000, -15.0),
    Entry("rlcourse/WindyGridworldKings-v0", *WINDY, 1000, -7.0, options={"kings_moves": True}),
    Entry("rlcourse/WindyGridworldKingsStay-v0", *WINDY, 1000, -7.0, options={"kings_moves": True, "stay": True}),
    Entry("rlcourse/WindyGridworldStochastic-v0", *WINDY, 1000, options={"kings_moves": True, "stochastic": True}),
    Entry("rlcourse/Easy21-v0", "rlcourse.envs.easy21:make_env", "rlcourse.envs.easy21:easy21_game"),
    Entry("rlcourse/ConditioningTrials-v0", "rlcourse.envs.conditioning:make_env", "rlcourse.envs.conditioning:conditioning_trials"),
    Entry("rlcourse/OpenGrid-v0", "rlcourse.envs.plain_grid:make_env", "rlcourse.envs.plain_grid:open_grid", 1000, 1.0),
    Entry("rlcourse/RandomWalk-v0", "rlcourse.envs.walk:make_env", "rlcourse.envs.walk:random_walk", 1000, 1.0),
    Entry(
        "rlcourse/RandomWalk19-v0",
        "rlcourse.envs.walk:make_env",
        "rlcourse.envs.walk:random_walk",
        1000,
        1.0,
        options={"n": 19, "left": -1.0},
    ),
    Entry(
        "rlcourse/RandomWalk1000-v0",
        "rlcourse.envs.thousand_states:make_env",
        "rlcourse.envs.thousand_states:ThousandStates",
        10_000,
        1.0,
    ),
    Entry(
        "rlcourse/MaximizationBias-v0",
        "rlcourse.envs.maximization_bias:make_env",
        "rlcourse.envs.maximization_bias:MaximizationBias",
        10,
        0.0,
    ),
    Entry("rlcourse/ShortCorridor-v0", "rlcourse.envs.corridor:make_env", "rlcourse.envs.corridor:hidden_corridor", 1000, -12.0),
    Entry("rlcourse/BranchingTask-v0", "rlcourse.envs.branching:make_env", "rlcourse.envs.branching:branching_task", 1000),
    Entry("rlcourse/RodManeuvering-v0", "rlcourse.envs.rod:make_env", "rlcourse.envs.rod:rod_maneuvering", 2000, -41.0),
    Entry("rlcourse/Blackjack-v0", "rlcourse.envs.blackjack:make_env", "rlcourse.envs.blackjack:blackjack_game"),
    Entry("rlcourse/InfiniteVariance-v0", "rlcourse.envs.one_state:make_env", "rlcourse.envs.one_state:infinite_variance"),
    Entry("rlcourse/Racetrack-v0", *RACETRACK, 1000),
    Entry("rlcourse/RacetrackRight-v0", *RACETRACK, 1000, options={"track": "right"}),
    Entry("rlcourse/DynaMaze-v0", "rlcourse.envs.maze:make_env", "rlcourse.envs.maze:dyna_maze", 2000),
    Entry("rlcourse/BlockingMaze-v0", "rlcourse.envs.maze:make_env_blocking", "rlcourse.envs.maze:blocking_maze", 2000),
    Entry("rlcourse/ShortcutMaze-v0", "rlcourse.envs.maze:make_env_shortcut", "rlcourse.envs.maze:shortcut_maze", 2000),
    Entry("rlcourse/PuddleWorld-v0", "rlcourse.envs.puddle:make_env", "rlcourse.envs.puddle:PuddleWorld", 1000, -40.0),
    Entry("rlcourse/PoleBalancing-v0", "rlcourse.envs.cartpole:make_env_pole", "rlcourse.envs.cartpole:pole_balancing", 10_000),
    Entry("rlcourse/CartPole-v0", "rlcourse.envs.cartpole:make_env", "rlcourse.envs.cartpole:CartPole", 200, 195.0, "CartPole-v0"),
    Entry("rlcourse/CartPole-v1", "rlcourse.envs.cartpole:make_env", "rlcourse.envs.cartpole:CartPole", 500, 475.0, "CartPole-v1"),
    Entry(
        "rlcourse/MountainCar-v0",
        "rlcourse.envs.mountain_car:make_env",
        "rlcourse.envs.mountain_car:MountainCar",
        200,
        -110.0,
        "MountainCar-v0",
    ),
    Entry(
        "rlcourse/MountainCarBook-v0",
        "rlcourse.envs.mountain_car:make_env",
        "rlcourse.envs.mountain_car:MountainCar",
        10_000,
        -110.0,
        options={"max_position": 0.5},
    ),
    Entry(
        "rlcourse/MountainCarContinuous-v0",
        "rlcourse.envs.mountain_car_continuous:make_env",
        "rlcourse.envs.mountain_car_continuous:MountainCarContinuous",
        999,
        90.0,
        "MountainCarContinuous-v0",
    ),
    Entry("rlcourse/Acrobot-v1", "rlcourse.envs.acrobot:make_env", "rlcourse.envs.acrobot:Acrobot", 500, -100.0, "Acrobot-v1"),
    Entry(
        "rlcourse/MaskedCartPole-v1",
        "rlcourse.wrappers.masked_cartpole:make_env",
        "rlcourse.wrappers.masked_cartpole:masked_cartpole",
        500,
        475.0,
    ),
    Entry("rlcourse/PixelCatch-v0", "rlcourse.envs.catch:make_env", "rlcourse.envs.catch:pixel_catch", None, 0.95),
    Entry("rlcourse/PixelGrid-v0", "rlcourse.envs.themed_grid:make_env", "rlcourse.envs.themed_grid:pixel_grid", 100, 0.9),
    Entry("rlcourse/SortSequence-v0", "rlcourse.envs.sorting:make_env", "rlcourse.envs.sorting:sort_sequence", None, 1.45),
    Entry("rlcourse/LingoBanditTokens-v0", *LINGO_BANDIT, None, 0.9),
    Entry("rlcourse/LingoGridTokens-v0", *LINGO_GRID, 40, 0.9),
    Entry("rlcourse/ErrandsTokens-v0", "rlcourse.envs.errands:make_env", "rlcourse.envs.errands:three_errands", None, 0.95),
    Entry("rlcourse/SmallBreakout-v0", "rlcourse.envs.breakout:make_env", "rlcourse.envs.breakout:SmallBreakout", 1000),
    Entry("rlcourse/DelayedBits-v0", "rlcourse.envs.delayed_bits:make_env", "rlcourse.envs.delayed_bits:DelayedBits", 100, -48.0),
    Entry("rlcourse/DelayedCopy3-v0", *COPY, 100, 95.0, options={"lag": 3}),
    Entry("rlcourse/DelayedCopy8-v0", *COPY, 100, 90.0, options={"lag": 8}),
    Entry("rlcourse/TMaze-v0", "rlcourse.envs.tmaze:make_env", "rlcourse.envs.tmaze:t_maze", 200, 0.95),
    Entry("rlcourse/Pendulum-v1", "rlcourse.envs.pendulum:make_env", "rlcourse.envs.pendulum:Pendulum", 200, None, "Pendulum-v1"),
)


GAMES = {  # of packages that need not be installed: entry point, time limit in steps, options, what it is, what to install
    "rlcourse/GoToDoor-5x5-v0": (  # MiniGrid has its own limits
        "rlcourse.wrappers.missions:make_minigrid",
        None,
        {"task": "GoToDoor-5x5"},
        "MiniGrid's GoToDoor, 5 x 5: go to the door of the colour that the mission names, and say so there.",
        "minigrid",
    ),
    "rlcourse/MemoryS7-v0": (
        "rlcourse.wrappers.missions:make_minigrid",
        None,
        {"task": "MemoryS7"},
        "MiniGrid's Memory, 7 x 7: an object seen at the beginning says which of two to go to at the end.",
        "minigrid",
    ),
    "rlcourse/MinAtarAsterix-v0": (
        "rlcourse.envs.games:make_minatar",
        5_000,
        {"game": "asterix"},
        "MinAtar's Asterix (Young & Tian 2019), boards of 10 x 10.",
        "MinAtar",
    ),
    "rlcourse/MinAtarBreakout-v0": (
        "rlcourse.envs.games:make_minatar",
        5_000,
        {"game": "breakout"},
        "MinAtar's Breakout (Young & Tian 2019), boards of 10 x 10.",
        "MinAtar",
    ),
    "rlcourse/Pong-v0": (
        "rlcourse.envs.games:make_pong",
        27_000,
        {},
        "Atari's Pong as in Mnih et al. 2015: every fourth frame, the last four of them, 84 x 84 pixels.",
        "ale-py opencv-python-headless",
    ),
}

TEXTS = {  # worlds that show text: entry point, time limit, threshold; with TextTokens around them they are worlds of ENVIRONMENTS
    "rlcourse/Errands-v0": ("rlcourse.envs.errands:make_text_env", None, 0.95),
    "rlcourse/LingoBandit-v0": ("rlcourse.envs.language_bandit:make_text_env", None, 0.9),
    "rlcourse/LingoGrid-v0": ("rlcourse.envs.language_grid:make_text_env", 40, 0.9),
}


def register_all() -> None:
    """Register every environment with Gymnasium; calling it again changes nothing."""
    for entry in ENVIRONMENTS:
        if entry.id not in gym.registry:
            gym.register(
                entry.id,
                entry_point=entry.env,
                vector_entry_point=entry.env.replace(":make_env", ":make_vec"),
                max_episode_steps=entry.limit,
                reward_threshold=entry.threshold,
                kwargs=dict(entry.options),
            )
    for id, (maker, limit, options, _, _) in GAMES.items():
        if id not in gym.registry:
            gym.register(id, entry_point=maker, max_episode_steps=limit, kwargs=options)
    for id, (maker, steps, threshold) in TEXTS.items():
        if id not in gym.registry:
            gym.register(id, entry_point=maker, max_episode_steps=steps, reward_threshold=threshold)


def world_of(id: str) -> Any:
    """Make the world of a catalogue entry."""
    entry = next(entry for entry in ENVIRONMENTS if entry.id == id)
    module, name = entry.world.split(":")
    return getattr(importlib.import_module(module), name)(**entry.options)


def twin_of(env: gym.Env[Any, Any]) -> Any:
    """Return the world with the same dynamics as one of Gymnasium's environments, or None.

    Only for an environment made by its id without further arguments, behind transparent wrappers.
    """
    from rlcourse.core.gymworld import peel

    spec = env.spec
    if spec is None or spec.kwargs.keys() - {"render_mode"} or peel(env)[0] is not env.unwrapped:
        return None
    return next((world_of(entry.id) for entry in ENVIRONMENTS if entry.twin == spec.id), None)
