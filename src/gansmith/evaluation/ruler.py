"""Ruler: how far samples are from real images, in units of known damages of these images.

KID (Binkowski, Sutherland, Arbel, Gretton 2018, "Demystifying MMD GANs") is not portable between sets of images or
sizes. Its value for the same set's images cut into 4 x 4 tiles and shuffled is the unit here: 0 is as good as held-out
images, 1 as far as images without layout. Pure functions of features.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from gansmith.errors import DataError
from gansmith.evaluation.damages import LAYOUT, TEXTURE
from gansmith.evaluation.metrics.kid import kid
from gansmith.evaluation.types import Features, Number, Ruler

UNIT = "cut into 4 x 4 and shuffled"
GOOD, BAD = 0.1, 0.2  # units: surely below the one is good, surely above the other bad


def ruler(
    reference: Features, samples: Features, damaged: Mapping[str, Features], held_out: Features | None = None
) -> Ruler:
    """Real images [N, D], samples [M, D], {each of `damages`: real images so damaged [K, D]} -> where the samples lie.

    Raises DataError for features that do not fit together, and for a set whose 4 x 4 tiles are not farther from it
    than chance allows: a texture, which has no layout to lose.

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> real, damaged = rng.normal(size=(40, 2)), dict.fromkeys((*LAYOUT, *TEXTURE), rng.normal(2, 1, size=(40, 2)))
    >>> ruler(real, damaged[UNIT], damaged).samples.value
    1.0
    """
    distances = {name: kid(reference, features) for name, features in damaged.items()}
    unit = distances[UNIT]
    if unit.low is None or unit.low <= 0:
        raise DataError(
            f"images {UNIT} are no farther from these images than chance allows: they have no layout to measure by"
        )
    own = (unit.value - unit.low) / unit.value  # the relative half-width of the unit's interval

    def in_units(distance: Number) -> Number:
        value = distance.value / unit.value
        if distance.low is None or distance.high is None:
            return Number(value)
        below, above = (abs(end - distance.value) / unit.value for end in (distance.low, distance.high))
        return Number(
            value,
            value - math.hypot(below, value * own),
            value + math.hypot(above, value * own),
            "distance from the real images; 1 is that of real images cut into 4 x 4 tiles and shuffled",
        )

    marks = {name: in_units(distance) for name, distance in distances.items()}
    marks[UNIT] = replace(marks[UNIT], value=1.0)
    return Ruler(
        samples=in_units(kid(reference, samples)),
        held_out=None if held_out is None else in_units(kid(reference, held_out)),
        layout={name: marks[name] for name in LAYOUT},
        texture={name: marks[name] for name in TEXTURE},
        unit=unit.value,
    )
