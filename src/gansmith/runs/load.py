"""A trained model by its folder, verified: `gansmith.load`."""

from __future__ import annotations

from pathlib import Path

from gansmith.models import saved
from gansmith.runs.run import Run


def load(path: str | Path, *, trust: bool = False) -> Run:
    """The run in `path`, an exported folder, or a folder or file of models, each of its model files verified.

    trust: as for `Run`. Raises RunError when there is none, and for a file that is damaged.

    >>> from gansmith import load, zoo
    >>> load(zoo.folder("hand_signs")).sample([7], device="cpu").images.shape
    torch.Size([1, 3, 32, 32])
    """
    run = Run(path, trust=trust)
    for player in run.players:
        saved.read_state(run.model if run.model.is_file() else run.model / f"{player}.safetensors")
    return run
