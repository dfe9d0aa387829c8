"""Runs that translate, never trained, and the distances from true images in plain loops."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gansmith.adversarial import Dimensions
from gansmith.data.prepare import prepare_domains
from gansmith.data.prior import Prior
from gansmith.data.settings import DataSettings
from gansmith.evaluation.types import Number
from gansmith.experiment.schema import Experiment
from gansmith.experiment.settings import Part
from gansmith.latent.translate import load_translator
from gansmith.models import saved
from gansmith.models.saved import Card
from gansmith.system.seeding import mix, seeded

PLAYERS: dict[str, tuple[str, str, str, dict[str, Any]]] = {  # game: players, role, model, options
    "cycle": ("to_a to_b", "translator", "cyclegan", {"width": 2, "blocks": 1}),
    "paired": ("to_b", "translator", "pix2pix", {"width": 2}),
    "multimodal": (
        "a b",
        "autoencoder",
        "munit",
        {"width": 2, "blocks": 1, "style_downsamplings": 2, "mlp_width": 4},
    ),
}
THINGS, VARIANTS, SIZE = 24, 3, 16
OWN = [f"00_{number}.png" for number in range(6)]  # before the others, so that positions in a and in b differ
HELD = 0.5  # of 72 pairs: more than one block of 32


def make_run(place: Path, *, game: str = "cycle", seed: int = 0, **data: Any) -> Path:
    """A run as it lies on disk, of networks that were never trained."""
    players, role, model, options = PLAYERS[game]
    settings = DataSettings(**data)
    dimensions = Dimensions(settings.channels or 3, *(settings.size or (SIZE, SIZE)), 4)
    files = {}
    for player in players.split():
        card = Card(player, role, model, options, dimensions, Prior(size=4))
        with seeded("true pairs", seed, player):
            state = card.build().state_dict()
        for value in state.values():
            if value.dim() == 4:
                value.mul_(8)  # contrasts that survive rounding to 256 levels
        files[player] = (card, state)
    place.mkdir(parents=True)
    (place / "experiment.yaml").write_text(Experiment(data=settings, game=Part(name=game)).to_yaml())
    saved.save(place / "model", files)
    return place


def sides(settings: dict[str, Any], *, paired: bool = False) -> tuple[list[str], dict[str, list[str]]]:
    """The names of the pairs that are held out, and those that are trained on in each domain."""
    data = prepare_domains(DataSettings(**settings), paired=paired)
    assert data.other is not None
    held, train = {}, {}
    for letter, side in (("a", data), ("b", data.other)):
        out = set(side.holdout_indices.tolist())
        held[letter] = {side.keys[index] for index in out}
        train[letter] = [key for index, key in enumerate(side.keys) if index not in out]
    return [key for key in data.keys if key in held["a"] & held["b"]], train


def read(folder: Path, names: Sequence[str]) -> np.ndarray:
    return np.stack([np.asarray(Image.open(folder / name)) for name in names]).astype(np.float64)


def l1(made: np.ndarray, true: np.ndarray) -> np.ndarray:
    """[P, ...] each -> the distance of each pair, in plain loops."""
    return np.array([np.mean(abs(one / 255 - other / 255)) for one, other in zip(made, true, strict=True)])


def by_network(run: Path, images: np.ndarray, to: str = "b", seed: int = 0) -> np.ndarray:
    translator = load_translator(run / "model", to)
    return np.stack([translator.translate(image.astype(np.uint8), seed=seed) for image in images]).astype(np.float64)


def recoloured(images: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """From the statistics of all of `before` to those of all of `after`, channel by channel."""
    made = np.empty_like(images)
    for channel in range(images.shape[3]):
        old, new = before[..., channel], after[..., channel]
        made[..., channel] = (images[..., channel] - old.mean()) * (new.std() / old.std()) + new.mean()
    rounded: np.ndarray = np.clip(made, 0, 255).round()
    return rounded


def interval(values: np.ndarray, clusters: Sequence[Any], seed: int = 0) -> tuple[float, float]:
    """Whole clusters are drawn, and the pairs in them are averaged."""
    members = [
        [value for value, own in zip(values, clusters, strict=True) if own == one] for one in sorted({*clusters})
    ]
    rng = np.random.default_rng(mix(seed, "bootstrap"))
    drawn = [
        np.mean(np.concatenate([members[index] for index in rng.integers(0, len(members), len(members))]))
        for _ in range(1000)
    ]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def assert_number(number: Number, values: np.ndarray, clusters: Sequence[Any], seed: int = 0) -> None:
    assert number.value == pytest.approx(values.mean(), abs=1e-12)
    assert (number.low, number.high) == pytest.approx(interval(values, clusters, seed), abs=1e-12)


class Stub:
    """A translator that adds to each image."""

    styled = False

    def __init__(self, amount: int) -> None:
        self.amount = amount

    def translations(self, image: np.ndarray, styles: Sequence[Any]) -> list[np.ndarray]:
        return [(image + self.amount).astype(np.uint8)]
