"""`gansmith arithmetic`: means of latents, added and taken away."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gansmith.cli.arguments import Checkpoint, Device, Label, Raw, RunPath, Trust, print_written


def arithmetic(
    run: RunPath,
    *,
    plus: Annotated[list[str], typer.Option(help="seeds whose mean is added: 1,4,9; may be repeated")],
    minus: Annotated[
        list[str] | None, typer.Option(help="seeds whose mean is taken away: 2,3,5; may be repeated")
    ] = None,
    out: Annotated[Path, typer.Option(help="an image file: .png, .jpg or .webp")] = Path("arithmetic.png"),
    raw: Raw = False,
    checkpoint: Checkpoint = None,
    label: Label = None,
    device: Device = "auto",
    trust: Trust = False,
) -> None:
    """Add and subtract what images have in common: --plus 1,4,9 --minus 2,3,5 --plus 7,8,6.

    Each row of the sheet shows the images of one term and their mean; the result stands alone in the last.
    """
    from gansmith.latent.arithmetic import Term
    from gansmith.latent.arithmetic import latent_arithmetic as add_up
    from gansmith.latent.seeds import parse_seeds
    from gansmith.runs.run import Run

    terms = [Term(1, tuple(parse_seeds(seeds))) for seeds in plus]
    terms += [Term(-1, tuple(parse_seeds(seeds))) for seeds in minus or []]
    renderer = Run(run, trust=trust).renderer(raw=raw, checkpoint=checkpoint, device=device)
    result = add_up(renderer, terms, label=label)
    print_written(result.save(out, numbered=True), "images", len(result))
