"""Images as a command line would write them, and the command that does."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast
from urllib.parse import quote

from fastapi.responses import Response

from gansmith.records.images import draw_sheet, write_image
from gansmith.system.paths import shell_word
from gansmith.web.asked import Label, Point, how_words

if TYPE_CHECKING:
    from gansmith.latent.image_series import ImageSeries
    from gansmith.latent.latents import Seed
    from gansmith.latent.renderer import Renderer
    from gansmith.runs.run import Run

FILM_KINDS = {"webp": "image/webp", "gif": "image/gif", "mp4": "video/mp4"}


@dataclass(frozen=True)
class Picture:
    """A file as bytes, the command that writes the same, and the model that it is of."""

    data: bytes
    command: str
    images: int
    digest: str
    kind: str = "image/png"


def png_response(picture: Picture) -> Response:
    """A picture as it is answered."""
    headers = {
        "Gansmith-Command": quote(picture.command.encode("utf-8", "surrogateescape")),
        "Gansmith-Images": str(picture.images),
        "Gansmith-Digest": picture.digest,
    }
    return Response(picture.data, media_type=picture.kind, headers=headers)


def command_line(*words: str | Path) -> str:
    """`gansmith` and words, each quoted for a shell."""
    return " ".join(["gansmith", *map(shell_word, words)])


def picture_of(renderer: Renderer, data: bytes, words: Sequence[str], kind: str = "image/png") -> Picture:
    """A picture of what the renderer made, by the command line of these words."""
    return Picture(data, command_line(*words), renderer.trained_images, renderer.digest, kind)


def sampled(run: Run, renderer: Renderer, one: Point, *, truncation: float | None, label: Label | None) -> Picture:
    """`gansmith sample RUN --seeds N --out samples/ --scale 1`."""
    series = renderer.images([one.seed], label=label, truncation=truncation)
    how = how_words(label, truncation)
    words = ["sample", str(run.path), "--seeds", one.word, *how, "--out", "samples/", "--scale", "1"]
    return picture_of(renderer, one_png(series), words)


def mixed(
    renderer: Renderer,
    terms: Sequence[tuple[Literal[1, -1], Sequence[Seed]]],
    *,
    label: Label | None,
    truncation: float | None,
) -> bytes:
    """The PNG of `gansmith arithmetic --only result`."""
    from gansmith.latent.arithmetic import Term, arithmetic_result

    parts = [Term(sign, tuple(seeds)) for sign, seeds in terms]
    return sheet_png(arithmetic_result(renderer, parts, label=label, truncation=truncation), padding=0)


def edited(
    run: Run,
    renderer: Renderer,
    seed: Seed,
    along: Mapping[str, float],
    *,
    label: Label | None,
    truncation: float | None,
    steps: int,
) -> ImageSeries:
    """The image of a seed moved along directions of the run; with steps > 1 those from before to after."""
    from gansmith.latent.directions.edit import edited_images
    from gansmith.web.direction_store import directions_of

    directions = directions_of(run, renderer)
    moves = [(directions.find(name), amount) for name, amount in along.items()]
    return edited_images(renderer, [seed], moves, label=label, truncation=truncation, steps=steps)


def walked(
    renderer: Renderer,
    seeds: Sequence[Seed],
    *,
    steps: int,
    path: str | None,
    label: Label | None,
    truncation: float | None,
    loop: bool,
) -> ImageSeries:
    """The images of `gansmith interpolate`."""
    from gansmith.latent.path_images import interpolate

    points = [*seeds, *seeds[:loop]]
    return interpolate(renderer, points, steps=steps, kind=cast(Any, path), label=label, truncation=truncation)


def one_png(series: ImageSeries, index: int = 0) -> bytes:
    """One image of a series, as `ImageSeries.write` writes it into a folder at scale 1."""
    drawn = draw_sheet(series.images[index : index + 1], padding=0, scale=1)
    file = BytesIO()
    write_image(drawn, file, ".png", text=series.text(index))
    return file.getvalue()


def sheet_png(series: ImageSeries, *, scale: int | None = 1, padding: int = 2) -> bytes:
    """A series as one sheet, as `ImageSeries.write` writes it into a file."""
    file = BytesIO()
    write_image(series.sheet(scale=scale, padding=padding), file, ".png", text=series.text())
    return file.getvalue()


def film_of(series: ImageSeries, kind: str, *, loop: bool = False, scale: int | None = None) -> bytes:
    """A series as a film, as `gansmith interpolate` writes it."""
    from gansmith.records.films import save_film

    with tempfile.TemporaryDirectory() as folder:
        frames = [*series.frames(scale=scale)][: len(series) - loop]  # of a loop the last one is the first
        return save_film(frames, Path(folder) / f"film.{kind}", most=1000, loop=loop).read_bytes()
