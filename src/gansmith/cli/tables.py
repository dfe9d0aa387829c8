"""Tables on a terminal: whole where they fit, else a line for each cell."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def print_whole(console: Console, tables: Sequence[Table]) -> None:
    """The first of the tables that fits into the terminal; else the cells of the last one, a line for each."""
    for column in (column for table in tables for column in table.columns):
        column.no_wrap = True
    unbounded = console.options.update(max_width=1 << 16)
    for table in tables:
        if console.measure(table, options=unbounded).maximum <= console.width:
            console.print(table)
            return
    say = partial(console.print, highlight=False, soft_wrap=True)
    last = tables[-1]
    say(str(last.title))
    head, *columns = last.columns
    for row, owner in enumerate(head.cells):
        say(f"{head.header}: {owner}")
        for column in columns:
            name = " ".join(str(column.header).split())
            say(f"  {name}  {list(column.cells)[row]}")
