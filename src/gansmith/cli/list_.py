"""`gansmith list`: what there is to choose from, and what of it is here."""

from __future__ import annotations

import shutil
import sys
import textwrap
from typing import Annotated

import typer

from gansmith import catalog
from gansmith.cli.availability import availability


def list_(
    kind: Annotated[
        str | None, typer.Argument(metavar="[KIND]", help=f"{', '.join(catalog.KINDS)}; all of them if not given")
    ] = None,
) -> None:
    """List models, objectives, formats, recipes ..., with one line each; gansmith help NAME says all of one.

    Of a part that needs weights, an extra or images besides this package it says whether they are here.
    """
    for each in [kind] if kind is not None else catalog.KINDS:
        if kind is None:
            typer.echo(f"{each}:")
        for line in lines(each):
            typer.echo(fitted(line if kind is not None else f"  {line}"))


def lines(kind: str) -> list[str]:
    """A line for each entry: name, whether what it needs is here where any of the kind needs something, what it is."""
    names = catalog.names(kind)
    needs = {name: availability(kind, name) for name in names}
    width = max(map(len, names), default=0)
    words = {name: "here" if needed is None else needed.word for name, needed in needs.items()}
    state = {name: f"{word:8}  " if any(needs.values()) else "" for name, word in words.items()}
    entries = [f"{name:{width}}  {state[name]}{catalog.describe(kind, name)}".rstrip() for name in names]
    lacking = {name: needed for name, needed in needs.items() if needed is not None and not needed.here}
    return entries + [f"to have {name}: {needed.way}" for name, needed in lacking.items()]


def fitted(line: str) -> str:
    """The line, wrapped between words to the width of the terminal if that is where it goes."""
    width = shutil.get_terminal_size().columns
    if not sys.stdout.isatty() or len(line) <= width:
        return line
    return textwrap.fill(line, width, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
