"""Groups of near-duplicates, computed once and stored beside the images that they are of."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np

from gansmith.data import similar
from gansmith.data.dataset import Dataset, Indices
from gansmith.errors import GansmithError
from gansmith.system.files import remove_stale
from gansmith.system.sealed import read_sealed_array, write_sealed_array

_VERSION = 1  # goes up when `similar` would group otherwise: stored groups are then computed anew


def path_of(folder: Path, *, flips: bool) -> Path:
    """The file of the groups of the images in `folder`; with `flips`, mirror images are near-duplicates too."""
    return folder / f"groups-{_VERSION}{'-mirrored' if flips else ''}.npy"


def similar_groups(data: Dataset, folder: Path, *, flips: bool) -> Indices:
    """The groups of near-duplicates of `data`, int64 [N], from `folder` where they are stored, else computed."""
    with suppress(OSError, ValueError):
        stored: Indices = read_sealed_array(path_of(folder, flips=flips))
        if stored.shape == (len(data),) and stored.dtype == np.int64:
            return stored
    groups = similar.groups(similar.signatures_of_dataset(data), flips=flips)
    store_groups(groups, folder, flips=flips)
    return groups


def store_groups(groups: Indices, folder: Path, *, flips: bool) -> None:
    """Write the groups; a folder that cannot be written is no error, as it costs only time."""
    remove_stale(folder)
    with suppress(GansmithError):
        write_sealed_array(path_of(folder, flips=flips), groups)
