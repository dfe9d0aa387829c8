"""The command line: every command is one file beside this one, and torch is imported inside commands only."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import Annotated

import typer

from gansmith import __version__
from gansmith.cli import (
    arithmetic,
    bench,
    compare,
    data,
    draw,
    evaluate,
    interpolate,
    list_,
    probe,
    resume,
    sample,
    train,
    translate,
)
from gansmith.cli.group import Group
from gansmith.errors import GansmithError

app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("train")(train.train)
app.command("resume")(resume.resume)
app.command("sample")(sample.sample)
app.command("interpolate")(interpolate.interpolate)
app.command("arithmetic")(arithmetic.arithmetic)
app.command("translate")(translate.translate)
app.add_typer(data.app, name="data")
app.command("evaluate")(evaluate.evaluate)
app.command("compare")(compare.compare)
app.command("probe")(probe.probe)
app.command("list")(list_.list_)
app.command("draw")(draw.draw)
app.command("bench")(bench.bench)


def _print_version(asked: bool) -> None:
    if asked:
        print(f"gansmith {__version__}")
        raise typer.Exit


def _terminated(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)  # by way of every `finally`, so that nothing half made is left


@app.callback()
def root(
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="say it")] = False,
) -> None:
    """Train, judge and explore GANs on your own images."""


def main() -> None:
    """Run a command. A GansmithError is printed without traceback; the exit status is its own."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        app()
    except GansmithError as error:
        print(f"error: {error}" if error.exit_code < 128 else str(error), file=sys.stderr)  # no signal
        sys.exit(error.exit_code)
    except SystemExit as end:
        if end.code == 130:  # typer makes this of a KeyboardInterrupt, and says nothing
            print("stopped", file=sys.stderr)
        raise
    except BrokenPipeError:  # the reader of our output went away (`| head`)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
