"""PPO on CartPole in plain JAX, for `gpu.py`: the algorithm, the world and the settings of ours, all seeds and rounds in one compiled call.

    python benchmarks/jax_ppo.py '{"settings": {...}, "rounds": 36, "seeds": 1, "device": "cuda"}'

Prints one line of JSON: seconds of a round, of preparation (compilation), and for each seed and round the sum of returns and the count of
the episodes that ended. Everything is a `lax.scan`, vectorised over seeds, as is usual in JAX.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from functools import partial
from typing import Any, NamedTuple

if __name__ == "__main__" and json.loads(sys.argv[1])["device"] == "cpu":
    os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import jax.numpy as jnp
from jax import lax

LIMIT, CLIP, VALUE_WEIGHT, MAX_NORM, EPS = 500, 0.2, 0.5, 0.5, 1e-5


class Settings(NamedTuple):
    """Those of `rlcourse.agents.PPO`."""

    n_envs: int
    n_steps: int
    batch_size: int
    n_epochs: int
    learning_rate: float
    gamma: float
    gae_lambda: float
    hidden: tuple[int, ...]


class Sample(NamedTuple):
    """A step of all copies; after a rollout, of all steps."""

    seen: Any
    action: Any
    log_prob: Any
    value: Any
    following: Any
    reward: Any
    terminated: Any
    ended: Any


def begin(key: Any, n: int) -> Any:
    """Return states of copies that begin, [n, 4]."""
    return jax.random.uniform(key, (n, 4), minval=-0.05, maxval=0.05)


def step(state: Any, action: Any) -> tuple[Any, Any]:
    """Return the states after actions, and which poles have fallen: the equations of `rlcourse.envs.cartpole`."""
    x, x_dot, theta, theta_dot = state.T
    force, mass, pole = jnp.where(action == 1, 10.0, -10.0), 1.1, 0.05
    cos, sin = jnp.cos(theta), jnp.sin(theta)
    push = (force + pole * theta_dot**2 * sin) / mass
    theta_acc = (9.8 * sin - cos * push) / (0.5 * (4.0 / 3.0 - 0.1 * cos**2 / mass))
    x_acc = push - pole * theta_acc * cos / mass
    after = jnp.stack([x + 0.02 * x_dot, x_dot + 0.02 * x_acc, theta + 0.02 * theta_dot, theta_dot + 0.02 * theta_acc], 1)
    return after, (jnp.abs(after[:, 0]) > 2.4) | (jnp.abs(after[:, 2]) > 12 * 2 * math.pi / 360)


def networks(key: Any, hidden: tuple[int, ...]) -> Any:
    """Return weights and biases of actor and critic: orthogonal, as ours."""

    def layers(key: Any, last: int, gain: float) -> list[tuple[Any, Any]]:
        sizes = [4, *hidden, last]
        keys, gains = jax.random.split(key, len(sizes) - 1), [2**0.5] * len(hidden) + [gain]
        pairs = zip(keys, sizes[:-1], sizes[1:], gains, strict=True)
        return [(jax.nn.initializers.orthogonal(g)(k, (i, o)), jnp.zeros(o)) for k, i, o, g in pairs]

    one, two = jax.random.split(key)
    return layers(one, 2, 0.01), layers(two, 1, 1.0)


def passed(layers: Any, x: Any) -> Any:
    """Return the output of a network."""
    *hidden, (w, b) = layers
    for weight, bias in hidden:
        x = jnp.tanh(x @ weight + bias)
    return x @ w + b


def log_prob_of(logits: Any, action: Any) -> Any:
    """Return log-probabilities of actions."""
    return jnp.take_along_axis(jax.nn.log_softmax(logits), action[:, None], 1)[:, 0]


def loss_of(parameters: Any, batch: Any) -> Any:
    """Return PPO's loss (Schulman et al. 2017, Eq. 9, without the bonus)."""
    seen, action, old, advantage, target = batch
    actor, critic = parameters
    advantage = (advantage - advantage.mean()) / (advantage.std(ddof=1) + 1e-8)
    ratio = jnp.exp(log_prob_of(passed(actor, seen), action) - old)
    surrogate = jnp.minimum(ratio * advantage, jnp.clip(ratio, 1 - CLIP, 1 + CLIP) * advantage).mean()
    return -surrogate + VALUE_WEIGHT * jnp.square(passed(critic, seen)[:, 0] - target).mean()


def descend(c: Settings, carry: Any, batch: Any) -> tuple[Any, None]:
    """Take one step of Adam, the gradient clipped by its norm."""
    parameters, first, second, count = carry
    gradient = jax.grad(loss_of)(parameters, batch)
    norm = jnp.sqrt(sum(jnp.square(g).sum() for g in jax.tree.leaves(gradient)))
    scale, count = jnp.minimum(1.0, MAX_NORM / (norm + 1e-6)), count + 1
    gradient = jax.tree.map(lambda g: g * scale, gradient)
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradient)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradient)
    a, b = 1 - 0.9**count, 1 - 0.999**count
    moved = jax.tree.map(lambda p, m, v: p - c.learning_rate * (m / a) / (jnp.sqrt(v / b) + EPS), parameters, first, second)
    return (moved, first, second, count), None


def act(c: Settings, actor_critic: Any, carry: Any, key: Any) -> tuple[Any, Any]:
    """Take one step in all copies; those whose episode ends begin anew."""
    state, length = carry
    actor, critic = actor_critic
    choosing, beginning = jax.random.split(key)
    logits = passed(actor, state)
    action = jax.random.categorical(choosing, logits)
    after, fallen = step(state, action)
    length = length + 1
    ended = fallen | (length >= LIMIT)
    value, following = passed(critic, state)[:, 0], passed(critic, after)[:, 0]
    sample = Sample(state, action, log_prob_of(logits, action), value, following, jnp.ones(c.n_envs), fallen, ended)
    state = jnp.where(ended[:, None], begin(beginning, c.n_envs), after)
    return (state, jnp.where(ended, 0, length)), (sample, jnp.where(ended, length, 0).sum(), ended.sum())


def advantages(c: Settings, s: Sample) -> Any:
    """Return generalised advantage estimates, [T, N]; a truncated episode bootstraps, a terminated one does not."""

    def back(later: Any, row: Any) -> tuple[Any, Any]:
        reward, value, following, terminated, ended = row
        error = reward + c.gamma * following * (1 - terminated) - value
        here = error + c.gamma * c.gae_lambda * (1 - ended) * later
        return here, here

    rows = (s.reward, s.value, s.following, s.terminated.astype(jnp.float32), s.ended.astype(jnp.float32))
    return lax.scan(back, jnp.zeros(c.n_envs), rows, reverse=True)[1]


def one_round(c: Settings, carry: Any, key: Any) -> tuple[Any, Any]:
    """Gather a rollout, and take all gradient steps on it."""
    learner, places = carry
    acting, shuffling = jax.random.split(key)
    places, (s, sums, counts) = lax.scan(partial(act, c, learner[0]), places, jax.random.split(acting, c.n_steps))
    advantage = advantages(c, s)
    size = c.n_envs * c.n_steps
    flat = [part.reshape(size, *part.shape[2:]) for part in (s.seen, s.action, s.log_prob, advantage, advantage + s.value)]

    def epoch(learner: Any, key: Any) -> tuple[Any, None]:
        order = jax.random.permutation(key, size)
        batches = [part[order].reshape(size // c.batch_size, c.batch_size, *part.shape[1:]) for part in flat]
        return lax.scan(partial(descend, c), learner, batches)

    learner, _ = lax.scan(epoch, learner, jax.random.split(shuffling, c.n_epochs))
    return (learner, places), (sums.sum(), counts.sum())


def train(c: Settings, rounds: int, seed: Any) -> Any:
    """Return the sums of returns and the counts of the episodes of each round."""
    weights, placing, learning = jax.random.split(jax.random.key(seed), 3)
    parameters = networks(weights, c.hidden)
    nothing = jax.tree.map(jnp.zeros_like, parameters)
    carry = ((parameters, nothing, nothing, 0.0), (begin(placing, c.n_envs), jnp.zeros(c.n_envs, jnp.int32)))
    return lax.scan(partial(one_round, c), carry, jax.random.split(learning, rounds))[1]


def main() -> None:
    """Compile, train twice, print the second time's seconds: the first may still tune its kernels."""
    asked = json.loads(sys.argv[1])
    given = asked["settings"] | {"hidden": tuple(asked["settings"]["hidden"])}
    c = Settings(**{name: given[name] for name in Settings._fields})
    if c.n_envs * c.n_steps % c.batch_size:
        raise SystemExit("batch_size must divide n_envs * n_steps")
    run = jax.jit(jax.vmap(partial(train, c, asked["rounds"])))
    seeds = jnp.arange(asked["seeds"])
    began = time.perf_counter()
    jax.block_until_ready(run(seeds))
    prepared = time.perf_counter()
    sums, counts = jax.block_until_ready(run(seeds))
    each = (time.perf_counter() - prepared) / asked["rounds"]
    found = {"seconds_of_a_round": each, "preparation": prepared - began - each * asked["rounds"]}
    print(json.dumps(found | {"sums": sums.tolist(), "counts": counts.tolist(), "jax": jax.__version__, "on": str(jax.devices()[0])}))


if __name__ == "__main__":
    main()
