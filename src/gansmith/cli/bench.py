"""`gansmith bench`: how fast this machine trains, and what our engine costs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gansmith.speed.benchmark import Report, Spread


def bench(
    recipe: Annotated[str | None, typer.Option(help="a recipe's name, or a YAML file of one's own")] = "dcgan",
    size: Annotated[
        str | None, typer.Option(help="64, or height x width: 48x64  [default: the recipe's, or 64]")
    ] = None,
    channels: Annotated[int | None, typer.Option(help="1, 3 or 4  [default: the recipe's, or 3]")] = None,
    batch: Annotated[int | None, typer.Option(help="images per step  [default: the recipe's]")] = None,
    precision: Annotated[str | None, typer.Option(help="float32 or bfloat16")] = None,
    threads: Annotated[int | None, typer.Option(help="of the CPU; torch's choice when not given")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:1, mps")] = None,
    seconds: Annotated[float, typer.Option(help="how long to measure, about")] = 20.0,
    assignments: Annotated[list[str] | None, typer.Option("--set", help="any field: generator.width=32")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="everything measured, as JSON")] = False,
) -> None:
    """Measure a recipe's training step on synthetic images: rate, share of the machine's peak, memory, overhead.

    The same step written by hand in plain PyTorch and the textbook's loop run beside it, from equal weights on equal
    images. Exit status 1 when their losses differ.
    """
    from gansmith.runs.train import experiment_from
    from gansmith.speed.benchmark import measure

    experiment, _ = experiment_from(
        recipe=recipe,
        assignments=assignments or (),
        size=size,
        channels=channels,
        batch=batch,
        precision=precision,
        threads=threads,
        device=device,
    )
    report = measure(experiment, seconds=seconds)
    typer.echo(json.dumps(report.plain(), indent=2) if as_json else table(report))
    if report.comparison is not None and not report.comparison.equal:
        raise typer.Exit(1)


def table(report: Report) -> str:
    """The report in a dozen lines."""
    facts, experiment = report.machine, report.experiment
    device = "" if facts["device"] == "cpu" else f" with {facts['device']}"
    data, peaks = experiment["data"], report.peak_operations_per_second
    best = max(peaks, key=lambda name: peaks[name])
    lines = [
        f"{facts['processor']}{device}, {facts['cores']} cores, {facts['threads']} used, "
        f"torch {facts['torch']}, gansmith {facts['gansmith']}",
        f"{experiment['recipe'] or 'no recipe'}: {data['size']} with {data['channels']} channels, "
        f"batch {experiment['batch']}, {experiment['precision']}, {experiment['memory_format']}",
        "",
        f"rate      {report.images_per_second:,.1f} images/s, {_milliseconds(report.step_seconds)}",
        f"work      {report.operations_per_step / 1e9:,.2f} GFLOP a step, "
        f"{report.operations_per_second / 1e9:,.1f} GFLOP/s: "
        f"{report.share_of_peak:.0%} of this machine's peak ({best}, {peaks[best] / 1e9:,.0f} GFLOP/s)",
        f"memory    {report.memory_peak / 2**20:,.0f} MiB at the peak, grew by {report.memory_growth / 2**20:.1f} MiB "
        f"over {report.growth_steps} steps",
    ]
    compared = report.comparison
    if compared is None:
        return "\n".join([*lines, f"plain     not compared: {report.not_compared}"])
    overhead, speedup = compared.overhead, compared.speedup
    return "\n".join(
        [
            *lines,
            f"by hand   {_milliseconds(compared.seconds['by hand'])}; "
            f"ours takes {overhead.median:.3f} times as long ({overhead.least:.3f} to {overhead.most:.3f})",
            f"textbook  {_milliseconds(compared.seconds['textbook'])} in float32; "
            f"ours is {speedup.median:.2f} times as fast ({speedup.least:.2f} to {speedup.most:.2f})",
            *_losses(compared.losses, compared.equal, compared.tolerance),
        ]
    )


def _milliseconds(spread: Spread) -> str:
    low, middle, high = (1e3 * seconds for seconds in (spread.least, spread.median, spread.most))
    return f"{middle:,.2f} ms a step ({low:,.2f} to {high:,.2f}, {spread.n} rounds)"


def _losses(losses: dict[str, list[list[float]]], equal: bool, tolerance: float) -> list[str]:
    steps = len(losses["gansmith"])
    verdict = (
        f"equal to {tolerance:.1%}" if equal else f"DIFFERENT by more than {tolerance:.1%}: the times do not compare"
    )
    lines = [f"losses    of the first {steps} steps (discriminator / generator): {verdict}"]
    for name, values in losses.items():
        pairs = "   ".join(f"{first:.5f} / {second:.5f}" for first, second in values)
        lines.append(f"          {name:<9} {pairs}")
    return lines
