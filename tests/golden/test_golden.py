"""Loss curves of twenty steps, stored beside this file: no change of the mathematics goes unnoticed.

Float64, toy width, one thread, on images, weights and latents that are the same numbers on every
machine. A change that is meant is written with

    python tests/golden/test_golden.py --write

and its reason belongs into the message of the commit that changes the numbers.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from gansmith import catalog
from gansmith.adversarial import Batch, Dimensions, Objective, Sample
from gansmith.data.dataset import Arrays
from gansmith.data.prior import Prior
from gansmith.data.stream import Stream
from gansmith.system.seeding import mix
from gansmith.training import optimizers
from gansmith.training.averaging import Averaging
from gansmith.training.engine import Engine, Events, build_engine, play_until

STORED = Path(__file__).with_name("curves.json")
METHODS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {  # -> an objective, its options, its penalties
    **{name: (name, {}, {}) for name in ("nonsaturating", "minimax", "hinge", "lsgan", "r3gan", "wgan_gp")},
    "wgan": ("wgan", {"warmup": 2, "warmup_steps": 3}, {}),  # a hundred steps at a time are no more exact
    "dragan": ("nonsaturating", {}, {"dragan": {}}),
    "lecam": ("hinge", {}, {"lecam": {}}),
}
CASES = [(name, "mlp") for name in METHODS] + [("nonsaturating", "dcgan"), ("minimax", "dcgan")]
SIZE = Dimensions(3, 16, 12, 8)
STEPS, BATCH = 20, 8


def images() -> Arrays:
    """48 blots of colour, uint8, by integer arithmetic."""
    n, y, x, c = np.ogrid[:48, : SIZE.height, : SIZE.width, : SIZE.channels]
    return Arrays(((n * 37 + (y - 8) ** 2 * (c + 1) + x * (n % 5) * 9) % 256).astype(np.uint8))


class Doubled(Stream):
    """The same images in float64, for penalties that mix real images and made ones."""

    def __next__(self) -> Batch:
        return {name: Sample(image.double(), label) for name, (image, label) in super().__next__().items()}


def network(model: str, role: str) -> nn.Module:
    """In float64, its weights uniform in (-a, a) with a = sqrt(3 / inputs), as normal numbers differ between
    processors in their last digit; it reads float32 inputs."""
    built: nn.Module = catalog.build("models", model, SIZE, factory=role, width=4)
    rng = torch.Generator().manual_seed(mix("golden", model, role))
    with torch.no_grad():
        for name, parameter in built.double().named_parameters():
            values = torch.rand(parameter.shape, generator=rng, dtype=torch.float64) * 2 - 1
            if parameter.dim() > 1:
                parameter.copy_(values * (3 / parameter[0].numel()) ** 0.5)
            else:
                parameter.copy_(1 + 0.1 * values if name.endswith("weight") else 0.1 * values)
    built.register_forward_pre_hook(lambda _, given: tuple(g if g is None else g.double() for g in given[:1]))
    return built


def curve(method: str, model: str) -> dict[str, list[float]]:
    """{"turn/term": its value in every step}, and a weighted sum of the averaged generator's weights at the end."""
    players = {role: network(model, role) for role in ("generator", "discriminator")}
    name, options, penalties = METHODS[method]
    objective: Objective = catalog.build("objectives", name, **options)
    objective = objective.penalised({key: catalog.build("penalties", key, **own) for key, own in penalties.items()})
    game = catalog.build("games", "two_player", players, objective, Prior("uniform", 8))
    stream = Doubled(images(), batch=BATCH, seed=11, flip=True)
    decay = {"start": 0.002, "end": 0.0005, "hold": 40, "decay": 80}
    chosen = {
        "generator": optimizers.build("adam", players["generator"].parameters(), {"lr": 0.002, "betas": [0.5, 0.99]}),
        "discriminator": optimizers.build("rmsprop", players["discriminator"].parameters(), {"lr": decay}),
    }
    averaging = Averaging({"generator": players["generator"]}, half_life=lambda images: 50)
    engine = build_engine(game, stream, chosen, seed=11)
    found: dict[str, list[float]] = {}

    def note(engine: Engine) -> None:
        state: Any = engine.state
        averaging.update(state.drawn, state.images)
        for turn, terms in state.output:
            for name, term in terms.items():
                found.setdefault(f"{turn}/{name}", []).append(term.item())

    engine.add_event_handler(Events.ITERATION_COMPLETED, note)
    drawn = sum(objective.discriminator_steps(step) for step in range(STEPS))
    play_until(engine, drawn * BATCH)
    weights = torch.cat([p.flatten() for p in averaging.players["generator"].parameters()])
    found["averaged"] = [(weights * torch.linspace(-1, 1, len(weights), dtype=torch.float64)).sum().item()]
    return found


def compare(found: dict[str, list[float]], stored: dict[str, list[float]]) -> None:
    assert found.keys() == stored.keys()
    for name, values in stored.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-9, atol=1e-12, err_msg=name)


@pytest.mark.parametrize(("method", "model"), CASES)
def test_the_curve_is_the_stored_one(method: str, model: str) -> None:
    stored = json.loads(STORED.read_text())[f"{method}-{model}"]
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        found = curve(method, model)
    finally:
        torch.set_num_threads(before)
    assert len(found["generator/loss"]) == STEPS
    compare(found, stored)


def test_a_small_change_is_seen() -> None:
    stored = json.loads(STORED.read_text())["nonsaturating-mlp"]
    other = {**stored, "generator/loss": [value * (1 + 1e-8) for value in stored["generator/loss"]]}
    with pytest.raises(AssertionError, match="generator/loss"):
        compare(other, stored)


def test_the_curves_are_those_of_a_game_that_is_played() -> None:
    """No curve stands still, and they differ."""
    stored = json.loads(STORED.read_text())
    assert stored.keys() == {f"{method}-{model}" for method, model in CASES}
    for curves in stored.values():
        assert all(len(set(values)) >= STEPS for name, values in curves.items() if name.endswith("loss"))
    assert len({json.dumps(curves) for curves in stored.values()}) == len(CASES)


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        raise SystemExit(f"python {sys.argv[0]} --write")
    torch.set_num_threads(1)
    curves = {f"{method}-{model}": curve(method, model) for method, model in CASES}
    STORED.write_text(json.dumps(curves, indent=1) + "\n")
    print(f"wrote {STORED}")
