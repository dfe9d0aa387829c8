"""What every sheet is made from: as many real images of both domains, however unequal the sets are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gansmith.experiment.assemble import assemble
from gansmith.experiment.layers import Layer, resolve
from gansmith.experiment.with_data import with_data
from gansmith.runs.sample_inputs import sample_inputs


def two_sets(folder: Path, first: int, second: int) -> dict[str, str]:
    rng = np.random.default_rng(0)
    for name, count in (("a", first), ("b", second)):
        np.save(folder / f"{name}.npy", rng.integers(256, size=(count, 16, 16, 3), dtype=np.uint8))
    return {"path": str(folder / "a.npy"), "other": str(folder / "b.npy")}


@pytest.mark.parametrize(("first", "second"), [(60, 24), (24, 60)])
@pytest.mark.parametrize(
    ("game", "part"),
    [
        ("cycle", {"translator": {"name": "cyclegan", "width": 4, "blocks": 0}}),
        ("multimodal", {"autoencoder": {"name": "munit", "width": 4, "style_downsamplings": 1}, "prior": {"size": 3}}),
    ],
)
def test_sets_of_unequal_size_have_a_sheet(
    game: str, part: dict[str, Any], first: int, second: int, tmp_path: Path
) -> None:
    judge = {"name": "cyclegan", "width": 4}
    values = {"game": game, **part, "discriminator": judge, "objective": "lsgan", "device": "cpu", "threads": 1}
    data = {**two_sets(tmp_path, first, second), "holdout": 0.2}
    parts = assemble(*with_data(resolve([Layer("test", {**values, "data": data})])[0]))
    given = sample_inputs(parts, 64)
    assert {name: len(sample.image) for name, sample in given.real.items()} == {"a": 5, "b": 5}
    assert parts.game.show is not None
    with torch.no_grad():
        sheet = parts.game.show(parts.game.players, given)
    assert parts.game.columns is not None
    assert len(sheet) % parts.game.columns == 0
    assert len(sample_inputs(parts, 3).real["a"].image) == 3
