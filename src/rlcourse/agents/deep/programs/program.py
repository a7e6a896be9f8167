"""`Program`: what the programs of all agents share - who may learn together, the loop of rounds, episodes, and what is handed back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from dataclasses import fields
from functools import partial
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor

from rlcourse.agents.deep.programs.capture import Rounds
from rlcourse.agents.deep.programs.copies import Copies
from rlcourse.agents.deep.programs.journal import Journal
from rlcourse.agents.deep.programs.pace import Pace
from rlcourse.agents.deep.programs.stack import stackable
from rlcourse.core.box import is_data
from rlcourse.core.vector import WorldVectorEnv

__all__ = ["Plan", "Program"]


class Plan(NamedTuple):
    """A round: how many steps of each copy, how many of them count (the first of the flattened [rows * N]), and of which kind it is."""

    rows: int
    valid: int
    kind: Hashable = None


class Program(ABC):
    """S agents of one class as one batched program.

    Parameters
    ----------
    agents : sequence of DeepAgent
        Of one class, in copies of one world, whose settings differ in `swept` ones at most.

    Attributes
    ----------
    copies : Copies
        Of all agents; made by the subclass (`_make`).
    step : Tensor of int64, shape [1]
        Steps of each agent so far, on the device; `timesteps` is the same number on the host.
    metrics : dict of str to Tensor of shape [S]
        Of the last round.
    faulty : set of int
        Agents to which the environment gave a reward or a state that is no finite number.
    """

    swept: ClassVar[frozenset[str]]  # settings that may differ between the agents
    heeds_masks: ClassVar[bool] = False
    copies: Copies

    def __init__(self, agents: Sequence[Any]) -> None:
        self.agents, first = list(agents), agents[0]
        self.config, self.device = first.config, first.device
        self.venv: WorldVectorEnv = first.venv.unwrapped
        self.S, self.N = len(agents), self.venv.num_envs
        self.rounds = Rounds(self.device)
        self.timesteps = first.num_timesteps
        self.step = torch.tensor([self.timesteps], device=self.device)
        self.metrics: dict[str, Tensor] = {}
        self.faulty: set[int] = set()
        for agent in agents:
            if agent.program is not None:  # from another program it takes along where that one had come to
                agent.resident = agent.program[0].state(agent.program[1])
        self.seeds = [int(agent.resident["seed"][0]) if agent.resident else int(agent.rng.integers(2**62)) for agent in agents]
        with self.rounds.between():
            self._make()
            self._journal = Journal(self.copies)
            self._go_on()
        for s, agent in enumerate(self.agents):
            agent.program = self, s

    # What a subclass writes -------------------------------------------------------------------------------------------

    @abstractmethod
    def _make(self) -> None:
        """Make copies, stacks, optimisers and buffers; nothing is allocated afterwards."""

    @abstractmethod
    def plan(self, budget: int) -> Plan:
        """Return the next round, of at most `budget` steps of each agent."""

    @abstractmethod
    def round(self, plan: Plan) -> None:
        """Gather experience and learn from it: a fixed sequence of operations on fixed memory for each plan."""

    def done(self, plan: Plan) -> None:
        """Note, on the host, that a round has been run."""
        self.timesteps += plan.valid

    @abstractmethod
    def _learned(self) -> list[Any]:
        """Return what is read from the agents before (`read()`), and written back to some of them after learning (`write(places)`)."""

    def _state(self) -> dict[str, Callable[[int], Tensor]]:
        """Return further tensors that learning depends on, by name, of agent s; a name that begins with "replay." is replay memory."""
        return {}

    # Who may learn together -------------------------------------------------------------------------------------------

    @classmethod
    def unfit(cls, agents: Sequence[Any]) -> str:
        """Return in one sentence why these agents cannot learn as a program, or nothing."""
        first = agents[0]
        env = first.venv.unwrapped
        name = type(first).__name__
        if hasattr(getattr(env, "world", None), "clock"):
            return f"{name} on the device needs copies that are independent; those of this world share a clock, so it steps on the host"
        if not isinstance(env, WorldVectorEnv) or not is_data(env.world):
            return f"{name} learns on the device in worlds that are data; this environment is none: it steps on the host"
        if around := [type(agent.venv).__name__ for agent in agents if agent.venv is not agent.venv.unwrapped]:
            return f"{name} on the device steps the world itself, and not {around[0]} around it: it steps on the host"
        if env.action_masks is not None and not cls.heeds_masks:
            return f"{name} on the device takes no notice of action masks; take device='cpu'"
        for part in first.parts().values():
            if isinstance(part, torch.nn.Module) and (reason := stackable(part)):
                return f"{name} on the device: {reason}; take another encoder, or device='cpu'"
        for agent in agents[1:]:
            if type(agent) is not type(first):
                return f"agents that learn together are of one class, not {name} and {type(agent).__name__}"
            if agent.venv.num_envs != env.num_envs:
                return f"agents that learn together have the same n_envs, not {env.num_envs} and {agent.venv.num_envs}"
            if not _same(agent.venv.unwrapped, env):
                return "agents that learn together live in one world; make them with the same environment"
            if agent.num_timesteps != first.num_timesteps:
                return "agents that learn together have taken the same number of steps"
            for field in fields(first.config):
                mine, theirs = getattr(first.config, field.name), getattr(agent.config, field.name)
                if mine != theirs and field.name not in cls.swept:
                    return f"{field.name} must be the same for agents that learn together, not {mine!r} and {theirs!r}"
        return ""

    def pace(self, name: str, default: float = 0.0) -> Pace:
        """Return a setting of all agents as a tensor that follows the steps; None becomes `default`."""
        given = [getattr(agent.config, name) for agent in self.agents]
        return Pace([default if each is None else each for each in given], self.device)

    def constant(self, name: str, default: float = 0.0, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return a number of each agent's settings, shape [S]; None becomes `default`."""
        given = [getattr(agent.config, name) for agent in self.agents]
        return torch.tensor([default if each is None else float(each) for each in given], dtype=dtype, device=self.device)

    def note(self, name: str, value: Tensor) -> None:
        """Keep a metric, shape [S], in memory that stays."""
        if name not in self.metrics:
            self.metrics[name] = torch.zeros(self.S, device=self.device)
        self.metrics[name].copy_(value.detach())

    # Learning ---------------------------------------------------------------------------------------------------------

    def learn(self, budget: int, look: Callable[[Any], bool], every: int) -> None:
        """Learn for `budget` steps of each agent, and look at each about every so many steps.

        Parameters
        ----------
        budget : int
        look : callable
            ``look(agent)``: an agent for which it returns False stops, as one does whose `stop` was called. What it has learned is final:
            nothing is given back to it any more. The others go on; learning ends when all have stopped.
        every : int
        """
        last = self.timesteps + budget
        following = (self.timesteps // every + 1) * every
        learning = list(range(self.S))
        with self.rounds.between():
            for part in self._learned():
                part.read()
        for agent in self.agents:
            agent._stopped = False
        try:
            while self.timesteps < last and learning:
                plan = self.plan(last - self.timesteps)
                self.rounds(plan, partial(self._run, plan), record=self.timesteps + plan.valid < last)
                self._journal.note(self.timesteps)
                self.done(plan)
                stopped = [s for s in learning if self.agents[s]._stopped]
                due = self.timesteps >= min(following, last)
                if due or stopped or self._journal.full:
                    with self.rounds.between():
                        self._hand_back(learning, due or bool(stopped))
                if due:
                    following = (self.timesteps // every + 1) * every
                    looked = [s for s in learning if s not in stopped]
                    stopped += [s for s in looked if not look(self.agents[s]) or self.agents[s]._stopped]
                learning = [s for s in learning if s not in stopped]
                for s in stopped if learning else ():  # it keeps where it is, while the program goes on without it
                    self.agents[s].resident, self.agents[s].program = self.state(s), None
        except BaseException:  # Ctrl-C, or a callback's error: what has been learned is not lost
            with self.rounds.between():
                self._hand_back(learning, True)
            raise

    def _run(self, plan: Plan) -> None:
        self.round(plan)
        self._journal.write(plan.rows, plan.valid)
        self.step += plan.valid

    def _hand_back(self, learning: list[int], everything: bool) -> None:
        """Give agents their episodes; and parameters, metrics and counts, where somebody will look at them."""
        found = self._journal.read(self.S)
        for s in learning:
            if len(found[s]):
                self.agents[s].history.extend(found[s])
                if not np.isfinite(found[s][:, 0]).all():
                    self.faulty.add(s)
        if everything:
            place: Any = self.copies.place
            sound = place.scores.view(self.S, self.N).isfinite().all(1).tolist()
            self.faulty |= {s for s in range(self.S) if not sound[s]}
            for part in self._learned():
                part.write(learning)
            numbers = {name: value.tolist() for name, value in self.metrics.items()}
            for s in learning:
                self.agents[s].num_timesteps = self.timesteps
                self.agents[s].metrics = {name: float(each[s]) for name, each in numbers.items()}

    # State ------------------------------------------------------------------------------------------------------------

    def _tensors(self, s: int) -> dict[str, Tensor]:
        return self.copies.of(s) | {name: of(s) for name, of in self._state().items()}

    def state(self, s: int) -> dict[str, np.ndarray]:
        """Return what agent s goes on from, besides its parameters and moments; see `DeepAgent.state_dict`."""
        found = {"seed": np.array([self.seeds[s]])}
        return found | {name: tensor.cpu().numpy().copy() for name, tensor in self._tensors(s).items()}

    def _go_on(self) -> None:
        """Let agents go on from where they had come to; copies begin anew where a replay memory was not saved, but draw no number twice."""
        each = [self._tensors(s) for s in range(self.S)]
        known = [s for s, agent in enumerate(self.agents) if agent.resident]
        complete = all(not each[s].keys() - self.agents[s].resident.keys() for s in known)
        for name, tensor in each[0].items() if complete and known else ():  # what all agents share, they must have come to alike
            if all(mine[name].data_ptr() == tensor.data_ptr() for mine in each):
                first = self.agents[known[0]].resident[name]
                alike = all(np.array_equal(self.agents[s].resident[name], first) for s in known)
                if not alike or (len(known) < self.S and name.startswith("replay.")):
                    cause = "agents that learn together have filled their replay memories in the same steps"
                    raise ValueError(f"{cause}; save them with replay=False")
        places = self.copies.of(0).keys()
        for s in known:
            each[s]["counts"].copy_(torch.as_tensor(self.agents[s].resident["counts"]))
        self.copies.reset()
        for s in known:
            resident = self.agents[s].resident
            for name, tensor in each[s].items():
                if name in resident and (complete or (name not in places and not name.startswith("replay."))):
                    tensor.copy_(torch.as_tensor(resident[name]))


def _same(mine: Any, theirs: Any) -> bool:
    """Whether two vector environments are of the same world, copies and limit."""
    if (mine.num_envs, mine.max_episode_steps, type(mine.world)) != (theirs.num_envs, theirs.max_episode_steps, type(theirs.world)):
        return False
    if (mine.action_masks is None) != (theirs.action_masks is None) or not np.array_equal(mine.action_masks, theirs.action_masks):
        return False
    return _equal(mine.world, theirs.world)


def _equal(mine: Any, theirs: Any) -> bool:
    if isinstance(mine, tuple):
        return len(mine) == len(theirs) and all(map(_equal, mine, theirs))
    mine, theirs = np.asarray(mine), np.asarray(theirs)
    return bool(np.array_equal(mine, theirs, equal_nan=mine.dtype.kind == theirs.dtype.kind == "f"))
