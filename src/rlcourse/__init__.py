"""rlcourse: the reinforcement-learning course that you can run.

Importing it registers the environments with Gymnasium (``gymnasium.make("rlcourse/CliffWalk-v0")``) and imports nothing
heavier than Gymnasium.
"""

from __future__ import annotations

from rlcourse.core.catalogue import register_all

__all__ = ["__version__"]

__version__ = "0.1.0"

register_all()
