"""The command line: every command is one file beside this one, and torch is imported inside commands only."""

from __future__ import annotations

import sys
import warnings
from typing import Annotated

import typer

from gansmith import __version__
from gansmith.cli import (
    arithmetic,
    bench,
    blindtest,
    compare,
    data,
    directions,
    draw,
    edit,
    evaluate,
    explore,
    export,
    features,
    help_,
    interpolate,
    invert,
    list_,
    look_inside,
    map_,
    nearest,
    probe,
    push,
    resume,
    sample,
    show,
    stop,
    train,
    translate,
)
from gansmith.cli.group import Group
from gansmith.cli.interrupts import ended_by, heard
from gansmith.errors import GansmithError, TrainingInterrupted
from gansmith.system.console import keep_streams, output_failure, say
from gansmith.system.launcher import obey
from gansmith.system.stop_file import heeded

app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("train")(train.train)
app.command("resume")(resume.resume)
app.command("stop")(stop.stop)
app.command("sample")(sample.sample)
app.command("interpolate")(interpolate.interpolate)
app.command("arithmetic")(arithmetic.arithmetic)
app.command("invert")(invert.invert)
app.command("directions")(directions.directions)
app.command("edit")(edit.edit)
app.command("nearest")(nearest.nearest)
app.command("map")(map_.map_)
app.command("look-inside")(look_inside.look_inside)
app.command("show")(show.show)
app.command("explore")(explore.explore)
app.command("translate")(translate.translate)
app.add_typer(data.app, name="data")
app.command("evaluate")(evaluate.evaluate)
app.command("compare")(compare.compare)
app.command("blindtest")(blindtest.blindtest)
app.command("probe")(probe.probe)
app.command("export")(export.export)
app.command("push")(push.push)
app.command("list")(list_.list_)
app.add_typer(features.app, name="features")
app.command("help")(help_.help_)
app.command("draw")(draw.draw)
app.command("bench")(bench.bench)


def _print_version(asked: bool) -> None:
    if asked:
        print(f"gansmith {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="say it")] = False,
) -> None:
    """Train, judge and explore GANs on your own images."""


def main() -> None:
    """Run a command. A GansmithError is printed without traceback; the exit status is its own.

    Standard streams that cannot be written to stop no command. Where what was printed on standard output is lost, and
    not because its reader went away, the status of a command that did well is 1.
    """
    obey()
    keep_streams()
    if any(option.startswith("e") for option in sys.warnoptions):  # python -W error, or PYTHONWARNINGS
        warnings.filterwarnings("default", module=r"(?!gansmith\b)")  # what other packages warn of is no error of ours
    status = _status()
    number = ended_by()
    if number is not None:
        status = 128 + number
    sys.stdout.flush()
    lost = output_failure()
    if lost is not None:
        say(f"error: standard output cannot be written: {lost}. The command ended, but what it printed is lost")
    sys.exit(status or int(lost is not None))


def _status() -> int | str | None:
    """Run the command that `sys.argv` names, and say how it ended. Returns the exit status."""
    try:
        with heard(), heeded():
            app()
    except TrainingInterrupted as error:  # it has said so itself
        return error.exit_code
    except GansmithError as error:
        say(f"error: {error}")
        return error.exit_code
    except (OSError, MemoryError) as error:
        say(f"error: {_refusal(error)}")
        return 1
    except KeyboardInterrupt:
        say("stopped")
        return 130
    except SystemExit as end:
        if end.code == 130:  # typer makes this of a KeyboardInterrupt, and says nothing
            say("stopped")
        return end.code
    return 0


def _refusal(error: OSError | MemoryError) -> str:
    """What the system refused: a path that is too long or closed, a disk that fails, memory."""
    if isinstance(error, MemoryError):
        return f"not enough memory{f': {error}' if str(error) else ''}. Ask for less, or for smaller images"
    return f"{'' if error.filename is None else f'{error.filename}: '}{error.strerror or error}"
