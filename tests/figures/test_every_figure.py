"""What holds for every figure; a figure is found by its file."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rlcourse import figures
from rlcourse.cli.main import main
from rlcourse.figures.claims import Estimate, equal, less, mean
from rlcourse.figures.experiment import Lab, settings_of

NAMES = figures.names()


@pytest.mark.parametrize("name", NAMES)
def test_its_claims_hold_and_it_is_drawn_and_saved(name, tmp_path):
    result = figures.make(name, level="fast")
    assert result.claims, "a figure without claims checks nothing"
    assert result.passed, repr(result)
    assert len({claim.text for claim in result.claims}) == len(result.claims), "two claims have the same text"
    paths = result.save(tmp_path)
    picture = np.asarray(Image.open(paths["png"]).convert("L"))
    assert picture.std() > 5
    assert min(picture.shape) >= 300
    with np.load(paths["npz"], allow_pickle=False) as data:
        assert set(data) == set(result.data)
    assert json.loads(Path(paths["json"]).read_text())["passed"]


@pytest.mark.parametrize("name", NAMES)
def test_it_has_a_title_and_settings_at_every_level(name):
    assert len(figures.title(name)) <= 100
    for level in ("fast", "book", "full"):
        runs = getattr(settings_of(name, level), "runs", 1)
        assert runs >= 1


def test_results_do_not_depend_on_the_number_of_threads():
    one, three = (figures.make("6.3", level="fast", runs=20, workers=workers).data for workers in (1, 3))
    assert all(np.array_equal(one[key], three[key]) for key in one)


def test_a_figure_is_found_however_it_is_written():
    for text in ("6.3", "fig6.3", "Figure 6.3", "figure-6.3", "draft-6.6", "6.6"):
        assert figures.find(text) == "6.3"
    with pytest.raises(ValueError, match="list figures"):
        figures.find("nonsense")


def test_every_other_name_leads_to_a_figure():
    assert set(figures.ALIASES.values()) | set(figures.DRAFT.values()) <= set(NAMES)
    assert not set(figures.ALIASES) & set(NAMES), "a figure of its own needs no alias"
    assert all(figures.find(alias) == name for alias, name in figures.ALIASES.items())


def test_no_folder_has_the_name_of_a_figure_which_would_hide_it_from_the_command_line():
    assert not {figures.path_of(name).parent.name for name in NAMES} & set(NAMES)


def test_figures_are_listed_by_chapter_and_those_without_a_number_after_the_others():
    of_chapter_14 = [name for name in NAMES if figures.path_of(name).parent.name == "ch14"]
    assert of_chapter_14 == ["14.1", "14.2", "14.3", "14.4", "section-14.2", "egger-miller", "interstimulus-interval", "remote-association"]
    folders = [figures.path_of(name).parent.name for name in NAMES]
    chapters = [folder for folder in folders if folder.startswith("ch")]
    assert chapters == sorted(chapters) == folders[: len(chapters)]


def test_an_unknown_level_is_refused():
    with pytest.raises(ValueError, match="level must be one of"):
        settings_of("6.3", "quick")


def test_a_failing_claim_has_exit_code_3_only_where_it_is_checked(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(figures.load("6.3"), "claims", lambda data, settings: [less("two is less than one", 2.0, 1.0)])
    words = ["figure", "6.3", "--fast", "--runs", "2", "--out", str(tmp_path)]
    assert main([*words, "--check"]) == 3
    assert "FAILS  two is less than one" in capsys.readouterr().out
    assert main(words) == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["6.33"], "unknown figure '6.33'"),
        (["chapter99"], "no figures of chapter 99"),
        (["6.3", "--runs", "0"], "--runs"),
        (["3.2", "--runs", "5"], "--runs: 3.2 is exact"),
        (["6.3", "--fast", "--full"], "not allowed with"),
        (["6.3", "--fsat"], "did you mean '--fast'"),
    ],
)
def test_wrong_usage_is_one_sentence(words, sentence, capsys):
    assert main(["figure", *words]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1


def test_list_figures_names_all_of_them(capsys):
    assert main(["list", "figures", "--json"]) == 0
    assert [row["figure"] for row in json.loads(capsys.readouterr().out)] == NAMES


def test_claims_need_three_standard_errors():
    assert less("", Estimate(0.0, 0.1), Estimate(0.5, 0.1)).holds
    assert not less("", Estimate(0.0, 0.1), Estimate(0.4, 0.1)).holds
    assert equal("", Estimate(1.0, 0.1), 1.29).holds
    assert not equal("", Estimate(1.0, 0.1), 1.31).holds
    assert not equal("", float("nan"), 1.0).holds
    assert mean([1.0, 2.0, 3.0]) == Estimate(2.0, pytest.approx(3**-0.5))
    assert not less("", mean([0.0]), mean([9.0])).holds, "one run shows nothing"


def test_a_study_pairs_its_parameters_and_keeps_the_order_of_runs():
    lab = Lab(seed=1, workers=2)
    drawn = lab.study(lambda scale, rng, n: scale * rng.random(n), [1.0, 2.0], runs=7, chunk=3)
    assert drawn[0].shape == (7,)
    assert np.array_equal(2.0 * drawn[0], drawn[1])
    assert len(set(drawn[0])) == 7


def test_among_several_figures_the_exact_ones_ignore_the_number_of_runs(tmp_path, capsys):
    assert main(["figure", "3.2", "6.1", "example-6.2", "--fast", "--runs", "7", "--workers", "1", "--json", "--out", str(tmp_path)]) == 0
    summaries = json.loads(capsys.readouterr().out)
    assert [summary["settings"].get("runs") for summary in summaries] == [None, None, 7]
