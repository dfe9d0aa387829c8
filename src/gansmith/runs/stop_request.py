"""A request to stop a training, from another process: the file `stop.request` in the run's folder.

The training ends after its step as by Ctrl-C, with everything saved. Only that the file is there counts: nothing is
read of it, and no process is named in it.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from gansmith.errors import RunError
from gansmith.runs.lock import is_locked
from gansmith.system.files import write_text
from gansmith.system.stop_file import is_there
from gansmith.system.text import printable

if TYPE_CHECKING:
    from gansmith.training.engine import Engine

NAME = "stop.request"  # the file in the run's folder
EVERY = 0.5  # seconds between two looks for it: one call of stat each


def request_stop(folder: Path) -> None:
    """Ask the process that works on the run in `folder` to end as by Ctrl-C. Raises RunError where there is none."""
    if not is_locked(folder):
        raise RunError(f"no process is working on {printable(folder)}: there is nothing to stop")
    write_text(folder / NAME, "stop\n", create_folder=False)


def is_requested(folder: Path) -> bool:
    """Is the request there? A folder or a link of this name is none."""
    return is_there(folder / NAME)


def remove_request(folder: Path) -> None:
    """Remove the request, where there is one."""
    with suppress(OSError):
        (folder / NAME).unlink(missing_ok=True)


@contextmanager
def stop_on_request(engine: Engine, folder: Path, stop: Callable[[int, str], None]) -> Iterator[None]:
    """Inside, a request calls `stop` once, with SIGINT and the words to say, before the first step or after one."""
    from gansmith.training.engine import Events  # takes 0.7 s to import, and whoever opens a run reads this file

    asked, last = False, -EVERY

    def heed(engine: Engine) -> None:
        nonlocal asked, last
        now = time.monotonic()
        if asked or now - last < EVERY:
            return
        last = now
        if is_requested(folder):
            asked = True
            remove_request(folder)
            stop(signal.SIGINT, "gansmith stop, or the page, asked for it")

    with (
        engine.add_event_handler(Events.STARTED, heed),
        engine.add_event_handler(Events.ITERATION_COMPLETED, heed),
    ):
        yield
