"""Wrappers: what an agent does not see, what it remembers, how it learns not to mind the colours.

>>> from rlcourse.wrappers import MaskVelocity

Each is a `gymnasium.Wrapper` for any environment. Most have a method ``around(world)`` that returns their compiled form, a world around a
world; agents with a network find that form themselves, so that all copies of a wrapped world step in one compiled call.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rlcourse.wrappers.encode import EncodeObservation
    from rlcourse.wrappers.features import Featured, FeatureObservation, featured
    from rlcourse.wrappers.flicker import Flicker, Flickering, flickering
    from rlcourse.wrappers.flip import RandomFlip
    from rlcourse.wrappers.mask import Masked, MaskVelocity, masked
    from rlcourse.wrappers.missions import MissionText
    from rlcourse.wrappers.occlude import Occlude
    from rlcourse.wrappers.previous import PreviousActionReward, Reminded, reminded
    from rlcourse.wrappers.recurrent import RecurrentObservation
    from rlcourse.wrappers.shift import RandomShift
    from rlcourse.wrappers.tint import Tint
    from rlcourse.wrappers.tokens import TextTokens, vocabulary_of
    from rlcourse.wrappers.window import Window, Windowed, windowed

__all__ = [
    "EncodeObservation",
    "FeatureObservation",
    "Featured",
    "Flicker",
    "Flickering",
    "MaskVelocity",
    "Masked",
    "MissionText",
    "Occlude",
    "PreviousActionReward",
    "RandomFlip",
    "RandomShift",
    "RecurrentObservation",
    "Reminded",
    "TextTokens",
    "Tint",
    "Window",
    "Windowed",
    "featured",
    "flickering",
    "masked",
    "reminded",
    "vocabulary_of",
    "windowed",
]

MODULES = {  # name: the file that holds it
    "EncodeObservation": "rlcourse.wrappers.encode",
    "FeatureObservation": "rlcourse.wrappers.features",
    "Featured": "rlcourse.wrappers.features",
    "Flicker": "rlcourse.wrappers.flicker",
    "Flickering": "rlcourse.wrappers.flicker",
    "MaskVelocity": "rlcourse.wrappers.mask",
    "Masked": "rlcourse.wrappers.mask",
    "MissionText": "rlcourse.wrappers.missions",
    "Occlude": "rlcourse.wrappers.occlude",
    "PreviousActionReward": "rlcourse.wrappers.previous",
    "RandomFlip": "rlcourse.wrappers.flip",
    "RandomShift": "rlcourse.wrappers.shift",
    "RecurrentObservation": "rlcourse.wrappers.recurrent",
    "Reminded": "rlcourse.wrappers.previous",
    "TextTokens": "rlcourse.wrappers.tokens",
    "Tint": "rlcourse.wrappers.tint",
    "Window": "rlcourse.wrappers.window",
    "Windowed": "rlcourse.wrappers.window",
    "featured": "rlcourse.wrappers.features",
    "flickering": "rlcourse.wrappers.flicker",
    "masked": "rlcourse.wrappers.mask",
    "reminded": "rlcourse.wrappers.previous",
    "vocabulary_of": "rlcourse.wrappers.tokens",
    "windowed": "rlcourse.wrappers.window",
}


def __getattr__(name: str) -> Any:
    if name not in MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
