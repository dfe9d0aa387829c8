"""One invocation, drawn from (seed, number): a folder with what it reads, its command line and its environment."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from fuzz import commands, hostile, settings
from fuzz.world import World

KINDS = {"right": 15, "line": 42, "file": 25, "settings": 12, "environment": 6}


@dataclass
class Case:
    """kind: of what was drawn; argv: without the program's name; told: what was done to files."""

    number: int
    kind: str
    argv: list[str]
    variables: dict[str, str]
    told: str

    @property
    def command(self) -> str:
        """The command's name, or none where even that is mistaken."""
        names = {" ".join(one.words) for one in commands.commands()}
        return next((n for n in (" ".join(self.argv[:2]), *self.argv[:1]) if n in names), "(none)")


def draw(seed: int, number: int, folder: Path, world: World) -> Case:
    """The case of this seed and number, with its files in `folder`, which is empty."""
    rng = random.Random(f"{seed}/{number}")
    kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
    command = commands.chosen(rng)
    if kind == "settings":
        name = rng.choice(("train", "train", "train", "bench"))
        command = next(one for one in commands.commands() if one.words == [name])
    line = commands.right(rng, command, world)
    variables: dict[str, str] = {}
    told = ""
    if kind == "line":
        line = commands.mistaken(rng, command, line, world)
    elif kind == "environment":
        variables = commands.environment(rng, world)
    elif kind == "settings":
        line = _settings(rng, command, folder, world)
    (folder / "home").mkdir()
    placed = world.place(
        [*line, *variables.values(), "keep.txt", *(["small.yaml"] if kind == "settings" else [])], folder
    )
    cached = {"digits", "gan", "half_gan", "grader", "half_grader", "classes"} & set(line)
    if kind in ("right", "file") and cached and rng.random() < 0.5:
        placed += world.place(["cache"], folder)
    if kind == "file":
        told = hostile.damage(rng, folder, [name for name in placed if name != "keep.txt"], world)
    return Case(number, kind, line, variables, told)


def _settings(rng: random.Random, command: commands.Command, folder: Path, world: World) -> list[str]:
    """A file of settings, or a recipe, that is mistaken; --dry-run where the images would take long."""
    name = rng.choice(("mine.yaml", "mine.yml", "mine.txt", "mine"))
    settings.write(rng, folder / name, world)
    if command.words == ["bench"]:
        return ["bench", "--recipe", name, "--seconds", "0.1"]
    images = rng.choice(("photos", "plain", "digits", "packed.npy"))
    way = ["--config", name] if rng.random() < 0.7 else ["--recipe", name]
    return ["train", images, *way, "--out", "new", *(["--dry-run"] if rng.random() < 0.4 else ["--images", "32"])]
