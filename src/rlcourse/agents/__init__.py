"""The algorithms: one file each, with the lecture, the box of the book and the agent.

>>> from rlcourse.agents import QLearning

Importing this package imports none of them: each is found when its name is first used.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rlcourse.agents.modules import MODULES as MODULES

if __name__ == "agents":  # the link at the root of a checkout: be the very same modules
    from rlcourse.core.links import follow_link

    follow_link("agents")

if TYPE_CHECKING:
    from rlcourse.agents.approximation.differential_sarsa import DifferentialSarsa
    from rlcourse.agents.approximation.gradient_mc import GradientMC
    from rlcourse.agents.approximation.linear_q_learning import LinearQLearning
    from rlcourse.agents.approximation.lstd import LSTD
    from rlcourse.agents.approximation.n_step_differential_sarsa import NStepDifferentialSarsa
    from rlcourse.agents.approximation.n_step_emphatic_td import NStepEmphaticTD
    from rlcourse.agents.approximation.n_step_semi_gradient_sarsa import NStepSemiGradientSarsa
    from rlcourse.agents.approximation.n_step_semi_gradient_td import NStepSemiGradientTD
    from rlcourse.agents.approximation.semi_gradient_expected_sarsa import SemiGradientExpectedSarsa
    from rlcourse.agents.approximation.semi_gradient_sarsa import SemiGradientSarsa
    from rlcourse.agents.approximation.semi_gradient_td0 import SemiGradientTD0
    from rlcourse.agents.bandits.epsilon_greedy import EpsilonGreedyBandit
    from rlcourse.agents.bandits.gradient import GradientBandit
    from rlcourse.agents.bandits.ucb import UCBBandit
    from rlcourse.agents.conditioning.rescorla_wagner import RescorlaWagner
    from rlcourse.agents.conditioning.td_model import TDModel
    from rlcourse.agents.deep.a2c import A2C
    from rlcourse.agents.deep.crossq import CrossQ
    from rlcourse.agents.deep.ddpg import DDPG
    from rlcourse.agents.deep.discrete_crossq import DiscreteCrossQ
    from rlcourse.agents.deep.discrete_sac import DiscreteSAC
    from rlcourse.agents.deep.dqn import DQN
    from rlcourse.agents.deep.drqn import DRQN
    from rlcourse.agents.deep.ppo import PPO
    from rlcourse.agents.deep.pqn import PQN
    from rlcourse.agents.deep.recurrent_ppo import RecurrentPPO
    from rlcourse.agents.deep.reinforce import REINFORCE
    from rlcourse.agents.deep.sac import SAC
    from rlcourse.agents.deep.td3 import TD3
    from rlcourse.agents.dynamic_programming.policy_evaluation import IterativePolicyEvaluation
    from rlcourse.agents.dynamic_programming.policy_iteration import PolicyIteration
    from rlcourse.agents.dynamic_programming.value_iteration import ValueIteration
    from rlcourse.agents.monte_carlo.batch_mc import BatchMC
    from rlcourse.agents.monte_carlo.glie_control import GLIEControl
    from rlcourse.agents.monte_carlo.importance_sampling import ImportanceSampling
    from rlcourse.agents.monte_carlo.mc_control import MCControl
    from rlcourse.agents.monte_carlo.mc_exploring_starts import MCExploringStarts
    from rlcourse.agents.monte_carlo.mc_prediction import MCPrediction
    from rlcourse.agents.monte_carlo.off_policy_mc_control import OffPolicyMCControl
    from rlcourse.agents.monte_carlo.off_policy_mc_prediction import OffPolicyMCPrediction
    from rlcourse.agents.n_step.n_step_expected_sarsa import NStepExpectedSarsa
    from rlcourse.agents.n_step.n_step_off_policy_q import NStepOffPolicyQ
    from rlcourse.agents.n_step.n_step_off_policy_sarsa import NStepOffPolicySarsa
    from rlcourse.agents.n_step.n_step_off_policy_td import NStepOffPolicyTD
    from rlcourse.agents.n_step.n_step_q_sigma import NStepQSigma
    from rlcourse.agents.n_step.n_step_sarsa import NStepSarsa
    from rlcourse.agents.n_step.n_step_td import NStepTD
    from rlcourse.agents.n_step.n_step_td_errors import NStepTDErrors
    from rlcourse.agents.n_step.n_step_tree_backup import NStepTreeBackup
    from rlcourse.agents.off_policy.emphatic_td import EmphaticTD
    from rlcourse.agents.off_policy.gtd2 import GTD2
    from rlcourse.agents.off_policy.n_step_off_policy_semi_gradient_td import NStepOffPolicySemiGradientTD
    from rlcourse.agents.off_policy.naive_residual_gradient import NaiveResidualGradient
    from rlcourse.agents.off_policy.off_policy_expected_sarsa import OffPolicyExpectedSarsa
    from rlcourse.agents.off_policy.off_policy_q_learning import OffPolicyQLearning
    from rlcourse.agents.off_policy.semi_gradient_off_policy_td0 import SemiGradientOffPolicyTD0
    from rlcourse.agents.off_policy.tdc import TDC
    from rlcourse.agents.planning.dyna_q import DynaQ
    from rlcourse.agents.planning.dyna_q_plus import DynaQPlus
    from rlcourse.agents.planning.dyna_q_selection import DynaQSelection
    from rlcourse.agents.planning.mcts import MCTS
    from rlcourse.agents.planning.prioritized_sweeping import PrioritizedSweeping
    from rlcourse.agents.planning.q_planning import QPlanning
    from rlcourse.agents.planning.rollout import Rollout
    from rlcourse.agents.planning.rtdp import RTDP
    from rlcourse.agents.planning.trajectory_sampling import TrajectorySampling
    from rlcourse.agents.policy_gradient.actor_critic_lambda import ActorCriticLambda
    from rlcourse.agents.policy_gradient.continuing_actor_critic import ContinuingActorCritic
    from rlcourse.agents.policy_gradient.gaussian_actor_critic import GaussianActorCritic
    from rlcourse.agents.policy_gradient.gaussian_reinforce import GaussianREINFORCE
    from rlcourse.agents.policy_gradient.linear_reinforce import LinearREINFORCE
    from rlcourse.agents.policy_gradient.linear_reinforce_baseline import LinearREINFORCEBaseline
    from rlcourse.agents.policy_gradient.one_step_actor_critic import OneStepActorCritic
    from rlcourse.agents.temporal_difference.afterstate import AfterstateTD
    from rlcourse.agents.temporal_difference.batch_td0 import BatchTD0
    from rlcourse.agents.temporal_difference.double_expected_sarsa import DoubleExpectedSarsa
    from rlcourse.agents.temporal_difference.double_q_learning import DoubleQLearning
    from rlcourse.agents.temporal_difference.expected_sarsa import ExpectedSarsa
    from rlcourse.agents.temporal_difference.noisy_q_learning import NoisyQLearning
    from rlcourse.agents.temporal_difference.q_learning import QLearning
    from rlcourse.agents.temporal_difference.sarsa import Sarsa
    from rlcourse.agents.temporal_difference.tabular_sarsa_lambda import TabularSarsaLambda
    from rlcourse.agents.temporal_difference.td0 import TD0
    from rlcourse.agents.traces.emphatic_td_lambda import EmphaticTDLambda
    from rlcourse.agents.traces.gq_lambda import GQLambda
    from rlcourse.agents.traces.gtd_lambda import GTDLambda
    from rlcourse.agents.traces.htd_lambda import HTDLambda
    from rlcourse.agents.traces.off_policy_td_lambda import OffPolicyTDLambda
    from rlcourse.agents.traces.offline_lambda_return import OfflineLambdaReturn
    from rlcourse.agents.traces.online_lambda_return import OnlineLambdaReturn
    from rlcourse.agents.traces.sarsa_lambda import SarsaLambda
    from rlcourse.agents.traces.td_lambda import TDLambda
    from rlcourse.agents.traces.tree_backup_lambda import TreeBackupLambda
    from rlcourse.agents.traces.true_online_sarsa_lambda import TrueOnlineSarsaLambda
    from rlcourse.agents.traces.true_online_td_lambda import TrueOnlineTDLambda
    from rlcourse.agents.traces.truncated_td_lambda import TruncatedTDLambda
    from rlcourse.agents.traces.watkins_q_lambda import WatkinsQLambda

__all__ = [
    "A2C",
    "DDPG",
    "DQN",
    "DRQN",
    "GTD2",
    "LSTD",
    "MCTS",
    "PPO",
    "PQN",
    "REINFORCE",
    "RTDP",
    "SAC",
    "TD0",
    "TD3",
    "TDC",
    "ActorCriticLambda",
    "AfterstateTD",
    "BatchMC",
    "BatchTD0",
    "ContinuingActorCritic",
    "CrossQ",
    "DifferentialSarsa",
    "DiscreteCrossQ",
    "DiscreteSAC",
    "DoubleExpectedSarsa",
    "DoubleQLearning",
    "DynaQ",
    "DynaQPlus",
    "DynaQSelection",
    "EmphaticTD",
    "EmphaticTDLambda",
    "EpsilonGreedyBandit",
    "ExpectedSarsa",
    "GLIEControl",
    "GQLambda",
    "GTDLambda",
    "GaussianActorCritic",
    "GaussianREINFORCE",
    "GradientBandit",
    "GradientMC",
    "HTDLambda",
    "ImportanceSampling",
    "IterativePolicyEvaluation",
    "LinearQLearning",
    "LinearREINFORCE",
    "LinearREINFORCEBaseline",
    "MCControl",
    "MCExploringStarts",
    "MCPrediction",
    "NStepDifferentialSarsa",
    "NStepEmphaticTD",
    "NStepExpectedSarsa",
    "NStepOffPolicyQ",
    "NStepOffPolicySarsa",
    "NStepOffPolicySemiGradientTD",
    "NStepOffPolicyTD",
    "NStepQSigma",
    "NStepSarsa",
    "NStepSemiGradientSarsa",
    "NStepSemiGradientTD",
    "NStepTD",
    "NStepTDErrors",
    "NStepTreeBackup",
    "NaiveResidualGradient",
    "NoisyQLearning",
    "OffPolicyExpectedSarsa",
    "OffPolicyMCControl",
    "OffPolicyMCPrediction",
    "OffPolicyQLearning",
    "OffPolicyTDLambda",
    "OfflineLambdaReturn",
    "OneStepActorCritic",
    "OnlineLambdaReturn",
    "PolicyIteration",
    "PrioritizedSweeping",
    "QLearning",
    "QPlanning",
    "RecurrentPPO",
    "RescorlaWagner",
    "Rollout",
    "Sarsa",
    "SarsaLambda",
    "SemiGradientExpectedSarsa",
    "SemiGradientOffPolicyTD0",
    "SemiGradientSarsa",
    "SemiGradientTD0",
    "TDLambda",
    "TDModel",
    "TabularSarsaLambda",
    "TrajectorySampling",
    "TreeBackupLambda",
    "TrueOnlineSarsaLambda",
    "TrueOnlineTDLambda",
    "TruncatedTDLambda",
    "UCBBandit",
    "ValueIteration",
    "WatkinsQLambda",
    "learn_together",
    "load",
]


def learn_together(agents: Sequence[Any], total_timesteps: int, **options: Any) -> None:
    """Let deep agents of one class learn as one batched program (see `rlcourse.agents.deep.programs.together.learn_together`)."""
    from rlcourse.agents.deep.programs import together

    together.learn_together(agents, total_timesteps, **options)


def load(path: Any, env: Any = None, whole: bool = False) -> Any:
    """Load an agent of whatever class a file holds (see `rlcourse.core.agent.Agent.load`)."""
    from rlcourse.core.files import read
    from rlcourse.core.fits import class_in

    name = class_in(read(path)[1], path)
    if name.startswith("SB3"):  # a model of stable-baselines3
        from rlcourse.sb3 import agent_class

        return agent_class(name).load(path, env=env, whole=whole)
    if name not in MODULES:
        article = "an" if name[:1] in tuple("AEIOU") else "a"
        raise ValueError(f"{path} holds {article} {name}, which is no agent of rlcourse; load it with its own class")
    return __getattr__(name).load(path, env=env, whole=whole)


def __getattr__(name: str) -> Any:
    if name not in MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
