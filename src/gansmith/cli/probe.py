"""`gansmith probe`: are the classes of images in what a discriminator makes of them?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gansmith.cli.arguments import Checkpoint, Device, Force, RunPath, Trust, echo, trained_lines
from gansmith.cli.tables import print_whole
from gansmith.system.text import printable

if TYPE_CHECKING:
    from rich.table import Table

    from gansmith.evaluation.types import Number
    from gansmith.judge.linear_probe import Report


def probe(
    run: RunPath,
    *,
    data: Annotated[str, typer.Option(help="labelled images: a folder of folders, a CSV, digits ...")],
    player: Annotated[
        str | None, typer.Option(help="whose features  [default: the discriminator, else the classifier]")
    ] = None,
    images: Annotated[int, typer.Option(help="most images used")] = 2000,
    checkpoint: Checkpoint = None,
    seed: Annotated[int, typer.Option(help="of the images drawn, the split and the random networks")] = 0,
    random_networks: Annotated[int, typer.Option(help="how many untrained networks are the control")] = 3,
    out: Annotated[Path | None, typer.Option(help="everything measured, as FILE.json")] = None,
    force: Force = False,
    device: Device = "auto",
    trust: Trust = False,
) -> None:
    """A linear classifier on a network's features, beside the same on raw pixels and on random networks."""
    from rich.console import Console

    from gansmith.judge.linear_probe import probe as measure
    from gansmith.runs.run import Run
    from gansmith.system.console import say
    from gansmith.system.files import write_json
    from gansmith.system.outputs import require_output

    if out is not None:
        require_output(out, force=force, inputs=[Path(data)])
    trained = trained_lines(Run(run, trust=trust), checkpoint=checkpoint)
    report = measure(
        run,
        data,
        player=player,
        images=images,
        checkpoint=checkpoint,
        seed=seed,
        random_networks=random_networks,
        device=device,
        trust=trust,
    )
    say(*trained)
    console = Console(soft_wrap=False)
    print_whole(console, [table(report)])
    echo("\n".join(conclusions(report)))
    echo(f"protocol: {report.how}")
    if out is not None:
        write_json(out, report.record(), replace=force)
        echo(f"-> {printable(out)}")


def table(report: Report) -> Table:
    """Accuracies on the test part."""
    from rich.table import Table

    results = Table(title=f"accuracy on {len(report.parts.test):,} test images", title_justify="left")
    for column in ("features", "numbers\nan image", "accuracy", "95 % interval", "C"):
        results.add_column(column, justify="left" if column == "features" else "right")
    probes = {report.player: report.features}
    probes |= {f"random network {number}": one for number, one in enumerate(report.random)}
    probes |= dict(report.controls)
    for name, one in probes.items():
        accuracy = one.accuracy
        results.add_row(name, f"{one.dimensions:,}", f"{accuracy.value:.3f}", _range(accuracy), f"{one.cost:g}")
    results.add_row("always the commonest class", "0", f"{report.majority:.3f}", "", "")
    return results


def conclusions(report: Report) -> list[str]:
    """In words: better than each control, worse, or not to be told."""
    mean, spread = report.random_accuracy
    lines = [f"random networks: {mean:.3f} on average, standard deviation {spread:.3f} over {len(report.random)} seeds"]
    return lines + [sentence(report.player, control, gain) for control, gain in report.gains.items()]


def sentence(player: str, control: str, gain: Number) -> str:
    """What is known of the features against one control."""
    who, numbers = f"the {player}'s features", f"{gain.value:+.3f} ({_range(gain, '+.3f')})"
    if gain.low is not None and gain.low > 0:
        return f"{who} are better than {_the(control)}: {numbers}"
    if gain.high is not None and gain.high < 0:
        return f"{who} are worse than {_the(control)}: {numbers}"
    return f"{who} cannot be told from {_the(control)} by their accuracy: {numbers}"


def _the(control: str) -> str:
    return f"{control}s" if control.endswith("network") else control


def _range(number: Number, form: str = ".3f") -> str:
    return "" if number.low is None else f"{number.low:{form}} to {number.high:{form}}"
