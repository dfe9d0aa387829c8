"""`gansmith interpolate`: images between the latents of seeds."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
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
from gansmith.system.outputs import itself

_OUT = "interpolation.png"


class PathKind(StrEnum):
    """What `--path` takes."""

    LINEAR = "linear"
    SPHERICAL = "spherical"


class Form(StrEnum):
    """What `--form` takes."""

    STRIP = "strip"
    GRID = "grid"
    FILM = "film"


PathOption = Annotated[
    PathKind | None,
    typer.Option(help="straight line, or great arc of the sphere; a line for uniform latents if not given"),
]
Out = Annotated[
    str | None,
    typer.Option(help="an image (.png, .jpg, .webp) or a film (.webp, .gif, .mp4, .png)  [default: interpolation.png]"),
]
FormOption = Annotated[
    Form | None,
    typer.Option(
        "--as", help="one row, one row for each pair of seeds, or a film; a film for .webp, .gif and .mp4 if not given"
    ),
]


def interpolate(
    run: RunPath,
    seeds: Annotated[
        list[str], typer.Argument(metavar="SEED SEED ...", help="where the way leads: 3 8 12, or files of latents")
    ],
    *,
    steps: Annotated[int, typer.Option(min=1, max=10_000, help="how many steps lead from one seed to the next")] = 16,
    path: PathOption = None,
    out: Out = None,
    force: Force = False,
    form: FormOption = None,
    seconds: Annotated[float | None, typer.Option(min=0.02, max=86_400, help="how long the film runs")] = None,
    loop: Annotated[bool, typer.Option("--loop", help="go on to the first seed; a film then has no end")] = False,
    raw: Raw = False,
    checkpoint: Checkpoint = None,
    numbered: Annotated[bool, typer.Option("--numbered", help="write each seed on its image")] = False,
    scale: Scale = None,
    label: Label = None,
    metadata: Metadata = True,
    device: Device = "auto",
    trust: Trust = False,
) -> None:
    """Walk through the latent space from seed to seed."""
    from gansmith.errors import OptionError
    from gansmith.latent.image_series import series_files
    from gansmith.latent.interpolation import interpolate as walk
    from gansmith.latent.interpolation import path_labels
    from gansmith.latent.sources import read_sources
    from gansmith.records.films import require_film, save_film
    from gansmith.runs.folder import image_folders
    from gansmith.runs.run import Run

    sources = read_sources(*seeds)
    wanted = out or _OUT
    film = form is Form.FILM or (form is None and Path(wanted).suffix.lower() in (".webp", ".gif", ".apng", ".mp4"))
    if loop and len(sources.names) < 2:
        raise OptionError(f"--loop goes back to the first of at least two seeds, not {len(sources.names)}")
    if seconds is not None and not film:
        raise OptionError("--seconds is the length of a film: add --as film, or write to a .webp, .gif or .mp4")
    if film and numbered:
        raise OptionError("a film is not numbered: leave --numbered out, or write a strip with --as strip")
    opened = Run(run, trust=trust)
    if film:
        require_film(Path(wanted))
    names = (*sources.names, sources.names[0]) if loop else sources.names
    files = itself if film else series_files(wanted, path_labels(names, steps=steps, rows=form is Form.GRID))
    target = require_out(out, _OUT, files, force=force, inputs=sources.files, data=image_folders(run))
    renderer = opened.renderer(raw=raw, checkpoint=checkpoint, device=device)
    print_trained(opened, raw=raw, checkpoint=checkpoint)
    points, rows = seeds_of(sources, renderer), form is Form.GRID
    points += points[:loop]
    images = walk(renderer, points, steps=steps, kind=None if path is None else path.value, rows=rows, label=label)
    if film:
        shown = [*images.frames(scale=scale)][: len(images) - loop]  # of a loop the last one is the first
        written = [save_film(shown, target, seconds=seconds, most=1000, replace=force, loop=loop)]
    else:
        place = target if out is None else out
        written = images.write(place, numbered=numbered, scale=scale, force=force, metadata=metadata)
    print_written(written, "images", len(images) - (film and loop))
