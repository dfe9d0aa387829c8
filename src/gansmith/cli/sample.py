"""`gansmith sample`: the images of some seeds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    parse_canvas,
    print_trained,
    print_written,
    refuse_options,
    require_out,
    seeds_of,
)

if TYPE_CHECKING:
    from gansmith.latent.sources import Sources

_OUT = "samples.png"

_Seeds = Annotated[
    str,
    typer.Option(help="which images: 0-63 or 1,4,9, or latent files and PNGs of gansmith; image i is seed i's alone"),
]


def sample(
    context: typer.Context,
    run: RunPath,
    *,
    seeds: _Seeds = "0-63",
    starred: Annotated[bool, typer.Option("--starred", help="those with a star, instead of --seeds")] = False,
    out: Annotated[
        str | None,
        typer.Option(help="a sheet (.png, .jpg, .webp), or a folder/ for one file each  [default: samples.png]"),
    ] = None,
    force: Force = False,
    raw: Raw = False,
    checkpoint: Checkpoint = None,
    canvas: Annotated[str | None, typer.Option(help="latents of 3x5 cells: larger images")] = None,
    label: Label = None,
    truncation: Truncation = None,
    numbered: Annotated[bool, typer.Option("--numbered", help="write each seed on its image")] = False,
    columns: Annotated[int | None, typer.Option(help="images in a row of the sheet; near-square if not given")] = None,
    scale: Scale = None,
    nearest: Annotated[
        bool, typer.Option("--nearest", help="beside each sample its nearest training image; --numbered: how far")
    ] = False,
    metadata: Metadata = True,
    device: Device = "auto",
    trust: Trust = False,
) -> None:
    """Make images from a trained generator, one for each seed."""
    from gansmith.errors import OptionError
    from gansmith.latent.image_series import series_files
    from gansmith.latent.sources import read_sources
    from gansmith.runs.folder import image_folders
    from gansmith.runs.run import Run
    from gansmith.system.outputs import itself

    grid = parse_canvas(canvas)
    sources = _starred(context, run) if starred else read_sources(seeds)
    opened = Run(run, trust=trust)
    files = series_files(out or _OUT, sources.names)
    if nearest and files is not itself:
        raise OptionError(f"--nearest writes one sheet, and {out} is a folder: give a file, --out nearest.png")
    path = require_out(out, _OUT, files, force=force, inputs=sources.files, data=image_folders(run))
    renderer = opened.renderer(raw=raw, checkpoint=checkpoint, device=device)
    print_trained(opened, raw=raw, checkpoint=checkpoint)
    images = renderer.images(seeds_of(sources, renderer), grid=grid, label=label, truncation=truncation)
    if nearest:
        from gansmith.judge.nearest_sheet import with_nearest

        images = with_nearest(opened, images)
    how: dict[str, Any] = {"columns": columns, "numbered": numbered, "scale": scale}
    written = images.write(path if out is None else out, **how, force=force, metadata=metadata)
    print_written(written, "images", len(images))


def _starred(context: typer.Context, run: Path) -> Sources:
    """The images of a run that have a star. Raises OptionError where --seeds says which images, too."""
    from gansmith.latent.sources import read_sources
    from gansmith.runs.stars import sources_of

    refuse_options(context, ["seeds"], "--starred says which images")
    return read_sources(*sources_of(run))
