"""Every public name and every catalog entry has one example of at most four lines in its docstring, and it runs."""

from __future__ import annotations

import doctest
import importlib
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import gansmith
from gansmith import catalog
from gansmith.catalog import ROLES

PACKAGES = ("gansmith", "gansmith.evaluation", "gansmith.latent", "gansmith.autograd", "gansmith.minimize")
MOST = 4  # lines of code


def entries() -> Iterator[tuple[str, Callable[[], Any]]]:
    """(name, a function that imports it) of all that needs an example; collecting tests imports none of them."""
    for package in PACKAGES:
        module = importlib.import_module(package)
        for name in getattr(module, "__all__", ()):
            yield f"{package}.{name}", lambda module=module, name=name: getattr(module, name)
    for kind in catalog.KINDS:
        if kind == "recipes":
            continue
        for name in catalog.names(kind):
            possible = ROLES if kind == "models" else ("build", "domains")
            factories = [factory for factory in possible if name in catalog.names(kind, factory)]
            for factory in factories:
                yield (
                    f"{kind}/{name}:{factory}",
                    lambda kind=kind, name=name, factory=factory: catalog.find(kind, name, factory),
                )


ENTRIES = dict(entries())


def examples_of(thing: object) -> list[doctest.Example]:
    """The examples in a docstring: the lines after `>>>`, each with the output that it promises."""
    return doctest.DocTestParser().get_examples(inspect.getdoc(thing) or "")


@pytest.mark.parametrize("name", [name for name in ENTRIES if name != "gansmith.__version__"])
def test_the_example_is_short_and_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    thing = ENTRIES[name]()
    examples = examples_of(thing)
    assert examples, f"{name} has no example: write one after >>> in its docstring"
    assert sum(len(example.source.splitlines()) for example in examples) <= MOST
    monkeypatch.chdir(tmp_path)  # an example that writes writes here
    space = dict(vars(inspect.getmodule(thing) or gansmith))
    test = doctest.DocTest(examples, space, name, None, None, inspect.getdoc(thing))
    lines: list[str] = []
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE).run(
        test, out=lines.append
    )
    assert result.failed == 0, "".join(lines)


def test_a_wrong_example_is_seen() -> None:
    def wrong() -> None:
        """
        >>> 1 + 1
        3
        """

    test = doctest.DocTest(examples_of(wrong), {}, "wrong", None, None, wrong.__doc__)
    assert doctest.DocTestRunner(verbose=False).run(test, out=lambda _: None).failed == 1
