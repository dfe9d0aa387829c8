"""The opened runs: all of them in short, one in full."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request

from gansmith.web.page import page_of
from gansmith.web.run_facts import facts, summary

router = APIRouter()


@router.get("/api/runs")
async def all_runs(request: Request) -> list[dict[str, Any]]:
    """Every run that is open, by name."""
    page = page_of(request)
    return await page.work.read(lambda: [summary(name, path) for name, path in page.runs.all().items()])


@router.get("/api/runs/{run}")
async def one_run(request: Request, run: str) -> dict[str, Any]:
    """One run with what can be done with it."""
    page = page_of(request)
    return await page.work.read(lambda: facts(run, page.runs.path_of(run)))
