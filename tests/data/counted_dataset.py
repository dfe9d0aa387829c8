"""Datasets of plain Python for the tests of the operators."""

from __future__ import annotations

from typing import Any

import numpy as np

IMAGES = np.arange(10 * 2 * 2 * 3, dtype=np.uint8).reshape(10, 2, 2, 3)


LABELS = np.arange(10, dtype=np.int64) % 3


def noise(value: Any, rng: np.random.Generator) -> float:
    return float(value + rng.random())
