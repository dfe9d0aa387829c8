"""What rank 0 decides between two steps, and all ranks follow: the end of the training by a rule or a time, and the
probability of an augmentation that adapts.

When there is something to decide follows from the images clock, which is the same on all ranks: no step asks for it in
vain. Ctrl-C and its like do not wait for that (`wishes.py`).
"""

from __future__ import annotations

from typing import Any

from gansmith.augment.diffaugment import DiffAugment
from gansmith.experiment.assemble import Assembly
from gansmith.runs.team import Team


class Agreements:
    """Call `due` after each step, and then `lead` on rank 0 and `follow` elsewhere.

    measuring: the length is not known yet, and each step may be the one after which it is.
    """

    def __init__(self, parts: Assembly, team: Team, *, measuring: bool = False) -> None:
        self.parts, self.team = parts, team
        self.measuring: bool = team.agreed(measuring)
        experiment = parts.experiment
        augment = experiment.augment
        adapts = augment is not None and augment.options.get("adapt_every")
        self._every = [
            int(every)
            for every, asked in (
                (experiment.metrics.every, experiment.metrics.names),
                (experiment.checks.every, True),
                (augment.options.get("adapt_every", 0) if augment is not None else 0, adapts),
            )
            if asked and every
        ]

    def due(self, before: int, images: int) -> bool:
        """Is there anything to decide after a step that took the clock from `before` to `images`?"""
        if self.team.world == 1:
            return False
        return self.measuring or any(before // every < images // every for every in self._every)

    def lead(self, *, end: bool) -> None:
        """Tell the others whether this step was the last, and how strong the augmentation is."""
        augment = self.parts.game.state.get("augment")
        p = augment.p if isinstance(augment, DiffAugment) and augment.adapt_every else None
        self.team.agreed({"end": end, "augment": p})

    def follow(self) -> bool:
        """Whether this step was the last."""
        told: dict[str, Any] = self.team.agreed()
        augment: Any = self.parts.game.state.get("augment")
        if told["augment"] is not None:
            augment.p = told["augment"]
        return bool(told["end"])
