"""`gansmith edit`: an image moved along directions of the latent space."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    echo,
    print_trained,
    require_out,
    require_own_run,
    seeds_of,
)
from gansmith.system.text import printable

if TYPE_CHECKING:
    from gansmith.latent.directions.edit import Move
    from gansmith.runs.run import Run

_OUT = "edited.png"
_STEPS = 6  # of the strip from before to after

_What = Annotated[str, typer.Argument(metavar="SEED|LATENT|PNG", help="what is edited: 7, mine.safetensors, one.png")]
_Along = Annotated[
    list[str], typer.Option(help="NAME:STEPS, as smile:2 or 3:-1 (gansmith directions RUN lists them); repeatable")
]
_Out = Annotated[
    str | None, typer.Option(help="the edited image; a strip of before and after beside it  [default: edited.png]")
]


def edit(
    run: RunPath,
    what: _What,
    *,
    along: _Along,
    out: _Out = None,
    force: Force = False,
    label: Label = None,
    raw: Raw = False,
    checkpoint: Checkpoint = None,
    scale: Scale = None,
    metadata: Metadata = True,
    device: Device = "auto",
    trust: Trust = False,
) -> None:
    """Change one thing of an image: move its latent along directions of the run.

    A step is one standard deviation of the latents. The PNG holds the edited latent: any command takes it where it
    takes a seed.
    """
    from gansmith.latent.directions.edit import edited_images
    from gansmith.latent.sources import read_sources
    from gansmith.records.images import require_suffix
    from gansmith.runs.folder import directions_file, image_folders
    from gansmith.runs.run import Run

    sources = read_sources(what)
    require_suffix(Path(out or _OUT))
    opened = Run(run, trust=trust)
    wanted = parse_along(along)
    if not directions_file(run).exists():
        require_own_run(run, "its directions are kept in the run")
    opened.directions  # noqa: B018  (raises where there are none, before the model is read)
    path = require_out(out, _OUT, _files, force=force, inputs=sources.files, data=image_folders(run))
    renderer = opened.renderer(raw=raw, checkpoint=checkpoint, device=device)
    moves = _moves(opened, renderer.digest, wanted)
    print_trained(opened, raw=raw, checkpoint=checkpoint)
    seeds = seeds_of(sources, renderer)
    images = edited_images(renderer, seeds, moves, label=label)
    padding = 2 if len(images) > 1 else 0  # one image is itself, and no sheet
    images.write(path, scale=scale, force=force, metadata=metadata, padding=padding)
    strip = edited_images(renderer, seeds, moves, label=label, steps=_STEPS)
    strip.write(_strip(path), scale=scale, force=force, metadata=metadata)
    said = ", ".join(f"{amount:+g} {printable(direction.name)}" for direction, amount in moves)
    echo(f"{said} -> {printable(path)}; from before to after -> {printable(_strip(path))}")


def parse_along(texts: list[str]) -> list[tuple[str, float]]:
    """`["smile:2", "3:-1"]` -> [("smile", 2.0), ("3", -1.0)]. Raises OptionError."""
    from gansmith.errors import OptionError

    moves = []
    for text in texts:
        name, colon, amount = text.rpartition(":")
        try:
            steps = float(amount)
        except ValueError:
            steps = float("nan")
        if not colon or not name or not abs(steps) < float("inf"):
            raise OptionError(f"--along takes NAME:STEPS, as smile:2 or 3:-1, not {text!r}")
        moves.append((name, steps))
    return moves


def _moves(opened: Run, digest: str, wanted: list[tuple[str, float]]) -> list[Move]:
    from gansmith.latent.directions.direction_file import load_directions
    from gansmith.runs.folder import directions_file

    directions = load_directions(directions_file(opened.path), digest=digest)
    return [(directions.find(name), amount) for name, amount in wanted]


def _strip(out: Path) -> Path:
    return out.with_name(f"{out.stem}-strip{out.suffix}")


def _files(out: Path) -> list[Path]:
    return [out, _strip(out)]
