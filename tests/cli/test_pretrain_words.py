"""`rlcourse pretrain --kind skip-gram`: vectors of tokens and of states, and the run that begins with them."""

import shlex
import tomllib
from pathlib import Path

import pytest

from rlcourse.cli.main import main
from rlcourse.core.word_vectors import WordVectors

TOKENS = "rlcourse/LingoBanditTokens-v0"


def use(out):
    """Return the command that the output recommends, split."""
    return shlex.split(out.split("use it: rlcourse ")[1])


def test_vectors_of_an_environments_words_begin_the_table_of_an_agent(tmp_path, capsys):
    assert main(["pretrain", TOKENS, "--kind", "skip-gram", "--frames", "300", "--epochs", "2", "--seed", "4", "--out", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    file = Path(use(out)[-1])
    assert {path.name for path in file.parent.iterdir()} == {"vectors.safetensors", "pretraining.toml"}
    assert tomllib.loads((file.parent / "pretraining.toml").read_text())["vector_size"] == 32
    found = WordVectors.load(file)
    assert found["please"].shape == (32,)
    assert "  please: " in out
    assert "28 vectors of 32 numbers" in out, "four tasks, and ten words of four languages, of which four are never said"
    assert main([*use(out), "-n", "64", "--n-envs", "2", "--n-steps", "16", "--out", str(tmp_path), "--no-progress"]) == 0


def test_text_without_tokens_is_said_to_be_characters(tmp_path, capsys):
    words = ["--kind", "skip-gram", "--frames", "20", "--epochs", "1", "--out", str(tmp_path)]
    assert main(["pretrain", "rlcourse/LingoBandit-v0", *words]) == 0
    said = "vectors of characters, of which the text of rlcourse/LingoBandit-v0 is made; rlcourse/LingoBanditTokens-v0 has words\n"
    assert said in capsys.readouterr().out
    assert main(["pretrain", TOKENS, *words]) == 0
    assert "characters" not in capsys.readouterr().out


def test_vectors_of_states_are_for_a_table_of_states(tmp_path, capsys):
    words = ["pretrain", "fourrooms", "--kind", "skip-gram", "--frames", "2000", "--epochs", "1", "--out", str(tmp_path)]
    assert main([*words, "--vector-size", "6", "--window", "2"]) == 0
    command = use(capsys.readouterr().out)
    assert command[:6] == ["train", "fourrooms", "--algo", "dqn", "--encoder", "embedding:6"]
    assert WordVectors.load(command[-1]).settings["window"] == 2
    assert main([*command, "-n", "40", "--out", str(tmp_path), "--no-progress"]) == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["CartPole-v1"], "skip-gram needs one part of the observations that holds text or tokens"),
        ([TOKENS, "--encoder", "text-lstm"], "--kind skip-gram takes no --encoder and no --data"),
        (["fourrooms", "--from", "latest"], "vectors of states are learned from random play"),
        ([TOKENS, "--frames", "1"], "--frames must be at least 2"),
    ],
)
def test_wrong_usage_is_one_sentence(words, sentence, tmp_path, capsys):
    assert main(["pretrain", *words, "--kind", "skip-gram", "--out", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1


def test_flags_of_skip_gram_belong_to_it(tmp_path, capsys):
    assert main(["pretrain", TOKENS, "--kind", "dense", "--vector-size", "8", "--out", str(tmp_path)]) == 2
    assert "--vector-size belongs to --kind skip-gram" in capsys.readouterr().err
