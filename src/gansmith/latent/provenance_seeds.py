"""The seeds and latents that the images of a file stand for, from what it says of itself."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gansmith.errors import OptionError
from gansmith.latent.arithmetic import Term, sum_of_means
from gansmith.latent.latents import Latent, Seed, Space, space_of
from gansmith.latent.path import Path, frames_of
from gansmith.latent.provenance import Interpolation, Provenance, Samples, Sum, seed_of
from gansmith.latent.renderer import Renderer


def seeds_of(made: Provenance, renderer: Renderer, stem: str) -> list[Seed]:
    """A seed or a latent for each image of a file, for the renderer that makes them; `stem` names the latents.

    Raises OptionError where they do not fit the renderer.
    """
    request, names = made.request, made.names(stem)
    if isinstance(request, Samples):
        if made.plain:
            return [seed_of(point) for point in request.seeds]
        return _drawn(renderer, request, made.label, names)
    if isinstance(request, Interpolation):
        frames = frames_of(renderer, path_of(request, made.label, stem))
        return [frames.latent(number, name) for number, name in enumerate(names)]
    values, space, label = _summed(made, renderer, stem)
    return [Latent(values, space, label, stem)]


def terms_of(request: Sum, name: str = "latent") -> list[Term]:
    """The terms of a sum: those added, then those taken away."""
    plus = [Term(1, tuple(seed_of(point, name) for point in part)) for part in request.plus if part]
    return plus + [Term(-1, tuple(seed_of(point, name) for point in part)) for part in request.minus if part]


def _drawn(renderer: Renderer, request: Samples, label: int | None, names: Sequence[str]) -> list[Seed]:
    """The latents of samples, with their truncation, canvas and class."""
    seeds = [seed_of(point, name) for point, name in zip(request.seeds, names, strict=True)]
    if request.labels is not None and len(request.labels) != len(seeds):
        raise OptionError(f"{len(request.labels)} classes are said of {len(seeds)} images")
    classes: list[int | None] = [None] * len(seeds)
    if renderer.conditional:
        labels = renderer.labels(seeds, label) if request.labels is None else torch.tensor(request.labels)
        classes = [] if labels is None else labels.tolist()
    psi, cut = (request.truncation, None) if renderer.has_w else (None, request.truncation)
    space: Space = space_of(seeds) if psi is None else "w"
    rows = [
        renderer.latents([seed], grid=request.canvas, truncation=cut, space=space, label=each)
        for seed, each in zip(seeds, classes, strict=True)
    ]
    if psi is not None:
        rows = [renderer.truncated(row, psi) for row in rows]
    return [Latent(row[0].clone(), space, each, name) for row, each, name in zip(rows, classes, names, strict=True)]


def path_of(request: Interpolation, label: int | None, name: str = "latent") -> Path:
    """The path of an interpolation. Raises OptionError for another number of classes than of seeds."""
    seeds = tuple(seed_of(point, name) for point in request.seeds)
    if request.labels is not None and len(request.labels) != len(seeds):
        raise OptionError(f"{len(request.labels)} classes are said of {len(seeds)} seeds")
    return Path(
        seeds, request.steps, request.path, request.rows, label, request.labels, request.space, request.truncation,
        request.canvas,
    )  # fmt: skip


def _summed(made: Provenance, renderer: Renderer, stem: str) -> tuple[Tensor, Space, int | None]:
    request = made.request
    assert isinstance(request, Sum)
    terms = terms_of(request, stem)
    if not terms:
        raise OptionError(f"{stem} says that it is a sum of nothing")
    label = renderer.class_of(terms[0].seeds, made.label)
    latent = sum_of_means(renderer, terms, label=label, truncation=request.truncation)
    space = space_of(seed for term in terms for seed in term.seeds)
    if request.truncation is not None and renderer.has_w:
        whole = Latent(latent, space, label, stem)
        return renderer.truncated(renderer.latents([whole], space="w"), request.truncation)[0], "w", label
    return latent, space, label
