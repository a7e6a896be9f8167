"""What the tests of on-policy programs share: the same experience for a program and for its agent as it learns on the host."""

import numpy as np

from rlcourse.agents.deep.programs.draws import Shuffles


def far(a, b) -> float:
    return float((a.optimizer.parameters - b.optimizer.parameters).abs().max())


def same_state(a, b) -> bool:
    mine, theirs = a.state_dict(), b.state_dict()
    assert mine.keys() == theirs.keys()
    return all(np.array_equal(mine[name], theirs[name]) for name in mine if isinstance(mine[name], np.ndarray))


def same_moments(a, b) -> bool:
    """Up to the rounding of means that the host takes of float32 numbers."""
    pairs = ((a.normalizer.seen, b.normalizer.seen), (a.normalizer.returned, b.normalizer.returned))
    return all(np.allclose(mine.data, theirs.data, rtol=1e-5, atol=1e-6) for mine, theirs in pairs)


def give(agent, program, plan, actions) -> None:
    """Give an agent the rollout, with actions [T, N, ...], that a program of it alone has gathered, as if the host had gathered it."""
    r, c = agent.rollout, program.copies
    T = r.length = plan.rows
    r.valid = plan.valid
    r.observations[: T + 1] = c.observations[: T + 1].numpy()
    for mine, theirs in ((r.actions, actions), (r.rewards, c.rewards), (r.terminated, c.terminated)):
        mine[:T] = theirs[:T].numpy().reshape(mine[:T].shape)
    r.ended[:T] = program.ended(T, plan.valid).numpy()
    cuts = [(int(t), int(i)) for t, i in np.argwhere((c.ended & ~c.terminated)[:T].numpy())]
    r.cuts = [(t, i, c.successors[t, i].numpy().copy()) for t, i in cuts if t * program.N + i < plan.valid]
    table = agent.venv.unwrapped.action_masks
    if table is not None:
        r.masks, r.final_masks = table[r.observations], [table[last] for _, _, last in r.cuts]
    agent.num_timesteps += plan.valid


def orders(program, monkeypatch) -> None:
    """Let torch.randperm, which shuffles on the host, return the permutations that the program will draw."""
    shuffles = Shuffles(program.seeds, program.device)
    monkeypatch.setattr("torch.randperm", lambda size, **_: shuffles(size)[0].clone())
