"""`gansmith sample`: the images of some seeds."""

from __future__ import annotations

from typing import Annotated

import typer

from gansmith.cli.arguments import Checkpoint, Device, Label, Raw, RunPath, Trust, parse_canvas, print_written


def sample(
    run: RunPath,
    *,
    seeds: Annotated[str, typer.Option(help="which images: 0-63 or 1,4,9; image i depends on seed i alone")] = "0-63",
    out: Annotated[
        str, typer.Option(help="a sheet (.png, .jpg, .webp), or a folder/ for one file each")
    ] = "samples.png",
    raw: Raw = False,
    checkpoint: Checkpoint = None,
    canvas: Annotated[str | None, typer.Option(help="latents of 3x5 cells: larger images")] = None,
    label: Label = None,
    truncation: Annotated[
        float | None,
        typer.Option(help="draw normal latents again beyond this: 0.5 gives less variety, more typical images"),
    ] = None,
    numbered: Annotated[bool, typer.Option("--numbered", help="write each seed on its image")] = False,
    columns: Annotated[int | None, typer.Option(help="images in a row of the sheet; near-square if not given")] = None,
    device: Device = "auto",
    trust: Trust = False,
) -> None:
    """Make images from a trained generator, one for each seed."""
    from gansmith.latent.seeds import parse_seeds
    from gansmith.runs.run import Run

    numbers, grid = parse_seeds(seeds), parse_canvas(canvas)
    renderer = Run(run, trust=trust).renderer(raw=raw, checkpoint=checkpoint, device=device)
    images = renderer.images(numbers, grid=grid, label=label, truncation=truncation)
    print_written(images.save(out, columns=columns, numbered=numbered), "images", len(images))
