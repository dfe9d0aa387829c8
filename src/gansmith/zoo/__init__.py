"""The zoo: small trained models to begin with, each a folder with experiment.yaml, `model/` and README.md.

`benchmarks/zoo.py` trains them; README.md says on which images, by whom and under which licence.
"""

from __future__ import annotations

import json
from pathlib import Path

from gansmith.system.paths import resolved

_FOLDER = Path(__file__).parent


def names() -> list[str]:
    """The models of the zoo, sorted."""
    return sorted(path.parent.name for path in _FOLDER.glob("*/experiment.yaml"))


def folder(name: str) -> Path | None:
    """The folder of a model of the zoo; None where there is none of that name."""
    return _FOLDER / name if name in names() else None


def channels(name: str) -> int:
    """Channels of the images of a model of the zoo.

    >>> channels("digits"), channels("emoji")
    (1, 3)
    """
    cards = json.loads((_FOLDER / name / "model" / "model.json").read_text(encoding="utf-8"))
    return int(cards["generator"]["dimensions"]["channels"])


def place(named: Path) -> Path:
    """What is meant by a path or a name: the path of that name, else the folder of a model of the zoo.

    >>> place(Path("hand_signs")) == folder("hand_signs"), str(place(Path("runs/a")))
    (True, 'runs/a')
    """
    known = folder(str(named))
    return named if known is None or named.exists() else known


def name_of(path: Path) -> str | None:
    """The name of the model of the zoo that lies at `path`, or that it is a part of; None for any other path."""
    home, wanted = resolved(_FOLDER), resolved(path)
    return wanted.relative_to(home).parts[0] if home in wanted.parents else None
