"""The directions of a run: found, ranked by its own discriminator, numbered, named and kept in its folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gansmith.errors import GansmithError, OptionError
from gansmith.latent.directions.direction import Direction, Directions
from gansmith.latent.directions.direction_file import load_directions, save_directions
from gansmith.latent.directions.edit import STRIP, strips
from gansmith.latent.directions.inner import space_of_directions
from gansmith.records.images import save_image, to_uint8
from gansmith.records.rows import Cell, Row, draw_rows
from gansmith.runs.folder import directions_file
from gansmith.system.text import printable
from gansmith.system.threads import operations, threads_for

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gansmith.latent.directions.ranking import FeaturesOf
    from gansmith.latent.renderer import Renderer
    from gansmith.runs.run import Run

COUNT = 10  # directions of a method, when nobody says how many
_TOGETHER = 64  # images whose features are taken at a time


def find_directions(
    run: Run, renderer: Renderer, method: Literal["pca", "svd"] = "pca", *, count: int = COUNT
) -> Directions:
    """Directions of a method beside those that the run has, ranked, and kept in the run with their sheet: the files of
    `gansmith directions RUN --method METHOD`. Raises OptionError where names that somebody gave would be lost."""
    from gansmith.latent.directions.make import numbered
    from gansmith.latent.directions.principal import principal_directions
    from gansmith.latent.directions.ranking import rank
    from gansmith.latent.directions.singular import singular_directions

    file = directions_file(run.path)
    kept = load_directions(file, digest=renderer.digest) if file.exists() else None
    require_own_names(kept, method)
    made = (principal_directions if method == "pca" else singular_directions)(renderer, count)
    whole = with_made(kept, numbered(rank(renderer, made, features_of(run))), renderer)
    save_directions(file, whole, force=True)
    save_sheet(file.parent / f"{method}.png", whole, method, renderer)
    return whole


def rename_directions(run: Run, names: Mapping[str, str]) -> Directions:
    """{name or number: new name}, kept in the run. Raises RunError where it has no directions, UnknownNameError for one
    that is not there, OptionError for a name that cannot be one, or that another has."""
    renamed = run.directions.renamed(names)
    save_directions(directions_file(run.path), renamed, force=True)
    return renamed


def with_made(kept: Directions | None, made: Sequence[Direction], renderer: Renderer) -> Directions:
    """Those that the run has, with `made` in the place of the same method's."""
    whole = kept or Directions((), space_of_directions(renderer), renderer.origin)
    return whole.with_method(made)


def require_own_names(kept: Directions | None, method: str) -> None:
    """Raises OptionError where names that somebody gave to directions of `method` would be lost."""
    of_method = [d.name for d in (kept.items if kept is not None else ()) if d.method == method]
    named = [one for one in of_method if not one.startswith(f"{method}-")] if method != "labels" else []
    if named:
        raise OptionError(
            f"the directions of {method} are there, with names of yours: {', '.join(named)}. They are listed "
            f"without --method; --replace makes all directions of the run anew"
        )


def features_of(run: Run, *, raw: bool = False, checkpoint: str | None = None) -> FeaturesOf | None:
    """Channels of the run's discriminator, each at its largest; None where it has none, or has no hidden layer."""
    import numpy as np

    from gansmith.evaluation.activations import activations, layers, to_input

    if "discriminator" not in run.players:
        return None
    network, card = run.network("discriminator", raw=raw, checkpoint=checkpoint)
    channels, height, width = card.dimensions[:3]
    two = to_input(np.zeros((2, height, width, channels), np.uint8))
    try:
        amount = operations(lambda: layers(network, two)) * _TOGETHER // len(two)
    except GansmithError:
        return None

    def features(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        with threads_for(amount):
            return activations(network, images, grid=1, batch=_TOGETHER, what=None)

    return features


def save_sheet(
    path: Path,
    kept: Directions,
    method: str,
    renderer: Renderer,
    *,
    seed: int = 0,
    label: str | None = None,
    scale: int | None = None,
    metadata: bool = True,
) -> Path:
    """A row for each direction of a method, of the image of a seed from -3 to 3 steps along it."""
    places = [place for place, d in enumerate(kept.items) if d.method == method]
    some = Directions(tuple(kept.items[place] for place in places), kept.space, kept.origin)
    series = strips(renderer, some, seed, label=label)
    images, rows = to_uint8(series.images), []
    for row, place in enumerate(places):
        cells = [Cell(images[row * len(STRIP) + k], f"{step:+g}" if step else "0") for k, step in enumerate(STRIP)]
        rows.append(Row(f"{place + 1}  {printable(kept.items[place].name)}", [cells]))
    return save_image(draw_rows(rows, scale=scale), path, text=series.text() if metadata else {})
