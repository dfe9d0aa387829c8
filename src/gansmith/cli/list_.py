"""`gansmith list`: what there is to choose from."""

from __future__ import annotations

from typing import Annotated

import typer

from gansmith import catalog


def list_(
    kind: Annotated[
        str | None, typer.Argument(metavar="[KIND]", help=f"{', '.join(catalog.KINDS)}; all of them if not given")
    ] = None,
) -> None:
    """List models, objectives, formats, recipes ..., with one line each."""
    for each in [kind] if kind is not None else catalog.KINDS:
        names = catalog.names(each)
        if kind is None:
            typer.echo(f"{each}:")
        width = max(map(len, names), default=0)
        for name in names:
            line = f"{name:{width}}  {catalog.describe(each, name)}".rstrip()
            typer.echo(line if kind is not None else f"  {line}")
