"""The figure of autoencoders: its measures by hand, and that a mistaken objective breaks its claims."""

from unittest import mock

import numpy as np

from rlcourse.figures.encoders import autoencoder
from rlcourse.figures.encoders.autoencoder import Settings, edge_likeness, edges
from rlcourse.pretraining import sparse


def test_an_edge_is_like_an_edge_and_noise_is_not():
    y, x = np.mgrid[:8, :8]
    assert edge_likeness(np.stack([np.where(x > 3, 1.0, -1.0), np.where(x + y > 7, 2.0, 1.0)])).min() > 0.9
    assert np.median(edge_likeness(np.random.default_rng(1).standard_normal((100, 8, 8)))) < 0.4
    np.testing.assert_allclose(np.linalg.norm(edges(), axis=1), 1.0)


def test_the_steps_that_a_run_needs_are_those_to_the_first_of_two_solved_evaluations():
    returns = np.array([[0.0, 1.0, 0.2, 1.0, 1.0], [0.0, 0.2, 1.0, 0.2, 1.0]])
    assert autoencoder._needed(returns, Settings(steps=2_048)).tolist() == [1_536, 2_048]


def test_without_the_weight_of_sparsity_the_units_are_not_sparse():
    settings = Settings(frames=500, iterations=60)
    right = autoencoder._prepare(("filters", "ae-sparse", settings, 0))["activation"]
    objective = sparse.sparse_objective

    def dense(x, W1, b1, W2, b2, rho, lam, beta):
        return objective(x, W1, b1, W2, b2, rho, lam, 0.0)

    with mock.patch.object(sparse, "sparse_objective", dense):
        wrong = autoencoder._prepare(("filters", "ae-sparse", settings, 0))["activation"]
    assert abs(right.mean() - 0.01) <= 0.02 < abs(wrong.mean() - 0.01)
