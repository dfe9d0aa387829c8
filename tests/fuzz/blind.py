"""Damage that knows nothing of what is in a file: bytes flipped or lost, another file, nothing, a pipe."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

from fuzz.world import ODD, World


def flip(rng: random.Random, path: Path, world: World) -> None:
    """Bytes changed, most often in the header."""
    data = bytearray(path.read_bytes())
    for _ in range(rng.choice((1, 1, 2, 8, 64))):
        if data:
            data[rng.randrange(min(len(data), rng.choice((16, 64, 512, len(data)))))] = rng.randrange(256)
    path.write_bytes(data)


def _cut(rng: random.Random, path: Path, world: World) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: rng.choice((0, 1, 8, len(data) // 2, max(0, len(data) - 1), rng.randrange(len(data) + 1)))])


def _lengthen(rng: random.Random, path: Path, world: World) -> None:
    with path.open("ab") as file:
        file.write(rng.randbytes(rng.choice((1, 4, 100, 5000))))


def _noise(rng: random.Random, path: Path, world: World) -> None:
    path.write_bytes(rng.randbytes(rng.choice((1, 100, path.stat().st_size))))


def _zeros(rng: random.Random, path: Path, world: World) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def _other(rng: random.Random, path: Path, world: World) -> None:
    """The content of another kind of file under this one's name."""
    others = sorted(p for p in world.root.rglob("*") if p.is_file())
    shutil.copyfile(rng.choice(others), path)


def _of_another(rng: random.Random, path: Path, world: World) -> None:
    """The file of the same name of another run, packing or list."""
    others = sorted(p for p in world.root.rglob(path.name) if p.is_file())
    shutil.copyfile(rng.choice(others), path)


def _odd(rng: random.Random, path: Path, world: World) -> None:
    """A folder, a pipe, a loop, nothing, or what may not be read, where the file was."""
    path.unlink()
    ODD[rng.choice(("folder.png", "loop.png", "dangling.png", "pipe.png", "empty.png", "unreadable.png", "closed"))](
        path
    )


def _gone(rng: random.Random, path: Path, world: World) -> None:
    path.unlink()


def _huge(rng: random.Random, path: Path, world: World) -> None:
    """As long as 20 GB, of which nothing is on the disk."""
    os.truncate(path, 20 * 2**30)


def _renamed(rng: random.Random, path: Path, world: World) -> None:
    """Another suffix, or a name that is hard to print."""
    name = rng.choice(
        (path.stem + rng.choice((".PNG", ".jfif", ".heic", ".tmp", "", ".csv", ".npy")), "\x1b[31m" + path.name)
    )
    path.rename(path.with_name(name))


BLIND: list[Callable[[random.Random, Path, World], None]] = [
    *(
        flip,
        flip,
        flip,
        _cut,
        _cut,
        _lengthen,
        _noise,
        _zeros,
        _other,
        _of_another,
        _of_another,
        _odd,
        _gone,
        _renamed,
        _huge,
    ),
]
