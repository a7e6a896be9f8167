"""Pictures of learning, of pre-training, and of what a network has learned (matplotlib's Figure, no display needed)."""

from rlcourse.plotting.curves import compare_curves, learning_curve, seeds_curve

__all__ = ["compare_curves", "learning_curve", "seeds_curve"]
