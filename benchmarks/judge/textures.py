"""Textures: images without a thing in them, drawn by a program: cells, waves and grain of random sizes and colours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from gansmith.system.seeding import mix


def textures(count: int, size: int) -> NDArray[np.uint8]:
    """uint8 [count, size, size, 3]; image i is the same whatever the count."""
    return np.stack([_texture(np.random.default_rng(mix("texture", number)), size) for number in range(count)])


def _texture(rng: np.random.Generator, size: int) -> NDArray[np.uint8]:
    field = (_cells, _waves, _grain)[rng.integers(3)](rng, size)
    field = (field - field.min()) / max(float(np.ptp(field)), 1e-9)
    dark, light = np.sort(rng.uniform(0, 255, (2, 3)), axis=0)
    colours = dark + (light - dark) * field[..., None]
    levels: NDArray[np.uint8] = np.clip(colours + rng.normal(0, 3, colours.shape), 0, 255).round().astype(np.uint8)
    return levels


def _cells(rng: np.random.Generator, size: int) -> NDArray[np.float64]:
    """Distances to the nearest of random points, over those to the second nearest: walls between cells."""
    points = rng.uniform(-8, size + 8, (int(rng.integers(20, 120)), 2))
    near: NDArray[np.float64] = cKDTree(points).query(np.indices((size, size)).reshape(2, -1).T, k=2)[0]
    return (near[:, 0] / near[:, 1]).reshape(size, size)


def _waves(rng: np.random.Generator, size: int) -> NDArray[np.float64]:
    """Waves of one length and direction, bent by slow noise."""
    rows, columns = np.indices((size, size))
    angle, length = rng.uniform(0, np.pi), rng.uniform(4, 14)
    bend = ndimage.gaussian_filter(rng.normal(size=(size, size)), 6, mode="wrap") * rng.uniform(10, 60)
    values: NDArray[np.float64] = np.sin(2 * np.pi * (rows * np.cos(angle) + columns * np.sin(angle) + bend) / length)
    return values


def _grain(rng: np.random.Generator, size: int) -> NDArray[np.float64]:
    """Noise of one coarseness, longer one way than the other."""
    across, along = rng.uniform(0.5, 3, 2)
    values: NDArray[np.float64] = ndimage.gaussian_filter(rng.normal(size=(size, size)), (across, along), mode="wrap")
    return values
