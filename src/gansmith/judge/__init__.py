"""Evaluation of runs and folders: an audit, a comparison, a probe.

The audit is also a function, `gansmith.judge.evaluate("runs/photos")`, and so is the search for the training images
nearest to images, `gansmith.judge.nearest(Run("runs/photos"), images)`, and the view inside its networks,
`gansmith.judge.look_inside(Run("runs/photos"))`; `gansmith.judge.probe("runs/photos", "labelled/")` asks what a
discriminator learned; `gansmith.judge.evaluate_translation("runs/cycle")` measures translations on held-out pairs.
Importing this package imports no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gansmith.judge.audit_run import evaluate
    from gansmith.judge.inside_sheets import look_inside
    from gansmith.judge.linear_probe import probe
    from gansmith.judge.nearest_images import nearest
    from gansmith.judge.translation import evaluate_translation

_HOMES = {
    "evaluate": "gansmith.judge.audit_run",
    "evaluate_translation": "gansmith.judge.translation",
    "look_inside": "gansmith.judge.inside_sheets",
    "nearest": "gansmith.judge.nearest_images",
    "probe": "gansmith.judge.linear_probe",
}
__all__ = ["evaluate", "evaluate_translation", "look_inside", "nearest", "probe"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'gansmith.judge' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
