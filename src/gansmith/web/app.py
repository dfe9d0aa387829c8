"""The page as an ASGI application: every file in `routes/` is part of it, behind the checks of `security.py`."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.responses import FileResponse
from starlette.staticfiles import StaticFiles

from gansmith import __version__
from gansmith.web import routes
from gansmith.web.errors import answer_errors
from gansmith.web.open_models import OpenModels
from gansmith.web.opened_runs import OpenedRuns
from gansmith.web.page import Page
from gansmith.web.policy import plotly_script
from gansmith.web.security import Security
from gansmith.web.settings import Settings
from gansmith.web.work import Work

STATIC = Path(__file__).parent / "static"


def create_app(settings: Settings) -> Security:
    """The page of what `settings` opens, to be served by any ASGI server."""
    page = Page(settings, OpenedRuns(settings.opened), OpenModels(settings.memory), Work())

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        warm = asyncio.create_task(page.work.read(_warm))
        yield
        warm.cancel()
        page.work.close()

    # FastAPI's own pages of documentation load scripts from elsewhere
    app = FastAPI(title="gansmith", version=__version__, docs_url=None, redoc_url=None, lifespan=lifespan)
    app.state.page = page
    answer_errors(app)
    for found in sorted(module.name for module in pkgutil.iter_modules(routes.__path__)):
        router = getattr(importlib.import_module(f"{routes.__name__}.{found}"), "router", None)
        if isinstance(router, APIRouter):
            app.include_router(router)
    _serve_files(app)
    return Security(app, page)


def _serve_files(app: FastAPI) -> None:
    """`/`, the package's own files below /static, and the script of plotly, which is a package of its own."""

    @app.get("/", include_in_schema=False)
    async def index() -> FileResponse:
        return FileResponse(STATIC / "index.html")

    @app.get("/static/plotly.min.js", include_in_schema=False)
    async def plotly() -> FileResponse:
        return FileResponse(plotly_script(), media_type="text/javascript")

    app.mount("/static", StaticFiles(directory=STATIC))


def _warm() -> None:
    """Import what the first image needs, while the browser opens."""
    importlib.import_module("gansmith.latent.renderer")
