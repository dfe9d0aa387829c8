"""How soon the command line answers, and that importing gansmith does not import torch."""

from __future__ import annotations

import subprocess
import sys
import time

from benchmarks.report import Figure, main

SECONDS = 0.5
_HELP = "import sys; sys.argv = ['gansmith', '--help']; from gansmith.cli.main import main; main()"
_IMPORT = "import sys, gansmith; sys.exit('torch' in sys.modules)"


def help_seconds(rounds: int) -> list[float]:
    """Seconds of `gansmith --help`, the interpreter's start included, after one that warms the disk's cache."""
    values = []
    for _ in range(rounds + 1):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", _HELP], stdout=subprocess.DEVNULL, check=True)
        values.append(time.perf_counter() - begun)
    return values[1:]


def imports_torch() -> bool:
    """Does `import gansmith` bring torch with it?"""
    return subprocess.run([sys.executable, "-c", _IMPORT], check=False).returncode != 0


def measure(quick: bool = False) -> list[Figure]:
    return [
        Figure("startup", "gansmith --help", "s", help_seconds(3 if quick else 9), at_most=SECONDS),
        Figure("startup", "import gansmith imports torch (1: yes)", "", [imports_torch()], at_most=0, digits=0),
    ]


if __name__ == "__main__":
    main(measure, __doc__)
