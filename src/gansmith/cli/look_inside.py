"""`gansmith look-inside`: feature maps, what the generator's channels do, what excites the discriminator's units."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gansmith.cli.arguments import (
    Checkpoint,
    Device,
    Force,
    Label,
    Raw,
    RunPath,
    Scale,
    Trust,
    echo,
    print_trained,
    require_out,
    seeds_of,
)
from gansmith.system.console import say
from gansmith.system.outputs import inside as files_inside
from gansmith.system.text import printable

_OUT = "inside"

_Layer = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="generator.NAME or discriminator.NAME; several; one a resolution if not given"),
]
_Seeds = Annotated[str, typer.Option(help="of samples, latent files or PNGs; feature maps are the first one's")]
_Channels = Annotated[
    int | None, typer.Option(min=1, help="feature maps, channels and units shown of each layer  [default: 10, 12, 3]")
]


def look_inside(
    run: RunPath,
    *,
    layers: Annotated[bool, typer.Option("--layers", help="list the layers and do nothing else")] = False,
    layer: _Layer = None,
    seeds: _Seeds = "0-7",
    channels: _Channels = None,
    against: Annotated[str | None, typer.Option(help="where the training images are, if they moved")] = None,
    images: Annotated[int, typer.Option(min=1, help="at most so many training images excite units")] = 2000,
    steps: Annotated[int, typer.Option(min=1, help="of the ascent for each unit")] = 128,
    label: Label = None,
    out: Annotated[str | None, typer.Option(help="a folder for the sheets  [default: inside/]")] = None,
    force: Force = False,
    raw: Raw = False,
    checkpoint: Checkpoint = None,
    scale: Scale = None,
    device: Device = "auto",
    trust: Trust = False,
) -> None:
    """Look inside the generator and the discriminator: what their layers see and do, from object parts to scenes.

    maps.png: feature maps of a sample. switched_off.png: samples without each of a layer's channels. units.png: what
    excites units of the discriminator most: parts of the training images, and an image made by ascent.
    """
    from gansmith.judge.inside_sheets import FILES, sheets_of
    from gansmith.judge.insides import insides
    from gansmith.latent.sources import read_sources
    from gansmith.runs.folder import image_folders
    from gansmith.runs.run import Run

    sources = read_sources(seeds)
    opened = Run(run, trust=trust)
    path = Path()
    if not layers:
        files = files_inside(*FILES)
        path = require_out(out, _OUT, files, force=force, inputs=sources.files, data=image_folders(run))
    network: dict[str, Any] = {"raw": raw, "checkpoint": checkpoint, "device": device}
    points = seeds_of(sources, opened.renderer(**network))
    inside = insides(opened, points, label=label, **network)
    if layers:
        for line in inside.lines():
            echo(line)
        return
    print_trained(opened, raw=raw, checkpoint=checkpoint)
    made = sheets_of(
        opened, inside, layer or (), channels=channels, against=against, images=images, steps=steps, scale=scale
    )
    for note in made.notes:
        say(f"note: {note}")
    for file, what in zip(made.write(path, force=force), made.words, strict=True):
        echo(f"{what} -> {printable(file)}")
