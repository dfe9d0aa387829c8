"""The zoo: small trained models to begin with, each a folder with experiment.yaml, `model/` and README.md.

`benchmarks/zoo.py` trains them; README.md says on which images, by whom and under which licence.
"""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent


def names() -> list[str]:
    """The models of the zoo, sorted."""
    return sorted(path.parent.name for path in _FOLDER.glob("*/experiment.yaml"))


def folder(name: str) -> Path | None:
    """The folder of a model of the zoo; None where there is none of that name."""
    return _FOLDER / name if name in names() else None
