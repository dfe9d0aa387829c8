"""`gansmith arithmetic`: means of latents, added and taken away."""

from __future__ import annotations

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
    Trust,
    print_trained,
    print_written,
    require_out,
    seeds_of,
)

_OUT = "arithmetic.png"


def arithmetic(
    run: RunPath,
    *,
    plus: Annotated[list[str], typer.Option(help="seeds or files of latents whose mean is added: 1,4,9; repeatable")],
    minus: Annotated[
        list[str] | None, typer.Option(help="seeds whose mean is taken away: 2,3,5; may be repeated")
    ] = None,
    out: Annotated[
        str | None, typer.Option(help="an image file: .png, .jpg or .webp  [default: arithmetic.png]")
    ] = None,
    force: Force = False,
    raw: Raw = False,
    checkpoint: Checkpoint = None,
    scale: Scale = None,
    label: Label = None,
    metadata: Metadata = True,
    device: Device = "auto",
    trust: Trust = False,
) -> None:
    """Add and subtract what images have in common: --plus 1,4,9 --minus 2,3,5 --plus 7,8,6.

    Each row of the sheet shows the images of one term and their mean; the result stands alone in the last.
    """
    from gansmith.latent.arithmetic import Term, labels_of_terms
    from gansmith.latent.arithmetic import latent_arithmetic as add_up
    from gansmith.latent.image_series import series_files
    from gansmith.latent.sources import read_sources
    from gansmith.runs.folder import image_folders
    from gansmith.runs.run import Run

    given = [(1, read_sources(seeds)) for seeds in plus] + [(-1, read_sources(seeds)) for seeds in minus or []]
    opened = Run(run, trust=trust)
    files = series_files(out or _OUT, labels_of_terms([(sign, sources.names) for sign, sources in given]))
    inputs = [file for _, sources in given for file in sources.files]
    path = require_out(out, _OUT, files, force=force, inputs=inputs, data=image_folders(run))
    renderer = opened.renderer(raw=raw, checkpoint=checkpoint, device=device)
    print_trained(opened, raw=raw, checkpoint=checkpoint)
    terms = [Term(1 if sign > 0 else -1, tuple(seeds_of(sources, renderer))) for sign, sources in given]
    result = add_up(renderer, terms, label=label)
    written = result.write(path if out is None else out, numbered=True, scale=scale, force=force, metadata=metadata)
    print_written(written, "images", len(result))
