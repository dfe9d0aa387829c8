"""What a request may start, one at a time: a training on the offered folder, work on a run of the opened folder, and
the download of the weights that judge images."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from gansmith.errors import OptionError
from gansmith.runs.folder import is_run
from gansmith.runs.lock import is_locked
from gansmith.runs.stop_request import request_stop
from gansmith.system.paths import resolved
from gansmith.web import weights
from gansmith.web.errors import BusyError, RefusedError
from gansmith.web.jobs import run_argument
from gansmith.web.own_images import own_images
from gansmith.web.page import Page, page_of
from gansmith.web.shared import Shared, shared_of

router = APIRouter()
MOST_IMAGES = 10**9
_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}")

What = Literal["train", "resume", "evaluate", "encoder", "features"]
Time = Literal["1m", "2m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "8h"]


class Asked(BaseModel):
    """A job. run: a run that is open;  name: of the new run that `train` begins."""

    model_config = ConfigDict(extra="forbid")

    what: What
    run: str | None = Field(default=None, max_length=500)
    name: str | None = Field(default=None, max_length=500)
    time: Time | None = None  # of train
    images: int | None = Field(default=None, ge=1, le=MOST_IMAGES)  # of resume: to so many in all
    quick: bool = False  # of evaluate
    skip_unreadable: bool = False  # of train


class Confirmed(BaseModel):
    """What must be said on purpose."""

    model_config = ConfigDict(extra="forbid")

    confirm: Literal[True]


@router.get("/api/jobs")
async def jobs(request: Request) -> list[dict[str, Any]]:
    """[{id, what, run, command, begun, seconds, state, stopping, log}]: the newest, or none. state: running, ended,
    stopped or failed; stopping: one that runs was asked to end. Of an evaluation also its progress and its first
    answers; of a download its share, and once it failed the problem."""
    page, shared = page_of(request), shared_of(request)
    job = await page.work.read(shared.jobs.current)
    return [] if job is None else [job]


@router.post("/api/jobs")
async def start(request: Request, asked: Asked) -> dict[str, Any]:
    """Start one; answers with the job. 503 while another one runs."""
    page, shared = page_of(request), shared_of(request)
    page.require_writable("start anything")

    def begin() -> dict[str, Any]:
        moved = _moved(shared, asked) if asked.what == "evaluate" else []
        arguments = arguments_of(page, asked, moved)
        label = weights.NAME if asked.what == "features" else str(asked.name or asked.run)
        return shared.jobs.start(asked.what, label, arguments)

    return await page.work.read(begin)


@router.post("/api/jobs/{job}/stop")
async def stop_job(request: Request, job: str, confirmed: Confirmed) -> dict[str, Any]:
    """Ask a job to end, as Ctrl-C does: a training saves everything, other work nothing. Needs {"confirm": true}."""
    page, shared = page_of(request), shared_of(request)
    page.require_writable("stop anything")

    def ask() -> dict[str, Any]:
        shared.jobs.stop(job)
        return {"asked": True}

    return await page.work.read(ask)


@router.post("/api/runs/{run}/stop")
async def stop(request: Request, run: str, confirmed: Confirmed) -> dict[str, Any]:
    """Ask a training to end after its step, as Ctrl-C does. Needs {"confirm": true}."""
    page = page_of(request)
    page.require_writable("stop a training")

    def ask() -> dict[str, Any]:
        request_stop(page.runs.path_of(run))
        return {"asked": True}

    return await page.work.read(ask)


def _moved(shared: Shared, asked: Asked) -> list[str]:
    """`--against FOLDER` where the images that a run was trained on lie in the offered folder, and no more at their own
    path. Raises DataError where they are in neither."""
    page = shared.page
    if asked.run is None or not (page.runs.path_of(asked.run) / "model" / "generator.safetensors").is_file():
        return []
    place = own_images(shared.kept, page.runs.run_of(asked.run), page.settings)[1]
    return [] if place is None else ["--against", str(resolved(Path(place)))]


def arguments_of(page: Page, asked: Asked, moved: Sequence[str] = ()) -> list[str]:
    """The command line of a job; moved: options of evaluate for images that lie elsewhere. Raises OptionError for
    options of another job, RefusedError for what is not offered, BusyError for a run that is being trained."""
    allowed: dict[What, tuple[str, ...]] = {
        "train": ("time", "skip_unreadable"),
        "resume": ("images",),
        "evaluate": ("quick",),
    }
    for name in ("time", "images", "quick", "skip_unreadable"):
        if getattr(asked, name) and name not in allowed.get(asked.what, ()):
            raise OptionError(f"{name} is no option of {asked.what}: leave it out")
    if asked.what == "train":
        return _training(page, asked)
    if asked.what == "features":
        if asked.run is not None or asked.name is not None:
            raise OptionError("features takes no run and no name: it downloads one fixed file")
        return [*weights.COMMAND]
    if asked.run is None or asked.name is not None:
        raise OptionError(f"{asked.what} takes the name of an open run, as run, and nothing else")
    path = page.runs.path_of(asked.run)
    if not is_run(path):
        raise RefusedError(f"{asked.run} is a model without its run: there is nothing to {asked.what}")
    if asked.what != "evaluate" and is_locked(path):
        raise BusyError(f"{asked.run} is being trained already")
    place = run_argument(path)
    if asked.what == "resume":
        return ["resume", place, *([] if asked.images is None else ["--images", str(asked.images)])]
    if asked.what == "evaluate":
        return ["evaluate", place, *moved, *(["--quick"] if asked.quick else [])]
    return ["invert", place, "--train-encoder"]


def _training(page: Page, asked: Asked) -> list[str]:
    """On the one folder that the server was started with, into a new run of the opened folder."""
    settings = page.settings
    if settings.images is None:
        raise RefusedError("no images are offered: gansmith explore --images FOLDER offers some")
    if page.runs.single:
        raise RefusedError("one run is open, and a new one needs a folder of runs: gansmith explore FOLDER")
    name = asked.name or asked.run or ""
    if not _NAME.fullmatch(name):
        raise OptionError(f"{name[:80]!r} is no name for a run: letters, digits, - and _, at most 64")
    out: Path = settings.opened / name
    if out.exists() or out.is_symlink():
        raise OptionError(f"{name} is there already: choose another name, or resume it")
    options = [] if asked.time is None else ["--time", asked.time]
    if asked.skip_unreadable:
        options.append("--skip-unreadable")
    return ["train", str(resolved(settings.images)), *options, "--out", str(resolved(out))]
