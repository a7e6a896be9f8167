"""Files and folders that a command is to write: what cannot be is said in one sentence, before the work."""

import os

import pytest

from rlcourse.cli.outputs import file_to_write
from rlcourse.cli.usage import UsageError


@pytest.mark.parametrize("kind", ["pipe", "folder", "link"])
def test_a_picture_is_written_over_regular_files_only(kind, tmp_path):
    path = tmp_path / "a.png"
    (tmp_path / "b.png").write_text("precious")
    {"pipe": lambda: os.mkfifo(path), "folder": path.mkdir, "link": lambda: path.symlink_to(tmp_path / "b.png")}[kind]()
    with pytest.raises(UsageError, match=rf"^--out: {path} is a {kind}.*: name another"):
        file_to_write("--out", str(path), [".png"])
    assert file_to_write("--out", str(tmp_path / "b.png"), [".png"]) == tmp_path / "b.png"
