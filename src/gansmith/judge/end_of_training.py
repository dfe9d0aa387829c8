"""What the end of a training says in lines: how good the samples are, where the sheet is, and the one next step."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gansmith.errors import GansmithError, OptionError
from gansmith.evaluation.audit.advice import Step
from gansmith.evaluation.number_format import for_terminals, number
from gansmith.evaluation.types import Number
from gansmith.experiment.with_data import with_data
from gansmith.judge.next_step import next_step
from gansmith.judge.ruler_at_the_end import FEATURES, SECONDS, AtTheEnd, TooSlowError, ruler_at_the_end
from gansmith.judge.run_facts import run_facts
from gansmith.runs.run import Run
from gansmith.system.paths import shell_word
from gansmith.system.text import printable, wrapped

INSTALL = f"gansmith features install {FEATURES}"


def end_of_training(path: Path, *, seconds: float = SECONDS) -> list[str]:
    """The lines of a run of images of one kind; none of a run that translates or classifies. Raises GansmithError for a
    run that cannot be read."""
    run = Run(path)
    experiment = run.experiment
    if "generator" not in run.players or experiment.game.name != "two_player" or experiment.data.other is not None:
        return []
    facts = run_facts(run, distinct=_training_images(run))
    if facts is None:
        return []
    measured: AtTheEnd | None = None
    try:
        measured = ruler_at_the_end(path, seconds=seconds)
        lines = [wrapped(f"how good: {_words(measured)}")]
    except OptionError:
        lines = [f"how good: not measured; that needs the features of a network, once: {INSTALL}"]
    except TooSlowError as error:
        lines = [f"how good: not measured, {error}: gansmith evaluate {shell_word(path)} --quick"]
    except GansmithError as error:
        lines = [f"how good: not measured: {error}"]
    checks = [record for record in run.records if "signs" in record]
    if measured is None and checks and "check/ruler" in checks[-1]:
        lines.append(wrapped(f"by the last check: {_of_check(checks[-1])}"))
    sheets = sorted((path / "samples").glob("*.png"))
    if sheets:
        lines.append(f"look at: {printable(sheets[-1])}")
    return [*(for_terminals(line) for line in lines), as_line(next_step(facts, checks, measured))]


def as_line(step: Step) -> str:
    """The step as text that begins with `next:`.

    >>> print(as_line(Step("quality", "Continue.", "It is early.", ("gansmith resume runs/a",), "1 hour")))
    next: Continue. It is early.
      gansmith resume runs/a
      cost: 1 hour
    """
    return for_terminals(step.as_text("next: "))


def _training_images(run: Run) -> int:
    """How many there are; the images are prepared, and read from the cache."""
    return len(with_data(run.experiment)[1].train)


def _words(measured: AtTheEnd) -> str:
    words = []
    if measured.ruler is not None:
        ruler = measured.ruler
        words.append(
            f"{ruler.samples.value:.2f}{_range(ruler.samples)} on the ruler: 0 is as good as real images that were "
            f"held out, 1 as bad as real images {ruler.unit_name}."
        )
    layout = measured.layout
    if layout is not None and layout.held_out is not None and not layout.unclear:
        words.append(
            f"{100 * layout.samples.value:.0f} of 100 samples have their parts in their places, of held-out images "
            f"{100 * layout.held_out.value:.0f}."
        )
    if not words:
        return "not measured: there are too few images, or they are textures."
    return f"{' '.join(words)} (By {measured.samples} samples.)"


def _of_check(check: Mapping[str, Any]) -> str:
    words = (
        f"{check['check/ruler']:.2f} on the ruler (0: as good as real images, 1: as bad as real images cut into tiles "
        f"and shuffled) after {number(check['images'])} images"
    )
    if "check/layout" in check:
        words += f"; {100 * check['check/layout']:.0f} of 100 samples have their parts in their places"
    return f"{words}."


def _range(number: Number) -> str:
    return "" if number.low is None or number.high is None else f" ({number.low:.2f} to {number.high:.2f})"
