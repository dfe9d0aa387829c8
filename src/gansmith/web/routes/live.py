"""Server-sent events: what changes in the opened runs."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from starlette.requests import Request

from gansmith.web.shared import shared_of

router = APIRouter()


@router.get("/api/live", response_class=StreamingResponse)
async def live(request: Request) -> StreamingResponse:
    """`event: run` with {name, state, images, total, rate, left, record, sheet, model} of each run, then of each that
    changes; `event: gone` with {name}."""
    return StreamingResponse(shared_of(request).live.events(), media_type="text/event-stream")
