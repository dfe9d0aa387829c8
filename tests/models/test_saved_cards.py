"""Cards of model files that hold anything: one line, the file named, nothing built."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from gansmith.adversarial import Dimensions
from gansmith.errors import RunError
from gansmith.models import saved
from gansmith.models.saved import Card

WHOLE: dict[str, Any] = {
    "format": 1,
    "player": "generator",
    "role": "generator",
    "model": "dcgan",
    "options": {"width": 4},
    "dimensions": {"channels": 3, "height": 16, "width": 16, "latent": 8, "classes": 0},
    "prior": {"kind": "normal", "size": 8, "labels": "paired", "classes": 0, "shares": []},
    "classes": [],
    "images": 5,
    "averaged": True,
    "origin": {},
}


def written(folder: Path, card: Any) -> Path:
    path = folder / "generator.safetensors"
    text = card if isinstance(card, str) else json.dumps(card)
    path.write_bytes(safetensors.torch.save({"x": torch.zeros(1)}, metadata={"gansmith": text}))
    return path


def changed(**more: Any) -> dict[str, Any]:
    return {**WHOLE, **more}


DAMAGED: list[Any] = [
    *(None, 3, 1.5, [1], "x", "[" * 100_000, "{"),
    *(changed(options=value) for value in (None, [1], 3, "width")),
    *(changed(prior=value) for value in (None, [], {"kind": "cauchy"}, {"size": -1}, {"size": 10**12}, {"size": "x"})),
    *(changed(prior={**WHOLE["prior"], "labels": 3}), changed(prior={**WHOLE["prior"], "shares": "x"})),
    *(changed(dimensions=value) for value in (None, [], {}, {"channels": 3}, {"channels": None})),
    *(changed(dimensions={**WHOLE["dimensions"], side: value}) for side in ("height", "channels") for value in (-1, 0)),
    changed(dimensions={**WHOLE["dimensions"], "width": 10**15}),
    *(changed(classes=value) for value in (None, 3, [1, [2]])),
    *(changed(images="many"), changed(model=None), changed(model=[]), changed(player=3), changed(origin=[1])),
    *(changed(role=value) for value in (None, [], {}, 3)),
    *(changed(format=None), changed(format=[1])),
]


@pytest.mark.parametrize("card", DAMAGED, ids=lambda card: str(card)[:60])
def test_a_card_of_anything_is_one_line(card: Any, tmp_path: Path) -> None:
    path = written(tmp_path, card)
    with pytest.raises(RunError) as raised:
        saved.read_card(path)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)
    with pytest.raises(RunError):
        saved.load(path)
    assert saved.models_named_in(path) == []


def test_a_whole_card_is_read(tmp_path: Path) -> None:
    card = saved.read_card(written(tmp_path, WHOLE))
    assert isinstance(card, Card)
    assert card.dimensions == Dimensions(3, 16, 16, 8, 0)
    assert (card.prior.size, card.classes, card.images) == (8, (), 5)
    older = {**WHOLE, "prior": {key: value for key, value in WHOLE["prior"].items() if key != "shares"}}
    assert saved.read_card(written(tmp_path, older)) == card
