"""CrossQ with some experience, and the batch that it will draw."""

from rlcourse.agents import CrossQ

TINY = {"n_envs": 2, "batch_size": 8, "learning_starts": 16, "buffer_size": 500, "hidden": (8,), "actor_hidden": (8,)}


def ready(**settings) -> CrossQ:
    """An agent with some experience, before its first update."""
    return CrossQ("Pendulum-v1", seed=1, **(TINY | {"learning_starts": 300} | settings)).learn(298)


def upcoming(agent):
    """The batch that the next update will draw."""
    state = agent.rng.bit_generator.state
    batch = agent.replay.sample(agent.config.batch_size, agent.rng, agent.config.gamma)
    agent.rng.bit_generator.state = state
    return batch
