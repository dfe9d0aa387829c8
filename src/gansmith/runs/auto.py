"""What a training changes by itself: the probability of its augmentation, and where it ends within its length.

Both are decided at fixed counts of images, from the state of that moment and the checks before it. The probability is
part of the game's state, and so of each checkpoint; the end is computed from the records. A run that was killed at any
moment, and resumed, decides the same. Each decision is a record of `events.jsonl`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gansmith import catalog
from gansmith.augment.diffaugment import DiffAugment
from gansmith.evaluation.number_format import number
from gansmith.experiment.assemble import Assembly
from gansmith.experiment.layers import Layer
from gansmith.experiment.schema import Experiment
from gansmith.pretrained.weights import weights_are_here
from gansmith.runs.monitor import Monitor
from gansmith.runs.notices import Notice, settled

FEATURES = "mobilenet"  # of the checks
SETTLED = 6  # checks: 150,000 images as they are taken without other settings
ADAPT_EVERY = 5_000  # images
_SAID = (0.0, 0.5, 1.0)  # probabilities whose crossing is said; each change is recorded


def auto_layer(experiment: Experiment, sources: Mapping[str, str]) -> Layer | None:
    """The settings of `--auto` that no other layer names; None for a game whose samples nothing here measures.

    >>> auto_layer(Experiment(), {"stop.settled": "a file"}).values
    {'augment': {'name': 'diffaugment', 'adapt_every': 5000}}
    """
    if experiment.game.name != "two_player" or experiment.data.other is not None:
        return None
    values: dict[str, Any] = {}
    if not any(path.partition(".")[0] == "augment" for path in sources):
        values["augment"] = {"name": "diffaugment", "adapt_every": ADAPT_EVERY}
    if "stop.settled" not in sources:
        values["stop"] = {"settled": SETTLED}
    return Layer("--auto", values)


def auto_words(layer: Layer | None, experiment: Experiment) -> str:
    """What `--auto` can change in this experiment, which has its layer, and what it cannot, in one line.

    >>> plain = Experiment()
    >>> auto_words(auto_layer(plain, {}), plain).startswith("--auto: the augmentation diffaugment begins at 0")
    True
    """
    if layer is None:
        return (
            f"--auto changes nothing here: it knows no game but that of images of one kind, not {experiment.game.name}"
        )
    augment, taken = experiment.augment, "augment" in layer.values
    if taken:
        words = "the augmentation diffaugment begins at 0 and grows as far as training images are known by heart"
    elif augment is None:
        words = "the augmentation stays off, as set"
    elif augment.options.get("adapt_every"):
        words = f"the augmentation {augment.name} adapts as set"
    else:
        adapting = "adapt_every" in catalog.keyword_options(catalog.find("augment", augment.name))
        other = f" (one that adapts: --set augment.adapt_every={ADAPT_EVERY})" if adapting else ""
        words = f"the augmentation {augment.name} stays as set{other}"
    count = experiment.stop.settled
    if not count or not experiment.checks.every:
        return f"--auto: {words}; so does the length, as stop.settled or checks.every is 0"
    images = int(count * experiment.checks.every)
    return (
        f"--auto: {words}; the training ends early once {count} checks ({images:,} images) bring the ruler no "
        f"lower{_needs()}"
    )


def _needs() -> str:
    """What the ruler of a training needs and this machine lacks; nothing where it is here."""
    if weights_are_here(FEATURES):
        return ""
    return f"; without features, as here, it does not: gansmith features install {FEATURES}"


def settled_reason(records: Iterable[Mapping[str, Any]], experiment: Experiment) -> str | None:
    """Why a training with these records ends here, by `stop.settled`; or None."""
    count = experiment.stop.settled
    checks = [record for record in records if "signs" in record]
    if not count or not settled(checks, count):
        return None
    best = min((check for check in checks if "check/ruler" in check), key=lambda check: check["check/ruler"])
    lowest, images = best["check/ruler"], number(best["images"])
    return f"the ruler reached no lower in {count} checks than {lowest:.2f} at {images} images"


class Augmentation:
    """The probability of an augmentation that adapts; `due` never for any other."""

    def __init__(self, parts: Assembly, monitor: Monitor) -> None:
        augment = parts.game.state.get("augment")
        self._augment = augment if isinstance(augment, DiffAugment) else None
        self._every = 0 if self._augment is None else self._augment.adapt_every
        self._monitor = monitor

    def due(self, before: int, images: int) -> bool:
        """Did the clock pass a count at which it is decided?"""
        return bool(self._every) and before // self._every < images // self._every

    def decide(self) -> tuple[dict[str, float], Notice | None]:
        """What is recorded of the decision, and what is said of it."""
        assert self._augment is not None
        before, told = self._augment.p, self._monitor.measure().get("told_apart")
        now = self._augment.decide(told)
        values = {"auto/augment": now} | ({} if told is None else {"auto/told_apart": told})
        return values, _notice(before, now, told)


def _notice(before: float, now: float, told: float | None) -> Notice | None:
    crossed: Sequence[float] = [mark for mark in _SAID if (before < mark <= now) or (now <= mark < before)]
    if before == 0 < now or crossed:
        why = "too few images are held out to see whether it overfits"
        if told is not None:
            why = f"it scores training images above held-out ones in {100 * told:.0f} of 100 pairs (50 by chance)"
        return Notice("augment", f"the discriminator sees {100 * now:.0f} % of the images changed from here on: {why}.")
    return None
