"""Calls that are too small to be shared run by one thread, and the number is what it was before."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor, nn

from gansmith.data.prior import Prior
from gansmith.latent import Renderer
from gansmith.latent.directions.inner import activations, drawn, first_weights, generate
from gansmith.latent.encoder_training import train_encoder
from gansmith.latent.invert import invert
from gansmith.system import threads

seen: list[int] = []  # threads at each call of a generator


class Seeing(nn.Module):
    """Latents [B, 4] -> images [B, 1, 2, 2]."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, z: Tensor) -> Tensor:
        seen.append(torch.get_num_threads())
        return torch.tanh(self.last(self.first(z))).reshape(-1, 1, 2, 2)


class SeeingW(Seeing):
    """The same with a space W."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("w_mean", torch.zeros(4))

    def map(self, z: Tensor) -> Tensor:
        seen.append(torch.get_num_threads())
        return z

    def truncate(self, w: Tensor, psi: float) -> Tensor:
        return w * psi

    def synthesize(self, w: Tensor) -> Tensor:
        return super().forward(w)

    def forward(self, z: Tensor) -> Tensor:
        return self.synthesize(self.map(z))


WORK: dict[str, Callable[[Renderer], object]] = {
    "images": lambda renderer: renderer.images([1, 2, 3]),
    "truncated": lambda renderer: renderer.images([1, 2], truncation=0.7),
    "directions": lambda renderer: generate(renderer, *drawn(renderer, 40, "test")),
    "activations": lambda renderer: activations(renderer, drawn(renderer, 40, "test")[0], None, 1),
    "weights": first_weights,
    "invert": lambda renderer: invert(renderer, renderer.images([5]).images, restarts=2, steps=3),
    "encoder": lambda renderer: train_encoder(renderer, examples=64, filters=2),
}


@pytest.fixture(autouse=True)
def three_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    seen.clear()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("kind", [Seeing, SeeingW])
@pytest.mark.parametrize("name", WORK)
def test_small_calls_have_one_thread(name: str, kind: type[nn.Module]) -> None:
    WORK[name](Renderer(kind(), Prior(size=4)))
    assert seen.count(1) > 1
    more = len(seen) - seen.count(1)
    assert more == 0 or (name == "encoder" and more <= 5)  # of samples before and after the training
    assert torch.get_num_threads() == 3


@pytest.mark.parametrize("name", ["images", "directions", "activations", "invert"])
def test_large_calls_have_all(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "SMALL", 1)
    WORK[name](Renderer(Seeing(), Prior(size=4)))
    assert seen.count(1) in {1, 2, 3}  # that were counted: of one image, of some together, of a search
    assert seen.count(3) == len(seen) - seen.count(1) > 1


def test_counting_changes_no_result() -> None:
    """It runs a generator, whose layers may be watched, and an encoder, which keeps statistics in training."""
    torch.manual_seed(0)
    network, other = Seeing(), Seeing()
    other.load_state_dict(network.state_dict())
    known, fresh = Renderer(network, Prior(size=4)), Renderer(other, Prior(size=4))
    latents = drawn(known, 40, "test")[0]
    generate(known, latents)
    assert activations(known, latents, None, 1).equal(activations(fresh, latents, None, 1))
    assert first_weights(known).equal(first_weights(Renderer(other, Prior(size=4))))


def test_calls_of_a_kind_are_counted_once() -> None:
    calls = threads.CallThreads(torch.device("cpu"))
    counted = []

    def product() -> Tensor:
        counted.append(1)
        return torch.ones(100, 100) @ torch.ones(100, 100)  # 2e6 operations

    for times, inside in ((1, 1), (9_999, 1), (10_000, 3)):
        with calls.of("product", product, times):
            assert torch.get_num_threads() == inside
    assert len(counted) == 1
    with calls.of("another", product):
        assert len(counted) == 2
    with threads.CallThreads(torch.device("meta")).of("product", product):
        assert torch.get_num_threads() == 3
    assert len(counted) == 2
