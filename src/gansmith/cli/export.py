"""`gansmith export`: a trained generator in a form that other programs read."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gansmith.cli.arguments import Checkpoint, Force, Raw, RunPath, Trust, echo, print_trained, require_out
from gansmith.system.console import say
from gansmith.system.text import printable


class Form(StrEnum):
    """What `--to` takes."""

    ONNX = "onnx"
    PROGRAM = "program"
    FOLDER = "folder"
    HTML = "html"


To = Annotated[
    Form,
    typer.Option(
        help="onnx: for onnxruntime and others (needs the extra `export`); program: for torch alone; folder: as model "
        "hubs want it, with a page, weights, program and an example; html: one page that runs it, to mail to a friend"
    ),
]
Out = Annotated[
    str | None,
    typer.Option(help="the file or folder  [default: generator.onnx, generator.pt2, exported, generator.html]"),
]
Direction = Annotated[str | None, typer.Option(help="of a translation: to the domain a or b")]
Licence = Annotated[str | None, typer.Option(help="of a folder: who may use it, as cc-by-4.0; asked for if not given")]
Runtime = Annotated[
    Path | None,
    typer.Option(
        help="of a page: the unpacked npm package onnxruntime-web; without it the command that gets it is said"
    ),
]


def export(
    run: RunPath,
    *,
    to: To,
    out: Out = None,
    force: Force = False,
    licence: Licence = None,
    runtime: Runtime = None,
    direction: Direction = None,
    raw: Raw = False,
    checkpoint: Checkpoint = None,
    trust: Trust = False,
) -> None:
    """Write a trained generator in a form that other programs read, compared with PyTorch first."""
    from gansmith.export.write import default_name, files_of, write
    from gansmith.runs.folder import image_folders
    from gansmith.runs.run import Run

    opened = Run(run, trust=trust)
    path = require_out(out, default_name(to), files_of(to), force=force, data=image_folders(run))
    if to == Form.FOLDER and licence is None and sys.stdin is not None and sys.stdin.isatty():
        licence = typer.prompt("Who may use it? The name of a licence, such as cc-by-4.0 or all-rights-reserved")
    print_trained(opened, raw=raw, checkpoint=checkpoint)
    difference = write(
        opened,
        to,
        path,
        raw=raw,
        checkpoint=checkpoint,
        direction=direction,
        licence=licence,
        runtime=runtime,
        announce=say,
        force=force,
    )
    echo(f"{to} -> {printable(path)}; {difference}")
