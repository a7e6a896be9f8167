"""What a campaign reports."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Outcome"]


class Outcome(NamedTuple):
    """One row of the table in docs/reliability.md.

    Attributes
    ----------
    what : str
        What was injected, tried or compared, in a few words.
    tried : int
        How often.
    as_promised : int
        How often the answer was what is promised.
    lost : int
        How often something was lost: a checkpoint, a row, a run that cannot be resumed, a fault that passed in silence.
    promise : str
        What is promised, in a few words.
    failures : tuple of str
        The first cases that went wrong, by what reproduces them.
    at_least : float
        Which share of them is promised.
    """

    what: str
    tried: int
    as_promised: int
    lost: int
    promise: str
    failures: tuple[str, ...] = ()
    at_least: float = 1.0

    @property
    def kept(self) -> bool:
        """Whether as many answers were right as are promised."""
        return self.as_promised >= self.at_least * self.tried
