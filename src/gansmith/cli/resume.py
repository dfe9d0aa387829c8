"""`gansmith resume`: go on where a run stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gansmith.cli.arguments import Ruler, require_own_run, run_or_zoo, shown_run
from gansmith.cli.closing import print_end
from gansmith.cli.several import Processes, Restarts, in_several


def resume(
    context: typer.Context,
    run: Annotated[Path, typer.Argument(help="the run folder", callback=run_or_zoo)],
    images: Annotated[str | None, typer.Option(help="train to this many images in all: 1M")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:1, mps")] = None,
    data: Annotated[str | None, typer.Option(help="where the images are now, should they have moved")] = None,
    workers: Annotated[int | None, typer.Option(help="processes that decode images")] = None,
    checkpoint_every: Annotated[str | None, typer.Option(help="in images: 50k")] = None,
    assignments: Annotated[
        list[str] | None, typer.Option("--set", help="another field that may change: stop.metric=null")
    ] = None,
    processes: Processes = None,
    max_restarts: Restarts = 0,
    ruler: Ruler = True,
    trust: Annotated[
        bool, typer.Option("--trust", help="import code that the run names from outside gansmith")
    ] = False,
) -> None:
    """Continue a run at its last checkpoint, exactly as if it had never stopped."""
    if in_several(context, processes, max_restarts):
        return
    from gansmith.runs.run import Run

    require_own_run(run, "a training goes on in the run", f"gansmith train PATH --from {shown_run(run)}")
    changes: dict[str, Any] = {"device": device, "workers": workers, "checkpoint_every": checkpoint_every}
    if data is not None:
        changes["data"] = {"path": data}
    changes = {field: value for field, value in changes.items() if value is not None}
    done = Run(run, trust=trust).resume(images=images, assignments=assignments or (), **changes)
    print_end(done.path, ruler=ruler)
