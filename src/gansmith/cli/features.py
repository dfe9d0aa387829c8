"""`gansmith features install`: the published weights of a feature extractor, into the cache."""

from __future__ import annotations

from typing import Annotated

import typer

from gansmith.cli.group import Group

app = typer.Typer(cls=Group, help="Get the published weights of feature extractors.", no_args_is_help=True)


@app.callback()
def root() -> None:
    """Get the published weights of feature extractors (gansmith list features says which are here)."""


@app.command()
def install(
    name: Annotated[str, typer.Argument(metavar="NAME", help="an extractor: mobilenet, inception, dinov2, vgg")],
    network: Annotated[str | None, typer.Option(help="of dinov2: small, base or large  [default: small]")] = None,
) -> None:
    """Download the one file that an extractor reads, check its sha256, and put it where evaluate looks.

    Nothing is installed, imported or executed. Without a network it prints the steps by hand.
    """
    from gansmith import catalog
    from gansmith.errors import OptionError, unknown
    from gansmith.evaluation.download import download
    from gansmith.pretrained.weights import Published

    stated = catalog.stated("features", name, "WEIGHTS", None)
    if stated is None:
        raise OptionError(f"the extractor {name} reads no published weights: there is nothing to install for it")
    if isinstance(stated, Published):
        if network is not None:
            raise OptionError(f"--network {network} cannot be used here: {name} has one network. Leave it out")
        published = stated
    else:
        chosen = network or next(iter(stated))
        if chosen not in stated:
            raise OptionError(unknown(f"network of {name}", chosen, stated))
        published = stated[chosen]
    path = download(published)
    typer.echo(f"{published.file}, sha256 {published.sha256[:16]}... as published -> {path}")
    typer.echo(f"next: gansmith evaluate RUN --features {name}")
