"""One training by a peer, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.authors.task import Task
from benchmarks.report import ROOT

_LAST = 2_000  # characters of what a peer said before it failed
_ONE_CORE = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
_OFFLINE = {"CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1"}


@dataclass(frozen=True)
class Done:
    """samples: uint8 [N, H, W, C], None of a training that diverged or failed;  report: figures of `authors.task`"""

    samples: NDArray[np.uint8] | None
    report: dict[str, Any]


def run(python: Path, module: str, images: NDArray[np.uint8], **task: Any) -> Done:
    """The program `benchmarks.peers.authors.MODULE` on images uint8 [N, H, W, C]; task: fields of `Task`."""
    with tempfile.TemporaryDirectory(prefix="peer-") as folder:
        stored, out = Path(folder) / "images.npy", Path(folder) / "out"
        np.save(stored, images)
        out.mkdir()
        asked = Task(images=str(stored), out=str(out), **task)
        done = subprocess.run(
            [str(python), "-m", f"benchmarks.peers.authors.{module}", json.dumps(asdict(asked))],
            cwd=ROOT,
            env={**os.environ, **_ONE_CORE, **_OFFLINE, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            return Done(None, {"why": f"the program failed: {done.stderr.strip()[-_LAST:]}"})
        report = json.loads((out / "report.json").read_text(encoding="utf-8"))
        samples = out / "samples.npy"
        return Done(np.load(samples) if samples.exists() else None, report)
