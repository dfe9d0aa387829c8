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
        """Raises RefusedError under --read-only, and for a model of the zoo."""
        zoo = self.settings.zoo
        if zoo is not None:
            raise RefusedError(
                f"{zoo} is a model of the zoo, which is not written to, and this page does not {what}. The page of a "
                f"folder of runs does: gansmith explore runs"
            )
        if self.settings.read_only:
            raise RefusedError(
                f"this page was opened with --read-only: it does not {what}. gansmith explore without it does"
            )


def page_of(request: Request) -> Page:
    """The page whose route is called."""
    page: Page = request.app.state.page
    return page
