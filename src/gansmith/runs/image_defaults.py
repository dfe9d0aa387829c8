"""What the images say beside a recipe: whether they may be mirrored as well, and that the recipe leaves their classes
out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gansmith.data.mirror import source_mirrors_alike
from gansmith.data.source import Source
from gansmith.experiment.schema import Experiment

MIRRORED = "mirrored as well, as these images cannot be told from their mirror images (--no-flip)"
_CONDITIONAL = "--set generator.conditional=true --set discriminator.conditional=true"


def mirrored(experiment: Experiment, sources: Mapping[str, str], source: Source) -> bool:
    """Whether the images are to be mirrored at random, where no layer says it. sources: {dotted field: layer}"""
    return "data.flip" not in sources and source_mirrors_alike(source, experiment.data.background)


def classes_note(source: Source, experiment: Experiment) -> str:
    """For a set with classes beside networks that read none: how to use them, and what that measured; else nothing.

    >>> from gansmith.data.open import open_dataset
    >>> "10 classes" in classes_note(open_dataset("digits"), Experiment())
    True
    """
    count = 0 if source.labels is None else len(np.unique(source.labels))
    networks = (experiment.generator, experiment.discriminator)
    used = any(network is not None and network.options.get("conditional") for network in networks)
    if count < 2 or used or source.points or experiment.game.name != "two_player":
        return ""
    return (
        f"note: the images have {count:,} classes, which are not used. To choose the class of a sample: {_CONDITIONAL} "
        f"(on hand signs dcgan_fast was less good with it after two minutes: .57 on the ruler against .30)"
    )
