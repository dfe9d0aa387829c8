"""`gansmith train`: from a folder of images to a trained model."""

from __future__ import annotations

from typing import Annotated

import typer

from gansmith.cli.arguments import Ruler, echo, parse_freeze
from gansmith.cli.closing import print_end
from gansmith.cli.several import Processes, Restarts, in_several, planned
from gansmith.errors import ExperimentError, OptionError

Where = Annotated[str | None, typer.Argument(help="folder, zip or file of images, or a built-in dataset (digits)")]

From = Annotated[
    str | None, typer.Option("--from", help="begin with the weights of a run, a model/ folder or one of the zoo")
]
Freeze = Annotated[
    list[str] | None, typer.Option(help="layers that stay as they begin, with --from: generator.first=2")
]
Full = Annotated[bool, typer.Option("--full", help="with --dry-run: all settings, and where each comes from")]

_OTHERWISE = ("assignments", "ruler", "dry_run", "full", "processes", "max_restarts")  # options that are no fields


def train(
    context: typer.Context,
    path: Where = None,
    recipe: Annotated[str | None, typer.Option(help="a recipe's name, or a YAML file of one's own")] = None,
    size: Annotated[str | None, typer.Option(help="64, or height x width: 48x64")] = None,
    channels: Annotated[int | None, typer.Option(help="1 grey, 3 RGB, 4 RGBA")] = None,
    fraction: Annotated[float | None, typer.Option(help="use this share of the images")] = None,
    images: Annotated[str | None, typer.Option(help="how long: 50000, 500k, 1M real images drawn")] = None,
    time: Annotated[str | None, typer.Option(help="how long, instead: 90s, 15m, 1h30m of this machine's time")] = None,
    batch: Annotated[int | None, typer.Option(help="images per step")] = None,
    seed: Annotated[int | None, typer.Option(help="of everything random")] = None,
    out: Annotated[str | None, typer.Option(help="the run folder; runs/DATA-RECIPE when not given")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:1, mps")] = None,
    precision: Annotated[str | None, typer.Option(help="float32 or bfloat16")] = None,
    workers: Annotated[int | None, typer.Option(help="processes that decode images")] = None,
    flip: Annotated[bool | None, typer.Option("--flip/--no-flip", help="mirror left to right at random")] = None,
    holdout: Annotated[str | None, typer.Option(help="share of the images kept for judging: 0.1, or auto")] = None,
    holdout_by: Annotated[str | None, typer.Option(help="similar, class, file, or name:REGEX")] = None,
    skip_unreadable: Annotated[bool | None, typer.Option("--skip-unreadable", help="leave broken images out")] = None,
    checkpoint_every: Annotated[str | None, typer.Option(help="in images: 50k")] = None,
    samples_every: Annotated[str | None, typer.Option(help="in images: 20k")] = None,
    start_from: From = None,
    freeze: Freeze = None,
    objective: Annotated[str | None, typer.Option(help="an objective's name")] = None,
    augment: Annotated[str | None, typer.Option(help="of what the discriminator reads: diffaugment, ada")] = None,
    config: Annotated[str | None, typer.Option(help="a YAML file of settings")] = None,
    assignments: Annotated[list[str] | None, typer.Option("--set", help="any field: generator.width=32")] = None,
    tensorboard: Annotated[bool | None, typer.Option("--tensorboard", help="write records for TensorBoard")] = None,
    auto: Annotated[bool, typer.Option("--auto", help="augmentation and length within --images as it needs")] = False,
    processes: Processes = None,
    max_restarts: Restarts = 0,
    ruler: Ruler = True,
    trust: Annotated[bool, typer.Option("--trust", help="import code that a file names from outside gansmith")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be done, and what it would take")] = False,
    full: Full = False,
) -> None:
    """Train on images; the same command again continues the run.

    Later settings win: defaults, recipe, --config, GANSMITH_... in the environment, options, --set.
    """
    if full and not dry_run:
        raise OptionError("--full shows more of --dry-run, and does nothing without it: add --dry-run, or leave it out")
    dry = planned(processes, max_restarts) if dry_run else None
    if dry is None and (dry_run or in_several(context, processes, max_restarts)):
        return
    from gansmith.runs.dry_run import dry_run_report
    from gansmith.runs.folder import folder_of
    from gansmith.runs.train import experiment_from
    from gansmith.runs.training import train_run

    settings = {name: value for name, value in context.params.items() if name not in _OTHERWISE}
    settings |= {"freeze": parse_freeze(freeze or ())}
    experiment, sources = experiment_from(**settings, assignments=assignments or (), choose_recipe=True)
    if path is None and "data.path" not in sources:
        raise ExperimentError("which images? gansmith train PATH, a folder, a zip, or a built-in set such as digits")
    if dry is not None:
        echo(dry_run_report(experiment, sources, full=full, processes=dry))
        return
    train_run(experiment)
    print_end(folder_of(experiment), ruler=ruler)
