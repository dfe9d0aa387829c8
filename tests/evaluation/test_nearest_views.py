import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from gansmith.evaluation import nearest_views
from gansmith.evaluation.features import pixels
from gansmith.evaluation.nearest_views import Base


@pytest.fixture(scope="module", params=["spread evenly", "along few axes", "many equal"])
def rows(request: pytest.FixtureRequest) -> NDArray[np.float32]:
    """[300, 100]: more coordinates than axes, so that the bounds are no distances."""
    rng = np.random.default_rng(0)
    points = rng.normal(3, 1, (300, 100))
    if request.param == "along few axes":
        points *= np.logspace(0, -3, 100)
    if request.param == "many equal":
        points[100:140] = points[100]
    return points.astype(np.float32)


def everything(views: NDArray[np.float32], rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """[N, M]: the smallest distance over views, one pair at a time."""
    differences = views.astype(np.float64)[:, :, None] - rows.astype(np.float64)
    smallest: NDArray[np.float64] = np.sqrt((differences**2).sum(-1)).min(0)
    return smallest


def test_the_nearest_of_all_views_are_those_of_trying_everything(rows: NDArray[np.float32]) -> None:
    rng = np.random.default_rng(1)
    views = np.stack([rows[:40] + rng.normal(0, scale, (40, 100)) for scale in (0.05, 0.5, 0.3)]).astype(np.float32)
    views[0, :5] = rows[:5]
    distances, indices = Base(rows).nearest(torch.from_numpy(views), count=5)
    expected = everything(views, rows)
    np.testing.assert_allclose(distances, np.sort(expected, axis=1)[:, :5], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(np.take_along_axis(expected, indices, 1), distances, rtol=1e-5, atol=1e-6)
    assert (distances[:5, 0] == 0).all()
    assert all(len(set(each)) == 5 for each in indices.tolist())


def test_a_query_skips_its_own_and_finds_what_equals_it(rows: NDArray[np.float32]) -> None:
    own = np.arange(90, 130)
    distances, indices = Base(rows).nearest(torch.from_numpy(rows[own][None]), count=3, own=own)
    expected = everything(rows[own][None], rows)
    expected[np.arange(40), own] = np.inf
    np.testing.assert_allclose(distances, np.sort(expected, axis=1)[:, :3], rtol=1e-5, atol=1e-6)
    assert not (indices == own[:, None]).any()


def test_every_one_but_itself_can_be_asked_for(rows: NDArray[np.float32]) -> None:
    few = rows[:4]
    distances, indices = Base(few).nearest(torch.from_numpy(few[None]), count=3, own=np.arange(4))
    assert sorted(indices[1].tolist()) == [0, 2, 3]
    assert (np.diff(distances, axis=1) >= 0).all()


def test_most_pairs_are_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    rows = (rng.normal(size=(2000, 200)) * np.logspace(0, -2, 200)).astype(np.float32)
    measured = []
    full = Base._squares

    def counted(self: Base, views: torch.Tensor, squares: torch.Tensor, near: torch.Tensor) -> torch.Tensor:
        measured.append(len(near))
        return full(self, views, squares, near)

    monkeypatch.setattr(Base, "_squares", counted)
    Base(rows).nearest(torch.from_numpy(rows[None, :50] + np.float32(0.01)), count=5)
    assert sum(measured) < 50 * 2000 / 20


@pytest.mark.parametrize("shape", [(3, 3, 32, 32), (2, 1, 15, 40), (1, 4, 9, 8)])
def test_windows_of_pixels_are_their_features_one_by_one(shape: tuple[int, ...]) -> None:
    extractor = pixels.build(device="cpu")
    images = torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    height, width = shape[2] - 4, shape[3] - 3
    corners = [(2, 1), (0, 3), (4, 0), (0, 0)]
    assert extractor.windows is not None
    found = extractor.windows(images, corners, height, width)
    for features, (y, x) in zip(found, corners, strict=True):
        expected = extractor.run(images[:, :, y : y + height, x : x + width]).features
        torch.testing.assert_close(features, expected, rtol=0, atol=1e-6)


def test_equal_images_are_at_distance_0_however_far_from_the_origin() -> None:
    rows = np.random.default_rng(0).normal(1000, 0.01, (50, 80)).astype(np.float32)
    distances, indices = Base(rows).nearest(torch.from_numpy(rows[None, :20]), count=1)
    assert distances.max() == 0
    np.testing.assert_array_equal(indices[:, 0], np.arange(20))
    assert nearest_views.AXES < 80
