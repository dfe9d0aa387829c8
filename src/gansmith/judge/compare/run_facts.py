"""Facts of compared runs: what each cost, what its audit said, and which of them are trainings of one experiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gansmith.errors import GansmithError
from gansmith.evaluation import intervals
from gansmith.evaluation.audit.audit import Audit, read
from gansmith.evaluation.types import Number
from gansmith.experiment.field_paths import flat
from gansmith.experiment.schema import MAY_CHANGE
from gansmith.judge.compare.contenders import Contender
from gansmith.runs.folder import is_run
from gansmith.system.paths import shell_word
from gansmith.system.progress import format_duration


@dataclass(frozen=True)
class RunFacts:
    """One run as the page tells of it.

    trained, time, machine, parameters  what it cost, in words; empty where nothing says
    audit    its audit; None where there is none that can be read
    missing  what is wrong with the audit, with the command that makes one; empty if nothing
    """

    name: str
    trained: str
    time: str
    machine: str
    parameters: str
    audit: Audit | None
    missing: str


def facts_of(contender: Contender) -> RunFacts:
    """Read from the run's folder; nothing is computed."""
    run, generator = contender.generator.run, contender.generator
    records: Sequence[Mapping[str, Any]] = []
    machine = ""
    if is_run(run.path):
        images = generator.trained_for.images
        records = [one for one in run.records if one.get("images", 0) <= images]
        if run.checkpoints.names():
            state = run.checkpoint(generator.checkpoint)
            machine = f"{state['device']}, {state['threads']} thread{'s' * (state['threads'] != 1)}"
    seconds = next((one["seconds"] for one in reversed(records) if "seconds" in one), None)
    count = sum(parameter.numel() for parameter in generator.network.parameters())
    audit, missing = _audit(contender)
    return RunFacts(
        contender.name,
        str(generator.trained_for),
        "" if seconds is None else format_duration(float(seconds)),
        machine,
        f"{count:,}",
        audit,
        missing,
    )


def _audit(contender: Contender) -> tuple[Audit | None, str]:
    path, checkpoint = contender.path, contender.generator.checkpoint
    command = f"gansmith evaluate {shell_word(path)}{'' if checkpoint is None else f' --checkpoint {checkpoint}'}"
    try:
        audit = read(path / "audit")
    except GansmithError:
        return None, f"no verdict yet: {command}"
    images = f"{contender.generator.trained_for.images:,}"
    judged = audit.facts.get("trained for", "").replace("\u202f", ",")
    if judged.split(" ")[0] != images:
        return None, f"the audit there is of weights after {judged or 'other images'}: {command}"
    averaging = contender.generator.averaging
    if audit.protocol.averaging != averaging:
        raw = " --raw" if averaging == "raw" else ""
        return (
            None,
            f"the audit there is of {audit.protocol.averaging} weights, not of {averaging} ones: {command}{raw}",
        )
    return audit, ""


def trainings(contenders: Sequence[Contender]) -> list[tuple[str, ...]]:
    """Names of runs that are trainings of one experiment by other seeds, to the same number of images; groups of at
    least two."""
    groups: dict[tuple[Any, ...], list[Contender]] = {}
    for one in contenders:
        if is_run(one.path):
            groups.setdefault(_experiment(one), []).append(one)
    seeds = {key: {one.generator.run.experiment.seed for one in group} for key, group in groups.items()}
    return [
        tuple(one.name for one in group)
        for key, group in groups.items()
        if len(group) > 1 and len(seeds[key]) == len(group)
    ]


def over_trainings(values: Sequence[float]) -> Number:
    """The mean of at least two trainings, with Student's interval over them."""
    low, high = intervals.mean(values)
    return Number(sum(values) / len(values), low, high, f"mean of {len(values)} trainings")


def _experiment(contender: Contender) -> tuple[Any, ...]:
    """What decides a run's results, but for its seed."""
    free = {*MAY_CHANGE, "seed", "data.path"}
    settings = dict(flat(contender.generator.run.experiment.plain()))
    kept = {path: value for path, value in settings.items() if not any(_within(path, name) for name in free)}
    return (contender.generator.trained_for.images, contender.generator.averaging, repr(sorted(kept.items())))


def _within(path: str, name: str) -> bool:
    return path == name or path.startswith(f"{name}.")
