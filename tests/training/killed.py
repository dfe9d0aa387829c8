"""A training that kills its own process, with SIGKILL, at a chosen moment."""

from __future__ import annotations

import io
import os
import signal
from typing import Any

import torch

import gansmith
import undurable  # noqa: F401
from gansmith.models import saved
from gansmith.training import checkpoint
from gansmith.training.averaging import Averaging


def train(moment: str, count: int, settings: dict[str, Any]) -> None:
    """To be called in a process of its own, which dies when `moment` is reached for the count-th time."""
    torch.set_num_threads(1)

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    reached = 0

    def now() -> bool:
        nonlocal reached
        reached += 1
        return reached == count

    def dying_before(owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def patched(*args: Any, **kwargs: Any) -> Any:
            if now():
                die()
            return original(*args, **kwargs)

        setattr(owner, name, patched)

    if moment == "between steps":
        dying_before(Averaging, "update")
    elif moment == "inside a step":
        dying_before(torch.Tensor, "backward")
    elif moment == "before the model files":
        dying_before(saved, "save")
    elif moment == "between link and rename":
        dying_before(checkpoint.Checkpoints, "_link")
    elif moment == "while writing":
        original = torch.save

        def half(state: Any, file: Any) -> None:
            if now():
                whole = io.BytesIO()
                original(state, whole)
                file.write(whole.getvalue()[: whole.tell() // 2])
                file.flush()
                die()
            original(state, file)

        torch.save = half
    else:
        raise SystemExit(f"no moment {moment!r}")
    gansmith.train(**settings)
