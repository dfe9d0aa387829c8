"""`gansmith interpolate`: images between the latents of seeds."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
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
    Trust,
    parse_canvas,
    parse_truncation,
    print_trained,
    print_written,
    require_out,
    seeds_of,
)
from gansmith.errors import OptionError
from gansmith.system.outputs import itself

if TYPE_CHECKING:
    from gansmith.latent.image_series import ImageSeries
    from gansmith.latent.latents import Seed
    from gansmith.latent.renderer import Renderer

_OUT = "interpolation.png"
_FILMS = (".webp", ".gif", ".apng", ".mp4")


class PathKind(StrEnum):
    """What `--path` takes."""

    LINEAR = "linear"
    SPHERICAL = "spherical"
    SPLINE = "spline"


class SpaceKind(StrEnum):
    """What `--space` takes."""

    Z = "z"
    W = "w"


class Form(StrEnum):
    """What `--form` takes."""

    STRIP = "strip"
    GRID = "grid"
    FILM = "film"


Seeds = Annotated[
    list[str], typer.Argument(metavar="SEED SEED ...", help="where the way leads: 3 8 12, or files of latents")
]
PathOption = Annotated[
    PathKind | None,
    typer.Option(
        help="straight line, great arc of the sphere, or a spline, smooth at the seeds; a line for uniform latents and "
        "in w if not given, else the arc"
    ),
]
Space = Annotated[
    SpaceKind | None, typer.Option(help="w: through the space of styles, of a generator that has one (stylegan2)")
]
Labels = Annotated[
    str | None, typer.Option(help="a class for each seed, blended in between: 3,8; one seed stays while they change")
]
Truncation = Annotated[
    str | None,
    typer.Option(help="as of sample; 0.3:1.0 rises along the way, 0.3:1.0:0.3 falls again; one seed stays meanwhile"),
]
Pan = Annotated[
    str | None, typer.Option(help="a film that travels over the canvas: its window, 1x3 cells; one seed is enough")
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
    seeds: Seeds,
    *,
    steps: Annotated[int, typer.Option(min=1, max=10_000, help="how many steps lead from one seed to the next")] = 16,
    path: PathOption = None,
    space: Space = None,
    labels: Labels = None,
    truncation: Truncation = None,
    canvas: Annotated[str | None, typer.Option(help="latents of 3x5 cells: larger images")] = None,
    pan: Pan = None,
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
    from gansmith.latent.image_series import series_files
    from gansmith.latent.path import points_of_path
    from gansmith.latent.path_images import path_labels
    from gansmith.latent.sources import read_sources
    from gansmith.records.films import save_film
    from gansmith.runs.folder import image_folders
    from gansmith.runs.run import Run

    sources, rows, cuts = read_sources(*seeds), form is Form.GRID, parse_truncation(truncation)
    grid, window = parse_canvas(canvas), parse_canvas(pan)
    named = None if labels is None else [one.strip() for one in labels.split(",")]
    film = form is Form.FILM or (form is None and Path(out or _OUT).suffix.lower() in _FILMS)
    _refuse(film=Path(out or _OUT) if film else None, seconds=seconds, numbered=numbered, grid=grid, window=window)
    still = window is not None and len(sources.names) == 1 and named is None and len(cuts or ()) < 2
    names = points_of_path(sources.names * (1 + still), labels=named, truncation=cuts, loop=loop and not still)[0]
    opened = Run(run, trust=trust)
    files = itself if film else series_files(out or _OUT, path_labels(names, steps=steps, rows=rows))
    target = require_out(out, _OUT, files, force=force, inputs=sources.files, data=image_folders(run))
    renderer = opened.renderer(raw=raw, checkpoint=checkpoint, device=device)
    print_trained(opened, raw=raw, checkpoint=checkpoint)
    points = seeds_of(sources, renderer)
    if still:
        cut = None if cuts is None else cuts[0]
        images = renderer.images(points, grid=grid, label=label, truncation=cut).repeated(steps + 1)
    else:
        more = {"labels": named, "truncation": cuts, "grid": grid, "rows": rows, "loop": loop}
        images = _walk(renderer, points, path, space, steps=steps, label=label, **more)
    if film:
        images = _frames(images, renderer, window, loop)
        written = [save_film(images.frames(scale=scale), target, seconds=seconds, most=1000, replace=force, loop=loop)]
    else:
        place = target if out is None else out
        written = images.write(place, numbered=numbered, scale=scale, force=force, metadata=metadata)
    print_written(written, "images", len(images))


def _walk(
    renderer: Renderer, points: list[Seed], path: PathKind | None, space: SpaceKind | None, **more: Any
) -> ImageSeries:
    from gansmith.latent.path_images import interpolate

    return interpolate(
        renderer,
        points,
        kind=None if path is None else path.value,
        space=None if space is None else space.value,
        **more,
    )


def _refuse(
    *,
    film: Path | None,
    seconds: float | None,
    numbered: bool,
    grid: Sequence[int] | None,
    window: Sequence[int] | None,
) -> None:
    """Raises OptionError for options that exclude each other, and for a file that is no film."""
    from gansmith.records.films import require_film

    if seconds is not None and film is None:
        raise OptionError("--seconds is the length of a film: add --as film, or write to a .webp, .gif or .mp4")
    if film is not None and numbered:
        raise OptionError("a film is not numbered: leave --numbered out, or write a strip with --as strip")
    if window is not None and film is None:
        raise OptionError("--pan travels in a film: add --as film, or write to a .webp, .gif or .mp4")
    if window is not None and (grid is None or min(window) < 1 or window[0] > grid[0] or window[1] > grid[1]):
        raise OptionError(
            f"--pan {'x'.join(map(str, window))} is a part of a canvas of more cells: give --canvas, such as "
            f"--canvas 2x12 --pan 2x3"
        )
    if film is not None:
        require_film(film)


def _frames(images: ImageSeries, renderer: Renderer, window: tuple[int, int] | None, loop: bool) -> ImageSeries:
    """The images of a film: of a loop without the last one, which is the first; what a window of so many cells sees on
    its way over them."""
    from gansmith.latent.panning import pan

    images = images.first(len(images) - loop)
    if window is None:
        return images
    small = renderer.images([0], grid=window).images
    return pan(images, *small.shape[-2:], loop=loop)
