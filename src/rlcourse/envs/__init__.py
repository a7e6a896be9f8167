"""The environments: worlds, one file each, registered with Gymnasium under ``rlcourse/``.

>>> from rlcourse.envs import CartPole, cliff_walk

Importing this package imports none of them: each is found when its name is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if __name__ == "envs":  # the link at the root of a checkout: be the very same modules
    from rlcourse.core.links import follow_link

    follow_link("envs")

if TYPE_CHECKING:
    from rlcourse.envs.acrobot import Acrobot
    from rlcourse.envs.aiming import Aiming
    from rlcourse.envs.baird import baird_behavior, baird_counterexample, baird_features, baird_weights
    from rlcourse.envs.bernoulli import BernoulliBandit, bernoulli_bandit
    from rlcourse.envs.blackjack import blackjack_game, blackjack_state
    from rlcourse.envs.branching import branching_task
    from rlcourse.envs.breakout import SmallBreakout
    from rlcourse.envs.car_rental import CarRental
    from rlcourse.envs.cartpole import CartPole, pole_balancing
    from rlcourse.envs.catch import PixelCatch, catch_themes, pixel_catch
    from rlcourse.envs.cliff import cliff_walk
    from rlcourse.envs.conditioning import ConditioningTrials, conditioning_trials
    from rlcourse.envs.copying import DelayedCopy, delayed_copy
    from rlcourse.envs.corridor import HiddenCorridor, corridor_features, hidden_corridor, short_corridor
    from rlcourse.envs.delayed import delayed_reward
    from rlcourse.envs.delayed_bits import DelayedBits, bits_cross_entropy, bits_streams
    from rlcourse.envs.drifting import DriftingBandit
    from rlcourse.envs.easy21 import easy21_features, easy21_game
    from rlcourse.envs.errands import Errands, three_errands
    from rlcourse.envs.four_in_a_row import four_states
    from rlcourse.envs.gambler import gamblers_problem
    from rlcourse.envs.golf import golf_hole
    from rlcourse.envs.gridworld import grid_world
    from rlcourse.envs.k_armed import Bandit, bandit
    from rlcourse.envs.language_bandit import LingoBandit, lingo_bandit
    from rlcourse.envs.language_grid import LingoGrid, lingo_grid
    from rlcourse.envs.languages import lingo_pairs
    from rlcourse.envs.learnability import (
        a_split,
        a_split_features,
        one_or_two_states,
        one_or_two_states_features,
        three_states,
        three_states_features,
        two_or_three_states,
        two_or_three_states_features,
    )
    from rlcourse.envs.maximization_bias import MaximizationBias
    from rlcourse.envs.maze import ChangingMaze, blocking_maze, dyna_maze, shortcut_maze
    from rlcourse.envs.mountain_car import MountainCar
    from rlcourse.envs.mountain_car_continuous import MountainCarContinuous
    from rlcourse.envs.one_state import infinite_variance, staying
    from rlcourse.envs.pendulum import Pendulum
    from rlcourse.envs.plain_grid import open_grid
    from rlcourse.envs.puddle import PuddleWorld
    from rlcourse.envs.racetracks import Racetrack, racetrack
    from rlcourse.envs.recorded import Recorded, driving_home, predictor
    from rlcourse.envs.recycling import recycling_robot
    from rlcourse.envs.rings import ring
    from rlcourse.envs.rod import rod_maneuvering
    from rlcourse.envs.room import robot_room
    from rlcourse.envs.rooms import four_rooms
    from rlcourse.envs.servers import access_control
    from rlcourse.envs.small_grid import small_gridworld
    from rlcourse.envs.sorting import SortSequence, sort_sequence
    from rlcourse.envs.testbed import BanditTestbed
    from rlcourse.envs.themed_grid import PixelGrid, grid_themes, pixel_grid
    from rlcourse.envs.thousand_states import ThousandStates
    from rlcourse.envs.tictactoe import TicTacToe, tic_tac_toe
    from rlcourse.envs.tmaze import TMaze, t_maze
    from rlcourse.envs.tsitsiklis_van_roy import two_states, two_states_features
    from rlcourse.envs.two_policies import left_or_right
    from rlcourse.envs.walk import random_walk
    from rlcourse.envs.wave import square_wave
    from rlcourse.envs.windy import windy_gridworld

__all__ = [
    "Acrobot",
    "Aiming",
    "Bandit",
    "BanditTestbed",
    "BernoulliBandit",
    "CarRental",
    "CartPole",
    "ChangingMaze",
    "ConditioningTrials",
    "DelayedBits",
    "DelayedCopy",
    "DriftingBandit",
    "Errands",
    "HiddenCorridor",
    "LingoBandit",
    "LingoGrid",
    "MaximizationBias",
    "MountainCar",
    "MountainCarContinuous",
    "Pendulum",
    "PixelCatch",
    "PixelGrid",
    "PuddleWorld",
    "Racetrack",
    "Recorded",
    "SmallBreakout",
    "SortSequence",
    "TMaze",
    "ThousandStates",
    "TicTacToe",
    "a_split",
    "a_split_features",
    "access_control",
    "baird_behavior",
    "baird_counterexample",
    "baird_features",
    "baird_weights",
    "bandit",
    "bernoulli_bandit",
    "bits_cross_entropy",
    "bits_streams",
    "blackjack_game",
    "blackjack_state",
    "blocking_maze",
    "branching_task",
    "catch_themes",
    "cliff_walk",
    "conditioning_trials",
    "corridor_features",
    "delayed_copy",
    "delayed_reward",
    "driving_home",
    "dyna_maze",
    "easy21_features",
    "easy21_game",
    "four_rooms",
    "four_states",
    "gamblers_problem",
    "golf_hole",
    "grid_themes",
    "grid_world",
    "hidden_corridor",
    "infinite_variance",
    "left_or_right",
    "lingo_bandit",
    "lingo_grid",
    "lingo_pairs",
    "one_or_two_states",
    "one_or_two_states_features",
    "open_grid",
    "pixel_catch",
    "pixel_grid",
    "pole_balancing",
    "predictor",
    "racetrack",
    "random_walk",
    "recycling_robot",
    "ring",
    "robot_room",
    "rod_maneuvering",
    "short_corridor",
    "shortcut_maze",
    "small_gridworld",
    "sort_sequence",
    "square_wave",
    "staying",
    "t_maze",
    "three_errands",
    "three_states",
    "three_states_features",
    "tic_tac_toe",
    "two_or_three_states",
    "two_or_three_states_features",
    "two_states",
    "two_states_features",
    "windy_gridworld",
]

MODULES = {  # name: the file that holds it; the functions make an MDP
    "Acrobot": "rlcourse.envs.acrobot",
    "Aiming": "rlcourse.envs.aiming",
    "Bandit": "rlcourse.envs.k_armed",
    "BanditTestbed": "rlcourse.envs.testbed",
    "BernoulliBandit": "rlcourse.envs.bernoulli",
    "CarRental": "rlcourse.envs.car_rental",
    "CartPole": "rlcourse.envs.cartpole",
    "ChangingMaze": "rlcourse.envs.maze",
    "ConditioningTrials": "rlcourse.envs.conditioning",
    "DelayedBits": "rlcourse.envs.delayed_bits",
    "DelayedCopy": "rlcourse.envs.copying",
    "DriftingBandit": "rlcourse.envs.drifting",
    "Errands": "rlcourse.envs.errands",
    "HiddenCorridor": "rlcourse.envs.corridor",
    "LingoBandit": "rlcourse.envs.language_bandit",
    "LingoGrid": "rlcourse.envs.language_grid",
    "MaximizationBias": "rlcourse.envs.maximization_bias",
    "MountainCar": "rlcourse.envs.mountain_car",
    "MountainCarContinuous": "rlcourse.envs.mountain_car_continuous",
    "Pendulum": "rlcourse.envs.pendulum",
    "PixelCatch": "rlcourse.envs.catch",
    "PixelGrid": "rlcourse.envs.themed_grid",
    "PuddleWorld": "rlcourse.envs.puddle",
    "Racetrack": "rlcourse.envs.racetracks",
    "Recorded": "rlcourse.envs.recorded",
    "SmallBreakout": "rlcourse.envs.breakout",
    "SortSequence": "rlcourse.envs.sorting",
    "TMaze": "rlcourse.envs.tmaze",
    "ThousandStates": "rlcourse.envs.thousand_states",
    "TicTacToe": "rlcourse.envs.tictactoe",
    "access_control": "rlcourse.envs.servers",
    "a_split": "rlcourse.envs.learnability",
    "a_split_features": "rlcourse.envs.learnability",
    "baird_behavior": "rlcourse.envs.baird",
    "baird_counterexample": "rlcourse.envs.baird",
    "baird_features": "rlcourse.envs.baird",
    "baird_weights": "rlcourse.envs.baird",
    "bandit": "rlcourse.envs.k_armed",
    "bernoulli_bandit": "rlcourse.envs.bernoulli",
    "bits_cross_entropy": "rlcourse.envs.delayed_bits",
    "bits_streams": "rlcourse.envs.delayed_bits",
    "blackjack_game": "rlcourse.envs.blackjack",
    "blackjack_state": "rlcourse.envs.blackjack",
    "blocking_maze": "rlcourse.envs.maze",
    "branching_task": "rlcourse.envs.branching",
    "catch_themes": "rlcourse.envs.catch",
    "cliff_walk": "rlcourse.envs.cliff",
    "conditioning_trials": "rlcourse.envs.conditioning",
    "corridor_features": "rlcourse.envs.corridor",
    "delayed_copy": "rlcourse.envs.copying",
    "delayed_reward": "rlcourse.envs.delayed",
    "driving_home": "rlcourse.envs.recorded",
    "dyna_maze": "rlcourse.envs.maze",
    "easy21_features": "rlcourse.envs.easy21",
    "easy21_game": "rlcourse.envs.easy21",
    "four_rooms": "rlcourse.envs.rooms",
    "four_states": "rlcourse.envs.four_in_a_row",
    "gamblers_problem": "rlcourse.envs.gambler",
    "golf_hole": "rlcourse.envs.golf",
    "grid_themes": "rlcourse.envs.themed_grid",
    "grid_world": "rlcourse.envs.gridworld",
    "hidden_corridor": "rlcourse.envs.corridor",
    "infinite_variance": "rlcourse.envs.one_state",
    "left_or_right": "rlcourse.envs.two_policies",
    "lingo_bandit": "rlcourse.envs.language_bandit",
    "lingo_grid": "rlcourse.envs.language_grid",
    "lingo_pairs": "rlcourse.envs.languages",
    "one_or_two_states": "rlcourse.envs.learnability",
    "one_or_two_states_features": "rlcourse.envs.learnability",
    "open_grid": "rlcourse.envs.plain_grid",
    "pixel_catch": "rlcourse.envs.catch",
    "pixel_grid": "rlcourse.envs.themed_grid",
    "pole_balancing": "rlcourse.envs.cartpole",
    "predictor": "rlcourse.envs.recorded",
    "racetrack": "rlcourse.envs.racetracks",
    "random_walk": "rlcourse.envs.walk",
    "recycling_robot": "rlcourse.envs.recycling",
    "ring": "rlcourse.envs.rings",
    "robot_room": "rlcourse.envs.room",
    "rod_maneuvering": "rlcourse.envs.rod",
    "short_corridor": "rlcourse.envs.corridor",
    "shortcut_maze": "rlcourse.envs.maze",
    "small_gridworld": "rlcourse.envs.small_grid",
    "sort_sequence": "rlcourse.envs.sorting",
    "square_wave": "rlcourse.envs.wave",
    "staying": "rlcourse.envs.one_state",
    "t_maze": "rlcourse.envs.tmaze",
    "three_errands": "rlcourse.envs.errands",
    "three_states": "rlcourse.envs.learnability",
    "three_states_features": "rlcourse.envs.learnability",
    "tic_tac_toe": "rlcourse.envs.tictactoe",
    "two_or_three_states": "rlcourse.envs.learnability",
    "two_or_three_states_features": "rlcourse.envs.learnability",
    "two_states": "rlcourse.envs.tsitsiklis_van_roy",
    "two_states_features": "rlcourse.envs.tsitsiklis_van_roy",
    "windy_gridworld": "rlcourse.envs.windy",
}


def __getattr__(name: str) -> Any:
    if name not in MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
