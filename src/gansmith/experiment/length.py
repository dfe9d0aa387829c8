"""The length of a run, and the schedules that hang on it: each `Cooldown` becomes a `Decay` when the length is chosen.

From then on the experiment has absolute numbers of images, so that a run that is prolonged computes what it would have
computed: see docs/decisions/length.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gansmith.errors import OptionError
from gansmith.experiment.layers import Layer
from gansmith.experiment.schema import Experiment
from gansmith.schedules import Cooldown

_BY_HAND = ("arguments", "--set")  # layers that are one command


def with_absolute_schedules(experiment: Experiment, *, after: int = 0) -> Experiment:
    """The experiment with every cooldown as the decay that ends at its last image and begins at `after` or later."""
    plain = experiment.plain()
    absolute = _map(plain, lambda cooldown, _: cooldown.of_length(experiment.images, after=after).model_dump())
    return experiment if absolute == plain else Experiment.model_validate(absolute)


def with_recorded_schedules(experiment: Experiment, recorded: Experiment) -> Experiment:
    """The experiment with every cooldown as the decay that the run `recorded` has in its place, if it has one."""
    plain = experiment.plain()
    absolute = _map(plain, _decay_of, recorded.plain())
    return experiment if absolute == plain else Experiment.model_validate(absolute)


def with_one_length(experiment: Experiment, layers: Sequence[Layer]) -> Experiment:
    """The experiment of these layers with the length that the last of them says: a time, or a number of images (then
    `time` is None). Raises OptionError where one command says both."""
    by_hand = {name for layer in layers if layer.source in _BY_HAND for name in _lengths(layer)}
    if len(by_hand) > 1:
        raise OptionError(
            f"--time and --images both say how long to train: time = {experiment.plain()['time']}, "
            f"images = {experiment.images:,}. Leave one out"
        )
    named = next((names for layer in reversed(layers) if (names := set(_lengths(layer)))), {"time"})
    return experiment if "time" in named else experiment.model_copy(update={"time": None})


def _lengths(layer: Layer) -> Iterable[str]:
    return [name for name in ("time", "images") if layer.values.get(name) is not None]


def _decay_of(cooldown: Cooldown, recorded: Any) -> Any:
    """The recorded decay, where it is this cooldown's; else the cooldown."""
    own = cooldown.model_dump()
    same = isinstance(recorded, Mapping) and {"hold", "decay"} <= recorded.keys()
    same = same and all(recorded.get(name) == own[name] for name in ("start", "end", "shape"))
    return dict(recorded) if same else own


def _map(value: Any, change: Any, beside: Any = None) -> Any:
    """Nested plain values with each cooldown among them replaced by `change(cooldown, what is beside it)`."""
    if isinstance(value, Mapping):
        if {"start", "last"} <= value.keys():
            return change(Cooldown.model_validate(value), beside)
        other = beside if isinstance(beside, Mapping) else {}
        return {name: _map(part, change, other.get(name)) for name, part in value.items()}
    if isinstance(value, list):
        others = beside if isinstance(beside, list) and len(beside) == len(value) else [None] * len(value)
        return [_map(part, change, other) for part, other in zip(value, others, strict=True)]
    return value
