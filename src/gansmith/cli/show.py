"""`gansmith show`: what a file of images or of latents says of itself, and the command that makes it again."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gansmith.cli.arguments import Trust, echo, run_or_zoo, shown_run
from gansmith.system.paths import shell_word
from gansmith.system.text import printable

if TYPE_CHECKING:
    from gansmith.latent.origin import Origin


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
    from gansmith.latent.provenance_command import command_words

    if file.suffix.lower() == SUFFIX:
        latents, origin = load_latents(file)
        said = f"{len(latents):,} of the space {latents[0].space}, of {latents[0].values.numel():,} numbers each"
        kind, words = "latents", ["sample", "RUN", "--seeds", _file(file)]
    else:
        made = read_provenance(file)
        origin, kind, said = made.origin, "images", f"{made.count():,}, by gansmith {made.request.command}"
        words = command_words(made, _file(file))
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


def _file(file: Path) -> str:
    name = printable(file)
    return shell_word(f"./{name}" if name.startswith("-") else name)
