"""The network that judges images: whether the weights of one are here, and which the page offers to download."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request

from gansmith.web.page import page_of
from gansmith.web.weights import offered

router = APIRouter()


@router.get("/api/features")
async def features(request: Request) -> dict[str, Any]:
    """{"offer": {name, file, megabytes, source, command}}: of the network whose weights would judge better than pixels,
    which `POST /api/jobs {"what": "features"}` downloads; null where the weights of one are here."""
    return {"offer": await page_of(request).work.read(offered)}
