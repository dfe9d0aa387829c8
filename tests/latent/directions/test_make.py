"""Directions of a generator in one call."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gansmith.data.prior import Prior
from gansmith.errors import OptionError
from gansmith.latent import make_directions, orthogonal, principal_directions, rank, singular_directions
from gansmith.latent.directions.direction import Direction, Method
from gansmith.latent.renderer import Renderer


class Grey(nn.Module):
    """Four numbers -> four pixels of tanh, the second weakest."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.diag(torch.tensor([0.5, 0.1, 0.3, 0.2])))

    def forward(self, latents: Tensor) -> Tensor:
        return torch.tanh(latents @ self.weights).view(-1, 1, 2, 2)


@pytest.fixture
def renderer() -> Renderer:
    return Renderer(Grey(), Prior(size=4))


@pytest.mark.parametrize("method", ["pca", "svd"])
def test_it_is_what_its_parts_make_one_after_the_other(renderer: Renderer, method: Method) -> None:
    fixed = Direction(torch.tensor([0.6, 0.0, 0.8, 0.0]), "slanted")
    made = make_directions(renderer, method, count=2, orthogonal_to=[fixed])
    by_hand = principal_directions(renderer, 2) if method == "pca" else singular_directions(renderer, 2)
    wanted = rank(renderer, orthogonal(by_hand, [fixed]))
    assert [one.name for one in made] == [f"{method}-1", f"{method}-2"]
    assert (made.space, made.origin) == ("z", renderer.origin)
    for one, other in zip(made, wanted, strict=True):
        torch.testing.assert_close(one.vector, other.vector)
        assert (one.change, one.purity, one.step) == (other.change, other.purity, other.step)
        assert abs(float(one.vector @ fixed.vector)) < 1e-6
    assert (made[0].change or 0) >= (made[1].change or 0)


def test_singular_directions_of_a_diagonal_are_its_axes(renderer: Renderer) -> None:
    made = make_directions(renderer, "svd", count=4)
    assert [int(one.vector.abs().argmax()) for one in made] == [0, 2, 3, 1]


def test_towards_classes_of_a_function_of_images(renderer: Renderer) -> None:
    """Bright or dark in the upper right pixel, and a third class that nothing is of."""

    def classify(images: NDArray[np.uint8]) -> NDArray[Any]:
        assert images.shape[1:] == (2, 2, 1)
        bright = (images[:, 0, 1, 0] > 127).astype(float)
        return np.stack([bright, 1 - bright, 0 * bright], axis=1)

    made = make_directions(renderer, "labels", classify=classify, classes=["bright", "2", "never"])
    assert {one.name for one in made} == {"bright", "class_2"}
    assert float(made.find("bright").vector[1]) > 0.98
    assert float(made.find("class_2").vector[1]) < -0.98
    assert all(one.method == "labels" and (one.auc or 0) > 0.95 for one in made)


@pytest.mark.parametrize(
    ("options", "fact"),
    [
        ({"method": "lda"}, "lda"),
        ({"method": "labels"}, "classify"),
        ({"method": "pca", "classify": lambda images: images, "classes": ["a", "b"]}, "classify"),
        ({"method": "labels", "classify": lambda images: images, "classes": ["a"]}, "2 or more"),
        ({"method": "svd", "layer": 2}, "layer = 2"),
        ({"count": 0}, "count = 0"),
    ],
)
def test_what_is_refused(renderer: Renderer, options: dict[str, Any], fact: str) -> None:
    with pytest.raises(OptionError, match=fact):
        make_directions(renderer, **options)
