"""`gansmith evaluate`: is it any good, did it copy, did it collapse?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gansmith.cli.arguments import (
    Checkpoint,
    Device,
    Force,
    Raw,
    Trust,
    echo,
    refuse_options,
    require_own_run,
    run_or_zoo,
    trained_lines,
)
from gansmith.cli.evaluation_lines import EvaluationLines
from gansmith.system.console import is_terminal, say
from gansmith.system.text import printable, wrapped

if TYPE_CHECKING:
    from gansmith.evaluation.audit.audit import Audit

_FOR_SAMPLES = (
    *("against", "holdout", "features", "classifier", "metrics", "samples", "repeats", "real", "raw", "checkpoint"),
    *("size", "skip_unreadable", "quick", "thorough", "assignments", "train_on_samples"),
)
_FOR_GENERATORS = (
    *("holdout", "features", "weights", "classifier", "metrics", "samples", "repeats", "real", "raw", "seed"),
    *("size", "skip_unreadable", "quick", "thorough", "assignments", "train_on_samples"),
)
_NOT_TAUGHT = (
    "against",
    "holdout",
    "classifier",
    "metrics",
    "repeats",
    "real",
    "size",
    "skip_unreadable",
    "quick",
    "thorough",
)
_OF_AUDIT = (
    *("against", "holdout", "features", "weights", "classifier", "samples", "repeats", "real", "checkpoint", "raw"),
    *("seed", "size", "skip_unreadable", "quick"),
)

Features = Annotated[str, typer.Option(help="gansmith list features; auto: the best whose weights are here")]
Weights = Annotated[str | None, typer.Option(help="the file of the features' weights, or a classification run")]
Beside = Annotated[
    list[Path] | None, typer.Option(help="of a run that translates: another, on the same pairs; may be repeated")
]


def evaluate(
    context: typer.Context,
    subject: Annotated[
        Path,
        typer.Argument(metavar="RUN", help="a run, or a folder, zip or .npy of generated images", callback=run_or_zoo),
    ],
    *,
    against: Annotated[str | None, typer.Option(help="the images it was trained on; a run's own if not given")] = None,
    holdout: Annotated[str | None, typer.Option(help="real images it was not trained on")] = None,
    features: Features = "auto",
    weights: Weights = None,
    assignments: Annotated[
        list[str] | None, typer.Option("--set", help="an option of the features: features.size=224")
    ] = None,
    classifier: Annotated[str | None, typer.Option(help="a classification run, to count classes")] = None,
    metrics: Annotated[str, typer.Option(help="measured beside the answers: fid,kid ... (gansmith list metrics)")] = "",
    quick: Annotated[bool, typer.Option("--quick", help="a first look alone, within a minute: 500 samples")] = False,
    thorough: Annotated[bool, typer.Option("--thorough", help="2,000 samples for each repeat")] = False,
    train_on_samples: Annotated[
        bool, typer.Option("--train-on-samples", help="of a conditional run: do its samples teach its classes?")
    ] = False,
    samples: Annotated[int, typer.Option(help="images to make for each repeat")] = 1000,
    repeats: Annotated[int, typer.Option(help="how often, each from other seeds")] = 3,
    real: Annotated[int, typer.Option(help="at most so many real images are compared")] = 10_000,
    size: Annotated[
        str | None, typer.Option(help="of image files of several sizes: bring them to 64, or 48x64")
    ] = None,
    skip_unreadable: Annotated[
        bool, typer.Option("--skip-unreadable", help="leave out images that cannot be decoded")
    ] = False,
    raw: Raw = False,
    checkpoint: Checkpoint = None,
    to: Annotated[str, typer.Option(help="of a run that translates: the direction to evaluate, a or b")] = "b",
    beside: Beside = None,
    seed: Annotated[int, typer.Option(help="of which real images are drawn, and of the tests")] = 0,
    device: Device = "auto",
    out: Annotated[Path | None, typer.Option(help="where the report goes; RUN/audit if not given")] = None,
    force: Force = False,
    trust: Trust = False,
) -> None:
    """Evaluate a run, or a folder of generated images: a verdict on five questions, as report.html and audit.json.

    A first look comes first, and is printed; the report and what is remembered of a run are of the whole audit.
    For a classification run: class error, top-5, confusion, AUC and the like on held-out images. For a
    run that translates: the distance to the true images of held-out pairs, L1 and, with its weights, LPIPS.
    """
    return _of_its_kind(context, context.params)


def _of_its_kind(context: typer.Context, given: dict[str, Any]) -> None:
    """Evaluate a classifier, a run that translates, or generated images."""
    from gansmith.judge import classifier as graders
    from gansmith.judge import translation
    from gansmith.runs.folder import is_run
    from gansmith.runs.run import Run

    subject: Path = given["subject"]
    if given["out"] is None:
        require_own_run(subject, "a report is kept in the run", "say where it is to lie, with --out DIR")
    beside = given["beside"] or ()
    common: dict[str, Any] = {name: given[name] for name in ("device", "out", "force", "trust")}
    translates, classifies = translation.translates(subject), graders.is_classifier(subject)
    if not translates:
        refuse_options(context, ("to", "beside"), f"{subject} is no run that translates")
    if classifies:
        refuse_options(context, _FOR_GENERATORS, f"{subject} is a classifier, and they are for generators only")
    elif translates:
        refuse_options(context, _FOR_SAMPLES, f"{subject} translates, and is compared with true pairs")
    runs = [Run(place, trust=given["trust"]) for place in (subject, *beside) if is_run(place)]
    trained = trained_lines(*runs, checkpoint=given["checkpoint"], raw=given["raw"])
    if classifies:
        grading = graders.evaluate(subject, against=given["against"], checkpoint=given["checkpoint"], **common)
        return tell(trained, grading.text, (), grading.folder)
    if translates:
        options = {name: given[name] for name in ("to", "weights", "seed")}
        likeness = translation.evaluate_translation(subject, beside=beside, **options, **common)
        return tell(trained, likeness.as_text(), likeness.notes, likeness.folder)
    return _audit(context, subject, trained, common)


def _audit(context: typer.Context, subject: Path, trained: Sequence[str], common: dict[str, Any]) -> None:
    """Ask the five questions about generated images, and print the answers."""
    from gansmith.judge import audit_files, audit_run, comparison

    given = context.params
    if given["train_on_samples"]:
        return _taught(context, subject, trained, common)
    if given["quick"]:
        refuse_options(context, ("thorough", "samples", "repeats"), f"--quick is a look at {comparison.FIRST} samples")
    if given["thorough"]:
        many = f"--thorough is {audit_run.THOROUGH:,} samples, {audit_run.REPEATS} times"
        refuse_options(context, ("samples", "repeats"), many)
    metrics = [name.strip() for name in given["metrics"].split(",") if name.strip()]
    chosen = {**{name: given[name] for name in _OF_AUDIT}, "options": _options(given["assignments"] or ())}
    if given["thorough"]:
        chosen |= {"samples": audit_run.THOROUGH}
    lines = EvaluationLines()
    live: dict[str, Any] = {} if is_terminal() else {"early": lines.answer, "progress": lines.progress}
    audit = audit_run.evaluate(subject, metrics=metrics, first_look=_print_first_look, **live, **chosen, **common)
    report = (given["out"] or subject / "audit") / (audit_files.FIRST_PAGE if given["quick"] else "report.html")
    return tell(trained, audit.as_text(), audit.notes[audit.above :], report, f"features: {audit.protocol.features}")


def _taught(context: typer.Context, subject: Path, trained: Sequence[str], common: dict[str, Any]) -> None:
    """Train a classifier on the samples of a conditional run, and print how well it does on real images."""
    from gansmith.judge import train_on_samples

    refuse_options(context, _NOT_TAUGHT, "--train-on-samples compares samples with the run's own images")
    given = context.params
    chosen = {name: given[name] for name in ("features", "weights", "samples", "raw", "checkpoint", "seed")}
    options = _options(given["assignments"] or ())
    taught = train_on_samples.evaluate(subject, **chosen, options=options, **common)
    return tell(trained, taught.as_text(), (), taught.file, f"features: {taught.protocol.features}")


def _options(assignments: Sequence[str]) -> dict[str, Any]:
    """`["features.size=224"]` -> {"size": 224}. Raises OptionError for what is no option of the features."""
    from gansmith.errors import OptionError
    from gansmith.experiment.sources import from_assignments

    values = dict(from_assignments(assignments).values)
    features = values.pop("features", {})
    if values or not isinstance(features, dict):
        raise OptionError(
            f"--set takes an option of the features here, as features.size=224, not {', '.join(assignments)}; "
            f"the features themselves are chosen with --features NAME"
        )
    return features


def _print_first_look(audit: Audit) -> None:
    say(f"first look, at {audit.counts['samples']:,} samples; the whole audit follows:", audit.as_text(), "")


def tell(trained: Sequence[str], text: str, notes: Sequence[str], place: Path, *lines: str) -> None:
    """Print how long the weights were trained, on standard error; then a result, the notes on it, further lines, and
    where it was written."""
    say(*trained)
    for line in (text, *(wrapped(f"note: {note}", indent=6) for note in notes), *map(wrapped, lines)):
        echo(line)
    echo(f"-> {printable(place)}")
