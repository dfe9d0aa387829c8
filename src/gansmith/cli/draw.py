"""`gansmith draw`: the networks of a run as SVG."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gansmith.cli.arguments import Force, RunPath, Trust, echo, require_out
from gansmith.system.text import printable


def draw(
    run: RunPath,
    out: Annotated[
        Path | None, typer.Option(help="the folder for PLAYER.svg, one for each network  [default: drawing]")
    ] = None,
    force: Force = False,
    trust: Trust = False,
) -> None:
    """Draw each network of a run with the shapes at every layer (needs the extra `draw`, and Graphviz)."""
    from gansmith.records import graph
    from gansmith.runs.run import Run
    from gansmith.system.outputs import inside

    opened = Run(run, trust=trust)
    files = inside(*(f"{player}.svg" for player in opened.players))
    folder = require_out(out, "drawing", files, force=force)
    for player in opened.players:
        network, card = opened.network(player)
        path = graph.draw(network, folder / f"{player}.svg", dimensions=card.dimensions, role=card.role, force=force)
        echo(f"{player} -> {printable(path)}")
