"""Values that a parameter or a field may be told: wrong ones of every kind, and right ones by what it is called.

Which parameters and fields there are, and which names they take, is read from the commands, the schema and the catalog.
"""

from __future__ import annotations

import functools
import random
import types
import typing
from enum import Enum
from typing import Any

from pydantic import BaseModel

from gansmith import catalog
from gansmith.experiment.schema import PARTS, Experiment

NUMBERS = [
    *("0", "-1", "1", "2", "3", "7", "8", "16", "1.5", "-0.5", "0.0", "1e-300", "1e308", "1e999", "nan", "inf", "-inf"),
    *("99999999", "1000000000", "2147483647", "2147483648", "4294967296", "9223372036854775807", "9" * 19, "9" * 40),
    *("9" * 4400, "-9223372036854775809", "0x10", "1_000", "007", "+5", "1,5", "1k", "1M", "1e3", "-1k", "k", "٣", "²"),
]
SHAPES = [
    *(
        "3x5",
        "0x0",
        "8x",
        "x8",
        "8x8x8",
        "99999x99999",
        "-8x8",
        "8\u00d78",
        "8X8",
        "99999999",
        "1x1",
        "2x9999999",
        "8 x 8",
    ),
    *("0-3", "5-3", "0-", "-3", "0-1000000000", "1,2,,3", "1;2", ",", "1,1,1", "4294967295-4294967300", "0-0", "a-b"),
]
WORDS = [
    *("", " ", "-", "--", "true", "null", "~", "[]", "{}", "[1, 2", "{a: b}", "a: b: c", "!!python/object:os.system x"),
    *("é日本", "\x1b[31mred", "a\nb", "\udcff", "%s", "{0}", "*", "[bold]", "C:\\x", "CON", "file:///etc", "a" * 300),
    *("x" * 5000, "none", "auto", "&a [*a, *a]", "2024-01-01", "1:30", "'", '"', "`", "${HOME}", "yes", "off", "0.1.2"),
    *("[" * 300, "{a: " * 60, "{start: 1, end: 0, decay: 9}", "{points: {}}", "{name: null}", "[{}]", "a.b", "{1: 2}"),
]
PLACES = [
    *("gan@latest", "gan@nowhere", "gan@", "@", "../work/gan"),
    *(
        "nowhere",
        "nowhere/deeper/x.png",
        "..",
        ".",
        "../x",
        "~nouser/x",
        "~",
        "keep.txt",
        "keep.txt/x.png",
        "new",
        "new/",
    ),
    *("new.png", "new.jpg", "new.webp", "new.gif", "new.svg", "new.xyz", "new.npy", "new.json", "a" * 251 + ".png"),
    *("d/" * 120 + "x.png", "one.png", "gan", "gan/model", "new.", ".png", "é/日本.png", "a b.png", "\x1b[31mred.png"),
    *(
        "./new.png",
        "new//x.png",
        "sealed/new.png",
        "closed/new.png",
        "folder.png",
        "loop/new.png",
        "new.PNG",
        "\udcff.png",
    ),
]


def names_for(word: str) -> list[str]:
    """The entries of the catalog that a parameter or field of this name takes: `objective` -> hinge, wgan ..."""
    if word in catalog.ROLES:
        return catalog.names("models", word)
    for kind in catalog.KINDS:
        if word.rstrip("s") == kind.rstrip("s"):
            return catalog.names(kind)
    return []


def misspelt(rng: random.Random, word: str) -> str:
    """One letter lost, doubled, changed or moved."""
    if len(word) < 2:
        return word + "x"
    place = rng.randrange(len(word) - 1)
    first, second = word[place], word[place + 1]
    swapped = rng.choice((second + first, first, first + first + second, "x" + second, first.upper() + second))
    return word[:place] + swapped + word[place + 2 :]


def alternatives(hint: Any) -> list[str]:
    """What an annotation lists: the words of a Literal, the members of an Enum."""
    if typing.get_origin(hint) is typing.Literal:
        return [str(word) for word in typing.get_args(hint)]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return [str(member.value) for member in hint]
    if typing.get_origin(hint) in (typing.Union, types.UnionType, typing.Annotated):
        return [word for part in typing.get_args(hint) for word in alternatives(part)]
    return []


def value(rng: random.Random, name: str, hint: Any, places: list[str]) -> str:
    """A word for the parameter or field `name`: of a wrong kind more often than not."""
    known = [*alternatives(hint), *names_for(name.rpartition(".")[2])]
    pools = [NUMBERS, SHAPES, WORDS, PLACES, places]
    weights = [4.0, 2.0, 3.0, 2.0, 3.0]
    text = str(hint)
    if "int" in text or "float" in text:
        weights = [10.0, 2.0, 2.0, 0.5, 0.5]
    elif "Path" in text:
        weights = [1.0, 0.5, 2.0, 6.0, 6.0]
    if known:
        pools, weights = [*pools, known, [misspelt(rng, rng.choice(known))]], [*weights, 8.0, 4.0]
    return rng.choice(rng.choices(pools, weights)[0])


@functools.cache
def format_options() -> tuple[str, ...]:
    """The options of all formats and built-in sets."""
    kinds = [(kind, name) for kind in ("formats", "datasets") for name in catalog.names(kind, "build")]
    return tuple(option for kind, name in kinds for option in catalog.keyword_options(catalog.find(kind, name)))


@functools.cache
def fields() -> tuple[tuple[str, str], ...]:
    """(dotted path, annotation as text) of each field of an experiment, and of the options of all its parts."""
    found = list(_fields(Experiment, ""))
    for part in PARTS:
        kind, factory = ("models", part) if part in catalog.ROLES else _kind(part)
        for entry in catalog.names(kind, factory):
            for option, parameter in catalog.keyword_options(catalog.find(kind, entry, factory)).items():
                found.append((f"{part}.{option}", str(parameter.annotation)))
    for penalty in catalog.names("penalties"):
        for option, parameter in catalog.keyword_options(catalog.find("penalties", penalty)).items():
            found.append((f"penalties.{penalty}.{option}", str(parameter.annotation)))
    return tuple(dict.fromkeys(found))


def _kind(part: str) -> tuple[str, str]:
    return next(kind for kind in catalog.KINDS if kind.rstrip("s") == part), "build"


def _fields(model: type[BaseModel], prefix: str) -> Any:
    for name, field in model.model_fields.items():
        path, inner = f"{prefix}{name}", field.annotation
        yield path, str(inner)
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _fields(inner, f"{path}.")
