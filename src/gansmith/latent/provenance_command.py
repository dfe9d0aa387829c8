"""The command that makes the images of a file again, from what the file says of itself."""

from __future__ import annotations

from collections.abc import Sequence

from gansmith.latent.provenance import Interpolation, Provenance, Samples, Values
from gansmith.latent.seeds import seeds_as_text


def command_words(made: Provenance, file: str) -> list[str]:
    """The words behind `gansmith` of the command that makes images again; RUN stands for the run. Seeds are written
    out; where a latent is among them `file`, the file itself as a command line names it, stands for all of them.

    >>> from gansmith.latent.origin import Origin
    >>> request = Samples(seeds=(0, 1, 2), truncation=0.5)
    >>> command_words(Provenance(origin=Origin(version="1.0", model="0" * 64), request=request), "grid.png")
    ['sample', 'RUN', '--seeds', '0-2', '--truncation', '0.5']
    """
    request, itself = made.request, ["sample", "RUN", "--seeds", file]
    options = [] if made.label is None else ["--label", str(made.label)]
    if isinstance(request, Samples):
        seeds = _seeds(request.seeds)
        if seeds is None or request.labels is not None:
            return itself
        options += [] if request.truncation is None else ["--truncation", repr(request.truncation)]
        options += [] if request.canvas is None else ["--canvas", f"{request.canvas[0]}x{request.canvas[1]}"]
        return ["sample", "RUN", "--seeds", seeds, *options]
    if isinstance(request, Interpolation):
        ends = [_seeds([point]) for point in request.seeds]
        options += ["--steps", str(request.steps)] + ([] if request.path is None else ["--path", request.path])
        options += ["--as", "grid"] if request.rows else []
        options += _along(request)
        return itself if None in ends else ["interpolate", "RUN", *map(str, ends), *options]
    parts = [("--plus", part) for part in request.plus] + [("--minus", part) for part in request.minus]
    terms = [(sign, _seeds(part)) for sign, part in parts if part]
    options += [] if request.truncation is None else ["--truncation", repr(request.truncation)]
    options += [] if request.only is None else ["--only", request.only]
    if not terms or any(seeds is None for _, seeds in terms):
        return itself
    return ["arithmetic", "RUN", *(word for sign, seeds in terms for word in (sign, str(seeds))), *options]


def _along(request: Interpolation) -> list[str]:
    """The options of a path that say more than seeds and steps."""
    options = [] if request.labels is None else ["--labels", ",".join(map(str, request.labels))]
    options += [] if request.space is None else ["--space", request.space]
    options += [] if request.truncation is None else ["--truncation", ":".join(map(repr, request.truncation))]
    return options + ([] if request.canvas is None else ["--canvas", f"{request.canvas[0]}x{request.canvas[1]}"])


def _seeds(seeds: Sequence[int | Values]) -> str | None:
    """Seeds as a command line takes them; None where one is a latent."""
    numbers = [seed for seed in seeds if isinstance(seed, int)]
    return seeds_as_text(numbers) if len(numbers) == len(seeds) else None
