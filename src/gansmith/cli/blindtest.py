"""`gansmith blindtest`: can people tell its images from real ones, or which of two runs looks more real to them?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gansmith.cli.arguments import Device, Force, Raw, Trust, echo, refuse_options, require_out, trained_lines
from gansmith.system.text import printable

if TYPE_CHECKING:
    from gansmith.evaluation.blind.tally import Tally
    from gansmith.evaluation.types import Number

_OUT = "blindtest.html"
_OF_A_PAGE = ("out", "force", "against", "looks", "seed", "raw", "device", "trust")


def blindtest(
    context: typer.Context,
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN [RUN2]", help="a run, or RUN@CHECKPOINT; with --read, codes of people")
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


def summary(codes: list[str]) -> list[str]:
    """What these codes say, each counted once. Raises OptionError for one that is no code, or not whole."""
    from gansmith.evaluation.blind.code import decode
    from gansmith.evaluation.blind.tally import tally

    sittings = [decode(code) for code in codes]
    once = list(dict.fromkeys(sittings))
    lines = [f"note: {len(sittings) - len(once)} given twice, counted once"] if len(once) < len(sittings) else []
    tallies = tally(once)
    if len(tallies) > 1:
        lines.append(f"note: these codes belong to {len(tallies)} different tests, which are not added up")
    return lines + [line for one in tallies for line in lines_of(one)]


def lines_of(tally: Tally) -> list[str]:
    """One test: the sum, the two ways to be wrong, the conclusion, and each person."""
    from gansmith.evaluation.blind.tally import conclusion

    people = f"{len(tally.people)} {'person' if len(tally.people) == 1 else 'people'}"
    guessing = tally.kind == "real or made"
    what = "wrong in" if guessing else "the first run chosen in"
    lines = [
        f"test {tally.test}, {tally.kind}: {people}, {tally.looks:,} looks",
        f"{what} {_percent(tally.rate)} of the looks (50 % is guessing)",
    ]
    for name, number in (("made taken for real", tally.made_for_real), ("real taken for made", tally.real_for_made)):
        if number is not None:
            lines.append(f"   {name}: {_percent(number)}")
    said = {
        "apart": "They can tell them apart.",
        "fooled": "The made ones look more real to them than the real ones.",
        "first": "The first run looks more real to them.",
        "second": "The second run looks more real to them.",
        "open": "These looks do not show that they can tell them apart."
        if guessing
        else "These looks do not show that one of the runs looks more real to them.",
    }
    assert tally.rate.low is not None
    assert tally.rate.high is not None
    lines.append(said[conclusion(tally.kind, tally.rate.low, tally.rate.high)])
    if tally.over_people is not None:
        lines.append(f"over people: {_percent(tally.over_people)}, which is about other people looking at these images")
    return lines + [f"person {number}: {_percent(one)}" for number, one in enumerate(tally.people, 1)]


def _percent(number: Number) -> str:
    assert number.low is not None
    assert number.high is not None
    return f"{100 * number.value:.0f} % ({100 * number.low:.0f} to {100 * number.high:.0f})"
