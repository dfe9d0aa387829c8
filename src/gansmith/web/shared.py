"""What routes below the renderer share: records, watched runs, prepared images, jobs. One of each for a server."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from starlette.requests import Request

from gansmith.web.event_records import EventRecords
from gansmith.web.jobs import Jobs
from gansmith.web.kept import Kept
from gansmith.web.live import Live
from gansmith.web.page import Page

_making = threading.Lock()


@dataclass
class Shared:
    """records  of runs;  live  what listeners are told;  kept  prepared images, searches and maps;  jobs  the one that
    is running;  playing  one match at a time."""

    page: Page
    records: EventRecords = field(default_factory=EventRecords)
    kept: Kept = field(default_factory=Kept)
    playing: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.live = Live(self.page, self.records)
        self.jobs = Jobs(self.page.settings)


def shared_of(request: Request) -> Shared:
    """That of the server whose route is called."""
    state = request.app.state
    with _making:
        if not hasattr(state, "shared"):
            state.shared = Shared(state.page)
    shared: Shared = state.shared
    return shared
