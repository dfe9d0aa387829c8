"""Images as a command line would write them, and the command that does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from fastapi.responses import Response

from gansmith.records.images import draw_sheet, write_image
from gansmith.system.paths import shell_word

if TYPE_CHECKING:
    from gansmith.latent.image_series import ImageSeries
    from gansmith.latent.latents import Seed
    from gansmith.latent.renderer import Renderer
    from gansmith.runs.run import Run


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
        "Gansmith-Command": quote(picture.command),
        "Gansmith-Images": str(picture.images),
        "Gansmith-Digest": picture.digest,
    }
    return Response(picture.data, media_type=picture.kind, headers=headers)


def command_line(*words: str | Path) -> str:
    """`gansmith` and words, each quoted for a shell."""
    return " ".join(["gansmith", *map(shell_word, words)])


def sampled(
    run: Run, renderer: Renderer, seed: Seed, *, truncation: float | None, label: str | None, source: str | None = None
) -> Picture:
    """`gansmith sample RUN --seeds N --out samples/ --scale 1`. source: the file of a latent."""
    series = renderer.images([seed], label=label, truncation=truncation)
    options = [] if label is None else ["--label", label]
    options += [] if truncation is None else ["--truncation", repr(truncation)]
    words = ["sample", str(run.path), "--seeds", source or str(seed), *options, "--out", "samples/", "--scale", "1"]
    return picture_of(renderer, one_png(series), words)


def picture_of(renderer: Renderer, data: bytes, words: Sequence[str]) -> Picture:
    """A picture of what the renderer made."""
    return Picture(data, command_line(*words), renderer.trained_images, renderer.digest)


def one_png(series: ImageSeries, index: int = 0) -> bytes:
    """One image of a series, as `ImageSeries.write` writes it into a folder at scale 1."""
    drawn = draw_sheet(series.images[index : index + 1], padding=0, scale=1)
    file = BytesIO()
    write_image(drawn, file, ".png", text=series.text(index))
    return file.getvalue()
