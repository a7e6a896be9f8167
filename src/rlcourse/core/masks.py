"""Which actions exist: ``info["action_mask"]`` of an environment, read and checked."""

from __future__ import annotations

from typing import Any

import numpy as np

from rlcourse.core.faults import EnvironmentFault

__all__ = ["checked_mask", "given_masks", "masks_of"]


def checked_mask(mask: Any, actions: int) -> np.ndarray:
    """Return the mask of one copy as bool, shape [A].

    Raises
    ------
    EnvironmentFault
        Where it has another length than there are actions, or leaves none.
    """
    checked = np.asarray(mask, np.bool_)
    if checked.shape != (actions,):
        raise EnvironmentFault(f"info['action_mask'] must tell of {actions} actions, not have shape {checked.shape}: mend the environment")
    if not checked.any():
        raise EnvironmentFault("info['action_mask'] leaves no action: mend the environment, or end the episode there")
    return checked


def masks_of(infos: dict[str, Any], copies: int, actions: int) -> np.ndarray:
    """Return which actions exist where the copies are, shape [N, A]; where a copy says nothing, all of them.

    Parameters
    ----------
    infos : dict
        Of a vector environment: ``action_mask`` by copy, and in ``_action_mask`` which of the copies said something, if not all.
    copies, actions : int

    Raises
    ------
    EnvironmentFault
        See `checked_mask`.
    """
    masks, given = np.ones((copies, actions), np.bool_), infos.get("action_mask")
    if given is not None:
        whole = isinstance(given, np.ndarray) and given.dtype == np.bool_ and given.shape == masks.shape
        if whole and "_action_mask" not in infos and given.any(1).all():
            return np.asarray(given)
        for i in np.flatnonzero(infos.get("_action_mask", np.ones(copies, np.bool_))):
            masks[i] = checked_mask(given[i], actions)
    return masks


def given_masks(action_masks: Any, observations: int, actions: int) -> np.ndarray:
    """Return the masks of a call, shape [A] or [B, A], as bool of shape [B, A].

    Raises
    ------
    ValueError
        Where they are not as many as observations; see also `checked_mask`.
    """
    given = action_masks if np.ndim(action_masks) > 1 else [action_masks]
    if len(given) != observations:
        raise ValueError(f"action_masks must be {observations}, one for each observation, not {len(given)}")
    return np.stack([checked_mask(mask, actions) for mask in given])
