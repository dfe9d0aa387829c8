"""Text of `gansmith help NAME` for an entry of the catalog: what it is, its source, its options with what they take."""

from __future__ import annotations

import inspect
import re
import shutil
import textwrap
import typing
from collections.abc import Iterator
from functools import cache
from typing import Any

from gansmith import catalog
from gansmith.cli.availability import availability

_ROLES_OF = {"models": catalog.ROLES, "formats": ("build", "domains")}  # factories of a file; else `build`
_HOW = {  # kind -> how an entry is chosen, how an option of it is set
    "models": ("--set {role}.name={name}", "--set {role}.OPTION=VALUE"),
    "objectives": ("--objective {name}", "--set objective.OPTION=VALUE"),
    "penalties": ("--set penalties.{name}.weight=NUMBER", "--set penalties.{name}.OPTION=VALUE"),
    "augment": ("--set augment={name}", "--set augment.OPTION=VALUE"),
    "games": ("--set game={name}", "--set game.OPTION=VALUE"),
    "formats": ("--set data.format={name}", "--set data.options.OPTION=VALUE"),
    "datasets": ("gansmith train {name}", "--set data.options.OPTION=VALUE"),
    "operators": ("dataset.{name}(...) in Python", "OPTION=VALUE"),
    "features": ("gansmith evaluate RUN --features {name}", "while training: --set metrics.features.OPTION=VALUE"),
    "metrics": (
        "gansmith evaluate RUN --metrics {name}",
        "in Python: catalog.build('metrics', '{name}', ...)",
    ),
    "minimizers": ("gansmith.minimize.minimize(f, x, method='{name}') in Python", "OPTION=VALUE"),
    "recipes": ("gansmith train DATA --recipe {name}", ""),
}
_FIELDS = {"models": catalog.ROLES, "objectives": ("objective",), "games": ("game",), "augment": ("augment",)}
_HUGE = re.compile(r"from ([\d,.]+) to (?:2,147,483,647|1,000,000,000,000,000)")  # a bound of the machine only
_WIDEST = 100  # characters of a line of text


def entries(name: str) -> list[tuple[str, str]]:
    """(kind, name) of all entries that are called so, or KIND/NAME of one.

    >>> entries("r3gan"), entries("penalties/r1")
    ([('models', 'r3gan'), ('objectives', 'r3gan')], [('penalties', 'r1')])
    """
    kind, slash, plain = name.lower().replace("-", "_").rpartition("/")
    kinds = [kind] if slash else list(catalog.KINDS)
    return [(each, plain) for each in kinds if each in catalog.KINDS and plain in catalog.names(each)]


def entry_help(kind: str, name: str) -> str:
    """Everything there is to say of one entry. Imports its file."""
    parts = [f"{catalog.KINDS[kind][1]} {name}", *_ready(kind, name)]
    if kind == "recipes":
        text = catalog.path_of(kind, name).read_text()
        return "\n".join([*parts, "", f"choose it: {_HOW[kind][0].format(name=name)}", "", text.rstrip()])
    source = inspect.getdoc(_module(kind, name)) or ""
    parts += ["", *_paragraphs(source)]
    for factory in _ROLES_OF.get(kind, ("build",)):
        if factory in _factories(kind, name):
            parts += ["", *_options(kind, name, factory)]
    recipes = recipes_with(kind, name)
    if recipes:
        parts += ["", *_filled(f"recipes with it: {', '.join(recipes)}")]
    return "\n".join(parts)


def recipes_with(kind: str, name: str) -> list[str]:
    """The recipes that name an entry.

    >>> recipes_with("penalties", "dragan")
    ['dragan']
    """
    paths = {f"{field}.name" for field in _FIELDS.get(kind, ())}
    found = []
    for recipe in catalog.names("recipes"):
        values = _values(recipe)
        named = any(values.get(path) == name for path in paths)
        if named or (kind == "penalties" and any(path.startswith(f"penalties.{name}") for path in values)):
            found.append(recipe)
    return found


@cache
def _values(recipe: str) -> dict[str, Any]:
    from gansmith.experiment.field_paths import flat
    from gansmith.experiment.sources import from_recipe

    return dict(flat(from_recipe(recipe).values))


def _ready(kind: str, name: str) -> list[str]:
    needed = availability(kind, name)
    return [] if needed is None else [needed.word if needed.here else f"not here; to have it: {needed.way}"]


def _module(kind: str, name: str) -> Any:
    return inspect.getmodule(catalog.find(kind, name, _factories(kind, name)[0]))


def _factories(kind: str, name: str) -> list[str]:
    return [factory for factory in _ROLES_OF.get(kind, ("build",)) if name in catalog.names(kind, factory)]


def _options(kind: str, name: str, factory: str) -> Iterator[str]:
    """How the entry is chosen, and a line for each option: name, default, what it takes."""
    function = catalog.find(kind, name, factory)
    choose, setting = (words.format(name=name, role=factory) for words in _HOW[kind])
    yield from _filled(f"{factory if kind == 'models' else 'choose it'}: {choose}")
    known = catalog.keyword_options(function)
    if known:
        yield from _filled(f"options ({setting}), with defaults:")
        yield from _table(function, known)
    else:
        yield "it has no options"
    text = (inspect.getdoc(function) or "").partition(">>>")[0].strip()
    if text:
        yield from ["", *_paragraphs(text)]


def _table(function: catalog.Factory, known: dict[str, inspect.Parameter]) -> Iterator[str]:
    from gansmith.system.option_words import allowed

    hints = typing.get_type_hints(function, include_extras=True)
    rows = []
    for option, parameter in known.items():
        default = "needed" if parameter.default is inspect.Parameter.empty else _plain(parameter.default)
        takes = allowed(hints.get(option, Any)) or str(function.__annotations__.get(option, "anything"))
        rows.append((option, default, _HUGE.sub(r"of at least \1", takes)))
    names, defaults = (max(len(row[column]) for row in rows) for column in (0, 1))
    for option, default, takes in rows:
        yield from _filled(f"  {option:{names}}  {default:{min(defaults, 24)}}  {takes}", indent=names + 4)


def _plain(value: Any) -> str:
    """A default as it is written on the command line."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(list(value)) if isinstance(value, tuple) else str(value)


def _paragraphs(text: str) -> Iterator[str]:
    """Text with its paragraphs filled to the width of the terminal; those set in, or in columns, stay as they are."""
    for number, block in enumerate(re.split(r"\n\s*\n", text.strip("\n"))):
        if number:
            yield ""
        lines = block.splitlines()
        yield from lines if any(line.startswith(" ") or "   " in line for line in lines) else _filled(" ".join(lines))


def _filled(text: str, indent: int = 0) -> list[str]:
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    hanging = " " * min(indent, width // 2)
    return textwrap.wrap(
        text, width, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False, drop_whitespace=True,
        initial_indent="", replace_whitespace=False,
    )  # fmt: skip
