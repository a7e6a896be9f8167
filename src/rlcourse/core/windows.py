"""Windows of n steps in a memory of rows: from where a transition begins to where it bootstraps."""

from __future__ import annotations

from rlcourse.core.box import box

__all__ = ["n_step_windows"]


@box
def n_step_windows(rewards, terminated, ended, stored, slots, gamma, n, returns, discounts, ends):
    """Follow each slot for n steps, or to its episode's or the memory's end; return how many episodes were cut there.

    Written are the discounted rewards, the discount of what follows (0 after a termination) and the slot of the last step.
    """
    rows, copies = rewards.shape
    cuts = 0
    for b in range(len(slots)):
        row, i = slots[b] // copies, slots[b] % copies
        G = float(rewards[row, i])
        discount = gamma
        for _ in range(n - 1):
            following = (row + 1) % rows
            if ended[row, i] or not stored[following, i]:  # the current row is not stored
                break
            row = following
            G += discount * float(rewards[row, i])
            discount *= gamma
        returns[b] = G
        discounts[b] = 0.0 if terminated[row, i] else discount
        ends[b] = row * copies + i
        if ended[row, i] and not terminated[row, i]:
            cuts += 1
    return cuts
