"""`gansmith show`: what a file of images or of latents says of itself, and the command that makes it again."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gansmith.cli.arguments import Trust, echo, run_or_zoo, shown_run
from gansmith.system.paths import shell_word
from gansmith.system.text import printable

if TYPE_CHECKING:
    from gansmith.latent.origin import Origin
    from gansmith.latent.provenance import Interpolation, Provenance, Values


def show(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="a PNG that gansmith wrote, or a latent file")],
    run: Annotated[
        Path | None,
        typer.Argument(
            metavar="[RUN]", help="the run for the command; a sheet in samples/ knows its own", callback=run_or_zoo
        ),
    ] = None,
    *,
    trust: Trust = False,
) -> None:
    """Say which model made a file, from what, and the command that makes it again.

    Everything is read as data: nothing of the file is executed, unpacked or believed beyond its type and bounds.
    """
    from gansmith.latent.latent_file import SUFFIX, load_latents
    from gansmith.latent.provenance import read_provenance

    if file.suffix.lower() == SUFFIX:
        latents, origin = load_latents(file)
        said = f"{len(latents):,} of the space {latents[0].space}, of {latents[0].values.numel():,} numbers each"
        kind, words = "latents", ["sample", "RUN", "--seeds", _file(file)]
    else:
        made = read_provenance(file)
        origin, kind, said = made.origin, "images", f"{made.count():,}, by gansmith {made.request.command}"
        words = command(made, file)
    echo(f"{kind:8} {said}")
    echo(f"model    {origin.model}")
    recipe = "" if origin.recipe is None else f", recipe {origin.recipe}"
    echo(f"trained  {origin.images:,} images{recipe}; written by gansmith {origin.version}")
    run = run or _run_of(file)
    if run is not None:
        said, checkpoint = _weights(run, origin, trust=trust)
        echo(f"run      {said}")
        words += [] if checkpoint is None else ["--checkpoint", checkpoint]
    named = "RUN" if run is None else shell_word(shown_run(run))
    echo(f"command  gansmith {' '.join(named if word == 'RUN' else word for word in words)}")


def _run_of(file: Path) -> Path | None:
    """The run that drew a sheet, where it lies in its samples/."""
    from gansmith.runs.folder import is_run

    folder = file.absolute().parent
    return file.parent.parent if folder.name == "samples" and is_run(folder.parent) else None


def _weights(run: Path, origin: Origin, *, trust: bool) -> tuple[str, str | None]:
    """What a run has of the weights of a file, and the name of the checkpoint that holds them."""
    from gansmith.errors import CheckpointError
    from gansmith.runs.run import Run

    opened, name = Run(run, trust=trust), shown_run(run)
    now = opened.renderer(device="cpu").origin
    if now.model == origin.model:
        return f"{name}: the same weights", None
    for kept in (f"{origin.images:09}", "latest", "previous", "best"):
        with suppress(CheckpointError):
            if opened.renderer(checkpoint=kept, device="cpu").digest == origin.model:
                return f"{name}: the checkpoint {kept} has the same weights", kept
    return f"{name}: other weights, {now}; the file needs {origin}, and no checkpoint has them", None


def command(made: Provenance, file: Path) -> list[str]:
    """The words of the command that makes images again, each quoted for a shell; RUN stands for the run. Seeds are
    written out; where a latent is among them the file itself stands for all of them."""
    from gansmith.latent.provenance import Interpolation, Samples

    request, itself = made.request, ["sample", "RUN", "--seeds", _file(file)]
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


def _file(file: Path) -> str:
    name = printable(file)
    return shell_word(f"./{name}" if name.startswith("-") else name)


def _seeds(seeds: Sequence[int | Values]) -> str | None:
    """Seeds as a command line takes them; None where one is a latent."""
    from gansmith.latent.seeds import seeds_as_text

    numbers = [seed for seed in seeds if isinstance(seed, int)]
    return seeds_as_text(numbers) if len(numbers) == len(seeds) else None
