"""Cases: one numeric option, told one value that no option can mean.

Which options there are is read from the commands, the schema and the catalog.
"""

from __future__ import annotations

import dataclasses
import shlex
import types
import typing
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from fuzz.commands import RIGHT, commands
from gansmith import catalog
from gansmith.experiment.schema import Experiment

VALUES = ("1000000000", "1000000000000000000", "-1", "nan", "inf", "1e30")
_SIZE = "--size 8 --images 32 --batch 16 --device cpu --out new --set sheet=4 --set data.holdout=0.1"
_NETWORKS = "--set generator.width=4 --set discriminator.width=4"
_DOMAINS = "--size 16 --images 8 --batch 4 --device cpu --out new --set sheet=2 --set translator.width=2"
_LINES = {  # a training in which a part of this name plays
    "two_player": f"train digits {_SIZE} {_NETWORKS}",
    "network": f"train digits {_SIZE.replace('--size 8', '--size 32')}",
    "classifier": f"train digits {_SIZE} --game classify",
    "cycle": f"train domains --recipe cyclegan_emoji {_DOMAINS} --set discriminator.width=2",
    "cut": f"train domains --recipe cut {_DOMAINS} --set discriminator.width=2 --set discriminator.layers=1",
    "paired": f"train fmt_paired --recipe pix2pix_emoji {_DOMAINS} --set discriminator.width=2",
    "multimodal": f"train domains --recipe munit_emoji {_DOMAINS.replace('translator', 'autoencoder')}",
    "classify": f"train digits --recipe mnist_net {_SIZE}",
}
_TOYS = ("ring", "grid", "stacked_digits")


@dataclasses.dataclass(frozen=True)
class Case:
    """argv: a command line, or `python CODE`; settings: those of its words that are settings of an experiment."""

    option: str
    value: str
    argv: tuple[str, ...]


def numeric(hint: Any) -> bool:
    """Does an annotation, or a part of it, take a number?"""
    if hint in (int, float):
        return True
    if isinstance(hint, type) and issubclass(hint, BaseModel):  # a schedule
        return False
    inner = typing.get_args(hint)
    if typing.get_origin(hint) is typing.Annotated:
        return numeric(inner[0])
    if typing.get_origin(hint) in (typing.Union, types.UnionType, tuple):
        return any(numeric(part) for part in inner)
    return False


def cases() -> list[Case]:
    """All of them, in a fixed order."""
    options = [*_of_commands(), *_of_fields(), *_of_parts(), *_of_data(), *_of_python()]
    return [
        Case(option, value, tuple(shlex.split(line.replace("VALUE", value))))
        for option, line in options
        for value in (VALUES[:3] if option.startswith("operators") else VALUES)  # Python's own types refuse the others
    ]


def _of_commands() -> Iterator[tuple[str, str]]:
    for command in commands():
        name = " ".join(command.words)
        for one in command.parameters:
            if one.flags and not one.switch and numeric(one.hint):
                words = shlex.split(RIGHT[name][0])
                if one.flags[0] in words:
                    del words[words.index(one.flags[0]) : words.index(one.flags[0]) + 2]
                yield f"{name} {one.flags[0]}", f"{name} {shlex.join(words)} {one.flags[0]}=VALUE"


def _of_fields() -> Iterator[tuple[str, str]]:
    for path in _fields(Experiment, ""):
        measured = " --set metrics.names=kid" if path.startswith(("metrics", "stop")) else ""
        stopped = " --set stop.metric=kid" if path.startswith("stop") else ""
        yield path, f"{_LINES['two_player']}{measured}{stopped} --set {path}=VALUE"
    for option in ("lr", "weight_decay", "eps"):
        yield f"optimizer.{option}", f"{_LINES['two_player']} --set optimizer.generator.{option}=VALUE"


def _fields(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _fields(field.annotation, f"{prefix}{name}.")
        elif numeric(field.annotation):
            yield f"{prefix}{name}"


def _options(kind: str, entry: str, factory: str = "build") -> Iterator[str]:
    function = catalog.find(kind, entry, factory)
    hints = typing.get_type_hints(function, include_extras=True)
    for option in catalog.keyword_options(function):
        if numeric(hints.get(option)) or "Decay" in str(hints.get(option)):  # a number or a schedule
            yield option


def _of_parts() -> Iterator[tuple[str, str]]:
    lines = {"generator": "network", "discriminator": "network", "classifier": "classifier", "translator": "cycle"}
    for role, line in {**lines, "autoencoder": "multimodal"}.items():
        for entry in catalog.names("models", role):
            options = list(_options("models", entry, role))
            for option in options:
                width = f"--set {role}.width=8 " * ("width" in options and option != "width")
                told = f"--set {role}={entry} {width}--set {role}.{option}=VALUE"
                yield f"{role}s/{entry} {option}", f"{_LINES[line]} {told}"
    for kind, field in (("objectives", "objective"), ("augment", "augment")):
        for entry in catalog.names(kind):
            for option in _options(kind, entry):
                told = f"--set {field}={entry} --set {field}.{option}=VALUE"
                yield f"{kind}/{entry} {option}", f"{_LINES['two_player']} {told}"
    for entry in catalog.names("games"):
        for option in _options("games", entry):
            yield f"games/{entry} {option}", f"{_LINES[entry]} --set game.{option}=VALUE"
    for entry in catalog.names("penalties"):
        for option in _options("penalties", entry):
            told = f"--objective nonsaturating --set penalties.{entry}.{option}=VALUE"
            yield f"penalties/{entry} {option}", f"{_LINES['two_player']} {told}"
    for entry in catalog.names("features"):
        for option in _options("features", entry):
            told = f"--set metrics.names=kid --set metrics.features={entry} --set metrics.features.{option}=VALUE"
            yield f"features/{entry} {option}", f"{_LINES['two_player']} {told} --set metrics.every=32"


def _of_data() -> Iterator[tuple[str, str]]:
    for entry in catalog.names("datasets"):
        for option in _options("datasets", entry):
            of = " --set of=digits" if entry in ("day", "night") else ""  # the set that they name is not everywhere
            yield f"datasets/{entry} {option}", f"data check {entry}{of} --set {option}=VALUE"
    for entry in catalog.names("formats", "build"):
        for option in _options("formats", entry):
            yield f"formats/{entry} {option}", f"data check fmt_{entry} --format {entry} --set {option}=VALUE"


def _of_python() -> Iterator[tuple[str, str]]:
    features = "import numpy as np; from gansmith import catalog; a = np.random.default_rng(0).random((60, 4)); "
    side = (
        "from gansmith.evaluation.types import Side; side = Side('toy', features=a, probabilities=a / a.sum(1)[:, None]"
    )
    for entry in catalog.names("metrics"):
        for option in _options("metrics", entry):
            subsets = ", subsets=5" * (entry == "kid" and option == "size")
            code = f"{features}{side}, labels=np.arange(60) % 4, images=np.zeros((60, 8, 8, 1), np.uint8)); "
            code += f"catalog.build('metrics', '{entry}', {option}=float('VALUE'){subsets}).measure(side, side)"
            yield f"metrics/{entry} {option}", f"python {shlex.quote(code)}"
    for entry, needed in OPERATORS.items():
        for option in _options("operators", entry):
            code = "from gansmith.data.open import open_dataset; from gansmith import catalog; v = VALUE; "
            code += (
                f"d = catalog.find('operators', '{entry}')(open_dataset('digits'), **{needed} | {{'{option}': v}}); "
            )
            code += "d[0] if not isinstance(d, dict) else len(d)"
            yield f"operators/{entry} {option}", f"python {shlex.quote(code)}"


OPERATORS = {  # what each needs besides; their other options take no number
    "batch": "{}",
    "parallel": "{'workers': 0}",
    "resample": "{'weights': [1.0] * 1797, 'seed': 1}",
    "resize": "{'size': 4, 'channels': 1}",
    "shuffle": "{}",
    "split": "{'shares': {'a': 0.5, 'b': 0.5}}",
    "take": "{'seed': 1}",
}
