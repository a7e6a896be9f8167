"""Compiled passes: the same numbers, the same names in files; and the settings, which all deep agents have in the same words."""

import shutil

import numpy as np
import pytest
import torch
from torch import nn

from rlcourse import agents
from rlcourse.agents.deep.batched import BatchRenorm
from rlcourse.cli.options import Parser, add_settings, settings_of
from rlcourse.cli.settings import settings_of_agent
from rlcourse.cli.usage import UsageError
from rlcourse.encoders import passes
from rlcourse.encoders.passes import Passes, forward_pass, set_passes

DEEP = [name for name, module in agents.MODULES.items() if ".deep." in module]
CPU = torch.device("cpu")


@pytest.fixture
def compiled(monkeypatch):
    """The methods that torch.compile was given; its back end is the interpreter."""
    given, compile_ = [], torch.compile
    monkeypatch.setattr(passes, "_BACKEND", "eager")
    monkeypatch.setattr(torch, "compile", lambda method, **options: given.append(method.__qualname__) or compile_(method, **options))
    passes._compiled.cache_clear()
    yield given
    passes._compiled.cache_clear()
    torch._dynamo.reset()


class Normalised(nn.Module):
    """A layer of batch renormalisation whose passes are marked, one of them within the other."""

    def __init__(self):
        super().__init__()
        self.norm = BatchRenorm(1, 3, momentum=0.1, warmup=5)

    @forward_pass
    def forward(self, x, train):
        return self.half(x, train) * 2.0

    @forward_pass
    def half(self, x, train):
        return self.norm(x, train)


def test_compiled_passes_learn_the_same_and_files_know_nothing_of_it(compiled, tmp_path):
    settings = {"n_envs": 2, "n_steps": 16, "batch_size": 16, "n_epochs": 1, "hidden": (8,)}
    plain, quick = (agents.PPO("CartPole-v1", seed=3, compile=kind, **settings).learn(64) for kind in (False, True))
    assert set(compiled) == {"ActorCritic.act", "ActorCritic.forward", "ActorCritic.encode", "ActorCritic.decide"}
    torch.testing.assert_close(quick.optimizer.parameters, plain.optimizer.parameters, atol=1e-6, rtol=1e-5)
    assert quick.state_dict().keys() == plain.state_dict().keys()
    assert not [name for name in quick.state_dict() if "_orig_mod" in name]
    file = quick.save(tmp_path / "agent")
    seen = np.random.default_rng(0).uniform(-0.1, 0.1, (9, 4)).astype(np.float32)
    np.testing.assert_array_equal(agents.PPO.load(file).predict(seen)[0], quick.predict(seen)[0])
    assert agents.PPO.load(file).config.compile


def test_a_count_of_updates_compiles_nothing_anew_and_a_pass_within_a_pass_is_a_part_of_it(compiled):
    layers, x = [Normalised(), Normalised()], torch.randn(1, 6, 3)
    set_passes(layers[1], Passes("float32", CPU, compiled=True))
    torch._dynamo.utils.counters.clear()
    for _ in range(12):
        plain, quick = (layer(x, True) for layer in layers)
        torch.testing.assert_close(quick, plain, atol=1e-6, rtol=1e-5)
    assert compiled == ["Normalised.forward"]
    assert torch._dynamo.utils.counters["frames"]["total"] <= 3, "once, once with a count, and once after the warm-up"
    assert layers[1].norm.updates == 12


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_the_real_compiler_takes_a_pass():
    plain, quick = (agents.PPO("CartPole-v1", seed=3, hidden=(8,), compile=kind) for kind in (False, True))
    x = torch.randn(16, 4)
    with torch.no_grad():
        torch.testing.assert_close(quick.policy.act(x), plain.policy.act(x), atol=1e-6, rtol=1e-5)


def test_without_a_compiler_one_sentence_says_so(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(ValueError, match=r"compile: torch.compile needs a C\+\+ compiler"):
        agents.PPO("CartPole-v1", compile=True)
    agents.PPO("CartPole-v1")


@pytest.mark.parametrize("field", ["precision", "compile"])
def test_every_deep_agent_has_the_setting_in_the_same_words(field):
    settings = [{each.name: each for each in settings_of_agent(name)}.get(field) for name in DEEP]
    assert len(DEEP) >= 13
    assert settings[0] is not None
    assert settings[0].comment
    assert settings.count(settings[0]) == len(DEEP)


def test_a_flag_that_is_true_or_false_needs_no_word_for_true():
    def read(*words):
        parser = Parser("train")
        parser.add_argument("env")
        add_settings(parser, settings_of_agent("PPO"), {}, "settings")
        return settings_of(parser.parse(words))

    assert read("cartpole", "--compile") == {"compile": True}
    assert read("cartpole", "--compile", "--n-steps", "8") == {"compile": True, "n_steps": 8}
    assert read("cartpole", "--compile", "false") == {"compile": False}
    with pytest.raises(UsageError, match="'cartpole' is no bool; write true or false"):
        read("--compile", "cartpole")
