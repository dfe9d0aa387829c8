"""`gansmith evaluate`: is it any good, did it copy, did it collapse?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gansmith.cli import arguments as given

_FOR_SAMPLES = (
    *("against", "holdout", "features", "classifier", "metrics", "samples", "repeats", "real", "raw", "checkpoint"),
)
_FOR_GENERATORS = (
    *("holdout", "features", "weights", "classifier", "metrics", "samples", "repeats", "real", "raw", "seed"),
)


def evaluate(
    context: typer.Context,
    subject: Annotated[Path, typer.Argument(metavar="RUN", help="a run, or a folder, zip or .npy of made images")],
    *,
    against: Annotated[str | None, typer.Option(help="the images it was trained on; a run's own if not given")] = None,
    holdout: Annotated[str | None, typer.Option(help="real images it was not trained on")] = None,
    features: Annotated[
        str, typer.Option(help="gansmith list features; auto: the best whose weights are here")
    ] = "auto",
    weights: Annotated[
        str | None, typer.Option(help="the file of the features' weights, or a classification run")
    ] = None,
    classifier: Annotated[str | None, typer.Option(help="a classification run, to count classes")] = None,
    metrics: Annotated[str, typer.Option(help="measured beside the answers: fid,kid ... (gansmith list metrics)")] = "",
    samples: Annotated[int, typer.Option(help="images to make for each repeat")] = 2000,
    repeats: Annotated[int, typer.Option(help="how often, each from other seeds")] = 3,
    real: Annotated[int, typer.Option(help="at most so many real images are looked at")] = 10_000,
    raw: given.Raw = False,
    checkpoint: given.Checkpoint = None,
    to: Annotated[str, typer.Option(help="of a run that translates: the direction that is judged, a or b")] = "b",
    beside: Annotated[
        list[Path] | None, typer.Option(help="of a run that translates: another, on the same pairs; may be repeated")
    ] = None,
    seed: Annotated[int, typer.Option(help="of which real images are drawn, and of the tests")] = 0,
    device: given.Device = "auto",
    out: Annotated[Path | None, typer.Option(help="where the report goes; RUN/audit if not given")] = None,
    trust: given.Trust = False,
) -> None:
    """Judge a run, or a folder of made images: a verdict on five questions, as report.html and audit.json.

    A classification run is graded instead: class error, top-5, confusion, AUC and the like on held-out images. A run
    that translates is held against the true other images of held-out pairs: L1 and, with its weights, LPIPS.
    """
    from gansmith.judge import audit_run, translation
    from gansmith.judge.classifier import evaluate as grade
    from gansmith.judge.classifier import is_classifier

    translates = translation.translates(subject)
    if not translates:
        given.refuse(context, ("to", "beside"), f"{subject} is no run that translates")
    if is_classifier(subject):
        given.refuse(context, _FOR_GENERATORS, f"{subject} is a classifier, and only generators are judged with them")
        grading = grade(subject, against=against, checkpoint=checkpoint, device=device, out=out, trust=trust)
        typer.echo(grading.text)
        typer.echo(f"-> {grading.folder}")
        return
    if translates:
        given.refuse(context, _FOR_SAMPLES, f"{subject} translates, and what it makes is held against true pairs")
        likeness = translation.evaluate(
            subject, to=to, beside=beside or (), weights=weights, device=device, seed=seed, out=out, trust=trust
        )
        typer.echo(likeness.as_text())
        for note in likeness.notes:
            typer.echo(f"note: {note}")
        typer.echo(f"-> {likeness.folder}")
        return
    audit = audit_run.evaluate(
        subject,
        against=against,
        holdout=holdout,
        features=features,
        weights=weights,
        classifier=classifier,
        metrics=[name.strip() for name in metrics.split(",") if name.strip()],
        samples=samples,
        repeats=repeats,
        real=real,
        checkpoint=checkpoint,
        raw=raw,
        device=device,
        seed=seed,
        out=out,
        trust=trust,
    )
    typer.echo(audit.as_text())
    for note in audit.notes:
        typer.echo(f"note: {note}")
    typer.echo(f"judged by the features {audit.protocol.features}")
    typer.echo(f"-> {(subject / 'audit' if out is None else out) / 'report.html'}")
