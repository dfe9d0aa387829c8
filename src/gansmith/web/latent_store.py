"""Latents of inverted photographs, kept in the run: `latents/ID.safetensors`, with what was measured beside each."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from gansmith.latent.latent_file import SUFFIX
from gansmith.web.errors import NotFoundError
from gansmith.web.opened_runs import file_inside

FOLDER = "latents"
_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,79}")
_MOST = 1000  # that are listed


def latent_path(run: Path, name: str) -> Path:
    """The latent file called `name` of a run. Raises NotFoundError."""
    if not _NAME.fullmatch(name):
        raise NotFoundError(f"{name[:80]!r} is the name of no latent: letters, digits, - and _")
    return file_inside(run if run.is_dir() else run.parent, FOLDER, f"{name}{SUFFIX}")


def stored_latents(run: Path) -> list[dict[str, Any]]:
    """The latents of a run, the newest first: id, distance, from (a file's name), photograph (is it kept?)."""
    folder = run / FOLDER
    with suppress(OSError):
        files = sorted(folder.glob(f"*{SUFFIX}"), key=lambda file: (-file.stat().st_mtime_ns, file.name))
        return [{"id": file.stem, **_measured(file)} for file in files[:_MOST] if _NAME.fullmatch(file.stem)]
    return []


def photograph_path(file: Path) -> Path:
    """The file beside a latent's with the photograph that it was searched for, at the generator's size."""
    return file.with_suffix(".target.png")


def read_notes(file: Path) -> dict[str, Any]:
    """What was measured when a latent was found; empty where nothing is known."""
    with suppress(OSError, ValueError):
        stored = json.loads(file.with_suffix(".json").read_text())
        if isinstance(stored, dict):
            return {str(key): value for key, value in stored.items() if isinstance(value, (int, float, str))}
    return {}


def _measured(file: Path) -> dict[str, Any]:
    notes = read_notes(file)
    return {"distance": notes.get("distance"), "from": notes.get("from"), "photograph": photograph_path(file).is_file()}
