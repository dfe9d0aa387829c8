"""Ruler: how far samples are from real images, in units of known damages of these images.

KID (Binkowski, Sutherland, Arbel, Gretton 2018, "Demystifying MMD GANs") is not portable between sets of images or
sizes. Its value for the same set's images cut into 4 x 4 tiles and shuffled is the unit here: 0 is as good as held-out
images, 1 as far as images without layout. Textures have none to lose: where a blur of 2 pixels is more than
TEXTURE_LIKE times as far as the tiles are, that blur is the unit. Pure functions of features.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from gansmith.errors import DataError
from gansmith.evaluation.damages import LAYOUT, TEXTURE
from gansmith.evaluation.metrics.kid import kid
from gansmith.evaluation.types import Features, Number, Ruler

UNIT, UNIT_OF_TEXTURES = "cut into 4 x 4 and shuffled", "after a blur of 2 pixels"
TEXTURE_LIKE = 2.0  # images of things reach 1.7, drawn textures begin at 2.3 (docs/metrics.md)
GOOD, BAD = 0.1, 0.2  # units: surely below the one is good, surely above the other bad


def ruler(
    reference: Features, samples: Features, damaged: Mapping[str, Features], held_out: Features | None = None
) -> Ruler:
    """Real images [N, D], samples [M, D], {each of `damages`: real images so damaged [K, D]} -> where the samples lie.

    Raises DataError for features that do not fit together, and for a set whose unit is no longer than chance allows.

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> real, damaged = rng.normal(size=(40, 2)), dict.fromkeys((*LAYOUT, *TEXTURE), rng.normal(2, 1, size=(40, 2)))
    >>> ruler(real, damaged[UNIT], damaged).samples.value
    1.0
    """
    distances = {name: kid(reference, features) for name, features in damaged.items()}
    texture = distances[UNIT_OF_TEXTURES].value > TEXTURE_LIKE * distances[UNIT].value
    name = UNIT_OF_TEXTURES if texture else UNIT
    unit = distances[name]
    if unit.low is None or unit.low <= 0:
        raise DataError(
            f"images {name} are no farther from these images than chance allows: there is nothing to measure by"
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
            f"distance from the real images; 1 is that of real images {name}",
        )

    marks = {name: in_units(distance) for name, distance in distances.items()}
    marks[name] = replace(marks[name], value=1.0)
    return Ruler(
        samples=in_units(kid(reference, samples)),
        held_out=None if held_out is None else in_units(kid(reference, held_out)),
        layout={name: marks[name] for name in LAYOUT},
        texture={name: marks[name] for name in TEXTURE},
        unit=unit.value,
        unit_name=name,
    )
