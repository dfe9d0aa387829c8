"""Classes and truncation in the renderer: what a seed's image is, and what is refused."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from gansmith.data.prior import Prior
from gansmith.errors import OptionError
from gansmith.latent.arithmetic import Term, latent_arithmetic
from gansmith.latent.path_images import interpolate
from gansmith.latent.renderer import Renderer
from refusals import refused

NAMES = ("cat", "dog", "7")


class Classy(nn.Module):
    """Every pixel of an image is its label, plus the sum of its latent."""

    conditional = True

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        assert label is not None
        return (z.sum(1) * 0 + label).view(-1, 1, 1, 1).expand(-1, 1, 2, 2)


def renderer(chunk: int = 1) -> Renderer:
    return Renderer(Classy(), Prior(size=5, classes=3), classes=NAMES, chunk=chunk)


def test_a_seed_has_a_class_of_its_own_whatever_else_is_asked_for() -> None:
    made = renderer()
    labels = made.labels(range(60))
    assert labels is not None
    assert set(labels.tolist()) == {0, 1, 2}
    assert made.labels([17])[0] == labels[17]
    images = made.images(range(60)).images
    assert images[:, 0, 0, 0].tolist() == labels.tolist()
    assert torch.equal(renderer(chunk=7).images(range(60)).images, images)


def test_classes_are_drawn_as_often_as_they_were_trained() -> None:
    unequal = Renderer(Classy(), Prior(size=5, classes=3, shares=(0.75, 0.25, 0.0)), classes=NAMES)
    labels, equal = unequal.labels(range(2000)), renderer().labels(range(2000))
    assert labels is not None
    assert equal is not None
    assert labels.bincount(minlength=3)[2] == 0
    assert 1420 < int(labels.bincount()[0]) < 1580  # 1,500 +- 4 deviations
    assert equal.bincount().min() > 580


@pytest.mark.parametrize(("label", "number"), [("cat", 0), ("dog", 1), ("7", 2), (1, 1), ("1", 1)])
def test_a_class_is_chosen_by_name_or_number(label: int | str, number: int) -> None:
    made = renderer()
    assert made.images([3, 4], label=label).images.unique().tolist() == [number]


@pytest.mark.parametrize("label", ["²", "٣", "9" * 4400, "3", "-1"])
def test_what_is_no_class(label: str) -> None:
    with pytest.raises(OptionError, match="no class called"):
        renderer().labels([0], label)


def test_ways_through_latent_space_keep_one_class() -> None:
    made = renderer()
    first = made.labels([4])
    assert interpolate(made, [4, 9], steps=3).images.unique().tolist() == first.tolist()
    assert interpolate(made, [4, 9], steps=3, label="dog").images.unique().tolist() == [1]
    terms = [Term(1, (4, 5)), Term(-1, (6, 7))]
    assert latent_arithmetic(made, terms, label=2).images[-1].unique().tolist() == [2]
    assert latent_arithmetic(made, terms).images[-1].unique().tolist() == first.tolist()


def test_what_is_not_there_is_refused() -> None:
    made = renderer()
    with refused("'dgo'", "'dog'", error=OptionError):
        made.labels([1], "dgo")
    with refused("'3'", error=OptionError):
        made.labels([1], 3)
    with refused("label", error=OptionError):
        made.render(made.latents([1]))
    plain = Renderer(nn.Identity(), Prior(size=5))
    with refused("classes", "label", error=OptionError):
        plain.labels([1], 0)
    assert plain.labels([1]) is None


def test_truncation_draws_again_only_what_is_too_far() -> None:
    made = Renderer(nn.Identity(), Prior(size=200))
    whole, cut = made.latents(range(8)), made.latents(range(8), truncation=0.7)
    near = whole.abs() <= 0.7
    assert torch.equal(cut[near], whole[near])
    assert float(cut.abs().max()) <= 0.7
    assert torch.equal(made.latents([5], truncation=0.7)[0], cut[5])
    # a truncated normal: variance 1 - 2 t phi(t) / (2 Phi(t) - 1)
    assert float(cut.var()) == pytest.approx(0.1508, rel=0.08)


def test_truncation_out_of_place_is_refused() -> None:
    with pytest.raises(OptionError, match="uniform have no tails"):
        Renderer(nn.Identity(), Prior("uniform", 5)).latents([1], truncation=0.5)
    with pytest.raises(OptionError, match=r"at least 0\.01"):
        Renderer(nn.Identity(), Prior(size=5)).latents([1], truncation=0)
    with pytest.raises(OptionError, match=r"truncation = nan is not allowed"):
        Renderer(nn.Identity(), Prior(size=5)).latents([1], truncation=float("nan"))


class Mapped(nn.Module):
    """A generator with a space W: w = 3 z, its mean 1 in every component, pixels of the first of w."""

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        return self.synthesize(self.map(z))

    def map(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        return 3 * z

    def truncate(self, w: Tensor, psi: float) -> Tensor:
        return 1 + psi * (w - 1)

    def synthesize(self, w: Tensor) -> Tensor:
        return w[:, :1, None, None].expand(-1, 1, 2, 2)


def test_truncation_is_that_of_w_where_the_generator_has_one() -> None:
    made = Renderer(Mapped(), Prior("uniform", 5))  # no tails are cut, so that any prior goes
    z = made.latents(range(6))[:, 0]
    for psi in (0.0, 0.3, 1.0):
        pixels = made.images(range(6), truncation=psi).images[:, 0, 0, 0]
        torch.testing.assert_close(pixels, 1 + psi * (3 * z - 1))
    assert torch.equal(made.images([4], truncation=0.3).images[0], made.images(range(6), truncation=0.3).images[4])
    torch.testing.assert_close(made.images(range(6)).images[:, 0, 0, 0], 3 * z)


@pytest.mark.parametrize("psi", [-0.1, 1.5, float("nan")])
def test_truncation_of_w_out_of_range_is_refused(psi: float) -> None:
    with pytest.raises(OptionError, match=rf"truncation = {psi:g} .*0 .*1"):
        Renderer(Mapped(), Prior(size=5)).images([1], truncation=psi)


def test_truncation_of_w_needs_one() -> None:
    with pytest.raises(OptionError, match=r"W"):
        Renderer(nn.Identity(), Prior(size=5)).render(torch.zeros(1, 5), psi=0.5)
