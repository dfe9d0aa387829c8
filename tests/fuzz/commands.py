"""Command lines: a right one of a command, and what people and programs get wrong in it.

Commands and their parameters are read from the tree of the command line itself. RIGHT holds a few lines that succeed in
the world's folder; a command that is not in it gets one from the names of its arguments.
"""

from __future__ import annotations

import functools
import random
import shlex
import typing
from dataclasses import dataclass, field
from typing import Any

import typer

from fuzz.values import PLACES, fields, format_options, misspelt, value
from fuzz.world import World
from gansmith.cli.main import app

_FEW = "--size 8 --images 64 --batch 16 --device cpu --set generator.width=4 --set discriminator.width=4 --set sheet=4"
RIGHT = {
    "train": [
        f"digits --fraction 0.2 {_FEW} --out new",
        f"photos {_FEW} --out new --dry-run",
        "--config small.yaml --out new",
        "--recipe small.yaml photos --channels 1 --out new",
        f"plain {_FEW} --holdout 0 --out new --objective hinge",
        "domains --recipe cyclegan_emoji --size 16 --images 8 --batch 4 --set translator.width=2 --set "
        "translator.blocks=1 --set discriminator.width=2 --set discriminator.layers=1 --out new",
        f"digits {_FEW} --from gan --dry-run",
        f"digits --fraction 0.2 {_FEW} --out new --processes 1 --max-restarts 0",
    ],
    "resume": [
        "half_gan --images 352",
        "half_gan --images 352 --processes 1",
        "half_grader --images 176",
        "gan --images 160",
        "half_pairs --images 52",
    ],
    "stop": ["gan", "gan --no-wait"],
    "sample": [
        "gan --seeds 0-3 --out new.png",
        "gan --seeds 1,4 --out new/ --raw",
        "gan --seeds 0-8 --numbered --columns 3",
        "classes --label 3 --out new.png --checkpoint latest",
        "gan/model --seeds 0-3 --canvas 2x3 --truncation 0.5 --out new.webp",
    ],
    "interpolate": [
        "gan 3 8 12 --steps 3 --out new.png",
        "gan 0 1 --as film --steps 2 --out new.webp",
        "gan 3 8 12 --steps 2 --path spline --loop --truncation 0.3:1.0 --out new.png",
        "gan 3 --canvas 1x4 --pan 1x2 --steps 2 --out new.gif",
        "classes 3 --labels 0,1 --steps 2 --out new.png",
    ],
    "arithmetic": [
        "gan --plus 1,2 --minus 3 --out new.png",
        "gan --plus 4",
        "gan --plus 4,5 --minus 1 --only result --truncation 0.7 --out new.png",
    ],
    "translate": [
        "cycle one.png new.png --to b",
        "cycle photos new/ --to a --size fit",
        "several one.png new/ --to b --styles 2",
        "pairs fmt_folder/images new/",
        "several one.png new.png --to b --style-from one.png --keep-alpha",
    ],
    "data check": ["photos", "plain --json", "domains", "mixed", "digits", "strange"],
    "data stats": ["photos --size 8", "digits", "packed.npy"],
    "data pack": ["photos new.npy --size 8", "plain new.npy --size 8 --channels 1", "packed.npy new.npy --size 4"],
    "evaluate": [
        "gan --samples 24 --repeats 1 --real 40 --features pixels",
        "fakes --against fmt_folder/images --features pixels --out new",
        "grader",
        "gan --samples 24 --repeats 2 --real 30 --metrics kid,precision_recall --out new --raw",
        "packed.npy --against digits --features pixels --real 50 --out new",
        "pairs --out new",
        "classes --train-on-samples --samples 30 --features pixels --out new",
    ],
    "blindtest": [
        "gan --looks 12 --out new.html",
        "gan half_gan --looks 10 --seed 3 --raw",
        "gan/model --against digits --looks 20 --out new.html",
        "--read GS-20000-000A0-00E2Z-YG000-0KNGS-7Y",
    ],
    "compare": [
        "gan half_gan --samples 24",
        "gan gan@latest --samples 20 --metrics none --out new",
        "gan half_gan --samples 20 --metrics none --report --out new",
    ],
    "probe": ["gan --data digits --images 60 --random-networks 2", "grader --data digits --images 60 --out new.json"],
    "list": ["", "metrics", "recipes"],
    "help": ["train", "hinge", "dcgan", "kid"],
    "features install": ["mobilenet", "pixels"],
    "draw": ["gan --out new"],
    "invert": [
        "gan one.png --steps 2 --restarts 1 --out new.safetensors",
        "gan one.png --method cmaes --steps 2",
        "gan --train-encoder --images 64",
    ],
    "directions": ["gan --method svd --count 2", "directed"],
    "edit": [
        "directed 3 --along svd-1:2 --out new.png",
        "directed 3 --along svd-1:2 --film --steps 3 --out new.gif --truncation 0.8",
    ],
    "look-inside": ["gan --layers"],
    "nearest": ["gan 0-1 --out new.png"],
    "map": ["gan --count 60 --features pixels --out new.png"],
    "export": ["gan --to program --out new.pt2", "gan --to folder --licence mit --out new"],
    "push": ["gan somebody/new --licence mit"],
    "bench": [
        "--recipe dcgan_digits --size 8 --batch 8 --seconds 0.1 --set generator.width=4 --set discriminator.width=4",
        "--recipe dcgan_digits --size 8 --batch 8 --seconds 0.1 --set generator.width=4 --json",
    ],
}


SERVERS = ("explore",)  # serve until they are ended


@dataclass
class Parameter:
    """One argument or option of a command."""

    name: str
    flags: list[str]
    hint: Any
    required: bool
    switch: bool
    multiple: bool


@dataclass
class Command:
    """One leaf of the tree."""

    words: list[str]
    parameters: list[Parameter] = field(default_factory=list)


@functools.cache
def commands() -> tuple[Command, ...]:
    """All of them that end by themselves, in the order of the help; tests/web tries the others."""
    leaves = _leaves(app, typer.main.get_command(app), [])
    return tuple(one for one in leaves if " ".join(one.words) not in SERVERS)


def chosen(rng: random.Random) -> Command:
    """One of them: more often where much is read, less often where each takes seconds or little can go wrong."""
    weights = {
        "train": 3.0,
        "data check": 2.0,
        "resume": 1.5,
        "bench": 0.4,
        "list": 0.3,
        "features install": 0.4,
        "draw": 0.4,
        "export": 0.2,
        "invert": 0.4,
        "directions": 0.4,
        "look-inside": 0.4,
    }
    every = commands()
    return rng.choices(every, [weights.get(" ".join(one.words), 1.0) for one in every])[0]


def _leaves(grown: typer.Typer, node: Any, words: list[str]) -> Any:
    for registered in grown.registered_commands:
        callback = registered.callback
        assert callback is not None
        name = registered.name or callback.__name__.replace("_", "-")
        hints = typing.get_type_hints(callback)
        parameters = [
            Parameter(
                name=one.name,
                flags=[flag for flag in (*one.opts, *one.secondary_opts) if flag.startswith("-")],
                hint=hints.get(one.name, str),
                required=one.required,
                switch=bool(getattr(one, "is_flag", False)),
                multiple=one.multiple or one.nargs != 1,
            )
            for one in node.commands[name].params
        ]
        yield Command([*words, name], parameters)
    for group in grown.registered_groups:
        name = group.name or ""
        assert group.typer_instance is not None
        yield from _leaves(group.typer_instance, node.commands[name], [*words, name])


def right(rng: random.Random, command: Command, world: World) -> list[str]:
    """A line that should succeed, without the program's name."""
    line = " ".join(command.words)
    known = RIGHT.get(line)
    if known is None:
        arguments = [one for one in command.parameters if one.required]
        words = [w for one in arguments for w in ([one.flags[0]] if one.flags else []) + [_guess(one)]]
        return [*command.words, *words]
    chosen = rng.choice(known)
    if line.startswith("data ") and rng.random() < 0.4:
        chosen = f"{rng.choice(world.formats)} new.npy --size 8" if line == "data pack" else rng.choice(world.formats)
    return [*command.words, *shlex.split(chosen)]


def _guess(one: Parameter) -> str:
    return {"run": "gan", "out": "new.png", "path": "photos", "data": "digits"}.get(one.name, "1")


def mistaken(rng: random.Random, command: Command, line: list[str], world: World) -> list[str]:
    """One to three mistakes in a right line."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        line = rng.choices(MISTAKES, WEIGHTS)[0](rng, command, list(line), world)
    return line


def _option(rng: random.Random, command: Command, line: list[str], world: World) -> list[str]:
    """An option with a drawn value, in place of the one that the line has."""
    one = rng.choice(
        [one for one in command.parameters if one.flags] or [Parameter("x", ["--x"], str, False, False, False)]
    )
    flag = rng.choice(one.flags)
    if one.switch:
        return [*line, flag]
    if one.name == "assignments":
        return _field(rng, command, line, world)
    told = value(rng, one.name, one.hint, places(world))
    if one.name == "processes":  # never a right number of several, which would start as many
        told = rng.choice(("1", "0", "-1", "1.5", "1025", "99999999", "9" * 40, "nan", "two", "", "-", "1,2", "auto"))
    if one.name == "options" and rng.random() < 0.8:
        told = f"{rng.choice(format_options())}={told}"
    while flag in line[:-1] and not one.multiple:
        at = line.index(flag)
        del line[at : at + 2]
    return [*line, f"{flag}={told}"] if rng.random() < 0.3 else [*line, flag, told]


def _argument(rng: random.Random, command: Command, line: list[str], world: World) -> list[str]:
    """A word of the line replaced."""
    at = rng.randrange(len(command.words), len(line) + 1) if len(line) > len(command.words) else len(line)
    told = value(rng, "path", "Path", places(world))
    return [*line[:at], told, *line[at + 1 :]]


def _place(rng: random.Random, command: Command, line: list[str], world: World) -> list[str]:
    """The first argument replaced by another file or folder, odd ones included."""
    at = len(command.words)
    return [*line[:at], rng.choice(places(world)), *line[at + 1 :]]


def _field(rng: random.Random, command: Command, line: list[str], world: World) -> list[str]:
    """A field of the experiment, or an option of a format."""
    path, hint = rng.choice(fields())
    path = misspelt(rng, path) if rng.random() < 0.1 else path
    told = value(rng, path, hint, places(world))
    return [*line, "--set", f"{path}={told}" if rng.random() < 0.95 else path]


def _less(rng: random.Random, command: Command, line: list[str], world: World) -> list[str]:
    """A word lost."""
    if len(line) > len(command.words):
        del line[rng.randrange(len(command.words), len(line))]
    return line


def _more(rng: random.Random, command: Command, line: list[str], world: World) -> list[str]:
    """A word too many, or twice."""
    extra = rng.choice(
        (rng.choice(line), value(rng, "x", "str", places(world)), "--help", "-h", "--version", "--", "-x")
    )
    line.insert(rng.randrange(len(line) + 1), extra)
    return line


def _misspelt(rng: random.Random, command: Command, line: list[str], world: World) -> list[str]:
    at = rng.randrange(len(line))
    line[at] = misspelt(rng, line[at])
    return line


def _foreign(rng: random.Random, command: Command, line: list[str], world: World) -> list[str]:
    """An option of another command."""
    other = rng.choice([one for one in commands() if one.words != command.words])
    return _option(rng, other, line, world)


def _swapped(rng: random.Random, command: Command, line: list[str], world: World) -> list[str]:
    first = len(command.words)
    if len(line) - first > 1:
        one, other = rng.sample(range(first, len(line)), 2)
        line[one], line[other] = line[other], line[one]
    return line


def _existing(rng: random.Random, command: Command, line: list[str], world: World) -> list[str]:
    """What is to be written is there already, or cannot be there."""
    there = rng.choice(
        ("keep.txt", "one.png", "packed.npy", "gan", "photos", "fakes", "small.yaml", "gan/notes.txt", *PLACES)
    )
    at = next((i for i, word in enumerate(line) if word.startswith("new")), None)
    if at is not None:
        return [*line[:at], there, *line[at + 1 :]]
    return [*line, "--out", there] if any(one.name == "out" for one in command.parameters) else line


MISTAKES = [_existing, _option, _argument, _place, _field, _less, _more, _misspelt, _foreign, _swapped]
WEIGHTS = [3.0, 10.0, 3.0, 4.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0]


def places(world: World) -> list[str]:
    """Everything there is to name, in a fixed order."""
    return [*world.names, *world.odd, *world.formats]


def environment(rng: random.Random, world: World) -> dict[str, str]:
    """Variables that a person's shell may hold."""
    if rng.random() < 0.7:
        path, hint = rng.choice(fields())
        name = "GANSMITH_" + path.upper().replace(".", "__")
        name = misspelt(rng, name) if rng.random() < 0.15 else name
        return {name: value(rng, path, hint, places(world)).encode("utf-8", "replace").decode()}
    name = rng.choice(
        ("GANSMITH_CACHE", "GANSMITH_DATASETS", "COLUMNS", "HOME", "TMPDIR", "XDG_CACHE_HOME", "NO_COLOR")
    )
    chosen = rng.choice(("", "nowhere", "keep.txt", "0", "-1", "loop", "sealed", "20", "closed", "~nouser", "a" * 300))
    return {name: chosen}
