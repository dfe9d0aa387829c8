"""Experiments of runs, read from their files once for each state of the files: a list of runs asks for all of them."""

from __future__ import annotations

import threading
from pathlib import Path

from gansmith.experiment.schema import Experiment
from gansmith.runs import folder

_MOST = 1000  # runs that are remembered
_known: dict[Path, tuple[tuple[int, int, int], Experiment]] = {}
_lock = threading.Lock()


def experiment_of(path: Path) -> Experiment:
    """What a run ran, as `runs.folder.experiment_of` says it. Raises ExperimentError. Safe for threads."""
    try:
        file = (path / "experiment.yaml").stat()
    except OSError:
        return folder.experiment_of(path)
    stamp = (file.st_mtime_ns, file.st_size, file.st_ino)
    with _lock:
        if path in _known and _known[path][0] == stamp:
            return _known[path][1]
    experiment = folder.experiment_of(path)
    with _lock:
        if len(_known) >= _MOST:
            _known.clear()
        _known[path] = (stamp, experiment)
    return experiment
