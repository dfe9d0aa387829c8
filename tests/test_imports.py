"""The house stands: rooms import downwards only, variants do not know each other, help needs no torch, and nothing
in the source can execute what it loads."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from statistics import median

import pytest

from benchmarks import house

FILES = house.modules()
INSIDE = {name: path for name, path in FILES.items() if name not in ("__init__", "__main__")}  # the two doors


@pytest.fixture(scope="module")
def imports() -> dict[str, set[str]]:
    return {name: house.imports(path, FILES) for name, path in FILES.items()}


def test_imports_point_downwards(imports: dict[str, set[str]]) -> None:
    assert {module: found for module in INSIDE if (found := house.upward(module, imports[module]))} == {}


def test_variants_do_not_know_each_other(imports: dict[str, set[str]]) -> None:
    assert {module: found for module in INSIDE if (found := house.siblings(module, imports[module]))} == {}


def test_the_rules_catch_what_breaks_them(tmp_path: Path) -> None:
    """The checks above would see a violation."""
    file = tmp_path / "bad.py"
    file.write_text("def late():\n    from gansmith.training import engine\n    import gansmith.objectives.minimax\n")
    imported = house.imports(file, FILES)
    assert imported == {"training.engine", "objectives.minimax"}
    assert house.upward("latent.image_series", imported) == ["training.engine"]
    assert house.upward("evaluation.metrics.fid", imported) == ["training.engine"]
    assert set(house.upward("data.stream", imported)) == {"training.engine", "objectives.minimax"}
    assert house.upward("data.operators.take", {"data.formats.zip"}) == ["data.formats.zip"]
    assert house.upward("runs.run", imported) == []
    assert house.upward("runs.run", {"judge.audit_run", "cli.main", "speed.benchmark"}) != []
    assert house.siblings("objectives.nonsaturating", imported) == ["objectives.minimax"]
    assert house.siblings("games.cycle", {"games.parts.pool", "objectives.minimax"}) == []
    assert house.circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]
    assert house.circles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []
    with pytest.raises(ValueError, match="stranger"):
        house.upward("stranger", set())
    file.write_text("from . import engine\n")
    with pytest.raises(ValueError, match="absolute"):
        house.imports(file, FILES)


def test_no_imports_in_a_circle(imports: dict[str, set[str]]) -> None:
    assert house.circles(imports) == []


def test_no_two_files_of_tests_share_a_name() -> None:
    """They are imported by their names alone."""
    names = [path.name for path in Path(__file__).parent.rglob("test_*.py")]
    assert {name for name in names if names.count(name) > 1} == set()


def test_no_file_or_function_is_too_long() -> None:
    """The source to 300 lines, half of its files to 100, tests to 400; a function of more than 60 says why it is."""
    sizes = {name: len(path.read_text().splitlines()) for name, path in FILES.items()}
    assert {name: size for name, size in sizes.items() if size > house.LONGEST_FILE} == {}
    assert median(size for size in sizes.values() if size) < 100
    tests = {path.name: len(path.read_text().splitlines()) for path in Path(__file__).parent.rglob("*.py")}
    assert {name: size for name, size in tests.items() if size > 400} == {}
    long = {
        f"{name}.{function}"
        for name, path in FILES.items()
        for function, lines, text in house.functions(path)
        if lines > house.LONGEST_FUNCTION and "Long because" not in text
    }
    assert long == set()


def test_the_diagram_of_the_rooms_is_the_table() -> None:
    page = (house.PACKAGE.parents[1] / "docs" / "architecture.md").read_text()
    assert f"```mermaid\n{house.diagram()}\n```" in page, "python -m benchmarks.house --diagram draws it anew"


HEAVY = ("torch", "scipy", "sklearn", "ignite")
LIGHT = [  # code that must do without them
    "import gansmith; gansmith.GansmithError; dir(gansmith)",
    "import gansmith.errors, gansmith.catalog, gansmith.judge, gansmith.evaluation",
    "import gansmith.system.files, gansmith.system.progress, gansmith.system.seeding",
    *[f"import gansmith.{name}" for name in FILES if name.startswith("cli.") and "__init__" not in name],
    *[
        f"import sys; sys.argv = {words}\nfrom gansmith.cli.main import main\ntry: main()\nexcept SystemExit: 0"
        for words in (["gansmith", "--help"], ["gansmith", "list", "recipes"])
    ],
]
FORKED = f"""
import json, os, sys, traceback
import pydantic, typer  # what most of them import first
for code in {LIGHT}:
    if (process := os.fork()) == 0:
        os.dup2(2, 1)
        try:
            exec(code, {{}})
            loaded = [name for name in {HEAVY} if name in sys.modules]
            assert not loaded, loaded
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def statuses() -> tuple[dict[str, str], str]:
    """{code: exit status of a process of its own, forked from one that imported nothing of ours}, and their output."""
    done = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, check=True)
    return dict(zip(LIGHT, done.stdout.split(), strict=True)), done.stderr


@pytest.mark.parametrize("code", LIGHT)
def test_no_torch_before_it_is_needed(code: str, statuses: tuple[dict[str, str], str]) -> None:
    assert statuses[0][code] == "0", statuses[1]


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


def test_nothing_loaded_is_executed() -> None:
    assert {name: found for name, path in FILES.items() if (found := dangers(ast.parse(path.read_text())))} == {}


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
