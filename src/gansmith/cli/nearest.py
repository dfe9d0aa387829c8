"""`gansmith nearest`: the training images nearest to samples or to images of one's own, and which are copies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
from gansmith.system.text import printable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gansmith.runs.run import Run

_OUT = "nearest.png"

_What = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[WHAT ...]", help="seeds (0-7), latent files, PNGs of gansmith, images of your own; 0-7 if not given"
    ),
]
_Features = Annotated[
    str, typer.Option(help="also by these (gansmith list features); auto: the best whose weights are here; none")
]
_Real = Annotated[int, typer.Option(min=2, help="at most so many training images are compared by features")]


def nearest(
    run: RunPath,
    what: _What = None,
    *,
    count: Annotated[int, typer.Option(min=1, max=50, help="how many training images beside each")] = 4,
    against: Annotated[str | None, typer.Option(help="where the training images are, if they moved")] = None,
    features: _Features = "auto",
    real: _Real = 10_000,
    truncation: Annotated[float | None, typer.Option(help="of the samples, as for gansmith sample")] = None,
    label: Label = None,
    out: Annotated[str | None, typer.Option(help="the sheet: .png, .jpg or .webp  [default: nearest.png]")] = None,
    force: Force = False,
    raw: Raw = False,
    checkpoint: Checkpoint = None,
    scale: Scale = None,
    device: Device = "auto",
    trust: Trust = False,
) -> None:
    """Show the training images nearest to samples, or to images of your own, and say which are copies.

    A row for each: the image, the nearest by pixels (mirrored and moved ones too) and by a network's features, with
    distances.
    """
    import numpy as np

    from gansmith.judge.nearest_images import nearest as search
    from gansmith.judge.nearest_images import require_images
    from gansmith.latent.sources import read_sources
    from gansmith.records.images import require_suffix, save_image, to_uint8
    from gansmith.runs.folder import image_folders
    from gansmith.runs.own_image import own_image
    from gansmith.runs.run import Run

    words = what or ["0-7"]
    own = [Path(word) for word in words if _is_own_image(word)]
    asked = [word for word in words if not _is_own_image(word)]
    sources = read_sources(*asked)
    opened = Run(run, trust=trust)
    require_suffix(Path(out or _OUT))
    path = require_out(out, _OUT, force=force, inputs=[*sources.files, *own], data=image_folders(run))
    require_images(opened)
    renderer = opened.renderer(raw=raw, checkpoint=checkpoint, device=device)
    print_trained(opened, raw=raw, checkpoint=checkpoint)
    names: list[str] = []
    parts: list[NDArray[np.uint8]] = []
    if asked:
        samples = renderer.images(seeds_of(sources, renderer), label=label, truncation=truncation)
        names += [f"seed {one}" if one.isdecimal() else one for one in samples.labels]
        parts.append(to_uint8(samples.images))
    if own:
        channels, height, width = opened.network("generator")[1].dimensions[:3]
        names += [printable(file.name) for file in own]
        parts += [own_image(opened.data, file, (height, width, channels))[None] for file in own]
    result = search(
        opened, np.concatenate(parts), names, count=count, against=against, features=features, real=real, device=device
    )
    save_image(result.sheet(scale=scale), path, replace=force)
    for line in [*result.lines(), *_audit(opened)]:
        echo(line)
    echo(f"{len(result)} image{'s' * (len(result) != 1)} with their nearest training images -> {printable(path)}")


def _is_own_image(word: str) -> bool:
    """Whether it names an image that no generator says to have made."""
    from gansmith.data.kinds import OF_SUFFIX
    from gansmith.latent.provenance import KEYWORD
    from gansmith.records.png_text import read_text

    path = Path(word)
    if path.suffix.lower() not in OF_SUFFIX:
        return False
    return path.suffix.lower() != ".png" or (path.is_file() and read_text(path, KEYWORD) is None)


def _audit(opened: Run) -> list[str]:
    """What the run's own audit said of copies, as a line."""
    from gansmith.errors import RunError
    from gansmith.evaluation.audit import audit

    try:
        answer = audit.read(opened.path / "audit").answers.get("memorisation")
    except RunError:
        return []
    return [] if answer is None else [f"the audit of this run: {answer.verdict}. {answer.sentence}"]
