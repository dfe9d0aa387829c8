"""What every feature extractor of the catalog promises, with its published weights or, without them, random ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from gansmith import catalog
from gansmith.errors import DataError, GansmithError
from gansmith.evaluation.extract import extract
from gansmith.evaluation.types import Extractor


@pytest.fixture(scope="module", params=catalog.names("features"))
def extractor(request: pytest.FixtureRequest) -> Extractor:
    """Skips where neither the weights nor an `untrained` factory are there."""
    name = request.param
    try:
        built = catalog.build("features", name, device="cpu")
    except GansmithError as error:
        if name not in catalog.names("features", "untrained"):
            pytest.skip(f"{name} has no `untrained`, and: {error}")
        built = catalog.build("features", name, factory="untrained", device="cpu")
    assert isinstance(built, Extractor)
    return built


def images(count: int, channels: int, *, size: tuple[int, int] = (20, 24), seed: int = 0) -> torch.Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, channels, *size), dtype=torch.uint8, generator=rng)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_bytes_of_any_channels_give_finite_rows(extractor: Extractor, channels: int) -> None:
    batch = images(3, channels)
    before = batch.clone()
    with torch.inference_mode():
        outputs = extractor.run(batch)
    assert outputs.features.dtype == torch.float32
    assert outputs.features.dim() == 2
    assert len(outputs.features) == 3
    assert bool(torch.isfinite(outputs.features).all())
    assert torch.equal(batch, before)
    if extractor.classes is not None:
        assert outputs.logits is not None
        assert outputs.logits.shape == (3, len(extractor.classes))
    distances = torch.cdist(outputs.features, outputs.features)
    assert bool((distances + torch.eye(3) > 0).all()), "different images have equal features"


def test_an_image_has_the_same_features_whatever_stands_beside_it(extractor: Extractor) -> None:
    batch = images(4, 3)
    with torch.inference_mode():
        together = extractor.run(batch)
        for index in range(4):
            alone = extractor.run(batch[index : index + 1])
            torch.testing.assert_close(alone.features[0], together.features[index], rtol=1e-3, atol=1e-4)
            if together.logits is not None:
                assert alone.logits is not None
                torch.testing.assert_close(alone.logits[0], together.logits[index], rtol=1e-3, atol=1e-4)
        reordered = extractor.run(batch.flip(0))
    torch.testing.assert_close(reordered.features.flip(0), together.features, rtol=1e-3, atol=1e-4)


def test_extraction_does_not_depend_on_the_count(extractor: Extractor) -> None:
    arrays: Any = images(5, 3).movedim(1, -1).numpy()
    every, _ = extract(arrays, extractor, what="images", cache=False)
    some, _ = extract(arrays[:2], extractor, what="images", cache=False)
    np.testing.assert_allclose(every[:2], some, rtol=1e-4, atol=1e-5)


def test_grey_is_the_colour_image_of_equal_channels(extractor: Extractor) -> None:
    """But for an extractor that keeps channels as they are, whose rows are then longer."""
    grey = images(2, 1)
    with torch.inference_mode():
        one, three = (extractor.run(batch).features for batch in (grey, grey.expand(-1, 3, -1, -1)))
    if one.shape == three.shape:
        torch.testing.assert_close(one, three, rtol=1e-3, atol=2e-3)
    else:
        assert three.shape[1] == 3 * one.shape[1]


@pytest.mark.parametrize(
    "batch",
    [images(2, 2), images(2, 3).to(torch.int64), images(2, 3)[0], images(2, 3)[:, :, :0]],
    ids=["two channels", "int64", "three dimensions", "no rows"],
)
def test_what_is_no_batch_of_images_is_refused(extractor: Extractor, batch: torch.Tensor) -> None:
    with pytest.raises(DataError):
        extractor.run(batch)


def test_a_distance_is_zero_for_equal_images_and_symmetric(extractor: Extractor) -> None:
    if extractor.distance is None:
        return
    one, other = images(3, 3), images(3, 3, seed=1)
    with torch.inference_mode():
        there, back, same = (extractor.distance(*pair) for pair in ((one, other), (other, one), (one, one)))
    assert there.shape == (3,)
    torch.testing.assert_close(there, back)
    assert bool((there > 0).all())
    torch.testing.assert_close(same, torch.zeros(3))


def test_its_description_says_what_it_is(extractor: Extractor) -> None:
    assert extractor.name in catalog.names("features")
    assert extractor.digest
    assert extractor.prepared
    assert str(extractor).startswith(f"{extractor.name}@{extractor.digest}")
    assert catalog.describe("features", extractor.name)
