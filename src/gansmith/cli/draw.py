"""`gansmith draw`: the networks of a run as SVG."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gansmith.cli.arguments import RunPath, Trust


def draw(
    run: RunPath,
    out: Annotated[Path, typer.Option(help="the folder for PLAYER.svg, one for each network")] = Path("drawing"),
    trust: Trust = False,
) -> None:
    """Draw each network of a run with the shapes at every layer (needs the extra `draw`, and Graphviz)."""
    from gansmith.records import graph
    from gansmith.runs.run import Run

    opened = Run(run, trust=trust)
    for player in opened.players:
        network, card = opened.network(player)
        path = graph.draw(network, out / f"{player}.svg", dimensions=card.dimensions, role=card.role)
        typer.echo(f"{player} -> {path}")
