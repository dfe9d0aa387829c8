"""True pairs in the hold-outs of two domains: the references of a translation that was learned without pairs."""

from __future__ import annotations

import numpy as np

from gansmith.data import domain_names
from gansmith.data.dataset import Indices
from gansmith.data.prepared import Prepared
from gansmith.errors import DataError


def holdout_pairs(prepared: Prepared) -> tuple[Indices, Indices]:
    """(positions in a's hold-out, positions in b's) of true pairs: images of one name in both domains, int64 [P] each.

    Empty where nothing is held out, or where the domains do not share most of their names.
    """
    other = prepared.other
    if other is None:
        raise DataError(f"{prepared.name} is one set of images: it has no pairs")
    held_out = prepared.holdout_indices, other.holdout_indices
    if prepared.paired:
        return np.arange(len(held_out[0]), dtype=np.int64), np.arange(len(held_out[1]), dtype=np.int64)
    if not domain_names.most_are_shared(prepared.keys, other.keys):
        return held_out[0][:0], held_out[1][:0]
    subjects = domain_names.subjects(*domain_names.names_of(prepared.keys, other.keys), shared=True)
    _, first, second = np.intersect1d(subjects[0][held_out[0]], subjects[1][held_out[1]], return_indices=True)
    return first.astype(np.int64), second.astype(np.int64)
