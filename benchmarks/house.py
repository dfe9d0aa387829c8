"""The structure of the source, measured: rooms, imports between them, circles, sizes of files and functions.

    python -m benchmarks.house             # median and largest file, long functions, import circles, imports upwards
    python -m benchmarks.house --diagram   # the rooms as the Mermaid diagram of docs/architecture.md

ROOMS is the one table of the order: tests/test_imports.py holds the source to it, and the diagram in the architecture
page is drawn from it. Imports are read from the syntax tree, wherever in a file they stand, those for types too.
"""

from __future__ import annotations

import argparse
import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median

PACKAGE = Path(__file__).parents[1] / "src" / "gansmith"
ROOMS = (  # from the ground up: a module imports from its own floor or lower ones; the longest name that fits counts
    "errors system catalog values adversarial autograd schedules",
    "penalties models.layers data pretrained minimize",
    "data.formats data.builtin models objectives augment records",
    "games",
    "training",
    "latent evaluation",
    "experiment recipes zoo",
    "runs",
    "judge speed export",
    "cli web",
)
FLOOR: Mapping[str, int] = {name: number for number, names in enumerate(ROOMS) for name in names.split()}
VARIANTS = (  # folders whose files are entries of the catalog: they do not import each other
    *("models", "objectives", "games", "penalties", "augment", "recipes"),
    *("data.formats", "data.builtin", "data.operators", "minimize.methods"),
    *("evaluation.features", "evaluation.metrics"),
)
LONGEST_FILE, LONGEST_FUNCTION = 300, 60  # lines; a longer function's docstring says "Long because ..."


def modules(package: Path = PACKAGE) -> dict[str, Path]:
    """{"training.engine": its file}: every module of the package, by its name without the package's own."""
    return {".".join(path.relative_to(package).with_suffix("").parts): path for path in sorted(package.rglob("*.py"))}


def imports(path: Path, known: Mapping[str, Path]) -> set[str]:
    """The modules of this package that a file imports, anywhere in it. Raises ValueError for a relative import."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"{path}:{node.lineno}: imports are absolute")
            full = [f"{node.module}.{alias.name}" for alias in node.names]
            names |= {name if name.removeprefix("gansmith.") in known else str(node.module) for name in full}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name.removeprefix("gansmith.") for name in names if name.startswith("gansmith.")}


def room_of(module: str) -> str | None:
    """The room (the longest name in FLOOR) that a module is, or lies in."""
    return max((name for name in FLOOR if f"{module}.".startswith(f"{name}.")), key=len, default=None)


def upward(module: str, imported: set[str]) -> list[str]:
    """The imports that lie on a higher floor. latent and evaluation read saved models: training is higher to them."""
    room = room_of(module)
    if room is None:
        raise ValueError(f"{module} lies in no room: give it one in ROOMS")
    higher = [name for name in imported if FLOOR.get(room_of(name) or "", 0) > FLOOR[room]]
    if room in ("latent", "evaluation"):
        higher += [name for name in imported if room_of(name) == "training"]
    return higher


def siblings(module: str, imported: set[str]) -> list[str]:
    """The imports of another file of the folder of variants that a module lies in."""
    folder, _, name = module.rpartition(".")
    return [other for other in imported if folder in VARIANTS and other.rpartition(".")[0] == folder and name]


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """The groups of modules that import each other in a circle: strongly connected components of two or more.

    Tarjan 1972, "Depth-First Search and Linear Graph Algorithms".
    """
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    components: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph.get(node, ())):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            cut = stack.index(node)
            component = sorted(stack[cut:])
            del stack[cut:]
            if len(component) > 1 or node in graph.get(node, ()):
                components.append(component)

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return components


def functions(path: Path) -> Iterator[tuple[str, int, str]]:
    """(name, lines, docstring) of every function and method of a file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1, ast.get_docstring(node) or ""


def diagram() -> str:
    """The rooms that exist as a Mermaid flow chart, the highest floor first: an arrow reads "may import"."""
    lines = ["flowchart TD"]
    present = {room_of(name) for name in modules()}
    for number, names in reversed(list(enumerate(ROOMS))):
        lines.append(f'  floor{number}["{number} · {" · ".join(name for name in names.split() if name in present)}"]')
    lines += [f"  floor{number} --> floor{number - 1}" for number in range(len(ROOMS) - 1, 0, -1)]
    return "\n".join(lines)


def report() -> str:
    """What a reader of the structure wants to know, a line each."""
    files = modules()
    graph = {name: imports(path, files) for name, path in files.items()}
    sizes = {name: len(path.read_text().splitlines()) for name, path in files.items()}
    long_functions = sorted(
        ((lines, f"{name}.{function}") for name, path in files.items() for function, lines, _ in functions(path)),
        reverse=True,
    )
    largest = sorted(sizes.items(), key=lambda item: -item[1])
    inside = {name: imported for name, imported in graph.items() if name not in ("__init__", "__main__")}
    wrong = [f"{name} -> {other}" for name, imported in inside.items() for other in upward(name, imported)]
    rounds = circles(graph)
    return "\n".join(
        [
            f"files              {len(files)}, {sum(sizes.values()):,} lines",
            f"median file        {median(size for size in sizes.values() if size):.0f} lines",
            f"largest files      {', '.join(f'{name} {size}' for name, size in largest[:5])}",
            f"over {LONGEST_FILE} lines     {sum(size > LONGEST_FILE for size in sizes.values())}",
            f"longest functions  {', '.join(f'{name} {lines}' for lines, name in long_functions[:5])}",
            f"over {LONGEST_FUNCTION} lines      {sum(lines > LONGEST_FUNCTION for lines, _ in long_functions)}",
            f"imports upwards    {len(wrong)}{''.join(f'{chr(10)}  {line}' for line in wrong)}",
            f"import circles     {len(rounds)}{''.join(f'{chr(10)}  {chr(32).join(names)}' for names in rounds)}",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--diagram", action="store_true", help="the rooms as a Mermaid flow chart")
    print(diagram() if parser.parse_args().diagram else report())


if __name__ == "__main__":
    main()
