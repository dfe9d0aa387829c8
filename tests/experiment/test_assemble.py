"""Where parts meet: penalties, augmentation and labels reach the game, and what does not fit is refused in words."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from gansmith import catalog
from gansmith.adversarial import Moment, Objective, OnWeights, Sample, Weighted
from gansmith.data.prior import Prior
from gansmith.errors import ExperimentError, GansmithError, OptionError, UnknownNameError
from gansmith.experiment import layers
from gansmith.experiment.assemble import Assembly, assemble
from gansmith.experiment.compatibility import refuse_batch_normalisation
from gansmith.experiment.layers import Layer
from gansmith.experiment.with_data import with_data
from gansmith.games import two_player

SMALL: dict[str, Any] = {
    "data": {"path": "digits", "size": "16x16", "fraction": 0.1},
    "generator": {"name": "dcgan", "width": 4},
    "discriminator": {"name": "dcgan", "width": 4, "normalisation": "none"},
    "prior": {"size": 6},
    "batch": 8,
    "device": "cpu",
    "threads": 1,
}


def built(**changes: Any) -> Assembly:
    made, _ = layers.resolve([Layer("test", {**SMALL, **changes})])
    return assemble(*with_data(made))


def moment(step: int = 0) -> Moment:
    return Moment(step, 0, 0, torch.Generator().manual_seed(0))


def test_penalties_of_the_experiment_are_due_when_they_say() -> None:
    parts = built(penalties={"r1": {"weight": 2.0, "every": 3}, "orthogonal": {"weight": 0.5}})
    batch = next(parts.stream)
    judging, making = parts.game.turns
    assert judging.play(batch, moment(0)).loss.keys() == {"loss", "r1"}
    assert judging.play(batch, moment(1)).loss.keys() == {"loss"}
    assert judging.play(batch, moment(3)).loss.keys() == {"loss", "r1"}
    assert making.play(batch, moment(0)).loss.keys() == {"loss", "orthogonal"}


def test_a_penalty_that_the_objective_has_already_is_refused() -> None:
    with pytest.raises(GansmithError, match="has a term called gradient_penalty already"):
        built(objective="wgan_gp", penalties={"gradient_penalty": {}})


@pytest.mark.parametrize(
    ("penalties", "error", "message"),
    [
        ({"r3": {}}, UnknownNameError, "no penalty called 'r3'. Did you mean"),
        ({"r1": {"wieght": 1}}, OptionError, "penalties/r1 has no option 'wieght'. Did you mean 'weight'?"),
        ({"r1": {"weight": -1}}, OptionError, "it must not be negative"),
        ({"r1": {"every": 0}}, OptionError, "penalties/r1: every = 0 is not allowed"),
    ],
)
def test_wrong_penalties(penalties: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        built(penalties=penalties)


def test_penalties_need_a_discriminator() -> None:
    classify = {"game": "classify", "classifier": "mnist_net", "optimizer": {"classifier": "sgd"}}
    with pytest.raises(ExperimentError, match=r"classify.*penalties"):
        built(**classify, penalties={"r1": {}})
    with pytest.raises(ExperimentError, match=r"classify.*augment"):
        built(**classify, augment="diffaugment")


@pytest.mark.parametrize("asked", [{"objective": "wgan_gp"}, {"penalties": {"r1": {}}}, {"objective": "r3gan"}])
def test_batch_normalisation_beside_a_penalty_on_each_image_is_refused(asked: dict[str, Any]) -> None:
    batch = {"name": "dcgan", "width": 4}
    with pytest.raises(
        ExperimentError, match=r"batch normalisation.*set discriminator\.normalisation=layer \(or instance, none\)"
    ):
        built(**asked, discriminator=batch)
    built(**asked)
    built(**asked, discriminator={**batch, "normalisation": "layer"})
    built(discriminator=batch)


def test_the_way_out_of_batch_normalisation_is_one_that_the_model_has() -> None:
    two = {"data": {**SMALL["data"], "other": "digits"}, "game": "paired"}
    judge = {"name": "pix2pix", "width": 4, "normalisation": "batch"}
    with pytest.raises(ExperimentError, match=r"set discriminator\.normalisation=instance$"):
        built(**two, translator={"name": "pix2pix", "width": 4}, discriminator=judge, penalties={"r1": {}})
    objective = catalog.build("objectives", "wgan_gp")
    made, _ = layers.resolve([Layer("test", {**SMALL, "discriminator": {"name": "mlp", "width": 4}})])
    with pytest.raises(ExperimentError, match="resnet, r3gan, mlp"):
        refuse_batch_normalisation(made, objective, {"discriminator": nn.BatchNorm2d(2)})


def test_lecam_needs_one_discriminator() -> None:
    two = {"data": {**SMALL["data"], "other": "digits"}, "penalties": {"lecam": {}}}
    pair = {"translator": {"name": "pix2pix", "width": 4}, "discriminator": {"name": "pix2pix", "width": 4}}
    assert built(**two, **pair, game="paired").game.state.keys() == {"lecam"}
    pair = {"translator": {"name": "cyclegan", "width": 4}, "discriminator": {"name": "cyclegan", "width": 4}}
    with pytest.raises(ExperimentError, match=r"cycle.*\(two_player, paired\)"):
        built(**two, **pair, game="cycle")


def test_a_second_domain_needs_a_game_of_two() -> None:
    with pytest.raises(ExperimentError, match=r"data\.other.*cyclegan"):
        built(data={**SMALL["data"], "other": "digits"})


def test_augmentation_is_for_training_and_not_part_of_what_is_saved() -> None:
    parts = built(augment={"name": "noise", "deviation": 0.5})
    judge = parts.game.players["discriminator"]
    image = next(parts.stream)["real"].image
    parts.game.turns[0].play({"real": Sample(image)}, moment())
    torch.manual_seed(0)
    first, second = judge(image), judge(image)
    assert not torch.equal(first, second)
    judge.eval()
    assert torch.equal(judge(image), judge(image))
    assert not any("augment" in name for name in judge.state_dict())
    assert "augment" in parts.game.state


def test_labels_are_paired_or_drawn() -> None:
    like = Sample(torch.zeros(400, 1, 2, 2), torch.full((400,), 2))
    rng = torch.Generator().manual_seed(0)
    assert Prior(size=3, classes=5).draw(400, rng, like)[1].tolist() == [2] * 400
    drawn = Prior(size=3, labels="independent", classes=5).draw(400, rng, like)[1]
    assert set(drawn.tolist()) == {0, 1, 2, 3, 4}
    assert Prior(size=3, labels="independent").draw(4, rng, Sample(torch.zeros(4, 1, 2, 2)))[1] is None
    independent = built(prior={"size": 6, "labels": "independent"}).prior
    assert (independent.classes, independent.shares) == (10, ())
    paired = built()
    labels = torch.tensor([paired.data.train[index].label for index in range(len(paired.data.train))])
    expected = labels.bincount(minlength=10).double() / len(labels)
    torch.testing.assert_close(torch.tensor(paired.prior.shares, dtype=torch.float64), expected)


@pytest.mark.parametrize(("asking", "other"), [("generator", "discriminator"), ("discriminator", "generator")])
def test_both_of_a_pair_read_labels_or_neither(asking: str, other: str) -> None:
    with pytest.raises(ExperimentError, match=rf"{asking}.*{other}\.conditional=true"):
        built(**{asking: {**SMALL[asking], "conditional": True}})
    both = {role: {**SMALL[role], "conditional": True} for role in ("generator", "discriminator")}
    assert getattr(built(**both).game.players[asking], "conditional", False)


def test_a_game_without_labels_refuses_networks_that_read_them() -> None:
    pair = {"translator": {"name": "cyclegan", "width": 4}, "discriminator": {"name": "dcgan", "conditional": True}}
    with pytest.raises(ExperimentError, match=r"cycle.*discriminator\.conditional=false"):
        built(data={**SMALL["data"], "other": "digits"}, game="cycle", **pair)


def test_points_cannot_be_translated() -> None:
    with pytest.raises(ExperimentError, match=r"ring \| grid.*points.*cycle"):
        built(data={"path": "ring", "other": "grid"}, game="cycle", translator="cyclegan", discriminator="cyclegan")


class Line(nn.Module):
    """The mean of an image, times a weight."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(3.0))

    def forward(self, image: torch.Tensor, label: torch.Tensor | None = None) -> torch.Tensor:
        return self.weight * image.flatten(1).mean(1)


def test_flipped_pairs_are_taken_for_each_other() -> None:
    objective = Objective(lambda real, fake: fake - real, lambda real, fake: -fake)
    real, fake = (Sample(torch.full((4, 1, 2, 2), value)) for value in (1.0, 0.0))
    at = moment()
    plain = objective.discriminator_terms(Line(), real, fake, at)
    flipped = torch.tensor([True, False, False, False])
    turned = objective.discriminator_terms(Line(), real, fake, at, flipped=flipped)
    assert plain.loss["loss"].item() == -3
    assert turned.loss["loss"].item() == pytest.approx((3 - 9) / 4)
    assert turned.seen["accuracy"] == 1  # what is recorded is the truth


def test_the_share_of_flips_is_the_one_asked_for() -> None:
    seen: list[torch.Tensor] = []

    class Watched(Objective):
        def discriminator_terms(self, *given: Any, flipped: torch.Tensor | None = None) -> Any:
            seen.append(torch.zeros(0) if flipped is None else flipped)
            return super().discriminator_terms(*given, flipped=flipped)

    players = {"generator": nn.Sequential(nn.Linear(2, 4), nn.Unflatten(1, (1, 2, 2))), "discriminator": Line()}
    players["generator"].forward = lambda z, label=None: z[:, :1, None, None].expand(-1, 1, 2, 2)  # type: ignore[method-assign]
    watched = Watched(lambda real, fake: fake - real, lambda real, fake: -fake)
    batch = {"real": Sample(torch.ones(4000, 1, 2, 2))}
    for flips, share in ((0.0, None), (0.25, 0.25)):
        two_player.build(players, watched, Prior(size=2), flips=flips).turns[0].play(batch, moment())
        found = seen.pop()
        assert len(found) == 0 if share is None else float(found.float().mean()) == pytest.approx(share, abs=0.03)


def test_penalties_on_weights_belong_to_their_side() -> None:
    def size(network: nn.Module) -> torch.Tensor:
        return sum((p.square().sum() for p in network.parameters()), start=torch.zeros(()))

    objective = Objective(lambda real, fake: fake - real, lambda real, fake: -fake)
    more = objective.penalised(
        {
            "mine": OnWeights(Weighted(size, lambda images: 0.5, every=2), "discriminator"),
            "yours": OnWeights(Weighted(size, lambda images: 7.0)),
        }
    )
    line = Line()
    assert {k: v.item() for k, v in more.weight_terms("discriminator", line, moment(0)).items()} == {"mine": 9.0}
    assert more.weight_terms("discriminator", line, moment(1)) == {}
    assert {k: v.item() for k, v in more.weight_terms("generator", line, moment(1)).items()} == {"yours": 63.0}
    real, fake = (Sample(torch.full((4, 1, 2, 2), value)) for value in (1.0, 0.0))
    assert more.discriminator_terms(line, real, fake, moment(0)).loss.keys() == {"loss", "mine"}
