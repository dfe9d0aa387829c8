"""`gansmith blindtest`: can people tell its images from real ones, or which of two runs looks more real to them?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gansmith.cli.arguments import (
    Device,
    Force,
    Raw,
    Trust,
    echo,
    refuse_options,
    require_out,
    runs_or_zoo,
    trained_lines,
)
from gansmith.system.text import printable

if TYPE_CHECKING:
    pass

_OUT = "blindtest.html"
_OF_A_PAGE = ("out", "force", "against", "looks", "seed", "raw", "device", "trust")


def blindtest(
    context: typer.Context,
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN [RUN2]", help="a run, or RUN@CHECKPOINT; with --read, codes of people", callback=runs_or_zoo
        ),
    ],
    *,
    read: Annotated[bool, typer.Option("--read", help="check the codes of people, and add them up")] = False,
    out: Annotated[str | None, typer.Option(help="the page, an .html file  [default: blindtest.html]")] = None,
    force: Force = False,
    against: Annotated[str | None, typer.Option(help="real images to mix in  [default: what the run held out]")] = None,
    looks: Annotated[int, typer.Option(help="images, or pairs, that a person sees")] = 40,
    seed: Annotated[int, typer.Option(help="of the order and of what is drawn")] = 0,
    raw: Raw = False,
    device: Device = "auto",
    trust: Trust = False,
) -> None:
    """Write a page on which people say real or made; of two runs, which looks more real. It needs no server.

    At its end the page shows the share of wrong answers with its interval, and a code. Codes are added up over people
    with gansmith blindtest --read CODE CODE ...
    """
    if read:
        from gansmith.evaluation.blind.words import summary

        refuse_options(context, _OF_A_PAGE, "--read takes codes alone")
        echo("\n".join(summary(runs)))
        return
    from gansmith.errors import OptionError
    from gansmith.evaluation.blind.page import page
    from gansmith.judge.blind_test import blind_test
    from gansmith.judge.compare.contenders import parse
    from gansmith.runs.folder import image_folders
    from gansmith.runs.run import Run
    from gansmith.system.console import say
    from gansmith.system.files import write_text

    if out is not None and Path(out).suffix.lower() not in (".html", ".htm"):
        raise OptionError(f"{out} is no page: name a file that ends in .html")
    places = [parse(run) for run in runs]
    data = [folder for path, _ in places for folder in image_folders(path)]
    path = require_out(out, _OUT, force=force, data=[*data, *([Path(against)] if against else [])])
    trained = [
        line
        for place, checkpoint in places
        for line in trained_lines(Run(place, trust=trust), checkpoint=checkpoint, raw=raw)
    ]
    test = blind_test(runs, against=against, looks=looks, seed=seed, raw=raw, device=device, trust=trust)
    say(*trained)
    if test.reals and "held out of" not in test.reals:
        echo(f"note: the real images were {test.reals}")
    write_text(path, page(test), replace=force)
    echo(
        f"test {test.test}: {looks} looks, {test.kind}. Open the page in any browser, or send it to people; its "
        f"answers are hidden from a glance only.\nthen: gansmith blindtest --read CODE CODE ...\n-> {printable(path)}"
    )
