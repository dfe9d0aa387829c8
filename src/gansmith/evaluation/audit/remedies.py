"""Remedies against what more training does not mend: of all that was tried, what measured best and the run lacks.

The recipe that measured best on sets of its size; else images that the discriminator sees moved and cut (of 2,375
horses, drawn 520 times each: 1.30 on the ruler without, .36 with it; docs/defaults.md); else more images. Nothing else
measured better.
"""

from __future__ import annotations

from typing import NamedTuple

from gansmith.evaluation.audit import commands
from gansmith.evaluation.audit.commands import Way
from gansmith.evaluation.audit.run_facts import RunFacts
from gansmith.evaluation.number_format import counted

FEW = 100  # training images


class Remedy(NamedTuple):
    """do: a sentence;  way: (commands, forecast), empty where there are none."""

    do: str
    way: Way = ((), "")

    @property
    def paste(self) -> str:
        """Its first command, or nothing."""
        return self.way[0][0] if self.way[0] else ""


def remedy(run: RunFacts | None) -> Remedy:
    """For a generator that repeats itself or leaves kinds of images out.

    >>> run = RunFacts("runs/a", "photos", 60_000, recipe="dcgan_small", best_recipe="dcgan_few")
    >>> remedy(run).do
    'Train a new run with the recipe that measured best on sets of this size: dcgan_few.'
    """
    few = few_images(run)
    if few is not None:
        return few
    if run is None:
        return Remedy("Train a new generator, with the recipe that `gansmith train` takes where none is named.")
    if run.best_recipe is not None and run.recipe != run.best_recipe:
        do = f"Train a new run with the recipe that measured best on sets of this size: {run.best_recipe}."
        return Remedy(do, commands.with_best(run))
    if not run.augment:
        do = "Train a new run whose discriminator never sees an image twice in the same way."
        return Remedy(do, commands.augmented(run))
    return Remedy("Give more images: of all that was tried, nothing that this run lacks measured better.")


def calmed(run: RunFacts | None) -> Remedy:
    """For a training that diverges: the recipe that measured best, or half of its learning rates, which measured nearly
    as well (hand signs .41 on the ruler against .30, horses .68 against .61)."""
    first = remedy(run)
    if run is None or (run.best_recipe is not None and run.recipe != run.best_recipe):
        return first
    slower = [f"optimizer.{role}.lr=2e-3" for role in ("generator", "discriminator")]
    words = [word for setting in slower for word in ("--set", setting)]
    way = commands.changed(run, "slower", *words, images=max(run.images, run.asked or 0))
    return Remedy("Train a new run with learning rates of 0.002.", way)


def few_images(run: RunFacts | None) -> Remedy | None:
    """For a run of fewer than FEW training images: more of them, or a start that knows images; else None.

    >>> few_images(RunFacts("runs/a", "photos", 640, distinct=100)) is None
    True
    >>> few_images(RunFacts("runs/a", "photos", 640, distinct=20, zoo="hand_signs")).paste
    'gansmith train photos --from hand_signs --images 640 --out runs/a-hand_signs'
    """
    if run is None or not run.distinct or run.distinct >= FEW:
        return None
    do = f"Give more images than {counted(run.distinct, 'image')}: from {FEW} on there is something to learn."
    if run.zoo is None:
        return Remedy(do)
    do += f" Or begin with a generator that knows other images ({run.zoo}); 500 hand signs gained nothing by it."
    return Remedy(do, commands.started(run, run.zoo))
