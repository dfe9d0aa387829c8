"""What every metric of the catalog promises: identical sets at their best, no matter the order, type or count."""

from __future__ import annotations

import importlib
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from gansmith import catalog
from gansmith.errors import DataError, GansmithError
from gansmith.evaluation.types import Extractor, Metric, Number, Side

COUNT, CLASSES, WIDTH = 96, 4, 6
FIELDS = ("images", "features", "probabilities", "labels")


@pytest.fixture(autouse=True)
def untrained_extractors(monkeypatch: pytest.MonkeyPatch) -> None:
    """A metric that builds an extractor for itself gets it with random weights: the published ones may be missing."""
    for name in catalog.names("features", "untrained"):
        module = importlib.import_module(f"gansmith.evaluation.features.{name}")

        def build(
            *, weights: str | None = None, device: str = "auto", network: str = "", module: Any = module
        ) -> Extractor:
            extractor: Extractor = module.untrained(device="cpu")
            return extractor

        monkeypatch.setattr(module, "build", build)


@pytest.fixture(params=catalog.names("metrics"))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def metric(name: str) -> Metric:
    built = catalog.build("metrics", name)
    assert isinstance(built, Metric)
    return built


def real_side(seed: int = 0) -> Side:
    """Four well-separated classes: their features, sure probabilities (exact in bfloat16), images of noise."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(COUNT) % CLASSES)
    centres = 4 * np.eye(CLASSES, WIDTH)
    features = (centres[labels] + rng.standard_normal((COUNT, WIDTH))).astype(np.float32)
    probabilities = np.where(np.eye(CLASSES, dtype=bool)[labels], 0.8125, 0.0625).astype(np.float32)
    images = rng.integers(0, 256, (COUNT, 16, 16, 3), dtype=np.uint8)
    return Side("real", images, features, probabilities, labels.astype(np.int64))


def worse_side(place: str = "elsewhere") -> Side:
    """One class, unsure, with wrong labels; images of one stripe pattern, nearly alike.

    Its features lie in one place: elsewhere, or in the middle of the real ones, where similarities are small.
    """
    rng = np.random.default_rng(9)
    real = real_side()
    assert real.labels is not None
    assert real.features is not None
    centre = np.full(WIDTH, 7.0) if place == "elsewhere" else real.features.mean(axis=0)
    features = (centre + 0.1 * rng.standard_normal((COUNT, WIDTH))).astype(np.float32)
    probabilities = np.tile(np.array([0.28125, 0.25, 0.25, 0.21875], dtype=np.float32), (COUNT, 1))
    stripes = np.where(np.arange(16) % 2, 200, 50)[None, None, :, None] + rng.integers(0, 4, (COUNT, 16, 16, 3))
    return Side("worse", stripes.astype(np.uint8), features, probabilities, rng.permutation(real.labels))


def rows(side: Side, indices: NDArray[np.int64]) -> Side:
    return replace(side, **{field: getattr(side, field)[indices] for field in FIELDS})


def cast(side: Side, field: str, kind: Any) -> Side:
    """The side with a field of another type: a NumPy type, or a torch one for a tensor that is part of a graph."""
    values = getattr(side, field)
    if isinstance(kind, torch.dtype):
        return replace(side, **{field: torch.from_numpy(values).to(kind).requires_grad_()})
    return replace(side, **{field: values.astype(kind)})


def test_its_description_is_complete(name: str, metric: Metric) -> None:
    numbers = metric.measure(real_side(), real_side())
    assert set(metric.better) <= set(numbers)
    assert set(metric.better.values()) <= {"lower", "higher"}
    assert set(metric.needs) <= set(FIELDS)
    assert metric.words.startswith(name)
    assert all(number.means for number in numbers.values())


@pytest.mark.parametrize("place", ["elsewhere", "middle"])
def test_identical_sets_give_the_best_value(metric: Metric, place: str) -> None:
    same, other = metric.measure(real_side(), real_side()), metric.measure(real_side(), worse_side(place))
    differ = []
    for quantity in same:
        if quantity in metric.better:  # of others neither way is: copies are the least authentic, and noise the most
            sign = 1 if metric.better[quantity] == "lower" else -1
            assert sign * same[quantity].value <= sign * other[quantity].value + 1e-9, quantity
        differ.append(same[quantity].value != pytest.approx(other[quantity].value))
    one_sided = not metric.better and place == "middle"  # what is neither way better may be equal by chance
    assert any(differ) or one_sided, "the metric does not tell a good set from a bad one"


def test_the_interval_holds_the_value(metric: Metric) -> None:
    for side in (real_side(), real_side(1), worse_side()):
        for quantity, number in metric.measure(real_side(), side).items():
            assert math.isfinite(number.value), quantity
            assert number.low is None or number.low <= number.value + 1e-9
            assert number.high is None or number.high >= number.value - 1e-9


def test_the_order_of_images_does_not_matter(metric: Metric) -> None:
    """Rows of both sides move together, because a metric may compare the two image by image."""
    order = np.random.default_rng(3).permutation(COUNT)
    real, fake = real_side(), real_side(1)
    numbers = metric.measure(real, fake)
    moved = metric.measure(rows(real, order), rows(fake, order))
    for quantity, number in numbers.items():
        if metric.draws:
            assert within(number, moved[quantity].value), quantity
        else:
            assert moved[quantity].value == pytest.approx(number.value, rel=1e-5, abs=1e-6), quantity


def within(number: Number, value: float) -> bool:
    """Does the interval, doubled for there being two drawings, hold the value? Without one, anything finite does."""
    if number.low is None or number.high is None:
        return math.isfinite(value)
    reach = 2 * (number.high - number.low) + 1e-9
    return abs(value - number.value) <= reach


@pytest.mark.parametrize("field", ["features", "probabilities"])
@pytest.mark.parametrize(
    ("ours", "theirs", "tolerance"),
    [
        (np.float64, np.float32, 1e-5),
        (np.float32, np.float64, 1e-5),
        (np.float16, np.float32, 1e-2),
        (torch.float32, np.float64, 1e-5),
        (np.float32, torch.float16, 1e-2),
        (torch.bfloat16, torch.bfloat16, 0.1),
        (torch.bfloat16, np.float64, 0.1),
    ],
)
def test_types_may_be_mixed(metric: Metric, field: str, ours: Any, theirs: Any, tolerance: float) -> None:
    if field not in metric.needs:
        return
    real, fake = real_side(), real_side(1)
    numbers = metric.measure(cast(real, field, ours), cast(fake, field, theirs))
    for quantity, expected in metric.measure(real, fake).items():
        scale = max(0.1, abs(expected.value))
        assert abs(numbers[quantity].value - expected.value) <= tolerance * scale, quantity


@pytest.mark.parametrize("field", ["features", "probabilities"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda values: values.astype(np.complex64) + 1j,
        lambda values: np.where(np.arange(len(values))[:, None] == 5, np.nan, values),
        lambda values: values[:, :, None],
        lambda values: values.astype(str),
    ],
    ids=["complex", "nan", "three dimensions", "text"],
)
def test_what_is_no_matrix_of_numbers_is_refused(metric: Metric, field: str, damage: Any) -> None:
    if field not in metric.needs:
        return
    real, fake = real_side(), real_side(1)
    with pytest.raises(GansmithError):
        metric.measure(real, replace(fake, **{field: damage(getattr(fake, field))}))


def test_what_it_needs_and_lacks_is_named(name: str, metric: Metric) -> None:
    bare = Side("the bare side")
    with pytest.raises(DataError):
        metric.measure(bare, bare)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 12, 20])
def test_few_images_give_a_number_or_an_error_that_says_so(metric: Metric, count: int) -> None:
    some = np.arange(count)
    real, fake = rows(real_side(), some), rows(real_side(1), some)
    try:
        numbers = metric.measure(real, fake)
    except DataError:
        return
    assert count >= 1
    assert all(math.isfinite(number.value) for number in numbers.values())


def test_its_least_count_is_enough_or_refused_with_what_it_takes(metric: Metric) -> None:
    enough = np.arange(max(metric.least, 40))
    numbers = metric.measure(rows(real_side(), enough), rows(real_side(1), enough))
    assert all(math.isfinite(number.value) for number in numbers.values())
