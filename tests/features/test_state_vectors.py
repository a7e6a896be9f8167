"""State2vec, proto-value functions and the successor representation: known spectra, a known span, and what a walk meets."""

import numpy as np
import pytest

from rlcourse.agents import SemiGradientSarsa
from rlcourse.core import exact, exact_linear
from rlcourse.core.mdp import MDP
from rlcourse.core.skip_gram import train
from rlcourse.core.walks import uniform_walk
from rlcourse.envs import cliff_walk, four_rooms
from rlcourse.features import TableFeatures, proto_value_functions, state2vec, successor_vectors

FREE = np.flatnonzero(np.diff(four_rooms(None).start, prepend=0.0))


def ring(n=12):
    """A ring of n states, to the left and to the right, without an end."""
    return MDP.of({s: {a: [(1.0, (s + step) % n, 0.0, False)] for a, step in enumerate((-1, 1))} for s in range(n)})


def test_proto_value_functions_of_a_ring_are_its_fourier_modes():
    """Eigenvalues of the Laplacian of a ring are 1 - cos(2 pi k / n), in pairs, with cosines and sines for eigenvectors."""
    n, table = 12, proto_value_functions(ring(12), 5)
    angle = 2 * np.pi * np.arange(n) / n
    waves = np.stack([np.ones(n), *(f(k * angle) for k in (1, 2) for f in (np.cos, np.sin))], axis=1)
    waves /= np.linalg.norm(waves, axis=0)
    assert np.linalg.svd(table.T @ waves)[1].min() == pytest.approx(1.0)
    np.testing.assert_allclose(np.abs(table[:, 0]), n**-0.5)


def test_both_exact_bases_span_the_same_values_where_random_steps_are_symmetric():
    rooms = four_rooms(None)
    smooth, successor = proto_value_functions(rooms, 16), successor_vectors(rooms, 16, 0.95)
    assert np.linalg.svd(smooth.T @ successor)[1].min() == pytest.approx(1.0)
    for table in (smooth, successor):
        np.testing.assert_allclose(table.T @ table, np.eye(16), atol=1e-9)
        assert np.array_equal(np.flatnonzero(table.any(axis=1)), FREE), "walls have no vector"


def test_the_successor_representation_counts_discounted_visits_until_the_end():
    """With all vectors M = U S V; of a world with an end, the rows of M sum to the value of a reward of 1 a step."""
    world, gamma = cliff_walk(), 0.9
    policy = np.full((48, 4), 0.25)
    P, _, start = exact_linear.chain(world, policy)
    M = np.linalg.inv(np.eye(48) - gamma * P)
    met = successor_vectors(world, 30, gamma).any(axis=1)
    assert met[np.flatnonzero(start)].all()
    assert not met[37:47].any(), "nobody stays in the cliff"
    table = successor_vectors(world, int(met.sum()), gamma)[met]
    np.testing.assert_allclose(table @ table.T, np.eye(int(met.sum())), atol=1e-9)
    lasting = exact.v_pi(world._replace(reward=np.ones_like(world.reward)), policy, gamma)
    np.testing.assert_allclose(M[met].sum(axis=1), lasting[met])


def test_a_walk_takes_every_action_as_often_and_begins_anew_at_the_end_or_the_limit():
    states, begins = np.zeros(20_000, np.int64), np.zeros(20_000, np.bool_)
    uniform_walk(four_rooms(), 4, 50, states, begins, np.random.default_rng(0))
    lengths = np.diff(np.append(np.flatnonzero(begins), len(states)))
    assert begins[0]
    assert lengths.max() == 51, "a first state and 50 steps"
    goal = 7 * 13 + 9
    assert np.all(begins[1:][states[:-1] == goal]), "the goal ends an episode"
    assert np.array_equal(np.isin(np.diff(states)[~begins[1:]], (-13, -1, 0, 1, 13)), np.ones((~begins[1:]).sum(), bool))
    ringed, firsts = np.zeros(20_000, np.int64), np.zeros(20_000, np.bool_)
    uniform_walk(ring(), 2, 0, ringed, firsts, np.random.default_rng(0))
    assert firsts.sum() == 1
    assert np.mean(np.isin(np.diff(ringed), (1, -11))) == pytest.approx(0.5, abs=0.02)


def test_state2vec_is_skip_gram_over_episodes_and_states_beside_one_another_are_similar():
    found = state2vec(four_rooms(None), steps=20_000, limit=100, seed=3)
    states, begins = np.zeros(20_000, np.int64), np.zeros(20_000, np.bool_)
    uniform_walk(four_rooms(None), 4, 100, states, begins, np.random.default_rng(3))
    same = train(np.split(states, np.flatnonzero(begins)[1:]), 169, vector_size=16, epochs=3, seed=3)
    assert np.array_equal(found.vectors, same.vectors)
    assert np.array_equal(np.flatnonzero(found.vectors.any(axis=1)), FREE)
    near = [abs(np.subtract(divmod(cell, 13), divmod(found.most_similar(int(cell), 1)[0][0], 13))).sum() for cell in FREE]
    assert np.mean(near) < 2.5


def test_they_are_features_of_linear_agents_on_gymnasium_tables_too():
    table = state2vec("FrozenLake-v1", steps=2_000, vector_size=4).vectors
    agent = SemiGradientSarsa("FrozenLake-v1", features=table, alpha=0.01, seed=0).learn(200)
    assert agent.w.shape == (4, 4)
    assert isinstance(agent.features, TableFeatures)
    assert proto_value_functions("FrozenLake-v1", 3).shape == (16, 3)


def test_a_file_of_vectors_is_named_as_features_and_the_agent_keeps_them(tmp_path):
    found = state2vec(four_rooms(None), steps=2_000, vector_size=4)
    path = found.save(tmp_path / "vectors.safetensors")
    agent = SemiGradientSarsa("rlcourse/FourRooms-v0", features=f"bias+table:{path}", alpha=0.01, seed=0).learn(300)
    saved = agent.save(tmp_path / "agent.safetensors")
    path.unlink()
    again = SemiGradientSarsa.load(saved, env="rlcourse/FourRooms-v0")
    assert np.array_equal(again.values(), agent.values())
    assert again.config == agent.config
    for text, sentence in (
        (f"table:{path}", "features .*: there is no file"),
        ("table", "'table' needs a file and finite observations"),
        (f"table:{saved}", "features .* holds a SemiGradientSarsa, not word vectors"),
    ):
        with pytest.raises(ValueError, match=sentence):
            SemiGradientSarsa("rlcourse/FourRooms-v0", features=text)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: state2vec("CartPole-v1"), "state2vec needs finitely many observations and actions"),
        (lambda: state2vec(four_rooms(), steps=1), "steps must be a whole number of at least 2"),
        (lambda: proto_value_functions(four_rooms(None), 105), r"size must be within 1\.\.104"),
        (lambda: successor_vectors(four_rooms(None), 0, 0.9), "size must be a whole number in"),
        (lambda: four_rooms(0), "goal must be a free cell, not 0"),
    ],
)
def test_what_cannot_be_made_is_said_in_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
