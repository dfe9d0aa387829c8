"""The sheets of samples that a run keeps: by the images clock in `samples/`; of a model alone, the one beside it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from gansmith.system.text import whole_number
from gansmith.web.progress_facts import trained_on

FOLDER = "samples"
ALONE = "samples.png"  # beside a model that came without its training, such as those of the zoo: its last sheet


def sheet_files(run: Path) -> dict[int, Path]:
    """{images drawn: file} of a run."""
    if _alone(run):
        return {trained_on(run): run / ALONE}
    files = {}
    for file in (run / FOLDER).glob("*.png"):
        number = whole_number(file.stem)
        if number is not None and file.name == name_of(number) and file.is_file():
            files[number] = file
    return files


def newest_sheet(run: Path) -> int | None:
    """Images drawn at the newest sheet; None without one. Looks at names alone: it is asked for each second."""
    with suppress(OSError):
        if _alone(run):
            return trained_on(run)
        return max((int(file.stem) for file in (run / FOLDER).glob("*.png") if file.stem.isdigit()), default=None)
    return None


def name_of(images: int) -> str:
    """The file's name of the sheet at so many images."""
    return f"{images:09}.png"


def parts_of(run: Path, images: int) -> tuple[str, ...]:
    """Where that sheet lies, below the run."""
    return (ALONE,) if _alone(run) and images == trained_on(run) else (FOLDER, name_of(images))


def _alone(run: Path) -> bool:
    return (run / ALONE).is_file() and not any(
        (run / part).exists() for part in (FOLDER, "events.jsonl", "checkpoints")
    )
