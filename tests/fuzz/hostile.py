"""Files that are damaged or lie: bytes flipped or lost, and structures that are well formed and wrong."""

from __future__ import annotations

import os
import random
from pathlib import Path

from fuzz.blind import BLIND, flip
from fuzz.structures import STRUCTURES
from fuzz.world import World

LARGEST = 2**26  # bytes of a file that is changed a second time


def damage(rng: random.Random, folder: Path, names: list[str], world: World) -> str:
    """Change one file (or up to three) below `names` in `folder`; says what was done."""
    files = sorted(p for n in names for p in ([folder / n] if (folder / n).is_file() else (folder / n).rglob("*")))
    files = [p for p in files if p.is_file() and not p.is_symlink() and os.access(p, os.R_OK) and p.name != "notes.txt"]
    if not files:
        return "nothing"
    told = []
    by_kind = sorted({path.suffix for path in files})
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        kind = rng.choice(by_kind)  # a folder of images must not hide the one list beside them
        path = rng.choice([path for path in files if path.suffix == kind])
        if not path.is_file() or path.is_symlink() or path.stat().st_size > LARGEST:
            continue
        own = STRUCTURES.get(path.suffix) or STRUCTURES.get(_magic(path), flip)
        how = own if rng.random() < 0.6 else rng.choice(BLIND)
        try:
            how(rng, path, world)
        except Exception as error:  # an earlier change left nothing to change
            told.append(f"{how.__name__}({path.relative_to(folder)}) not done: {type(error).__name__}")
        else:
            told.append(f"{how.__name__}({path.relative_to(folder)})")
    return ", ".join(told)


def _magic(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(4)
    return ".zip" if head[:2] == b"PK" else ".idx" if head[:2] == b"\0\0" else ".png" if head[1:] == b"PNG" else ""
