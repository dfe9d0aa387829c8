"""The smallest experiment that trains a DCGAN: digits at 8 px, half a second for 320 images."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SMALL: dict[str, Any] = {
    "path": "digits",
    "size": 8,
    "fraction": 0.2,
    "generator": {"name": "dcgan", "width": 4},
    "discriminator": {"name": "dcgan", "width": 4},
    "prior": {"size": 8},
    "averaging": {"half_life": 100},
    "batch": 16,
    "images": 320,
    "checkpoint_every": 128,
    "samples_every": 160,
    "record_every": 64,
    "sheet": 4,
    "device": "cpu",
}
OPTIONS = [  # the same on the command line
    *("digits", "--size", "8", "--fraction", "0.2", "--batch", "16", "--images", "320", "--device", "cpu"),
    *("--checkpoint-every", "128", "--samples-every", "160", "--set", "record_every=64", "--set", "sheet=4"),
    *("--set", "generator.name=dcgan", "--set", "discriminator.name=dcgan"),
    *("--set", "generator.width=4", "--set", "discriminator.width=4", "--set", "prior.size=8"),
    *("--set", "averaging.half_life=100"),
]
MAIN = "import sys; from gansmith.__main__ import main; sys.exit(main())"


@contextmanager
def start(*arguments: Any, before: str = "") -> Iterator[subprocess.Popen[str]]:
    """The command line in a process of its own, after `before`, with the tests' cache and the toys in reach."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parent)}
    process = subprocess.Popen(
        [sys.executable, "-c", f"{before}\n{MAIN}", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def files(folder: Path) -> dict[str, bytes]:
    """What a folder holds, to see that nothing of it was touched; but for the lock."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file() and p.name != ".lock"}
