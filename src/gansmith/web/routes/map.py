"""The map: training, held-out and generated images in the plane, each with whether it has a neighbour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query
from starlette.requests import Request

from gansmith.web.digests import stamp_of
from gansmith.web.own_images import own_images
from gansmith.web.page import page_of
from gansmith.web.pictures import command_line
from gansmith.web.shared import shared_of
from gansmith.web.weights import here

if TYPE_CHECKING:
    from gansmith.judge.image_map import ImageMap

router = APIRouter()
Method = Literal["pca", "umap"]  # these three as evaluation.plane and judge.image_map have them, which import scipy
MOST, COUNT = 5000, 1000
_KINDS = {"real": "train", "held_out": "held_out"}


@router.get("/api/runs/{run}/map")
async def plane(
    request: Request,
    run: str,
    method: Method = "pca",
    count: Annotated[int, Query(ge=50, le=MOST)] = COUNT,
) -> dict[str, Any]:
    """{points: [{x, y, kind, id, neighbour, image}], precision, recall, explained, features, notes, command}. kind:
    real, held_out or sample; of a sample id is its seed. Takes up to minutes at the first call of a model."""
    page, kept = page_of(request), shared_of(request).kept

    def compute() -> dict[str, Any]:
        from gansmith.judge.image_map import image_map

        opened = page.runs.run_of(run)
        key = ("map", str(opened.path), stamp_of(opened.model), method, count, here())
        against = own_images(kept, opened, page.settings)[1]
        made: ImageMap = kept.of(key, lambda: image_map(opened, method=method, count=count, against=against))
        base = f"/api/runs/{quote(run, safe='')}"
        points = made.points()
        for point in points:
            kind, number = point["kind"], point["id"]
            point["image"] = f"{base}/real/{_KINDS[kind]}/{number}" if kind in _KINDS else f"{base}/image?seed={number}"
        return {
            "points": points,
            "precision": made.plane.precision,
            "recall": made.plane.recall,
            "explained": made.plane.explained,
            "features": made.features,
            "notes": list(made.notes),
            "command": command_line("map", opened.path, "--method", method, "--count", str(count), "--out", "map.png"),
        }

    return await page.work.slowly(compute)
