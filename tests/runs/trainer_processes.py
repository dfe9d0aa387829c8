"""Training processes and the comparison of their ends."""

from __future__ import annotations

from pathlib import Path

import torch

from gansmith.runs.run import Run


def assert_same_end(one: Path, other: Path) -> None:
    left, right = (Run(path, trust=True).checkpoint() for path in (one, other))
    assert left["step"] == right["step"]
    for part in ("players", "averaging"):
        for player, state in left[part].items():
            for name, value in state.items():
                assert torch.equal(value, right[part][player][name]), f"{part}.{player}.{name}"
