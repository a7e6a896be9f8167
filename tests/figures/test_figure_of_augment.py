"""The figure of augmentation: what its claims are judged by, on made-up numbers; its experiment runs in test_every_figure.py."""

import numpy as np
import pytest

from rlcourse.figures.encoders.augment import LEARNED, MIRRORS, POINTS, Settings, claims, examples, gaps, ratio, score, worlds

BOOK = Settings(steps=LEARNED)


def made_up(gap_plain=0.2, gap_augmented=0.1, learned=1.0, wrong=0.0):
    rng = np.random.default_rng(0)
    scores = np.full((2, 5, 2), learned)
    scores[0, :, 1] -= gap_plain + rng.normal(0, 0.01, 5)
    scores[1, :, 1] -= gap_augmented + rng.normal(0, 0.01, 5)
    mirrors = np.full((len(MIRRORS), 5, POINTS), 0.8) + rng.normal(0, 0.01, (len(MIRRORS), 5, POINTS))
    mirrors[2] += wrong - 0.8
    return {"scores": scores, "mirrors": mirrors}


def test_all_claims_hold_where_the_lesson_holds():
    assert all(claim.holds for claim in claims(made_up(), BOOK))
    assert len(claims(made_up(), Settings(steps=LEARNED - 1))) < len(claims(made_up(), BOOK)), "no gaps before the themes are learned"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (made_up(wrong=0.8), "delays learning"),
        (made_up(learned=0.5), "have learned their themes"),
    ],
)
def test_a_claim_fails_where_it_is_not_so(data, text):
    assert any(text in claim.text for claim in claims(data, BOOK) if not claim.holds)


def test_the_ratio_of_gaps_has_an_interval_around_it():
    data = made_up()
    assert gaps(data).mean(axis=1) == pytest.approx([0.2, 0.1], abs=0.02)
    center, low, high = ratio(data)
    assert low < center < high
    assert center == pytest.approx(2.0, abs=0.3)


def test_learned_and_unseen_themes_are_different_ones_and_a_player_who_follows_the_ball_scores_one():
    mine, unseen = worlds("plain", 0, BOOK)
    assert len(mine.backgrounds) == 10
    assert len(unseen.backgrounds) == 100
    assert not any(np.array_equal(one, other) for one in mine.backgrounds for other in unseen.backgrounds)

    class Stays:
        def predict(self, observations, deterministic):
            return np.ones(len(observations), int), None

    assert score(Stays(), unseen) == pytest.approx(-0.6), "it catches one ball in five"
    assert examples(BOOK, 0).shape == (7, BOOK.pixels, BOOK.pixels)
