"""Runs against each other: the matrix of accuracies over the time of their training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from gansmith.errors import OptionError
from gansmith.judge.compare import matches
from gansmith.system.paths import resolved
from gansmith.system.progress import hidden_bars
from gansmith.web.errors import RefusedError
from gansmith.web.page import Page, page_of
from gansmith.web.pictures import command_line
from gansmith.web.shared import shared_of

router = APIRouter()
MOST = 12  # runs


class Asked(BaseModel):
    """How many samples of each generator the discriminators see."""

    model_config = ConfigDict(extra="forbid")

    samples: int = Field(default=matches.SAMPLES, ge=20, le=2000)


@router.get("/api/compare/{names:path}")
async def compared(request: Request, names: str) -> dict[str, Any]:
    """{runs, matches, command} of runs whose names are parted by commas: every match so far."""
    page = page_of(request)
    return await page.work.read(lambda: _answer(page, _paths(page, names)))


@router.post("/api/compare/{names:path}")
async def play(request: Request, names: str, asked: Asked) -> dict[str, Any]:
    """Play a match where a model is newer than in the last one, and answer as GET does."""
    page, shared = page_of(request), shared_of(request)
    page.require_writable("record matches")

    def match() -> dict[str, Any]:
        runs = _paths(page, names)
        file = _file(page)
        with shared.playing, hidden_bars():
            if matches.new_models(list(runs.values()), matches.read(file)):
                matches.record(matches.play(list(runs.values()), samples=asked.samples), file)
        return _answer(page, runs)

    return await page.work.slowly(match)


def _paths(page: Page, names: str) -> dict[str, Path]:
    """The runs named, sorted by name. Raises NotFoundError, and OptionError for one alone or too many."""
    chosen = sorted(set(names.split(",")))
    if not 2 <= len(chosen) <= MOST:
        raise OptionError(f"{len(chosen)} runs named: from 2 to {MOST}, parted by commas")
    return {name: page.runs.path_of(name) for name in chosen}


def _file(page: Page) -> Path:
    """Where matches are recorded: beside the runs. Raises RefusedError where that is a link to elsewhere."""
    file = page.settings.opened / matches.FOLDER / matches.NAME
    if not resolved(file).is_relative_to(resolved(page.settings.opened)):
        raise RefusedError(f"{matches.FOLDER} leads out of the opened folder: nothing is recorded there")
    return file


def _answer(page: Page, runs: dict[str, Path]) -> dict[str, Any]:
    names = [resolved(path).name for path in runs.values()]
    played = [match for match in matches.read(_file(page)) if match["runs"] == names]
    return {
        "runs": list(runs),
        "matches": played[-1000:],
        "command": command_line("compare", *runs.values(), "--watch"),
    }
