"""`gansmith arithmetic`: means of latents, added and taken away."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from gansmith.cli.arguments import (
    Checkpoint,
    Device,
    Force,
    Label,
    Metadata,
    Raw,
    RunPath,
    Scale,
    Truncation,
    Trust,
    print_trained,
    print_written,
    require_out,
    seeds_of,
)
from gansmith.system.outputs import itself

_OUT = "arithmetic.png"


class Part(StrEnum):
    """What `--only` takes."""

    RESULT = "result"


def arithmetic(
    run: RunPath,
    *,
    plus: Annotated[list[str], typer.Option(help="seeds or files of latents whose mean is added: 1,4,9; repeatable")],
    minus: Annotated[
        list[str] | None, typer.Option(help="seeds whose mean is taken away: 2,3,5; may be repeated")
    ] = None,
    only: Annotated[
        Part | None, typer.Option(help="result: its image alone, as large as the generator makes it")
    ] = None,
    out: Annotated[
        str | None, typer.Option(help="an image file: .png, .jpg or .webp  [default: arithmetic.png]")
    ] = None,
    force: Force = False,
    raw: Raw = False,
    checkpoint: Checkpoint = None,
    scale: Scale = None,
    label: Label = None,
    truncation: Truncation = None,
    metadata: Metadata = True,
    device: Device = "auto",
    trust: Trust = False,
) -> None:
    """Add and subtract what images have in common: --plus 1,4,9 --minus 2,3,5 --plus 7,8,6.

    Each row of the sheet shows the images of one term and their mean; the result stands alone in the last.
    """
    from gansmith.latent.arithmetic import Term, arithmetic_result, labels_of_terms
    from gansmith.latent.arithmetic import latent_arithmetic as add_up
    from gansmith.latent.image_series import series_files
    from gansmith.latent.sources import read_sources
    from gansmith.records.images import save_image
    from gansmith.runs.folder import image_folders
    from gansmith.runs.run import Run

    given = [(1, read_sources(seeds)) for seeds in plus] + [(-1, read_sources(seeds)) for seeds in minus or []]
    opened = Run(run, trust=trust)
    names = [(sign, sources.names) for sign, sources in given]
    files = series_files(out or _OUT, ("result",) if only else labels_of_terms(names))
    inputs = [file for _, sources in given for file in sources.files]
    path = require_out(out, _OUT, files, force=force, inputs=inputs, data=image_folders(run))
    renderer = opened.renderer(raw=raw, checkpoint=checkpoint, device=device)
    print_trained(opened, raw=raw, checkpoint=checkpoint)
    terms = [Term(1 if sign > 0 else -1, tuple(seeds_of(sources, renderer))) for sign, sources in given]
    result = (arithmetic_result if only else add_up)(renderer, terms, label=label, truncation=truncation)
    if only and files is itself:
        image, text = next(result.frames(scale=scale or 1)), result.text() if metadata else {}
        written = [save_image(image, path, replace=force, text=text)]
    else:
        place = path if out is None else out
        written = result.write(place, numbered=only is None, scale=scale, force=force, metadata=metadata)
    print_written(written, "images", len(result))
