"""Digests of runs' models, read from their files once for each state of the files."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import TypeAlias

from gansmith.models import saved

Stamp: TypeAlias = tuple[tuple[str, int, int, int], ...]  # name, size, time of change and number of each model file

_MOST = 1000  # folders that are remembered
_known: dict[Path, tuple[Stamp, str]] = {}
_lock = threading.Lock()


def model_files(model: Path) -> list[Path]:
    """The model files of a folder of models, sorted."""
    return sorted(model.glob("*.safetensors")) if model.is_dir() else [model]


def stamp_of(model: Path) -> Stamp:
    """What changes when a model file is written anew."""
    stamps = []
    for file in model_files(model):
        try:
            known = file.stat()
        except FileNotFoundError:  # replaced at this moment
            continue
        stamps.append((file.name, known.st_size, known.st_mtime_ns, known.st_ino))
    return tuple(stamps)


def digest_of(model: Path) -> str:
    """The sha256 of the generator's weights, as `Renderer.digest` says it; of a run without one, of those of all its
    networks. Raises RunError for a damaged file."""
    stamp = stamp_of(model)
    with _lock:
        if model in _known and _known[model][0] == stamp:
            return _known[model][1]
    digests = {file.stem: _weights(file) for file in _read(model)}
    digest = digests.get("generator") or hashlib.sha256(repr(sorted(digests.items())).encode()).hexdigest()
    with _lock:
        if len(_known) >= _MOST:
            _known.clear()
        _known[model] = (stamp, digest)
    return digest


def _read(model: Path) -> list[Path]:
    """The files whose digests are the model's: the generator's alone where there is one."""
    files = model_files(model)
    return [file for file in files if file.stem == "generator"] or files


def _weights(file: Path) -> str:
    state = saved.read_state(file)
    return saved.digest_of({name: one.float() if one.is_floating_point() else one for name, one in state.items()})
