"""The game of one: what the classifier is shown, its loss and its errors."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from gansmith import catalog
from gansmith.adversarial import Game, Moment, Sample
from gansmith.data.prior import Prior
from gansmith.errors import DataError, OptionError
from gansmith.games import classify
from gansmith.games.parts.crop import crop
from refusals import refused


class Guess(nn.Module):
    """Logits by one linear layer; remembers what it was shown."""

    def __init__(self, classes: int = 7, pixels: int = 36) -> None:
        super().__init__()
        self.layer = nn.Linear(pixels, classes)
        self.shown: list[Tensor] = []

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        self.shown.append(image.clone())
        assert label is None  # or it could cheat
        return self.layer(image.flatten(1))


def game(classes: int = 7, **options: object) -> tuple[Game, Guess]:
    torch.manual_seed(0)
    guess = Guess(classes)
    made = catalog.build("games", "classify", {"classifier": guess}, None, Prior(size=5), **options)
    assert isinstance(made, Game)
    return made, guess


def moment(step: int = 1, seed: int = 9) -> Moment:
    return Moment(step, 0, 0, torch.Generator().manual_seed(seed))


REAL = Sample(torch.linspace(-1, 1, 20 * 36).reshape(20, 1, 6, 6), torch.arange(20) % 7)


def test_one_turn_for_one_player() -> None:
    made, guess = game()
    assert classify.ROLES == {"classifier": "classifier"}
    assert dict(made.players) == {"classifier": guess}
    assert [(turn.name, turn.players, turn.draws, turn.settle) for turn in made.turns] == [
        ("classifier", ("classifier",), True, None)
    ]
    assert made.averaged == ()
    assert made.show is None
    assert not made.state


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("padding", [0, 3, 4])
def test_the_classifier_is_shown_crops_by_the_moments_rng(padding: int, flip: bool) -> None:
    made, guess = game(padding=padding, flip=flip)
    terms = made.turns[0].play({"real": REAL}, moment())
    again, same = game(padding=padding, flip=flip)
    torch.testing.assert_close(again.turns[0].play({"real": REAL}, moment()).loss, terms.loss, rtol=0, atol=0)
    expected = crop(REAL.image, padding=padding, flip=flip, rng=moment().rng)
    assert torch.equal(guess.shown[0], expected)
    assert torch.equal(same.shown[0], expected)
    assert (padding or flip) != torch.equal(expected, REAL.image)


def test_by_default_crops_of_four_pixels_and_no_flips() -> None:
    made, guess = game()
    made.turns[0].play({"real": REAL}, moment())
    assert torch.equal(guess.shown[0], crop(REAL.image, padding=4, flip=False, rng=moment().rng))


def test_other_moments_other_crops() -> None:
    made, guess = game()
    made.turns[0].play({"real": REAL}, moment(seed=1))
    made.turns[0].play({"real": REAL}, moment(seed=2))
    assert not torch.equal(*guess.shown)


def test_the_network_itself_crops_nothing() -> None:
    made, guess = game()
    network = made.players["classifier"].eval()
    network(REAL.image)
    assert torch.equal(guess.shown[0], REAL.image)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
def test_loss(smoothing: float) -> None:
    """Cross-entropy against (1 - s) at the label and s / K everywhere, written out in float64."""
    made, guess = game(padding=0, smoothing=smoothing)
    terms = made.turns[0].play({"real": REAL}, moment())
    logits = guess.layer(REAL.image.flatten(1)).double()
    assert REAL.label is not None
    target = torch.full((20, 7), smoothing / 7, dtype=torch.float64)
    target[torch.arange(20), REAL.label] += 1 - smoothing
    expected = -(target * logits.log_softmax(1)).sum(1).mean()
    torch.testing.assert_close(terms.loss["loss"].double(), expected)
    got = torch.autograd.grad(terms.total(), guess.layer.weight)[0]
    torch.testing.assert_close(got, torch.autograd.grad(expected, guess.layer.weight)[0])


def test_errors_counted_by_hand() -> None:
    logits = torch.tensor(
        [
            [9, 5, 4, 3, 2, 1, 0],  # label 0 is first
            [9, 5, 4, 3, 2, 1, 0],  # label 4 is fifth
            [9, 5, 4, 3, 2, 1, 0],  # label 5 is sixth
            [0, 1, 2, 3, 4, 5, 6],  # label 2 is fifth
        ]
    )
    seen = classify.errors(logits.float(), torch.tensor([0, 4, 5, 2]))
    assert {name: float(value) for name, value in seen.items()} == {"error": 0.75, "top5_error": 0.25}


@pytest.mark.parametrize(("classes", "names"), [(5, {"error"}), (6, {"error", "top5_error"})])
def test_the_best_five_of_five_say_nothing(classes: int, names: set[str]) -> None:
    made, _ = game(classes, padding=0)
    terms = made.turns[0].play({"real": Sample(REAL.image, torch.arange(20) % classes)}, moment())
    assert set(terms.seen) == names
    assert set(terms.loss) == {"loss"}
    assert not any(value.requires_grad for value in terms.seen.values())


def test_the_loss_is_taken_in_float32() -> None:
    made, guess = game(padding=0)
    guess.bfloat16()
    terms = made.turns[0].play({"real": Sample(REAL.image.bfloat16(), REAL.label)}, moment())
    assert terms.loss["loss"].dtype == torch.float32


def test_it_learns() -> None:
    """A batch it can tell apart: from guessing to no error at all."""
    made, guess = game(padding=0)
    real = Sample(torch.randn(70, 1, 6, 6, generator=torch.Generator().manual_seed(0)), torch.arange(70) % 7)
    optimizer = torch.optim.Adam(guess.parameters(), lr=0.05)
    seen = []
    for step in range(60):
        terms = made.turns[0].play({"real": real}, moment(step))
        optimizer.zero_grad()
        terms.total().backward()
        optimizer.step()
        seen.append(float(terms.seen["error"]))
    assert seen[0] > 0.6
    assert seen[-1] < 0.1


def test_no_labels() -> None:
    made, _ = game()
    with refused("labels", "classify", "one folder for each class", error=DataError):
        made.turns[0].play({"real": Sample(REAL.image)}, moment())


def test_a_classifier_for_other_classes() -> None:
    made, _ = game(6)
    with refused("[6]", "labels go up to 6", "[B, 7]"):
        made.turns[0].play({"real": REAL}, moment(step=0))
    with refused("labels go up to 3"):
        game(7)[0].turns[0].play(
            {"real": Sample(REAL.image, torch.full((20,), 3) - torch.eye(20).long()[0] * 4)}, moment(0)
        )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"padding": -1},
            r"^games/classify: padding = -1 is not allowed: it takes a whole number from 0 to 1,000$",
        ),
        (
            {"smoothing": 1.0},
            r"^games/classify: smoothing = 1.0 is not allowed: it takes a number of at least 0, below 1$",
        ),
        (
            {"flips": True},
            r"^games/classify has no option 'flips'. Did you mean 'flip'\? It has: padding, flip, smooth",
        ),
    ],
)
def test_bad_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        game(**options)
