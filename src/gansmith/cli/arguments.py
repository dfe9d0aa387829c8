"""Arguments that several commands share, and how they are read. Imports neither torch nor Pillow."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gansmith import zoo
from gansmith.errors import OptionError, RunError
from gansmith.system.console import say
from gansmith.system.outputs import Files, free_output, itself, require_output
from gansmith.system.paths import shell_word
from gansmith.system.text import printable, printable_lines

if TYPE_CHECKING:
    from gansmith.latent.latents import Seed
    from gansmith.latent.renderer import Renderer
    from gansmith.latent.sources import Sources
    from gansmith.runs.run import Run


def run_or_zoo(value: Path | None) -> Path | None:
    """The callback of every argument RUN: the path of that name, else the model of the zoo."""
    return None if value is None else zoo.place(value)


def runs_or_zoo(value: list[str]) -> list[str]:
    """The same for several, each RUN or RUN@CHECKPOINT."""
    places = [(one, *one.partition("@")) for one in value]
    return [one if zoo.folder(name) is None else f"{zoo.place(Path(name))}{at}{rest}" for one, name, at, rest in places]


RunPath = Annotated[
    Path,
    typer.Argument(
        metavar="RUN",
        help="a run's folder, a folder or file of models, or a model of the zoo by its name",
        callback=run_or_zoo,
    ),
]
Raw = Annotated[bool, typer.Option("--raw", help="the weights as trained, without averaging")]
Checkpoint = Annotated[str | None, typer.Option(help="a checkpoint's name (previous, 000050000) instead of the model")]
Label = Annotated[
    str | None, typer.Option(help="the class of all images, by name or number, if it was trained with classes")
]
Truncation = Annotated[
    float | None,
    typer.Option(help="draw normal latents again beyond this; of stylegan2, psi in W: 0.5 gives more typical images"),
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps")]

Force = Annotated[bool, typer.Option("--force", help="replace files that exist")]
Scale = Annotated[
    int | None, typer.Option(min=1, max=64, help="pixels a side for each pixel: 1 is exact; good to view if not given")
]
Metadata = Annotated[bool, typer.Option("--metadata/--no-metadata", help="a PNG says how it was made (gansmith show)")]
Trust = Annotated[bool, typer.Option("--trust", help="import code that the model names from outside gansmith")]

Ruler = Annotated[bool, typer.Option("--ruler/--no-ruler", help="at the end: how good it is, in at most 20 seconds")]


def shown_run(run: Path) -> str:
    """A run as a message names it: a model of the zoo by its name, where no path has it, else the path."""
    name = zoo.name_of(run)
    return name if name is not None and zoo.place(Path(name)) == run else printable(run)


def require_own_run(run: Path, why: str, way_out: str = "") -> None:
    """Raises RunError where a command writes into the run, for what `why` says, and it is a model of the zoo."""
    name = zoo.name_of(run)
    if name is not None:
        folder = shell_word(printable(zoo.folder(name) or run))
        copy = f"copy it first: mkdir -p runs && cp -r {folder} runs/{name}"
        raise RunError(f"{name} is a model of the zoo, which is not written to; {why}: {way_out or copy}")


def parse_canvas(text: str | None) -> tuple[int, int] | None:
    """`3x5` -> (3, 5), height x width in latent cells. Raises OptionError."""
    if text is None:
        return None
    match = re.fullmatch(r"\s*(\d+)\s*x\s*(\d+)\s*", text, re.ASCII)
    if not match:
        raise OptionError(f"a canvas is height x width in latent cells, such as 3x5, not {text!r}")
    return int(match[1]), int(match[2])


def parse_truncation(text: str | None) -> list[float] | None:
    """`0.3:1.0` -> [0.3, 1.0], values along a path. Raises OptionError."""
    if text is None:
        return None
    try:
        return [float(word) for word in text.split(":")]
    except ValueError:
        raise OptionError(
            f"a truncation is a number, or several along the path, such as 0.5 or 0.3:1.0, not {text!r}"
        ) from None


def seeds_of(sources: Sources, renderer: Renderer) -> list[Seed]:
    """The seeds that a command line names; a warning for each file of latents of another model."""
    for warning in sources.warnings(renderer):
        say(f"warning: {warning}")
    return sources.seeds(renderer)


def parse_freeze(given: Sequence[str]) -> dict[str, dict[str, int]] | None:
    """`discriminator.first=3` -> {"discriminator": {"first": 3}}; None for none. Raises OptionError."""
    chosen: dict[str, dict[str, int]] = {}
    for text in given:
        match = re.fullmatch(r"(\w+)\.(first|last)=(\d+)", text, re.ASCII)
        if not match:
            raise OptionError(
                f"--freeze takes ROLE.first=N or ROLE.last=N, as discriminator.first=3, not {text!r}. "
                f"One layer at least must be left to train"
            )
        chosen.setdefault(match[1], {})[match[2]] = int(match[3])
    return chosen or None


def require_out(
    out: str | Path | None,
    default: str,
    files: Files = itself,
    *,
    force: bool,
    inputs: Sequence[Path] = (),
    data: Sequence[Path] = (),
) -> Path:
    """Where a command writes, checked before any work as `system.outputs` has it: `out`, or the default name, or the
    next free one where that is taken, which is said. Raises OutputError."""
    path = Path(default if out is None else out)
    if out is None and not force:
        path = free_output(path, files)
        if path != Path(default):
            echo(f"note: {printable(default)} exists, so this is written to {printable(path)}", err=True)
    require_output(path, files, force=force, inputs=inputs, data=data)
    return path


def echo(text: str, *, err: bool = False) -> None:
    """Print lines on standard output or standard error; what a terminal would obey is written as its code."""
    typer.echo(printable_lines(text), err=err)


def refuse_options(context: typer.Context, names: Sequence[str], why: str) -> None:
    """Raises OptionError when one of these options is on the command line, where it would do nothing."""
    useless = [
        f"--{name.replace('_', '-')}"
        for name in names
        if str(context.get_parameter_source(name)).endswith("COMMANDLINE")
    ]
    if useless:
        raise OptionError(
            f"{', '.join(useless)} cannot be used here: {why}. Leave {'it' if len(useless) == 1 else 'them'} out"
        )


def next_steps(folder: Path) -> tuple[str, list[str]]:
    """The last lines of a training: where its files are, and which commands to try."""
    shown = printable(folder)
    word = shell_word(shown)
    film = f", their film {shown}/progress.webp" if (folder / "progress.webp").exists() else ""
    if any((folder / "model" / f"{name}.safetensors").exists() for name in ("to_b", "b")):
        done = f"done: sheets in {shown}/samples{film}, the model in {shown}/model"
        return done, [f"gansmith translate {word} --to b IN OUT"]
    if not (folder / "model" / "generator.safetensors").exists():
        return f"done: the model in {shown}/model", [f"gansmith evaluate {word}"]
    return f"done: sheets in {shown}/samples{film}, the model in {shown}/model", [
        f"gansmith sample {word} --seeds 0-63 --out grid.png",
        f"gansmith interpolate {word} 3 8 12 --out strip.png",
        f"gansmith evaluate {word}",
    ]


def trained_lines(*runs: Run, checkpoint: str | None = None, raw: bool = False) -> list[str]:
    """How long the weights were trained that a command is about to use, a line for each run and none where no one
    knows: `runs/photos: weights after 3,328 of 60,000 images`. Read before the work: a run may be in training."""
    from gansmith.runs.trained_for import trained_for

    trained = {shown_run(run.path): trained_for(run, checkpoint=checkpoint, raw=raw) for run in runs}
    return [f"{path}: weights after {one}" for path, one in trained.items() if one.images or one.whole is not None]


def print_trained(*runs: Run, checkpoint: str | None = None, raw: bool = False) -> None:
    """These lines on standard error."""
    for line in trained_lines(*runs, checkpoint=checkpoint, raw=raw):
        say(line)


def print_written(files: Sequence[Path], what: str, count: int) -> None:
    """The last line of a command that wrote images: how many, and where."""
    where = files[0] if len(files) == 1 else f"{files[0].parent}/"
    echo(f"{count} {what} -> {printable(where)}")
