"""The shape of the package, read from its sources without importing it; and that each rule notices a violation."""

import ast
from pathlib import Path

import pytest

from rlcourse import agents, envs

SOURCE = Path(__file__).resolve().parent.parent / "src"
PACKAGE = "rlcourse"

# Left may be imported by right. Parts of one layer do not import one another, except where they are named together.
LAYERS = (
    {"core"},
    {"envs"} | {"features"} | {"encoders"} | {"nn_numpy"},
    {"wrappers"},
    {"agents", "sb3"},
    {"inspection", "pretraining"},
    {"presets", "figures", "studies", "plotting"},
    {"cli"},
)
RANK = {part: i for i, layer in enumerate(LAYERS) for part in layer}
SIBLINGS_STRANGERS = LAYERS[1]
MAX_FILE, MAX_AGENT_FILE, MAX_FUNCTION = 300, 125, 40


def modules(root: Path) -> list[tuple[str, Path]]:
    """Return (path below the package, file) of every source."""
    return [(file.relative_to(root / PACKAGE).as_posix(), file) for file in sorted((root / PACKAGE).rglob("*.py"))]


def imports(tree: ast.AST) -> list[tuple[int, str]]:
    """Return (line, dotted name) of every import; ``from a import b`` counts as a.b."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            stem = "." * node.level + (node.module or "")
            found += [(node.lineno, f"{stem}.{alias.name}") for alias in node.names]
    return found


def part_of(name: str) -> str:
    """Return the part of the package that a path or a dotted name belongs to."""
    return name.split("/")[0].removesuffix(".py")


def check_direction(where: str, tree: ast.AST) -> list[str]:
    """Imports point left: core <- envs, features, encoders <- wrappers <- agents <- pretraining <- presets, figures, studies <- cli."""
    mine, found = part_of(where), []
    for line, name in imports(tree):
        if name.startswith("."):
            found.append(f"{where}:{line}: relative import of {name}; inside the package imports are absolute")
        if not name.startswith(f"{PACKAGE}.") or mine not in RANK:
            continue
        theirs = name.split(".")[1]
        strangers = mine != theirs and ({mine, theirs} <= SIBLINGS_STRANGERS or (mine == "agents" and theirs == "envs"))
        if theirs in RANK and (RANK[theirs] > RANK[mine] or strangers):
            found.append(f"{where}:{line}: {mine} imports {theirs}")
    return found


def allowed(library: str, where: str) -> bool:
    """Whether a file may import a heavy library."""
    part = part_of(where)
    if library == "torch":
        if part in ("encoders", "inspection", "pretraining", "sb3") or where.startswith("agents/deep/") or "torch" in Path(where).stem:
            return True
        return where in ("wrappers/encode.py", "wrappers/recurrent.py")
    if library == "matplotlib":
        return part in ("figures", "plotting")
    return part == "sb3" or "adapter" in Path(where).stem or "sb3" in Path(where).stem  # stable_baselines3


def check_libraries(where: str, tree: ast.AST) -> list[str]:
    """Torch only in encoders and agents/deep, matplotlib only in figures and plotting, stable_baselines3 only in rlcourse/sb3."""
    return [
        f"{where}:{line}: {name.split('.')[0]} does not belong here"
        for line, name in imports(tree)
        if name.split(".")[0] in ("torch", "matplotlib", "stable_baselines3") and not allowed(name.split(".")[0], where)
    ]


def code_lines(node: ast.AST, lines: list[str]) -> int:
    """Return the lines of a function's body that are neither blank, comment nor docstring."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    if not body:
        return 0
    first, last = body[0].lineno, body[-1].end_lineno
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in lines[first - 1 : last])


def check_sizes(where: str, tree: ast.AST, text: str) -> list[str]:
    """Files and functions stay short."""
    lines = text.splitlines()
    short = where.startswith("agents/") and where.count("/") == 2 and "/deep/" not in where  # an algorithm's file
    limit = MAX_AGENT_FILE if short else MAX_FILE
    found = [f"{where}: {len(lines)} lines, more than {limit}"] if len(lines) > limit else []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and code_lines(node, lines) > MAX_FUNCTION:
            found.append(f"{where}:{node.lineno}: {node.name} has {code_lines(node, lines)} lines of code, more than {MAX_FUNCTION}")
    return found


def check_documentation(where: str, tree: ast.Module) -> list[str]:
    """Public modules, classes, functions and methods have docstrings; ``__all__`` is sorted."""
    found = [] if ast.get_docstring(tree) else [f"{where}: no module docstring"]

    def visit(node: ast.AST) -> None:
        for child in node.body:
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not child.name.startswith("_"):
                if not ast.get_docstring(child):
                    found.append(f"{where}:{child.lineno}: {child.name} has no docstring")
                if isinstance(child, ast.ClassDef):
                    visit(child)

    visit(tree)
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            names = ast.literal_eval(node.value)
            if list(names) != sorted(names, key=ruff_order):
                found.append(f"{where}:{node.lineno}: __all__ is not sorted")
    return found


def ruff_order(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest, as ruff sorts ``__all__``."""
    return (0 if name.isupper() else 1 if name[:1].isupper() else 2, name)


def dotted(node: ast.AST) -> str:
    """Return ``a.b.c`` of an attribute chain, or ''."""
    if isinstance(node, ast.Name):
        return node.id
    stem = dotted(node.value) if isinstance(node, ast.Attribute) else ""
    return f"{stem}.{node.attr}" if stem else ""


def check_safety(where: str, tree: ast.AST) -> list[str]:
    """No pickle, eval or exec, no global random state; boxcache.py alone reads numba's pickles, two modules keep generators' states."""
    found = []
    for line, name in imports(tree):
        allowed = {"core/boxcache.py": "pickle", "core/generators.py": "random"}.get(where)
        forbidden = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "yaml", "random"} - {allowed}
        if name.split(".")[0] in forbidden:
            found.append(f"{where}:{line}: imports {name}")
    forks = [node for node in ast.walk(tree) if isinstance(node, ast.With) and "fork_rng" in ast.unparse(node.items[0])]
    forked = {id(inner) for fork in forks for inner in ast.walk(fork)}  # there torch puts its global generator back afterwards
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec", "compile", "__import__"):
            found.append(f"{where}:{node.lineno}: calls {node.func.id}")
        called = dotted(node.func) if isinstance(node, ast.Call) else ""
        plain = any(each.arg == "allow_pickle" and ast.unparse(each.value) == "False" for each in getattr(node, "keywords", ()))
        if called in ("torch.load", "np.fromfile", "torch.save") or (called in ("np.load", "numpy.load") and not plain):
            found.append(f"{where}:{node.lineno}: {called} may read or write a pickle")
        name = dotted(node) if isinstance(node, ast.Attribute) else ""
        lent = where in ("sb3/generators.py", "core/generators.py") and name in ("np.random.get_state", "np.random.set_state")
        if (
            not lent
            and name.startswith(("np.random.", "numpy.random."))
            and name.split(".")[2][0].islower()
            and name.split(".")[2] != "default_rng"
        ):
            found.append(f"{where}:{node.lineno}: {name} uses numpy's global generator")
        if name in ("torch.manual_seed", "torch.cuda.manual_seed") and id(node) not in forked:
            found.append(f"{where}:{node.lineno}: {name} seeds globally")
    return found


def violations(root: Path) -> list[str]:
    """Return every violation in a source tree, as sentences that begin with file and line."""
    found = []
    for where, file in modules(root):
        text = file.read_text()
        tree = ast.parse(text)
        found += check_direction(where, tree) + check_libraries(where, tree) + check_sizes(where, tree, text)
        found += check_documentation(where, tree) + check_safety(where, tree)
    return found


def test_the_package_keeps_every_rule():
    assert violations(SOURCE) == []
    assert len(modules(SOURCE)) > 40, "the check found no sources"


def test_every_part_of_the_package_has_a_layer():
    parts = {part_of(where) for where, _ in modules(SOURCE)} - {"__init__", "__main__"}
    assert parts <= set(RANK), f"give {sorted(parts - set(RANK))} a place in LAYERS"


LONG = '"""M."""\n' + "x = 1\n" * 301
LONG_FUNCTION = '"""M."""\n\n\ndef f():\n    """F."""\n' + "    x = 1\n" * 41

PLANTED = {
    "np.load may read or write a pickle": ("core/a.py", '"""M."""\nimport numpy as np\n\nx = np.load("a")\n'),
    "imports yaml": ("core/a.py", '"""M."""\nimport yaml\n'),
    "core imports agents": ("core/a.py", '"""M."""\nfrom rlcourse.agents import sarsa\n'),
    "core imports envs": ("core/a.py", '"""M."""\nimport rlcourse.envs.cartpole\n'),
    "core imports cli, deep inside a function": ("core/a.py", '"""M."""\n\n\ndef f():\n    """F."""\n    import rlcourse.cli.main\n'),
    "envs imports encoders": ("envs/a.py", '"""M."""\nfrom rlcourse.encoders import flatten\n'),
    "encoders imports envs": ("encoders/a.py", '"""M."""\nfrom rlcourse import envs\n'),
    "envs imports wrappers": ("envs/a.py", '"""M."""\nfrom rlcourse.wrappers import Flicker\n'),
    "encoders imports wrappers": ("encoders/a.py", '"""M."""\nfrom rlcourse.wrappers import Flicker\n'),
    "wrappers imports agents": ("wrappers/a.py", '"""M."""\nfrom rlcourse.agents import PPO\n'),
    "agents imports envs": ("agents/deep/a.py", '"""M."""\nfrom rlcourse.envs import CartPole\n'),
    "agents imports presets": ("agents/a.py", '"""M."""\nfrom rlcourse.presets import load\n'),
    "presets imports cli": ("presets/a.py", '"""M."""\nfrom rlcourse.cli import main\n'),
    "relative import": ("core/a.py", '"""M."""\nfrom . import box\n'),
    "torch does not belong": ("core/a.py", '"""M."""\nimport torch.nn\n'),
    "torch does not belong here, in another wrapper": ("wrappers/a.py", '"""M."""\nimport torch\n'),
    "torch does not belong here": ("agents/a.py", '"""M."""\nfrom torch import nn\n'),
    "matplotlib does not belong": ("agents/deep/a.py", '"""M."""\nfrom matplotlib.figure import Figure\n'),
    "stable_baselines3 does not belong": ("agents/deep/a.py", '"""M."""\nimport stable_baselines3\n'),
    "more than 300": ("core/a.py", LONG),
    "more than 125": ("agents/n_step/a.py", '"""M."""\n' + "x = 1\n" * 125),
    "41 lines of code": ("core/a.py", LONG_FUNCTION),
    "no module docstring": ("core/a.py", "x = 1\n"),
    "f has no docstring": ("core/a.py", '"""M."""\n\n\ndef f():\n    pass\n'),
    "C has no docstring": ("core/a.py", '"""M."""\n\n\nclass C:\n    x = 1\n'),
    "m has no docstring": ("core/a.py", '"""M."""\n\n\nclass C:\n    """C."""\n\n    def m(self):\n        pass\n'),
    "__all__ is not sorted": ("core/a.py", '"""M."""\n__all__ = ["b", "a"]\n'),
    "imports pickle": ("core/a.py", '"""M."""\nimport pickle\n'),
    "calls eval": ("core/a.py", '"""M."""\nx = eval("1")\n'),
    "calls exec": ("core/a.py", '"""M."""\nexec("x = 1")\n'),
    "numpy's global generator": ("core/a.py", '"""M."""\nimport numpy as np\n\nx = np.random.rand()\n'),
    "seeds globally": ("encoders/a.py", '"""M."""\nimport torch\n\ntorch.manual_seed(0)\n'),
}


@pytest.mark.parametrize("sentence", sorted(PLANTED))
def test_a_planted_violation_is_found(tmp_path, sentence):
    where, text = PLANTED[sentence]
    file = tmp_path / PACKAGE / where
    file.parent.mkdir(parents=True)
    file.write_text(text)
    found = violations(tmp_path)
    assert len(found) == 1, found
    assert sentence.split(",")[0] in found[0]


@pytest.mark.parametrize(
    ("where", "text"),
    [
        ("core/boxcache.py", '"""M."""\nimport pickle\n'),
        ("agents/deep/a.py", '"""M."""\nimport torch\nfrom rlcourse.core import box\n'),
        ("wrappers/encode.py", '"""M."""\nimport torch\nfrom rlcourse.encoders import make\nfrom rlcourse.core import box\n'),
        ("plotting.py", '"""M."""\nfrom matplotlib.figure import Figure\n'),
        ("agents/sb3.py", '"""M."""\nimport stable_baselines3\n'),
        (
            "core/a.py",
            '"""M."""\nimport numpy as np\n\nrng = np.random.default_rng(np.random.SeedSequence(0))\n__all__ = ["C", "a", "b"]\n',
        ),
        ("core/b.py", '"""M."""\n\n\ndef f():\n    """F."""\n' + "    # why\n    x = 1\n" * 40),
    ],
)
def test_what_is_allowed_is_no_violation(tmp_path, where, text):
    file = tmp_path / PACKAGE / where
    file.parent.mkdir(parents=True)
    file.write_text(text)
    assert violations(tmp_path) == []


def test_no_module_hides_what_it_holds():
    """A lazy package attribute that is named as its submodule would be the module once that is imported."""
    for package in (agents, envs):
        assert [name for name, module in package.MODULES.items() if module.rsplit(".", 1)[1] == name] == []


def test_no_two_files_of_tests_share_a_name():
    names = [file.name for file in Path(__file__).parent.rglob("*.py") if file.name != "conftest.py"]
    twice = {name for name in names if names.count(name) > 1}
    assert not twice, f"pytest imports files by name and stops at the second {sorted(twice)}"
