"""What every penalty of the catalog promises: nothing at weight zero, in proportion to it, and a gradient."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gansmith import catalog
from gansmith.adversarial import Moment, Objective, OnLatents, OnWeights, Sample, Side, Weighted

BATCH = 5


@pytest.fixture(params=catalog.names("penalties"))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Scoring(nn.Module):
    """Images [B, 2, 4, 4] -> scores [B], smooth, in float64, the weights drawn from a fixed seed."""

    def __init__(self) -> None:
        super().__init__()
        rng = torch.Generator().manual_seed(3)
        with torch.random.fork_rng():
            layers = nn.Sequential(nn.Conv2d(2, 4, 3), nn.Softplus(), nn.Flatten(), nn.Linear(16, 1))
        self.layers = layers.double()
        with torch.no_grad():
            for parameter in self.layers.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=rng, dtype=torch.float64))

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        scores: Tensor = self.layers(image)
        return scores.squeeze(1)


class Styled(Scoring):
    """Latents [B, 2, 4, 4] -> w, the same in two layers [B, 2, 32] -> images [B, 1, 2, 2]: a generator with a space W.
    Called like a network of scores, it makes scores of latents."""

    def styles(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        return z.flatten(1)[:, None].expand(-1, 2, -1).clone().requires_grad_()

    def synthesize(self, w: Tensor) -> Tensor:
        first, second = (self.layers(w[:, k].unflatten(1, (2, 4, 4))) for k in (0, 1))
        return torch.stack([first, second, first * second, -first], 2).unflatten(2, (2, 2))


def objective(name: str | None = None, **options: Any) -> Objective:
    plain = Objective(lambda real, fake: (1 - real).relu() + (1 + fake).relu(), lambda real, fake: -fake)
    return plain if name is None else plain.penalised({name: catalog.build("penalties", name, **options)})


def term_of(name: str, **options: Any) -> Weighted:
    built = catalog.build("penalties", name, **options)
    return built.term if isinstance(built, OnWeights | OnLatents) else built


def side_of(name: str) -> Side:
    """The side whose turn it belongs to."""
    built = catalog.build("penalties", name)
    if isinstance(built, OnLatents):
        return "generator"
    return built.side if isinstance(built, OnWeights) else "discriminator"


def terms_of_generator(chosen: Objective, network: Scoring, z: Sample, at: Moment) -> dict[str, Tensor]:
    """Terms of penalties in the generator's turn: on its weights, and at latents."""
    return {**chosen.weight_terms("generator", network, at), **chosen.latent_terms(network, z.image, None, at).loss}


def played(name: str | None, *, step: int = 0, images: int = 0, **options: Any) -> tuple[dict[str, Tensor], Scoring]:
    """The loss terms of the turn that a penalty belongs to, and the network that was played."""
    network, chosen = Styled(), objective(name, **options)
    rng = torch.Generator().manual_seed(1)
    real, fake = (Sample(torch.randn(BATCH, 2, 4, 4, generator=rng, dtype=torch.float64)) for _ in range(2))
    at = Moment(step, images, 0, rng)
    if name is None or side_of(name) == "discriminator":
        return chosen.discriminator_terms(network, real, fake, at).loss, network
    terms = chosen.generator_terms(network, None, fake, at)
    return terms.plus(terms_of_generator(chosen, network, fake, at)).loss, network


def test_it_adds_one_finite_term_of_its_name(name: str) -> None:
    loss, _ = played(name)
    assert loss.keys() == {"loss", name}
    assert loss[name].shape == ()
    assert bool(torch.isfinite(loss[name]))
    assert loss[name] != 0


def test_weight_zero_is_the_same_as_none(name: str) -> None:
    """To the bit: the loss, and the gradient of the sum."""
    loss, network = played(name, weight=0)
    assert float(loss[name].detach()) == 0
    (loss["loss"] + loss[name]).backward()
    with_it = [parameter.grad for parameter in network.parameters()]
    plain, other = played(None) if side_of(name) == "discriminator" else generators()
    plain["loss"].backward()
    assert torch.equal(plain["loss"], loss["loss"])
    for one, same in zip(with_it, [parameter.grad for parameter in other.parameters()], strict=True):
        assert one is not None
        assert same is not None
        assert torch.equal(one, same)


def generators() -> tuple[dict[str, Tensor], Scoring]:
    """The generator's turn without a penalty."""
    network, rng = Styled(), torch.Generator().manual_seed(1)
    _, fake = (Sample(torch.randn(BATCH, 2, 4, 4, generator=rng, dtype=torch.float64)) for _ in range(2))
    return objective().generator_terms(network, None, fake, Moment(0, 0, 0, rng)).loss, network


def test_its_value_is_proportional_to_the_weight_which_may_follow_the_images(name: str) -> None:
    once = played(name, weight=1.5)[0][name]
    torch.testing.assert_close(played(name, weight=3.0)[0][name], 2 * once, rtol=1e-12, atol=0)
    falling = {"start": 3.0, "end": 0.75, "decay": 1000}
    for images, factor in ((0, 2.0), (500, 1.25), (1000, 0.5), (10**6, 0.5)):
        value = played(name, weight=falling, images=images)[0][name]
        torch.testing.assert_close(value, factor * once, rtol=1e-12, atol=0)


def test_a_lazy_one_weighs_as_many_times_more(name: str) -> None:
    once = played(name, every=1)[0][name]
    for step in range(5):
        loss = played(name, every=4, step=step)[0]
        assert (name in loss) == (step % 4 == 0)
        if name in loss:
            torch.testing.assert_close(loss[name], 4 * once, rtol=1e-12, atol=0)


def test_its_gradient_reaches_the_weights(name: str) -> None:
    loss, network = played(name)
    gradients = torch.autograd.grad(loss[name], [*network.parameters()], allow_unused=True)
    assert any(gradient is not None and bool((gradient != 0).any()) for gradient in gradients)
    assert all(gradient is None or bool(torch.isfinite(gradient).all()) for gradient in gradients)


def test_a_step_against_the_gradient_lowers_it(name: str) -> None:
    loss, network = played(name)
    parameters = [*network.parameters()]
    gradients = torch.autograd.grad(loss[name], parameters, allow_unused=True)
    length = sum(float(gradient.square().sum()) for gradient in gradients if gradient is not None) ** 0.5
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            if gradient is not None:
                parameter.sub_(1e-4 / length * gradient)
    rng = torch.Generator().manual_seed(1)
    real, fake = (Sample(torch.randn(BATCH, 2, 4, 4, generator=rng, dtype=torch.float64)) for _ in range(2))
    at, chosen = Moment(0, 0, 0, rng), objective(name)
    if side_of(name) == "discriminator":
        after = chosen.discriminator_terms(network, real, fake, at).loss[name]
    else:
        after = terms_of_generator(chosen, network, fake, at)[name]
    assert after < loss[name]


def test_it_draws_from_the_turns_generator_alone(name: str) -> None:
    before = torch.get_rng_state()
    one, again = played(name)[0][name], played(name)[0][name]
    assert torch.equal(one, again)
    assert torch.equal(torch.get_rng_state(), before)


def test_what_it_remembers_is_saved_and_loaded(name: str) -> None:
    term, other = term_of(name), term_of(name)
    if term.state is None:
        return
    chosen = objective().penalised({name: term if side_of(name) == "discriminator" else OnLatents(term)})
    rng = torch.Generator().manual_seed(1)
    real, fake = (Sample(torch.randn(BATCH, 2, 4, 4, generator=rng, dtype=torch.float64)) for _ in range(2))
    at = Moment(0, 0, 0, rng)
    if side_of(name) == "discriminator":
        chosen.settle(Scoring(), chosen.discriminator_terms(Scoring(), real, fake, at))
    else:
        chosen.settle_generator(chosen.latent_terms(Styled(), fake.image, None, at))
    assert other.state is not None
    fresh = other.state.state_dict()
    assert fresh != term.state.state_dict()
    other.state.load_state_dict(term.state.state_dict())
    assert other.state.state_dict() == term.state.state_dict()
