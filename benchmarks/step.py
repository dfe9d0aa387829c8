"""One training step of DCGAN at 64 px, batch 64: the textbook's loop, the same written by hand, gansmith's engine.

The two plain loops are src/gansmith/speed/reference_loops.py. Each row of the table is one process of its own,
`gansmith bench --json`, which checks that the three compute equal losses and lets them play in turns.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from benchmarks.report import Figure, main, native
from gansmith.system.device import Precision

SPEEDUP: dict[Precision, float] = {"float32": 1.2, "bfloat16": 1.9}  # over the textbook's loop in float32
OVERHEAD = 1.02  # times the step written by hand
_RUN = "from gansmith.cli.main import main; main()"


def measure(quick: bool = False) -> list[Figure]:
    """Threads 1 and 2, float32 and bfloat16."""
    figures: list[Figure] = []
    for precision in native(SPEEDUP, quick=quick):
        for threads in (1, 2):
            figures += _one(precision, threads, seconds=4 if quick else 60)
    return figures


def _one(precision: Precision, threads: int, *, seconds: float, more: Sequence[str] = ()) -> list[Figure]:
    given = ["--precision", precision, "--threads", str(threads), "--seconds", str(seconds), "--json", *more]
    done = subprocess.run([sys.executable, "-c", _RUN, "bench", *given], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"gansmith bench {' '.join(given)} failed:\n{done.stderr}{done.stdout}")
    report: dict[str, Any] = json.loads(done.stdout)
    compared, rounds = report["comparison"], report["comparison"]["rounds"]
    where = f"{precision}, {threads} thread{'s' if threads > 1 else ''}"
    ours, by_hand, textbook = (rounds[name] for name in ("gansmith", "by hand", "textbook"))
    assert compared["equal"]  # else the exit status would have been 1
    return [
        Figure("step", f"{where}: gansmith", "ms", [1e3 * value for value in ours], digits=1),
        Figure("step", f"{where}: by hand", "ms", [1e3 * value for value in by_hand], digits=1),
        Figure("step", f"{where}: textbook (float32)", "ms", [1e3 * value for value in textbook], digits=1),
        Figure(
            "step",
            f"{where}: gansmith / by hand",
            "",
            [a / b for a, b in zip(ours, by_hand, strict=True)],
            at_most=OVERHEAD,
            digits=3,
        ),
        Figure(
            "step",
            f"{where}: textbook / gansmith",
            "",
            [a / b for a, b in zip(textbook, ours, strict=True)],
            at_least=SPEEDUP[precision],
        ),
        Figure("step", f"{where}: share of the machine's peak", "%", [100 * report["share_of_peak"]], digits=0),
    ]


if __name__ == "__main__":
    main(measure, __doc__)
