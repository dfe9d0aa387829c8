"""The house stands: rooms import downwards only, variants do not know each other, help needs no torch, and nothing
in the source can execute what it loads."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src"
ROOMS = (  # the longest matching name says the room; a module imports from its own room or from lower ones
    "errors system catalog adversarial autograd schedules",
    "penalties models.layers data minimize",
    "data.formats data.builtin models objectives augment records",
    "games",
    "training",
    "latent evaluation",
    "experiment recipes",
    "runs",
    "judge speed",
    "cli web",
)
ROOM = {name: number for number, names in enumerate(ROOMS) for name in names.split()}
VARIANTS = [
    "models",
    "objectives",
    "games",
    "penalties",
    "augment",
    "data.formats",
    "data.builtin",
    "data.operators",
    "evaluation.features",
    "evaluation.metrics",
    "recipes",
]
FILES = {
    ".".join(path.relative_to(SRC / "gansmith").with_suffix("").parts): path
    for path in sorted((SRC / "gansmith").rglob("*.py"))
}
INSIDE = {name: path for name, path in FILES.items() if name not in ("__init__", "__main__")}  # the two doors


def home(module: str) -> str | None:
    """The longest name in ROOM that `module` is, or lies in."""
    return max((name for name in ROOM if f"{module}.".startswith(f"{name}.")), key=len, default=None)


def imported(path: Path) -> set[str]:
    """The modules of this package that a file imports, wherever in the file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {name if name.removeprefix("gansmith.") in FILES else str(node.module) for name in names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name.removeprefix("gansmith.") for name in found if name.startswith("gansmith.")}


def upward(module: str, imports: set[str]) -> list[str]:
    """What of `imports` lies in a higher room; latent and evaluation must do with a saved model, without training."""
    mine = home(module)
    assert mine is not None, f"{module} has no room: give it one in ROOMS"
    bad = [name for name in imports if ROOM[home(name) or ""] > ROOM[mine]]
    if ROOM[mine] == 5:
        bad += [name for name in imports if home(name) == "training"]
    return bad


def siblings(module: str, imports: set[str]) -> list[str]:
    """What of `imports` is another file of the folder of variants that `module` lies in."""
    folder, _, name = module.rpartition(".")
    return [other for other in imports if folder in VARIANTS and other.rpartition(".")[0] == folder and name]


@pytest.mark.parametrize("module", INSIDE)
def test_imports_point_downwards(module: str) -> None:
    assert not upward(module, imported(INSIDE[module]))


@pytest.mark.parametrize("module", [name for name in INSIDE if name.rpartition(".")[0] in VARIANTS])
def test_variants_do_not_know_each_other(module: str) -> None:
    assert not siblings(module, imported(INSIDE[module]))


def test_the_rules_catch_what_breaks_them(tmp_path: Path) -> None:
    """The two checks above would see a violation."""
    file = tmp_path / "bad.py"
    file.write_text("def late():\n    from gansmith.training import engine\n    import gansmith.objectives.minimax\n")
    assert imported(file) == {"training.engine", "objectives.minimax"}
    assert upward("latent.sample", imported(file)) == ["training.engine"]
    assert upward("evaluation.metrics.fid", imported(file)) == ["training.engine"]
    assert set(upward("data.stream", imported(file))) == {"training.engine", "objectives.minimax"}
    assert upward("data.operators.take", {"data.formats.zip"}) == ["data.formats.zip"]
    assert upward("runs.run", imported(file)) == []
    assert siblings("objectives.nonsaturating", imported(file)) == ["objectives.minimax"]
    assert siblings("games.cycle", {"games.parts.pool", "objectives.minimax"}) == []


@pytest.mark.parametrize(
    "code",
    [
        "import gansmith; gansmith.GansmithError; dir(gansmith)",
        "import gansmith.errors, gansmith.catalog, gansmith.judge, gansmith.evaluation",
        "import gansmith.system.files, gansmith.system.progress, gansmith.system.seeding",
        *[f"import gansmith.{name}" for name in FILES if name.startswith("cli.") and "__init__" not in name],
        *[
            f"import sys; sys.argv = {words}\nfrom gansmith.cli.main import main\ntry: main()\nexcept SystemExit: 0"
            for words in (["gansmith", "--help"], ["gansmith", "list", "recipes"])
        ],
    ],
)
def test_no_torch_before_it_is_needed(code: str) -> None:
    heavy = ("torch", "scipy", "sklearn", "ignite")
    check = f"\nimport sys\nloaded = [name for name in {heavy} if name in sys.modules]\nassert not loaded, loaded"
    done = subprocess.run([sys.executable, "-c", code + check], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def dangers(tree: ast.AST) -> list[str]:
    """Ways in which a file could execute what it loads."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
            found += [n for n in names if n.partition(".")[0] in ("pickle", "dill", "marshal", "shelve", "joblib")]
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        options = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
        if called in ("eval", "exec", "compile", "os.system", "yaml.load", "yaml.unsafe_load", "yaml.full_load"):
            found.append(called)
        if called == "torch.load" and options.get("weights_only") != "True":
            found.append("torch.load without weights_only")
        if called in ("np.load", "numpy.load") and options.get("allow_pickle", "False") != "False":
            found.append("np.load with allow_pickle")
        if options.get("shell", "False") != "False":
            found.append("a shell")
    return found


@pytest.mark.parametrize("module", FILES)
def test_nothing_loaded_is_executed(module: str) -> None:
    assert not dangers(ast.parse(FILES[module].read_text()))


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from pickle import loads",
        "eval(text)",
        "exec(text)",
        "yaml.load(text, Loader=yaml.Loader)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path, allow_pickle=True)",
        "subprocess.run(text, shell=True)",
    ],
)
def test_the_dangers_are_seen(code: str) -> None:
    assert dangers(ast.parse(code))
