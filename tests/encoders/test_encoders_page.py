"""The page of encoders: its table and chart are those of the modules, and its examples run."""

import importlib.util
import re
from pathlib import Path

import pytest

from rlcourse import encoders

DOCS = Path(__file__).resolve().parents[2] / "docs"
spec = importlib.util.spec_from_file_location("build_encoders", DOCS / "build_encoders.py")
build_encoders = importlib.util.module_from_spec(spec)
spec.loader.exec_module(build_encoders)


def test_the_table_and_the_chart_are_up_to_date():
    assert not build_encoders.stale(), "run: python docs/build_encoders.py"


def test_a_changed_count_makes_the_page_stale():
    text = (DOCS / "encoders.md").read_text()
    assert "240,772" in text
    assert build_encoders.page(text.replace("240,772", "240,773")) == text


def test_every_encoder_with_weights_is_drawn():
    drawn = {name.partition(":")[0] for _, name, _, _ in build_encoders.ROWS}
    composed = {name for name, serves in encoders.names().items() if "instruction" in serves}  # of the others, by the parts that there are
    windows = {name for _, name, _, _ in build_encoders.WINDOWS}  # memories, whose layers are no modules that tell what they put out
    assert drawn == set(encoders.names()) - {"auto", "flatten", "merge"} - composed - windows


def test_the_parameters_of_the_boxes_are_those_of_the_network():
    for _, name, _, space, encoder in build_encoders.made():
        steps = build_encoders.steps_of(name, space, encoder)
        assert sum(step.parameters for step in steps) == build_encoders.count(encoder), name
        size = steps[-1].shape
        assert (size[0] * size[1] * size[2] if len(size) == 3 else size[0]) == encoder.features_dim, name


@pytest.mark.filterwarnings("ignore")
def test_the_examples_run():
    exec("\n".join(re.findall(r"```python\n(.*?)```", (DOCS / "encoders.md").read_text(), re.DOTALL)), {})
