"""YAML files of settings: a small experiment with what goes wrong when a person or a program writes it."""

from __future__ import annotations

import copy
import random
from pathlib import Path
from typing import Any

import yaml

from fuzz.commands import places
from fuzz.values import fields, value
from fuzz.world import SMALL, World

ODD: list[Any] = [
    *(None, True, False, 0, -1, 1, 1.5, float("nan"), float("inf"), 2**31, 2**63, 2**64, 10**40, 10**400, -(2**63) - 1),
    *(
        "",
        " ",
        "a" * 5000,
        "é",
        "\x1b[31mred",
        "a\nb",
        "\x07",
        "²",
        [],
        {},
        [[]],
        [None],
        {"": None},
        {None: 1},
        {1: 2},
    ),
    *(
        {"name": None},
        {"name": 3},
        {"name": ["hinge"]},
        {"name": "hinge", "": 1},
        [1, [2, [3]]],
        {"start": 1},
        {"a": {}},
    ),
    *(
        {"start": 1, "end": 0, "decay": 0},
        {"points": {}},
        {"points": {"a": 1}},
        {"points": {0: "b", -1: None}},
        [1e999],
    ),
    *("2024-01-01", "!!binary aaaa", "0x", "1e", "..", "~nouser/x", "digits", [1] * 5000, "!!set {a, b}", b"\xff\x00"),
]
TEXTS = [
    "",
    "# nothing\n",
    "null\n",
    "[1, 2]\n",
    "just a word\n",
    "a: b: c\n",
    "\ta: 1\n",
    "batch: 1\nbatch: 2\n",
    "data: {path: digits, path: photos}\n",
    "--- {batch: 8}\n--- {batch: 9}\n",
    "a: &a [*a, *a]\n",
    "generator: &g {name: *g}\n",
    "batch: *nobody\n",
    "? [a, b]\n: 1\n",
    "<<: {batch: 8}\n",
    "<<: [1]\n",
    "!!python/object/apply:os.system [true]\n",
    "batch: !!python/name:os.system\n",
    "batch: !unknown 8\n",
    "batch: !!int nine\n",
    "batch: !!float x\n",
    "out: 2024-13-45\n",
    "seed: 1:99:99\n",
    "batch: 0b2\n",
    "batch: '\\",
    "batch: [\n",
    "{" * 400,
    "[" * 3000,
    "a: " * 2000,
    "- " * 1500,
    "batch: " + "9" * 5000 + "\n",
    "x: &x0 [" + "a," * 9 + "]\n" + "".join(f"y{i}: &x{i + 1} [" + f"*x{i}," * 9 + "]\n" for i in range(8)),
    "data:\n",
    "data: null\ngenerator: null\ndiscriminator: null\nobjective: null\n",
    "%YAML 9.9\n---\nbatch: 8\n",
    "batch: 8\n...\ngarbage: [\n",
    "batch: \x85 8\n",
    "'\\ud800': 1\n",
    'out: "\\0"\n',
    'data: {path: "\\ud800"}\n',
]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1", "cp1252"]


def write(rng: random.Random, path: Path, world: World, base: dict[str, Any] | None = None) -> None:
    """A mistaken file of settings at `path`: a text that is none, or a small experiment with one to four mistakes."""
    kind = rng.random()
    if kind < 0.2:
        text = rng.choice(TEXTS)
    else:
        try:
            settings = copy.deepcopy(SMALL if base is None else base)
            for _ in range(rng.choice((1, 1, 1, 2, 4))):
                rng.choice((_replace, _replace, _set, _set, _lose, _add, _deepen))(rng, settings, world)
            text = yaml.safe_dump(settings, sort_keys=False, allow_unicode=rng.random() < 0.5)
        except RecursionError:  # deeper than can be written: an option was given "[" * 300 or the like
            text = "a: " + "[" * 900
        if kind < 0.35:
            text = _spoil(rng, text)
    data = text.encode(rng.choice(ENCODINGS) if rng.random() < 0.1 else "utf-8", "replace")
    path.write_bytes(b"\xff\x00" + data if rng.random() < 0.03 else data)


def nodes(plain: Any) -> list[tuple[Any, Any]]:
    """(container, key) of every value in a structure of dictionaries and lists."""
    inner = plain.items() if isinstance(plain, dict) else enumerate(plain) if isinstance(plain, list) else ()
    return [pair for key, each in inner for pair in ((plain, key), *nodes(each))]


def _replace(rng: random.Random, settings: dict[str, Any], world: World) -> None:
    if nodes(settings):
        container, key = rng.choice(nodes(settings))
        container[key] = copy.deepcopy(rng.choice(ODD))


def _set(rng: random.Random, settings: dict[str, Any], world: World) -> None:
    """A field, as its dotted path says, with a value that a person might type."""
    path, hint = rng.choice(fields())
    *above, last = path.split(".")
    inside = settings
    for name in above:
        if not isinstance(inside.get(name), dict):
            inside[name] = {}
        inside = inside[name]
    text = value(rng, path, hint, places(world))
    try:
        inside[last] = yaml.safe_load(text) if rng.random() < 0.8 else text
    except (yaml.YAMLError, ValueError, RecursionError):
        inside[last] = text


def _lose(rng: random.Random, settings: dict[str, Any], world: World) -> None:
    if nodes(settings):
        container, key = rng.choice(nodes(settings))
        del container[key]


def _add(rng: random.Random, settings: dict[str, Any], world: World) -> None:
    container = rng.choice([settings, *[c[k] for c, k in nodes(settings) if isinstance(c[k], dict)]])
    container[rng.choice(("nmae", "name", "width", "", 3, None, True, "batch", "a.b", "__class__", "é"))] = rng.choice(
        ODD
    )


def _deepen(rng: random.Random, settings: dict[str, Any], world: World) -> None:
    if nodes(settings):
        container, key = rng.choice(nodes(settings))
        depth = rng.choice((1, 3, 40, 80))
        for _ in range(depth):
            container[key] = [container[key]] if rng.random() < 0.5 else {"a": container[key]}


def _spoil(rng: random.Random, text: str) -> str:
    """Lines twice, lost or moved; tabs; a letter changed."""
    lines = text.splitlines(keepends=True) or [""]
    at = rng.randrange(len(lines))
    how = rng.randrange(6)
    if how == 0:
        lines.insert(rng.randrange(len(lines) + 1), lines[at])
    elif how == 1:
        del lines[at]
    elif how == 2:
        lines[at] = "\t" + lines[at]
    elif how == 3:
        lines[at] = " " + lines[at]
    elif how == 4:
        lines[at] = lines[at].replace(":", rng.choice((";", "", "::", ": &x", ": *x", ": |", ": !!str")), 1)
    else:
        whole = "".join(lines)
        place = rng.randrange(len(whole) + 1)
        return (
            whole[:place]
            + rng.choice(("\x00", "\x1b", "{", "]", '"', "'", "#", "%", "@", "\u2028", "&a "))
            + whole[place:]
        )
    return "".join(lines)
