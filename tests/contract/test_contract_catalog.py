"""Every recipe and description of the catalog, and every docstring of the source."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from gansmith import catalog
from gansmith.experiment import completion, layers
from gansmith.experiment.sources import from_recipe

SRC = Path(__file__).parents[2] / "src" / "gansmith"


# ---- recipes and descriptions


@pytest.mark.parametrize("name", catalog.names("recipes"))
def test_every_recipe_is_a_complete_experiment(name: str) -> None:
    made, chosen_by = layers.resolve([from_recipe(name)])
    assert made.recipe == name
    assert chosen_by
    assert set(chosen_by.values()) == {f"recipe {name}"}
    done = completion.complete(made)
    assert completion.complete(done) == done
    again, _ = layers.resolve([layers.Layer("file", done.plain())], parts=False)
    assert again.plain() == done.plain()
    assert completion.complete(again) == done  # lists of the file are tuples of the options again
    for part in (done.generator, done.discriminator):
        assert part is None or part.options


@pytest.mark.parametrize("entry", [(kind, name) for kind in catalog.KINDS for name in catalog.names(kind)])
def test_every_entry_has_a_line_that_says_what_it_is(entry: tuple[str, str]) -> None:
    line = catalog.describe(*entry)
    assert 10 < len(line) <= 120
    assert line[0].isupper() or not line[0].islower() or line[0].isdigit() or line.split()[0].endswith(":")
    assert line.endswith((".", ":", "?"))


# ---- docstrings


def undocumented(tree: ast.Module) -> list[str]:
    """Public classes and functions, and the file itself, without a docstring. A method that overrides or is one line
    long says enough by its name and its class."""
    missing = [] if ast.get_docstring(tree) else ["the file"]
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            long = not (isinstance(node, ast.FunctionDef) and len(node.body) == 1)
            if long and not ast.get_docstring(node):
                missing.append(node.name)
    return missing


def test_every_file_class_and_function_says_what_it_is() -> None:
    texts = {str(path.relative_to(SRC)): path.read_text() for path in sorted(SRC.rglob("*.py"))}
    written = {name: text for name, text in texts.items() if text or not name.endswith("__init__.py")}
    assert {name: found for name, text in written.items() if (found := undocumented(ast.parse(text)))} == {}


def test_what_is_missing_is_seen() -> None:
    code = "class A: pass\ndef f(x):\n    y = x\n    return y\ndef g(x): return x\ndef _h():\n    1\n    2\n"
    assert undocumented(ast.parse(code)) == ["the file", "A", "f"]
