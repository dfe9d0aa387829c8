"""Classes of images under the numbers that a network knows them by, matched by name."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gansmith.data.prepared import Prepared
from gansmith.errors import DataError


def class_numbers(prepared: Prepared, classes: tuple[str, ...], *, who: str) -> NDArray[np.int64]:
    """The number in `classes` of each class of the images [K]. Raises DataError for a class that is not among them.

    who: the network that knows `classes`, for the message.
    """
    known = {name: number for number, name in enumerate(classes)}
    names = prepared.classes or ()
    strange = [name for name in names if name not in known]
    if strange:
        raise DataError(
            f"{prepared.settings.path} has classes {who} does not know: {', '.join(strange[:5])}. "
            f"It knows: {', '.join(classes)}"
        )
    return np.array([known[name] for name in names], dtype=np.int64)
