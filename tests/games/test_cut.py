"""CUT: every term against an independent account of it in float64, FastCUT's mirror, and what takes no gradient."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from linear_translators import Judge, batch, lsgan, moment, play
from torch import Tensor, nn

from gansmith import catalog
from gansmith.adversarial import Dimensions, Fixed, Game, Objective, Sample
from gansmith.data.prior import Prior
from gansmith.errors import DataError, OptionError
from gansmith.games import cut
from gansmith.games.parts.jitter import jitter
from refusals import refused

TAU = 0.3


class Convolved(nn.Module):
    """Images [B, 2, 3, 3] -> features by a 1 x 1 mixture and a multiple that rises to the right -> images; one linear
    head for each of its two places."""

    def __init__(self, seed: int = 1) -> None:
        super().__init__()
        rng = torch.Generator().manual_seed(seed)

        def drawn(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.randn(*shape, generator=rng, dtype=torch.float64))

        self.mix, self.back = drawn(4, 2), drawn(2, 4)
        self.heads = nn.ParameterList([drawn(2, 3), drawn(4, 3)])
        self.heads.requires_grad_(False)

    def encode(self, image: Tensor) -> tuple[Tensor, Tensor]:
        return image, encoded(image, self.mix)

    def decode(self, features: tuple[Tensor, ...]) -> Tensor:
        return decoded(features[-1], self.back)

    def project(self, place: int, vectors: Tensor) -> Tensor:
        return F.normalize(vectors @ self.heads[place], dim=-1)

    def forward(self, image: Tensor) -> Tensor:
        return self.decode(self.encode(image))


def encoded(image: Tensor, mix: Tensor) -> Tensor:
    rising = torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64)  # so that a mirrored image has other features
    return torch.einsum("dc,bchw->bdhw", mix, image * rising).tanh()


def decoded(features: Tensor, back: Tensor) -> Tensor:
    return torch.einsum("cd,bdhw->bchw", back, features).tanh()


def game(objective: Objective | None = None, **options: Any) -> tuple[Game, Convolved, Judge]:
    network, judge = Convolved(), Judge(2)
    players = {"to_b": network, "discriminator": judge}
    options = {"temperature": TAU, "patches": 5, **options}
    return catalog.build("games", "cut", players, objective or lsgan(), Prior(), **options), network, judge


def contrast(source: Tensor, image: Tensor, weights: dict[str, Tensor], places: list[Tensor]) -> Tensor:
    """Eq. 4, the mean over places, patches and images: in loops."""
    total: Any = 0.0
    frozen = {name: value.detach() for name, value in weights.items()}
    queries = [image, encoded(image, weights["mix"])]
    keys = [source, encoded(source, frozen["mix"])]
    for number, chosen in enumerate(places):
        for b in range(len(source)):
            vectors = [queries[number][b, :, p // 3, p % 3] @ weights[f"head{number}"] for p in chosen.tolist()]
            targets = [keys[number][b, :, p // 3, p % 3] @ frozen[f"head{number}"] for p in chosen.tolist()]
            vectors, targets = ([one / one.norm() for one in some] for some in (vectors, targets))
            for s, vector in enumerate(vectors):
                likeness = torch.stack([vector @ target / TAU for target in targets])
                total = total - (likeness[s] - likeness.exp().sum().log()) / len(chosen) / len(source) / len(places)
    return total


def weights_of(network: Convolved) -> dict[str, Tensor]:
    own = {"mix": network.mix, "back": network.back, "head0": network.heads[0], "head1": network.heads[1]}
    return {name: value.detach().clone().requires_grad_() for name, value in own.items()}


def drawn(rng: torch.Generator) -> list[Tensor]:
    """Five of the nine positions, for each of the two places of the encoder."""
    return [torch.randperm(9, generator=rng)[:5] for _ in range(2)]


def gradients_are(network: Convolved, weights: dict[str, Tensor], total: Tensor) -> None:
    wanted = dict(zip(weights, torch.autograd.grad(total, [*weights.values()]), strict=True))
    found = {"mix": network.mix, "back": network.back, "head0": network.heads[0], "head1": network.heads[1]}
    for name, parameter in found.items():
        torch.testing.assert_close(parameter.grad, wanted[name], msg=name)


def test_the_turns() -> None:
    made, network, _ = game()
    assert [(turn.name, turn.players, turn.draws) for turn in made.turns] == [
        ("discriminator", ("discriminator",), True),
        ("translator", ("to_b",), False),
    ]
    assert cut.DOMAINS == ("a", "b")
    assert not hasattr(cut, "PAIRED")
    assert all(head.requires_grad for head in network.heads)  # asleep until this game
    assert made.averaged == ()
    assert game(averaged=True)[0].averaged == ("to_b",)


def test_the_discriminators_terms() -> None:
    made, network, judge = game()
    given = batch()
    terms = play(made, 0, given)
    fake = network(given["a"].image).detach()
    assert torch.equal(judge.shown[0], given["b"].image)
    torch.testing.assert_close(judge.shown[1], fake)
    real, made_up = (image.flatten(1) @ judge.matrix for image in (given["b"].image, fake))
    torch.testing.assert_close(terms.total(), 0.5 * (real - 1).square().mean() + 0.5 * made_up.square().mean())
    terms.total().backward()
    assert judge.matrix.grad is not None
    assert network.mix.grad is None


def test_the_translators_terms_and_gradients() -> None:
    """Eq. 5 with lambda_X = lambda_Y = 1/2 of the option: the authors' code halves both."""
    made, network, judge = game(contrast=3.0)
    given = batch()
    terms = play(made, 1, given)
    weights, places = weights_of(network), drawn(torch.Generator().manual_seed(9))
    made_of = {name: decoded(encoded(sample.image, weights["mix"]), weights["back"]) for name, sample in given.items()}
    expected = {
        "adversarial": (made_of["a"].flatten(1) @ judge.matrix.detach() - 1).square().mean(),
        "contrast": 1.5 * contrast(given["a"].image, made_of["a"], weights, places),
        "identity": 1.5 * contrast(given["b"].image, made_of["b"], weights, places),
    }
    assert terms.loss.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(terms.loss[name], value, msg=name)
    terms.total().backward()
    gradients_are(network, weights, torch.stack([*expected.values()]).sum())
    assert judge.matrix.grad is None


def test_without_the_identity_all_the_weight_is_on_a() -> None:
    made, network, _ = game(contrast=3.0, identity=False)
    given = batch()
    terms = play(made, 1, given)
    weights, places = weights_of(network), drawn(torch.Generator().manual_seed(9))
    image = decoded(encoded(given["a"].image, weights["mix"]), weights["back"])
    assert terms.loss.keys() == {"adversarial", "contrast"}
    torch.testing.assert_close(terms.loss["contrast"], 3 * contrast(given["a"].image, image, weights, places))


@pytest.mark.parametrize("identity", [True, False])
def test_mirrored_images_are_compared_mirrored_back(identity: bool) -> None:
    """FastCUT: some are translated mirrored; their features are mirrored before they meet those of the image itself."""
    made, network, judge = game(identity=identity, flip=True)
    given = batch()
    terms = play(made, 1, given)
    rng = torch.Generator().manual_seed(9)
    flips = torch.rand(4, 1, 1, 1, generator=rng)[:, 0, 0, 0] < 0.5
    assert 0 < int(flips.sum()) < 4
    places, weights = drawn(rng), weights_of(network)
    total: Any = 0.0
    names = ("a", "b") if identity else ("a",)
    for name in names:
        for b in range(4):
            source = given[name].image[b : b + 1]
            turned = source.flip(3) if flips[b] else source
            image = decoded(encoded(turned, weights["mix"]), weights["back"])
            if name == "a":
                torch.testing.assert_close(judge.shown[0][b : b + 1], image)
            total = total + mirrored_contrast(source, image, bool(flips[b]), weights, places) / 4 / len(names)
    found = sum(value for key, value in terms.loss.items() if key != "adversarial")
    torch.testing.assert_close(found, total)


def mirrored_contrast(
    source: Tensor, image: Tensor, flip: bool, weights: dict[str, Tensor], places: list[Tensor]
) -> Tensor:
    """`contrast` of one image whose features are mirrored, by mirroring the places that are read instead."""
    queries = [image, encoded(image, weights["mix"])]
    keys = [source, encoded(source, weights["mix"])]
    total: Any = 0.0
    for number, chosen in enumerate(places):
        head = weights[f"head{number}"]
        vectors = [queries[number][0, :, p // 3, 2 - p % 3 if flip else p % 3] @ head for p in chosen.tolist()]
        targets = [keys[number][0, :, p // 3, p % 3] @ head for p in chosen.tolist()]
        vectors, targets = ([one / one.norm() for one in some] for some in (vectors, targets))
        for s, vector in enumerate(vectors):
            likeness = torch.stack([vector @ target / TAU for target in targets])
            total = total - (likeness[s] - likeness.exp().sum().log()) / len(chosen) / len(places)
    return total


def test_the_weight_follows_the_clock() -> None:
    made, *_ = game(contrast={"phases": {0: 2.0, 10: 4.0}})
    early, late = (play(made, 1, batch(), moment(images=images)) for images in (9, 10))
    torch.testing.assert_close(2 * early.loss["contrast"], late.loss["contrast"])


def test_the_positions_depend_on_the_generator_alone() -> None:
    made, *_ = game()
    one, again, other = (play(made, 1, batch(), moment(seed=seed)).loss["contrast"] for seed in (9, 9, 10))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_both_domains_are_jittered() -> None:
    made, _, judge = game(jitter=2)
    given = batch(count=8)
    play(made, 0, given, moment(seed=5))
    rng = torch.Generator().manual_seed(5)
    jitter(given["a"].image, pixels=2, rng=rng)
    assert torch.equal(judge.shown[0], jitter(given["b"].image, pixels=2, rng=rng))


def test_the_sheet() -> None:
    made, *_ = game()
    assert made.show is not None
    given, averaged = batch(count=2), Convolved(7)
    a = given["a"].image
    images = averaged(a)
    shown = made.show({"to_b": averaged}, Fixed(torch.zeros(2, 5), None, given))
    assert made.columns == 2
    torch.testing.assert_close(shown, torch.stack([a[0], images[0], a[1], images[1]]))


def test_a_translator_without_an_encoder_is_refused() -> None:
    size = Dimensions(3, 32, 32)
    players = {
        "to_b": catalog.build("models", "pix2pix", size, factory="translator", width=4),
        "discriminator": Judge(2),
    }
    with refused("cut", "encode", "--set translator.name=cut"):
        catalog.build("games", "cut", players, lsgan(), Prior())


def test_domains_that_do_not_fit() -> None:
    made, *_ = game()
    given = batch()
    with refused("cut", "a has 2", "b has 1"):
        play(made, 1, {**given, "b": Sample(given["b"].image[:, :1])})
    with refused("cut", "data.other=FOLDER", error=DataError):
        play(made, 0, {"real": given["a"]})


@pytest.mark.parametrize("options", [{"temperature": 0}, {"patches": 0}, {"contrast": -1}, {"jitter": -1}])
def test_bad_options(options: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match=f"{next(iter(options))}|must not be negative"):
        game(**options)
