"""`gansmith push`: a generator on a model hub."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from gansmith.cli.arguments import Checkpoint, Raw, Trust, echo, print_trained, run_or_zoo
from gansmith.errors import OptionError
from gansmith.system.text import printable


def push(
    run: Annotated[
        Path,
        typer.Argument(
            metavar="RUN|FOLDER", help="a run, or a folder of gansmith export --to folder", callback=run_or_zoo
        ),
    ],
    repo: Annotated[str, typer.Argument(metavar="REPO", help="the repository to create: NAME or OWNER/NAME")],
    *,
    public: Annotated[bool, typer.Option("--public", help="for everyone to see; private if not given")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask, for scripts")] = False,
    force: Annotated[bool, typer.Option("--force", help="replace the files of a repository that exists")] = False,
    licence: Annotated[
        str | None, typer.Option(help="of a run: who may use it, as cc-by-4.0; asked for if not given")
    ] = None,
    raw: Raw = False,
    checkpoint: Checkpoint = None,
    trust: Trust = False,
) -> None:
    """Put a generator on a model hub: lists what would go out, asks, and is private unless told otherwise."""
    from gansmith.export.folder import EXAMPLE
    from gansmith.export.push import outgoing, require_client, require_repo
    from gansmith.export.push import push as send
    from gansmith.export.write import write
    from gansmith.runs.run import Run

    require_repo(repo)
    require_client()
    asking = _someone_is_there()
    if not yes and not asking:
        raise OptionError("gansmith push asks before it sends anything, and nobody is there to answer: add --yes")
    with tempfile.TemporaryDirectory() as place:
        folder = run
        if not (run / EXAMPLE).is_file():
            opened, folder = Run(run, trust=trust), Path(place) / "exported"
            if licence is None and asking:
                licence = typer.prompt("Who may use it? The name of a licence, such as cc-by-4.0")
            print_trained(opened, raw=raw, checkpoint=checkpoint)
            write(opened, "folder", folder, raw=raw, checkpoint=checkpoint, licence=licence)
        sizes = outgoing(folder)
        for name, size in sizes.items():
            echo(f"{size:>14,} bytes  {name}")
        who = "public: everyone can see it" if public else "private"
        echo(f"{sum(sizes.values()):>14,} bytes  in {len(sizes)} files -> {printable(repo)} ({who})")
        if not yes and not typer.confirm("Send these files?", default=False):
            echo("nothing was sent")
            raise typer.Exit(1)
        echo(f"sent -> {printable(send(folder, repo, public=public, force=force))}")


def _someone_is_there() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()
