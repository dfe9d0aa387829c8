"""What the routes of one server share."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from gansmith.web.errors import RefusedError
from gansmith.web.open_models import OpenModels
from gansmith.web.opened_runs import OpenedRuns
from gansmith.web.settings import Settings
from gansmith.web.work import Work


@dataclass(frozen=True)
class Page:
    """Settings, the opened runs, the open models and the queue of work."""

    settings: Settings
    runs: OpenedRuns
    models: OpenModels
    work: Work

    def require_writable(self, what: str) -> None:
        """Raises RefusedError under --read-only."""
        if self.settings.read_only:
            raise RefusedError(f"this page is read-only: it does not {what}. gansmith explore without --read-only does")


def page_of(request: Request) -> Page:
    """The page whose route is called."""
    page: Page = request.app.state.page
    return page
