"""Checks of a training at fixed counts of images: what goes wrong, in words, and what to paste against it.

Each is measured from the state of that moment alone (weights, fixed latents, fixed real images), and judged by the
checks before it, which are in the run's records: a run that was killed and resumed says the same words. It draws no
random number that a step reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gansmith import catalog
from gansmith.data.subsets import random_subset
from gansmith.errors import GansmithError
from gansmith.evaluation.audit.run_facts import RunFacts
from gansmith.evaluation.short_ruler import HELD_OUT, ShortRuler, chosen, short_ruler
from gansmith.evaluation.types import Extractor, Images
from gansmith.experiment.assemble import Assembly
from gansmith.records.images import to_uint8
from gansmith.runs.auto import FEATURES, Augmentation, settled_reason
from gansmith.runs.default_recipe import best_recipe
from gansmith.runs.monitor import Monitor, evaluation_mode
from gansmith.runs.notices import Notice, PlayersFacts, notices
from gansmith.runs.own_networks import own_networks
from gansmith.runs.sample_inputs import sample_inputs
from gansmith.runs.start import start_for
from gansmith.runs.training_state import players_in_use
from gansmith.system.seeding import mix

SAMPLES = 64
SIZE = 64  # pixels that images are brought to: five times as fast as 112, and tells as well (docs/training.md)
FIELDS = ("ruler", "layout", "real_layout", "told_apart", "spread")


class Checks:
    """Call `records` after each step. past: the records of the run so far."""

    def __init__(self, parts: Assembly, folder: Path, monitor: Monitor, past: Iterable[Mapping[str, Any]] = ()) -> None:
        self.parts, self.every, self._monitor = parts, int(parts.experiment.checks.every), monitor
        self._folder, self._augmentation = folder, Augmentation(parts, monitor)
        self.history = [dict(record) for record in past if "signs" in record]
        self._measure: Callable[[], dict[str, float]] | None = None

    def records(self, before: int, images: int, step: int) -> Iterator[dict[str, Any]]:
        """What is due after a step that took the clock from `before` to `images`: the record of a decision, that of a
        check, both or none."""
        if self._augmentation.due(before, images):
            values, notice = self._augmentation.decide()
            said = {} if notice is None else {"notices": [notice.record()]}
            yield {"step": step, "images": images, **values, **said}
        if self.due(before, images):
            yield self.check(step=step, images=images)

    def due(self, before: int, images: int) -> bool:
        """Did the clock pass a count at which a check is due?"""
        return bool(self.every) and before // self.every < images // self.every

    def reason(self) -> str | None:
        """Why the training ends here, by `stop.settled`; or None."""
        return settled_reason(self.history, self.parts.experiment)

    def check(self, *, step: int, images: int) -> dict[str, Any]:
        """A record: what was measured as `check/...`, the signs that stand, and the notices that are new with it."""
        if self._measure is None:
            self._measure = _measurement(self.parts)
        values = {**self._monitor.measure(), **self._measure()}
        record: dict[str, Any] = {"step": step, "images": images}
        record |= {f"check/{name}": values[name] for name in FIELDS if name in values}
        facts = facts_of(self.parts, self._folder, images)
        standing = notices([*self.history, record], facts, players_facts(self.parts))
        before = set(self.history[-1]["signs"]) if self.history else set()
        record["signs"] = [notice.sign for notice in standing]
        record["notices"] = [notice.record() for notice in standing if notice.again or notice.sign not in before]
        self.history.append(record)
        return record


def facts_of(parts: Assembly, folder: Path, images: int) -> RunFacts:
    """What the run knows of itself, for the commands that a notice names. Without its seconds, which no resumed run
    has again."""
    settings = parts.experiment.plain()
    generator = settings.get("generator") or {}
    size = parts.experiment.data.size
    return RunFacts(
        path=str(folder),
        data=parts.experiment.data.path,
        images=images,
        asked=parts.experiment.images,
        distinct=len(parts.data.train),
        recipe=parts.experiment.recipe,
        best_recipe=best_recipe(  # as it was chosen
            len(parts.data.train) + len(parts.data.holdout or ()), parts.experiment.time
        ),
        time=parts.experiment.time,
        size="" if size is None else "x".join(map(str, size)),
        upsample=generator.get("upsample"),
        width=generator.get("width"),
        augment=(settings.get("augment") or {}).get("name"),
        flip=parts.experiment.data.flip,
        zoo=start_for(parts.experiment),
    )


def said(record: Mapping[str, Any]) -> list[str]:
    """The lines of a check's record for a person, what to paste below what it is for."""
    return [line for values in record.get("notices", ()) for line in Notice(**values).lines()]


def players_facts(parts: Assembly) -> PlayersFacts:
    """The learning rates of this moment, and the sizes of the networks."""
    adams = [part.optimizer for part in parts.optimizers.values() if type(part.optimizer).__name__.startswith("Adam")]
    weights = {
        role: sum(p.numel() for name, network in parts.game.players.items() if parts.roles[name] == role
                  for p in network.parameters())
        for role in ("generator", "discriminator")
    }  # fmt: skip
    return PlayersFacts(
        rate=max((float(group["lr"]) for adam in adams for group in adam.param_groups), default=0.0),
        share=weights["generator"] / weights["discriminator"] if weights["discriminator"] else 1.0,
    )


def extractor_here(device: torch.device) -> Extractor | None:
    """The extractor of the checks; None where its weights are not on this machine."""
    with suppress(GansmithError):
        extractor: Extractor = catalog.build("features", FEATURES, device=str(device), size=SIZE)
        return extractor
    return None


def _measurement(parts: Assembly) -> Callable[[], dict[str, float]]:
    """Measures the samples of a game that makes images of one kind, where there are features; else nothing."""
    nothing: Callable[[], dict[str, float]] = dict
    game, data = parts.game, parts.data
    if game.show is None or "generator" not in game.players or data.other is not None or data.points:
        return nothing
    if FEATURES in own_networks(parts.experiment):  # what it trains on does not check it; another takes too long
        return nothing
    extractor = extractor_here(parts.device)
    if extractor is None:
        return nothing
    ruler = _short_ruler(parts, extractor)
    if ruler is None:
        return nothing
    inputs, show = sample_inputs(parts, SAMPLES), game.show

    def measure() -> dict[str, float]:
        players = players_in_use(parts)
        with torch.no_grad(), evaluation_mode(players):
            samples = to_uint8(show(players, inputs).float())
        with suppress(GansmithError):  # numbers that ran over: the next record says so
            values = ruler.of(samples)
            return values | ({"real_layout": round(ruler.real, 4)} if "layout" in values else {})
        return {}

    return measure


def _short_ruler(parts: Assembly, extractor: Extractor) -> ShortRuler | None:
    data = parts.data
    train = _images(data.train, chosen(len(data.train)))
    held_out = None
    if data.holdout is not None and len(data.holdout) >= HELD_OUT:
        rng = np.random.default_rng(mix(0, "short ruler"))
        held_out = _images(data.holdout, random_subset(len(data.holdout), HELD_OUT, rng))
    with suppress(GansmithError):
        return short_ruler(train, held_out, extractor)
    return None


def _images(dataset: Any, indices: Any) -> Images:
    images: Images = np.ascontiguousarray(dataset[np.sort(indices)].image)
    return images[np.argsort(np.argsort(indices))]
