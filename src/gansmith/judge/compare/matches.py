"""Matches: the newest generators of several runs against each other's discriminators, over the time of their training.

Each match is a line of `compared/matches.jsonl` beside the runs, never inside one: who played, after how many images,
and the matrix of accuracies. A match is played when a model is newer than in the last one.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

from gansmith.errors import GansmithError, OptionError
from gansmith.models.saved import read_card
from gansmith.runs.lock import is_locked
from gansmith.system.console import say
from gansmith.system.files import require_folder
from gansmith.system.paths import resolved
from gansmith.system.text import printable

SAMPLES = 200  # of each generator; every match costs them anew
FOLDER, NAME = "compared", "matches.jsonl"
EVERY = 2.0  # seconds between two looks for new models
_MOST_BYTES = 1 << 26
_MOST_RUNS = 20

Match: TypeAlias = dict[str, Any]  # when, samples, runs, images, accuracy [discriminator][generator], told_apart


def matches_file(runs: Sequence[Path]) -> Path:
    """Where the matches of these runs are recorded: beside the first."""
    return resolved(runs[0]).parent / FOLDER / NAME


def play(runs: Sequence[Path], *, samples: int = SAMPLES, device: str = "auto", trust: bool = False) -> Match:
    """One match of the models as they are now. Raises as `compare` does."""
    from gansmith.judge.compare.compare_runs import compare

    images = [images_of(run) for run in runs]
    outcome = compare([*runs], samples=samples, metrics=(), device=device, trust=trust).play
    by_name = {one.name: one.told_apart.value for one in outcome.standings}
    return {
        "when": round(time.time(), 3),
        "samples": samples,
        "runs": [resolved(run).name for run in runs],
        "images": images,
        "accuracy": [[round(number.value, 6) for number in row] for row in outcome.accuracy],
        "told_apart": [round(by_name[name], 6) for name in outcome.names],
    }


def record(match: Match, file: Path) -> None:
    """Append a match. Raises GansmithError where the file cannot be written."""
    require_folder(file.parent)
    try:
        with file.open("a", encoding="utf-8") as opened:
            opened.write(json.dumps(match) + "\n")
    except OSError as error:
        raise GansmithError(f"could not write {file}: {error.strerror or error}") from error


def read(file: Path) -> list[Match]:
    """The matches in a file, oldest first; damaged lines are left out."""
    with suppress(OSError):
        if not file.is_file() or file.stat().st_size > _MOST_BYTES:
            return []
        lines = file.read_bytes().split(b"\n")
        return [match for line in lines if (match := _match(line)) is not None]
    return []


def images_of(run: Path) -> int:
    """Real images that the run's generator has seen; raises as `read_card` does."""
    return read_card(_generator(run)).images


def _generator(run: Path) -> Path:
    """The generator's file of a run, or of a folder of models."""
    name = "generator.safetensors"
    return run / name if (run / name).is_file() else run / "model" / name


def new_models(runs: Sequence[Path], matches: Sequence[Match]) -> bool:
    """Has one of the runs a model that is newer than in the last match of exactly these? A run without one yet has
    not. Raises RunError for a damaged model."""
    if any(not _generator(run).is_file() for run in runs):
        return False
    names = [resolved(run).name for run in runs]
    last = next((match for match in reversed(matches) if match["runs"] == names), None)
    return last is None or last["images"] != [images_of(run) for run in runs]


def watch(
    runs: Sequence[Path],
    file: Path,
    *,
    samples: int = SAMPLES,
    device: str = "auto",
    trust: bool = False,
    sleep: Callable[[float], object] = time.sleep,
) -> Iterator[Match]:
    """Play whenever a model was written, record each match, and end when none of the runs is trained any more.

    Raises as `compare` does, OptionError for two runs of one name. A match that cannot be played while a run trains (it
    has no model yet, or writes it at this moment) is tried again.
    """
    names = [resolved(run).name for run in runs]
    if not 2 <= len(runs) <= _MOST_RUNS or len(set(names)) < len(names):
        raise OptionError(
            f"{len(runs)} runs given ({', '.join(names[:8])}): from 2 to {_MOST_RUNS}, of different names"
        )
    told = ""
    while True:
        training = any(is_locked(run) for run in runs)
        try:
            match = None
            if new_models(runs, read(file)) or (not training and not _of(names, read(file))):
                match = play(runs, samples=samples, device=device, trust=trust)
        except GansmithError as error:
            if not training:
                raise
            if str(error) != told:
                told = str(error)
                say(f"not yet: {error}")
        else:
            if match is not None:
                record(match, file)
                yield match
        if not training:
            return
        sleep(EVERY)


def _of(names: Sequence[str], matches: Sequence[Match]) -> list[Match]:
    return [match for match in matches if match["runs"] == [*names]]


def _match(line: bytes) -> Match | None:
    """The match in a line; None where it holds none."""
    try:
        value = json.loads(line)
        runs, count = value["runs"], len(value["runs"])
        whole = (
            isinstance(runs, list)
            and count <= _MOST_RUNS
            and all(isinstance(name, str) for name in runs)
            and all(isinstance(number, int) for number in value["images"])
            and len(value["images"]) == len(value["accuracy"]) == len(value["told_apart"]) == count
            and all(len(row) == count and all(map(_is_share, row)) for row in value["accuracy"])
            and all(map(_is_share, value["told_apart"]))
            and _is_number(value["when"])
            and _is_number(value["samples"])
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not whole:
        return None
    known = ("when", "samples", "images", "accuracy", "told_apart")
    return {"runs": [printable(name) for name in runs], **{name: value[name] for name in known}}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_share(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= 1
