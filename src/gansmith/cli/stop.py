"""`gansmith stop`: end a training in another terminal, or on the same machine without one, with everything saved; and
whatever else a page has started, which goes on when the page has ended."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gansmith.cli.arguments import echo, run_or_zoo
from gansmith.system.text import printable


def stop(
    run: Annotated[
        Path,
        typer.Argument(
            metavar="RUN",
            help="the folder of a run that is in training, or that a page works on; or the folder that a page has open",
            callback=run_or_zoo,
        ),
    ],
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="until it has saved everything and ended")] = True,
) -> None:
    """End a training after its step, as Ctrl-C in its terminal does: checkpoint, model and sheet are saved.

    Of what the page of gansmith explore has started, an evaluation or the like leaves nothing behind.
    """
    import time

    from gansmith.runs import page_work
    from gansmith.runs.lock import is_locked
    from gansmith.runs.stop_request import request_stop
    from gansmith.system.paths import shell_word

    of_page = None if is_locked(run) else page_work.running_on(run)
    if of_page is not None:
        opened, job = of_page
        page_work.request_stop(opened)
        if not wait:
            echo(f"asked to stop: {page_work.said(job)}")
            return
        while page_work.is_running(opened):
            time.sleep(0.1)
        echo(f"stopped: {page_work.said(job)}; {page_work.ending(job)}")
        return
    request_stop(run)
    if not wait:
        echo(f"asked {printable(run)} to stop")
        return
    while is_locked(run):
        time.sleep(0.1)
    echo(f"{printable(run)} has ended. Continue with: gansmith resume {shell_word(printable(run))}")
