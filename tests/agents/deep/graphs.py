"""CUDA graphs, emulated on the CPU: what a program does in a round is recorded once, and replayed on the same memory.

A recording knows what a real one knows: operations of torch with the tensors and numbers that they had, and launches of kernels. A replay
runs them again on the same memory. So Python that decides anew in each round, a number that changes, and a tensor that is replaced instead
of changed are found without a GPU; and what a GPU's stream refuses to record, or would wait for, is refused here.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from rlcourse.agents.deep.programs.capture import Rounds
from rlcourse.agents.deep.programs.launch import Launch

__all__ = ["Recording", "Refused", "ReplayedRounds", "record"]

_TAGS = {  # torch's own tags of operations
    torch.Tag.data_dependent_output: "its result goes to the host",  # item, bool(tensor), equal
    torch.Tag.nondeterministic_seeded: "it draws from a generator of torch",  # rand, bernoulli, dropout
    torch.Tag.dynamic_output_shape: "the shape of its result depends on the data",  # nonzero, masked_select, unique, repeat_interleave
}
_INDEXED = {torch.ops.aten.index.Tensor, torch.ops.aten.index_put.default, torch.ops.aten.index_put_.default}
_MADE = ("arange", "empty", "eye", "full", "linspace", "ones", "zeros")  # on the host, unless a device is said
_TO_HOST = (
    "cpu",
    "numpy",
    "tolist",
    "item",
    "__array__",
    "__bool__",
    "__float__",
    "__int__",
    "__index__",
)  # silent, or half so, on the CPU
_FROM_HOST = ("tensor", "as_tensor", "asarray")  # from_numpy shows itself to nobody; copies of memory that a later round does not have


class Refused(RuntimeError):
    """What was to be recorded cannot be recorded on a GPU, or waits for it."""


def record(function: Callable[[], None]) -> "Recording":
    """Run a function, and return what it did. As it runs once, it counts as one round; a real recording does not run."""
    recording = Recording()
    before, Launch.recorder = Launch.recorder, recording._launched
    try:
        with _Host(), _Operations(recording):
            function()
    finally:
        Launch.recorder = before
    return recording


class Recording:
    """What a function did: operations on tensors, and launches, in their order."""

    def __init__(self) -> None:
        self._doings: list[Callable[[], None]] = []
        self.operations: list[str] = []  # names, for messages and counts

    def replay(self) -> None:
        """Do it again, on the same memory."""
        with torch.no_grad():
            for do in self._doings:
                do()

    def _launched(self, launch: Launch) -> None:
        self._doings.append(launch._run)
        self.operations.append("launch")

    def _called(self, function: Any, arguments: Any, keywords: Any, results: Any) -> None:
        fixed, named = _map(_held, arguments), _map(_held, keywords)
        outputs = [_held(each) for each in tree_leaves(results) if isinstance(each, Tensor)]
        if torch.Tag.inplace_view in function.tags or not (_writes(function) or _makes(outputs, fixed, named)):
            return  # a view: another look at memory that other operations fill
        self.operations.append(str(function))
        if _writes(function):
            self._doings.append(lambda: function(*fixed, **named))
        elif not function.name().startswith("aten::empty"):  # what is in new memory is nobody's to know
            self._doings.append(lambda: _again(function, fixed, named, outputs))


class ReplayedRounds(Rounds):
    """`Rounds` that record and replay on the CPU as on a GPU; set it as a program's `rounds`."""

    def __init__(self, device: torch.device) -> None:
        super().__init__(device)
        self.replaying, self.replayed = True, 0

    def _record(self, function: Callable[[], None]) -> Callable[[], None]:
        recording = record(function)
        skipped = [recording.replay]  # the recording was a round already

        def replay() -> None:
            if skipped:
                skipped.pop()
            else:
                recording.replay()
                self.replayed += 1

        return replay


class _Operations(TorchDispatchMode):
    """Tells a recording of every operation below autograd and vmap."""

    def __init__(self, recording: Recording) -> None:
        super().__init__()
        self.recording = recording

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        keywords = kwargs or {}
        if reason := _reason(function, args):
            raise Refused(f"{function} cannot be recorded: {reason}")
        results = function(*args, **keywords)
        self.recording._called(function, args, keywords, results)
        return results


class _Host(TorchFunctionMode):
    """Refuses what moves numbers between host and device, which on the CPU does nothing that an operation would show."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(function, "__name__", "")
        if name in _TO_HOST and args and isinstance(args[0], Tensor):
            raise Refused(f"Tensor.{name} cannot be recorded: it waits for the device")
        if name in _FROM_HOST and not (args and isinstance(args[0], Tensor)):
            raise Refused(f"torch.{name} cannot be recorded: a replay does not see what the host has then")
        if name in _MADE and (kwargs or {}).get("device") is None:
            raise Refused(f"torch.{name} cannot be recorded: without a device it makes a tensor of the host")
        return function(*args, **kwargs or {})


def _reason(function: Any, args: Any) -> str:
    """Return why a stream cannot record an operation, or nothing."""
    if function in _INDEXED:  # tagged whatever the indices are
        masks = any(isinstance(each, Tensor) and each.dtype in (torch.bool, torch.uint8) for each in args[1])
        return "a mask as index waits for the count of its elements; take torch.where or masked_fill_" if masks else ""
    return next((reason for tag, reason in _TAGS.items() if tag in function.tags), "")


def _writes(function: Any) -> bool:
    return any(each.alias_info is not None and each.alias_info.is_write for each in function._schema.arguments)


def _makes(outputs: list[Tensor], *inputs: Any) -> bool:
    """Whether outputs have memory of their own."""
    known = {each.untyped_storage()._cdata for each in tree_leaves(inputs) if isinstance(each, Tensor)}
    return any(each.untyped_storage()._cdata not in known for each in outputs)


def _held(value: Any) -> Any:
    """Return an argument, a tensor as another look at its memory: without history, and of the shape that it has now."""
    return value.detach() if isinstance(value, Tensor) else value


def _map(function: Callable[[Any], Any], value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(_map(function, each) for each in value)
    return {name: _map(function, each) for name, each in value.items()} if isinstance(value, dict) else function(value)


def _again(function: Any, arguments: Any, keywords: Any, outputs: list[Tensor]) -> None:
    """Run an operation, and put its results where they were when it was recorded."""
    results = [each for each in tree_leaves(function(*arguments, **keywords)) if isinstance(each, Tensor)]
    for output, result in zip(outputs, results, strict=True):
        assert (output.shape, output.dtype) == (result.shape, result.dtype), function
        output.copy_(result)
