"""A PNG of gansmith dropped on the page: which run it is of, the latents that it stands for, and its command."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request

from gansmith.errors import GansmithError, OptionError
from gansmith.latent.provenance import Provenance, Samples, read_provenance
from gansmith.web.asked import MOST
from gansmith.web.digests import digest_of
from gansmith.web.page import Page, page_of
from gansmith.web.photograph import keep_seeds
from gansmith.web.shown import command_of
from gansmith.web.uploads import image_body

router = APIRouter()


@router.post("/api/show")
async def show(request: Request) -> dict[str, Any]:
    """`gansmith show FILE`; latents that no seed drew are kept in the run, so that they have a name."""
    page = page_of(request)
    data = await image_body(request)
    return await page.work.read(lambda: _shown(page, data))


def _shown(page: Page, data: bytes) -> dict[str, Any]:
    made = _provenance(data)
    digest = made.origin.model
    name = next((name for name, path in page.runs.all().items() if _digest(page, name, path) == digest), None)
    said: dict[str, Any] = {
        **{"run": name, "digest": digest, "images": made.origin.images, "recipe": made.origin.recipe},
        **{"count": made.count(), "made_by": made.request.command, "latents": []},
        "command": None if name is None else command_of(made, page.runs.path_of(name), []),
    }
    if made.count() > MOST:
        return said | {"warning": f"it stands for {made.count():,} images, and at most {MOST} are taken here"}
    if made.plain and isinstance(made.request, Samples):
        said["latents"] = [{"seed": seed} for seed in made.request.seeds]
    elif name is not None:
        said |= _kept(page, name, made, data)
    kept = [one["latent"] for one in said["latents"] if "latent" in one]
    if name is not None and kept:
        said["command"] = command_of(made, page.runs.path_of(name), kept)
    if name is None:
        said["warning"] = f"it is of {made.origin}, and no open run has these weights: they would make another image"
    return said


def _kept(page: Page, name: str, made: Provenance, data: bytes) -> dict[str, Any]:
    """Latents that no seed drew, saved in the run."""
    from gansmith.latent.provenance_seeds import seeds_of

    if page.settings.read_only:
        return {"warning": "its latents would have to be kept in the run, and this page is read-only"}
    run = page.runs.run_of(name)
    renderer = page.models.renderer(run)
    names = keep_seeds(run.path, renderer, seeds_of(made, renderer, "dropped"), data)
    return {"latents": [{"latent": one} for one in names]}


def _provenance(data: bytes) -> Provenance:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "file.png"
        file.write_bytes(data)
        try:
            return read_provenance(file)
        except OptionError as error:
            raise OptionError(str(error).replace(str(file), "the file")) from None


def _digest(page: Page, name: str, path: Path) -> str | None:
    try:
        return digest_of(page.runs.run_of(name).model)
    except (GansmithError, OSError):  # a run without a model, or a damaged one
        return None
