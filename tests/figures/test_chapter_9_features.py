"""Mutants of the features of chapter 9: each mistaken feature breaks a claim of the figure that draws it."""

import inspect
import textwrap
from unittest import mock

import pytest
from harness import broken_claims

from rlcourse.features import CoarseCoding, Fourier, RadialBasis, Stripes, Tiles

MUTANTS = {  # what is wrong: figure, class, text, its replacement
    "cosines of whole waves": ("9.3", Fourier, "math.pi * x[i]", "2 * math.pi * x[i]"),
    "sines": ("9.3", Fourier, "math.cos", "math.sin"),
    "a basis that looks at its last coordinate alone": ("9.4", Fourier, "x[i] += self.c[i, j] * s", "x[i] = self.c[i, j] * s"),
    "a product of cosines in the place of a cosine of the sum": ("9.4", Fourier, "self.c[i, j] * s", "self.c[i, j] * s * s"),
    "fields of one radius": ("9.7", CoarseCoding, "self.radius[j]", "self.radius[0]"),
    "tilings that are not offset": ("9.9", Tiles, "(t * self.displacement[i]) % self.tilings", "0"),
    "tiles twice as wide": ("9.9", Tiles, "* self.tiles[i] * self.tilings", "* self.tiles[i] * self.tilings / 2"),
    "offsets that forget what was asked for": ("9.11", Tiles, "t * self.displacement[i]", "t"),
    "tilings without numbers of their own": ("9.9", Tiles, "active[t] = t\n", "active[t] = 0\n"),
    "stripes that look at one coordinate": ("9.12", Stripes, "along += self", "along = self"),
    "stripes that are never cut": ("9.12", Stripes, "active[t] += 1", "active[t] += 0"),
    "bumps of twice the variance": ("9.13", RadialBasis, "0.5 * distance", "0.25 * distance"),
    "bumps that are divided by no sum": ("9.13", RadialBasis, "x[i] /= total", "x[i] /= 1.0"),
}


@pytest.mark.parametrize("what", sorted(MUTANTS))
def test_a_mutant_of_a_feature_breaks_a_claim(what):
    figure, kind, old, new = MUTANTS[what]
    source = textwrap.dedent(inspect.getsource(kind.x))
    assert old in source, f"{kind.__name__}.x has no text {old!r}"
    names = dict(inspect.getmodule(kind).__dict__)
    exec(compile(source.replace(old, new), "<mutant>", "exec"), names)
    with mock.patch.object(kind, "x", names["x"]):
        assert broken_claims(figure), what
