"""`gansmith edit`: an image moved along directions of the latent space."""

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
    echo,
    print_trained,
    require_out,
    require_own_run,
    seeds_of,
)
from gansmith.system.outputs import itself
from gansmith.system.text import printable

if TYPE_CHECKING:
    from gansmith.latent.directions.edit import Move
    from gansmith.runs.run import Run

_OUT, _FILM = "edited.png", "edited.webp"
_STEPS = 6  # of the strip from before to after
FILM_STEPS, MOST_FRAMES = 24, 1001

_What = Annotated[str, typer.Argument(metavar="SEED|LATENT|PNG", help="what is edited: 7, mine.safetensors, one.png")]
_Along = Annotated[
    list[str], typer.Option(help="NAME:STEPS, as smile:2 or 3:-1 (gansmith directions RUN lists them); repeatable")
]
_Out = Annotated[
    str | None,
    typer.Option(
        help="the edited image; a strip of before and after beside it  [default: edited.png; edited.webp with --film]"
    ),
]
_Film = Annotated[
    bool, typer.Option("--film", help="write the film from before to after instead: .webp, .gif, .mp4, .png")
]
_FilmSteps = Annotated[
    int | None, typer.Option(min=1, max=1000, help="--film: how many steps lead from before to after  [default: 24]")
]


def edit(
    run: RunPath,
    what: _What,
    *,
    along: _Along,
    out: _Out = None,
    film: _Film = False,
    steps: _FilmSteps = None,
    force: Force = False,
    label: Label = None,
    truncation: Truncation = None,
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
    from gansmith.records.films import save_film
    from gansmith.runs.folder import directions_file, image_folders
    from gansmith.runs.run import Run

    sources, default = read_sources(what), _FILM if film else _OUT
    _require_form(Path(out or default), film=film, steps=steps, count=len(sources.names))
    opened = Run(run, trust=trust)
    wanted = parse_along(along)
    if not directions_file(run).exists():
        require_own_run(run, "its directions are kept in the run")
    opened.directions  # noqa: B018  (raises where there are none, before the model is read)
    files = itself if film else _files
    path = require_out(out, default, files, force=force, inputs=sources.files, data=image_folders(run))
    renderer = opened.renderer(raw=raw, checkpoint=checkpoint, device=device)
    moves = _moves(opened, renderer.digest, wanted)
    print_trained(opened, raw=raw, checkpoint=checkpoint)
    seeds = seeds_of(sources, renderer)
    said = ", ".join(f"{amount:+g} {printable(direction.name)}" for direction, amount in moves)
    how: dict[str, Any] = {"label": label, "truncation": truncation}
    if film:
        frames = edited_images(renderer, seeds, moves, steps=steps or FILM_STEPS, **how).frames(scale=scale)
        save_film(frames, path, most=MOST_FRAMES, replace=force)
        echo(f"{said}: the film from before to after -> {printable(path)}")
        return
    images = edited_images(renderer, seeds, moves, **how)
    padding = 2 if len(images) > 1 else 0  # one image is itself, and no sheet
    images.write(path, scale=scale, force=force, metadata=metadata, padding=padding)
    strip = edited_images(renderer, seeds, moves, steps=_STEPS, **how)
    strip.write(_strip(path), scale=scale, force=force, metadata=metadata)
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


def _require_form(out: Path, *, film: bool, steps: int | None, count: int) -> None:
    """Raises OptionError for a file that is no image, or no film, and for options that exclude each other."""
    from gansmith.errors import OptionError
    from gansmith.records.films import require_film
    from gansmith.records.images import require_suffix

    if steps is not None and not film:
        raise OptionError(f"--steps {steps} is of a film: add --film, or leave it out")
    if film and count != 1:
        raise OptionError(f"a film shows one image changing, and {count} are named: give one, such as 7")
    (require_film if film else require_suffix)(out)


def _moves(opened: Run, digest: str, wanted: list[tuple[str, float]]) -> list[Move]:
    from gansmith.latent.directions.direction_file import load_directions
    from gansmith.runs.folder import directions_file

    directions = load_directions(directions_file(opened.path), digest=digest)
    return [(directions.find(name), amount) for name, amount in wanted]


def _strip(out: Path) -> Path:
    return out.with_name(f"{out.stem}-strip{out.suffix}")


def _files(out: Path) -> list[Path]:
    return [out, _strip(out)]
