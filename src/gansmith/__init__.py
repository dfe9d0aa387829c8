"""gansmith: train, judge and explore GANs on your own images.

    import gansmith
    run = gansmith.train("photos/", size=32, images=100_000)
    run.sample(seeds=range(64)).save("grid.png")

Importing this package does not import torch; the names below do, when they are first used.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as type checkers know it; `typing` takes longer to import than all of this
if TYPE_CHECKING:
    from typing import Any

    from gansmith.data.open import open_dataset
    from gansmith.errors import GansmithError
    from gansmith.experiment.schema import Experiment
    from gansmith.runs.load import load
    from gansmith.runs.run import Run
    from gansmith.runs.train import train

__version__ = "0.1.0"
__all__ = ["Experiment", "GansmithError", "Run", "__version__", "load", "open_dataset", "train"]

_HOMES = {
    "Experiment": "gansmith.experiment.schema",
    "GansmithError": "gansmith.errors",
    "Run": "gansmith.runs.run",
    "load": "gansmith.runs.load",
    "open_dataset": "gansmith.data.open",
    "train": "gansmith.runs.train",
}


def __getattr__(name: str) -> Any:
    import importlib

    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'gansmith' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
