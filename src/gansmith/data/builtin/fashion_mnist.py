"""Pieces of clothing, 70,000 of 28x28 grey pixels in 10 classes, if on this machine.

Xiao, Rasul, Vollgraf 2017, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms".
"""

from __future__ import annotations

from typing import Literal

from gansmith import catalog
from gansmith.data.locations import first, places
from gansmith.data.source import Source

CLASSES = (  # Table 1
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
NEEDS = {"folders": ("fashion_mnist", "fashion-mnist", "FashionMNIST")}


def build(*, split: Literal["train", "test"] = "train") -> Source:
    """uint8 [28, 28, 1]; `split`: train (60,000) or test (10,000).

    Raises DataError when the set is not on this machine.

    >>> from pathlib import Path  # twelve images stand in for the files of the set
    >>> folder = catalog.find("formats", "idx", "example")(Path("data/fashion_mnist"))
    >>> build().name, build().size
    ('fashion_mnist', (28, 28))
    """
    path = first(
        places("fashion_mnist", "fashion-mnist", "FashionMNIST"),
        catalog.find("formats", "idx", "accepts"),
        what="fashion_mnist",
        get="Get it: `apt install dataset-fashion-mnist` on Debian and Ubuntu, or put the four idx files, gzipped or "
        "not, into one of these folders, or name the folder that you have in GANSMITH_DATASETS (it holds "
        "fashion_mnist/)",
    )
    source: Source = catalog.build("formats", "idx", path, split=split)
    source.name, source.size, source.classes = "fashion_mnist", (28, 28), CLASSES
    return source
