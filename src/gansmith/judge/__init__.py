"""Evaluation of runs and folders: an audit, a comparison, a probe.

The audit is also a function: `gansmith.judge.evaluate("runs/photos")`. Importing this package imports no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gansmith.judge.audit_run import evaluate

__all__ = ["evaluate"]


def __getattr__(name: str) -> Any:
    if name == "evaluate":
        return getattr(importlib.import_module("gansmith.judge.audit_run"), name)
    raise AttributeError(f"module 'gansmith.judge' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
