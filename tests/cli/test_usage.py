"""Words on the command line: flags, counts, names, help, and one sentence for what is wrong."""

import json
import re
import resource
import subprocess
import sys

import gymnasium as gym
import pytest
from shell import ENV, RLCOURSE

from rlcourse import agents, encoders
from rlcourse.cli.main import main
from rlcourse.cli.options import count
from rlcourse.envs import cliff_walk

BAD = [
    ("train cartpole --algo ppo --n-steps 10000000000", "n_steps: a rollout of 10,000,000,000 steps in"),
    ("train FrozenLake-v1 --algo ppo --normalize-observations true", "normalize_observations scales observations in a Box"),
    ("train gotodoor --encoder text-lstm", "say which, for example 'mission=text-lstm'"),
    ("train cartpol", "did you mean 'cartpole'"),
    ("train CartPole", "did you mean 'CartPole-v1'"),
    ("train", "name an environment"),
    ("trian cartpole", "did you mean 'train'"),
    ("train cliffwalk --algo sarza", "did you mean 'sarsa'"),
    ("train cartpole --algo sarsa", "finite observations"),
    ("train Pendulum-v1 --algo q-learning", "finite"),
    ("train cartpole --algo value-iteration", "finite"),
    ("train cliffwalk --alpha 2", "alpha must be a number in (0, 1]"),
    ("train cliffwalk --alpha nan", "alpha"),
    ("train cliffwalk --alpha much", "--alpha"),
    ("train cliffwalk --alhpa 0.1", "did you mean '--alpha'"),
    ("train cliffwalk -n 0", "whole number >= 1"),
    ("train cliffwalk -n many", "whole number >= 1"),
    ("train cliffwalk --seed -1", "--seed"),
    ("train cliffwalk --gamma 1.5", "gamma"),
    ("train cliffwalk --out /proc/none", "--out"),
    ("train nofile.py:World", "no file"),
    ("train cartpole --device tpu", "device"),
    ("train rlcourse/TMaze-v0 --memory attention:16", "q_learning has no setting 'memory', unlike "),
    ("train rlcourse/TMaze-v0 --memory=gru", ": take for example --algo "),
    ("train cliffwalk --algo q_learning --clip-range 0.1", "q_learning has no setting 'clip_range', unlike "),
    ("train cartpole --preset nonsense", "cartpole has no preset 'nonsense'"),
    ("train cartpole --seeds 2 --gama 0.9", "did you mean '--gamma'"),
    ("train cartpole --seeds 2 --gamma 1.5", "gamma"),
    ("train cartpole --jobs 2", "--seeds"),
    ("train cartpole --seeds 2 --jobs 0", "argument --jobs: '0' is no whole number >= 1; say at least 1"),
    ("train cartpole --episodes 0", "--episodes"),
    ("train cartpole -n 1e30", "'1e30' is too large; say at most 10^18"),
    ("train cartpole --env-timeout nan", "'nan' is no finite number; write for example 30"),
    ("resume nowhere --verify -n 300", "-n: --verify takes its own steps and leaves the run as it is; write --verify 300"),
    ("train cartpole --learning-rate 2x", "'2x' is no schedule; write a number, linear("),
    ("train ALE/NoGame-v5", "ale_py:ALE/NoGame-v5"),
    ("compare", "RUN"),
    ("compare nowhere", "there is no run 'nowhere'"),
    ("list presets --algo ppo", "unknown argument '--algo'"),
    ("evaluate nowhere --seed -1", "--seed"),
    ("evaluate nowhere --target nan", "--target"),
    ("evaluate nowhere", "no run or agent file"),
    ("enjoy nowhere --gif a.gif", "no run or agent file"),
    ("resume nowhere", "no run or agent file"),
    ("list everything", "invalid choice"),
    ("show sarsas", "show: unknown agent 'sarsas'; did you mean 'sarsa'"),
]


@pytest.mark.parametrize(("command", "sentence"), BAD)
def test_bad_input_ends_in_one_sentence_and_code_2(command, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(command.split()) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
    assert "Traceback" not in error
    assert not list(tmp_path.iterdir()), "nothing is left behind"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("evaluate q.safetensors", "it names no environment; name one with --env"),
        ("inspect q.safetensors", "it names no environment; name one with --env"),
        ("enjoy q.safetensors --gif q.gif", "it names no environment; name its run"),
        ("evaluate mine.py", "mine.py is truncated or no rlcourse file; take one whose name ends in .safetensors"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_words_of_the_command_line(words, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    agents.QLearning(cliff_walk()).save("q.safetensors")
    (tmp_path / "mine.py").write_text("import gymnasium\n")
    assert main(words.split()) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "env=" not in error


def test_a_file_that_names_no_environment_is_judged_in_the_one_that_is_named(tmp_path, capsys):
    path = agents.QLearning(cliff_walk()).save(tmp_path / "q.safetensors")
    assert main(["evaluate", str(path), "--env", "CliffWalking-v1", "--episodes", "1", "--env-timeout", "60"]) == 0
    assert "mean return" in capsys.readouterr().out


def test_list_and_show_answer(capsys):
    for what in ("envs", "agents", "presets"):
        assert main(["list", what, "--json"]) == 0
        assert len(json.loads(capsys.readouterr().out)) >= 5
    shown = [
        ("sarsa", "def sarsa(world, Q, alpha"),
        ("Q-Learning", "np.max(Q[S_])"),
        ("ppo", "class PPOConfig"),
        ("dqn", "def _iterate(self"),
    ]
    for agent, words in shown:
        assert main(["show", agent]) == 0
        assert words in capsys.readouterr().out


def test_every_id_is_listed_with_what_it_needs_and_how_it_differs_from_its_variants(capsys):
    assert main(["list", "envs", "--json"]) == 0
    rows = {row["id"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(rows) == {id for id in gym.registry if id.startswith("rlcourse/")}
    for id, package in [("Pong", "ale-py"), ("MinAtarAsterix", "MinAtar"), ("GoToDoor-5x5", "minigrid"), ("MemoryS7", "minigrid")]:
        assert f"pip install {package}" in rows[f"rlcourse/{id}-v0"]["what"]
    for name in ("LingoBandit", "LingoGrid", "Errands"):
        assert "As text" in rows[f"rlcourse/{name}-v0"]["what"]
    assert rows["rlcourse/DelayedCopy3-v0"]["what"].endswith("(lag=3)")
    assert rows["rlcourse/DelayedCopy8-v0"]["what"].endswith("(lag=8)")


def test_every_encoder_and_every_memory_is_listed_with_what_it_is_and_what_it_reads(capsys):
    assert main(["list", "encoders", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    listed = {flag: [row["name"] for row in rows if row["flag"] == flag] for flag in ("--encoder", "--memory")}
    assert listed == {"--encoder": list(encoders.names()), "--memory": encoders.memories()}
    for row in rows:
        assert row["what"].endswith(".")
        assert not re.search("parameters as|^The same|^Both", row["what"]), "a line is read alone"
        assert row["reads"] == encoders.names().get(row["name"], "what --encoder reads, one observation after another")
        if row["flag"] == "--memory":
            assert encoders.make_memory(row["name"], gym.spaces.Box(-1, 1, (2,)), 8).features_dim == 8
    about = {row["name"]: row["what"] for row in rows}
    assert about["mlp"] == encoders.class_of("mlp").__doc__.splitlines()[0]
    assert about["text-bilstm"].startswith("`text-lstm` with"), "others are called as --encoder calls them"
    assert main(["list", "encoders"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(rows)


def test_an_agent_is_found_by_its_class_and_by_its_file():
    from rlcourse.cli.settings import algo_key
    from rlcourse.cli.targets import agent_name

    for name in agents.MODULES:
        assert agent_name(name) == agent_name(algo_key(name)) == agent_name(algo_key(name).replace("_", "-")) == name


def test_a_setting_that_is_named_as_an_option_of_the_run_has_a_longer_flag():
    from rlcourse.cli.options import Parser, add_settings, settings_of
    from rlcourse.cli.settings import Setting

    parser = Parser(prog="x")
    parser.add_argument("--target", type=float)
    add_settings(parser, [Setting("target", str, "network", "where targets come from")], {}, "agent")
    parsed = parser.parse(["--target", "3", "--agent-target", "none"])
    assert (parsed.target, settings_of(parsed)) == (3.0, {"target": "none"})


def test_every_agent_s_settings_are_flags_beside_those_of_the_run(capsys):
    from rlcourse.cli.settings import algo_key

    for name in agents.MODULES:
        with pytest.raises(SystemExit) as stop:
            main(["train", "cartpole", "--algo", algo_key(name), "--help"])
        assert stop.value.code == 0
    capsys.readouterr()


def test_counts_are_read_as_people_write_them():
    for text, number in [("1e5", 100_000), ("100k", 100_000), ("100_000", 100_000), ("1.5M", 1_500_000), ("7", 7)]:
        assert count(text) == number


@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], ["list", "agents"], ["list", "envs"], ["list", "encoders"], ["list", "presets"], ["show", "ppo"]]
)
def test_light_commands_import_nothing_heavy(words):
    code = (
        "import sys\nfrom rlcourse.cli.main import main\n"
        f"assert main({words!r}) == 0\n"
        "heavy = {'torch', 'numba', 'matplotlib', 'stable_baselines3', 'tensorboardX'} & set(sys.modules)\nassert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], env=ENV, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_help_takes_half_a_second_of_the_processor():
    def spent() -> float:  # by finished children: waiting for a busy machine does not count
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    times = []
    for _ in range(3):
        before = spent()
        subprocess.run([*RLCOURSE, "--help"], env=ENV, check=True, capture_output=True)
        times.append(spent() - before)
    assert min(times) < 0.5
