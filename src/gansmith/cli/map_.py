"""`gansmith map`: real, held-out and generated images in the plane."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from gansmith.cli.arguments import Device, Force, RunPath, Trust, echo, print_trained, require_out
from gansmith.system.text import printable

_OUT = "map.png"


class Method(StrEnum):
    """What `--method` takes."""

    PCA = "pca"
    UMAP = "umap"


def map_(
    run: RunPath,
    *,
    method: Annotated[
        Method,
        typer.Option(help="pca: axes of the real images; umap: neighbours, where umap-learn is installed"),
    ] = Method.PCA,
    count: Annotated[int, typer.Option(min=50, max=5000, help="images: 2 real and 2 samples to 1 held out")] = 1000,
    features: Annotated[
        str,
        typer.Option(help="by what they are compared (gansmith list features); auto: the best whose weights are here"),
    ] = "auto",
    against: Annotated[str | None, typer.Option(help="where the training images are, if they moved")] = None,
    out: Annotated[str | None, typer.Option(help="the map: .png, .jpg or .webp  [default: map.png]")] = None,
    force: Force = False,
    device: Device = "auto",
    trust: Trust = False,
) -> None:
    """Draw real, held-out and generated images in the plane: which real ones no sample is near, and the reverse.

    The points are those of the page's Map (gansmith explore), where each can be looked at.
    """
    from pathlib import Path

    from gansmith.judge.image_map import image_map
    from gansmith.judge.map_picture import map_picture
    from gansmith.records.images import require_suffix, save_image
    from gansmith.runs.folder import image_folders
    from gansmith.runs.run import Run

    require_suffix(Path(out or _OUT))
    opened = Run(run, trust=trust)
    path = require_out(out, _OUT, force=force, data=image_folders(run))
    print_trained(opened)
    made = image_map(opened, method=method.value, count=count, features=features, device=device, against=against)
    save_image(map_picture(made), path, replace=force)
    for note in made.notes:
        echo(note)
    echo(f"precision {made.plane.precision:.3f}, recall {made.plane.recall:.3f} -> {printable(path)}")
