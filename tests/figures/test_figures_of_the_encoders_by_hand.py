"""Mutants of the figures init, clipping and batchnorm: each mistake breaks a claim. Only the parts that it touches are run anew."""

import dataclasses

import numpy as np
import pytest

from rlcourse.agents.deep.optimizer import FlatOptimizer
from rlcourse.figures import load
from rlcourse.figures.experiment import Lab, settings_of
from rlcourse.nn_numpy import INITIAL_WEIGHTS, batch_norm

TINY = {"init": {"runs": 1, "steps": 512, "episodes": 1}, "clipping": {"runs": 1, "steps": 512, "batches": 2}}


def failing(name):
    """Return the claims that fail after a moment of the experiment."""
    module = load(name)
    settings = dataclasses.replace(settings_of(name, "fast"), **TINY[name])
    return {claim.text for claim in module.claims(module.run(settings, Lab(processes=False)), settings) if not claim.holds}


def lessons(batches=400):
    """Return the claims of `batchnorm` that fail; its agents are left out."""
    module, settings = load("batchnorm"), settings_of("batchnorm", "fast")
    jobs = [(lesson[:3], norm, seed, batches) for lesson in module.LESSONS for norm in (False, True) for seed in range(2)]
    accuracy = np.array([module.classified(job) for job in jobs]).reshape(-1, 2, 2)
    return {claim.text for claim in module.claims({"accuracy": accuracy}, settings) if not claim.holds}


def test_zeros_that_are_not_quite_zero_are_noticed(monkeypatch):
    assert "zeros: the units of a layer stay alike to the last bit" not in failing("init")
    monkeypatch.setitem(INITIAL_WEIGHTS, "zeros", INITIAL_WEIGHTS["U±0.01"])
    assert "zeros: the units of a layer stay alike to the last bit" in failing("init")


def test_a_norm_that_is_clipped_element_by_element_is_noticed(monkeypatch):
    exact = {"clipping by norm keeps the direction", "clipping by value turns it", "no norm is left above the limit"}
    assert not exact & failing("clipping")

    def by_element(self, learning_rate):
        self.gradient.clamp_(-0.01, 0.01)
        self.steps += 1
        self._descend(learning_rate)

    monkeypatch.setattr(FlatOptimizer, "descend", by_element)
    assert "clipping by norm keeps the direction" in failing("clipping")


def test_a_gradient_that_is_not_clipped_is_noticed(monkeypatch):
    def unclipped(self, learning_rate):
        self.steps += 1
        self._descend(learning_rate)

    monkeypatch.setattr(FlatOptimizer, "descend", unclipped)
    assert {"clipping by value turns it", "no norm is left above the limit", "nor any element"} <= failing("clipping")


@pytest.mark.parametrize("mistake", ["running statistics that never move", "no normalisation at all"])
def test_a_batch_norm_that_is_none_is_noticed(monkeypatch, mistake):
    if mistake == "no normalisation at all":
        monkeypatch.setattr(batch_norm.BatchNorm, "forward", lambda self, x, train: x)
        monkeypatch.setattr(batch_norm.BatchNorm, "backward", lambda self, dy: dy)
    else:
        made = batch_norm.BatchNorm.__init__
        monkeypatch.setattr(batch_norm.BatchNorm, "__init__", lambda self, features: made(self, features, momentum=0.0))
    assert len(lessons(batches=200)) >= 3
