"""curves.svg: what is drawn of the records, and that the file follows the run."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from gansmith.records.meters import MovingAverage
from gansmith.runs.curves import Curves, curves, svg


def record(images: int, **values: float | str) -> dict[str, float | str | int]:
    return {"step": images, "images": images, **{name.replace("__", "/"): value for name, value in values.items()}}


def heights(drawing: str, line: int = 0) -> list[float]:
    """The y of each point of a line, in the order drawn; the axis points down."""
    path = re.search(rf'<path class="l{line}" d="M([^"]*L[^"]*)"', drawing)
    assert path is not None
    return [float(point.split()[1]) for point in path[1].split("L")]


def test_losses_accuracies_metrics_and_rates_each_have_a_drawing() -> None:
    records = [
        record(n, discriminator__loss=1.0, generator__loss=2.0 + n, discriminator__accuracy=0.9, spread=0.5,
               generator__learning_rate=2e-4, metric__kid=0.1 * n, health="balanced")
        for n in (10, 20, 30)
    ]  # fmt: skip
    drawn = curves(records)
    assert [*drawn] == ["loss", "accuracy", "variety of the samples", "kid", "learning rate (1e-4)"]
    for name in ("discriminator", "generator", "images"):
        assert name in drawn["loss"]
    rising = heights(drawn["loss"], 1)
    assert rising == sorted(rising, reverse=True)
    assert len(set(heights(drawn["loss"], 0))) == 1


def test_long_lines_are_smoothed_and_thinned() -> None:
    records = [record(n, generator__loss=float(n % 2)) for n in range(1000)]
    drawing = curves(records)["loss"]
    assert "moving average of 5" in drawing
    drawn = heights(drawing)
    assert len(drawn) <= 240
    assert max(drawn[10:]) - min(drawn[10:]) < 0.5 * (max(drawn) - min(drawn))


def test_a_moving_average_is_the_mean_of_the_last_values() -> None:
    meter = MovingAverage(3)
    seen = []
    for value in (3.0, 6.0, 9.0, 0.0):
        meter.add(value)
        seen.append(meter.value())
    assert seen == [3.0, 4.5, 6.0, 5.0]
    meter.reset()
    meter.add(1.0)
    assert meter.value() == 1.0


def test_the_file_is_one_drawing_and_follows_the_run(tmp_path: Path) -> None:
    past = [record(10, generator__loss=1.0)]
    view = Curves(tmp_path, past)
    view.record(record(20, generator__loss=2.0))
    first = (tmp_path / "curves.svg").read_text()
    assert len(heights(first)) == 2
    view.record(record(30, generator__loss=4.0))  # too soon to draw
    assert (tmp_path / "curves.svg").read_text() == first
    view.close()
    whole = (tmp_path / "curves.svg").read_text()
    assert len(heights(whole)) == 3
    root = ElementTree.fromstring(whole)
    assert root.tag.endswith("svg")
    assert root.attrib["viewBox"] == "0 0 480 270"
    both = svg([record(10, generator__loss=1.0, a__accuracy=0.5)])
    assert ElementTree.fromstring(both).attrib["viewBox"] == "0 0 480 540"


def test_without_a_number_the_drawing_says_so() -> None:
    assert "no record" in svg([])
    assert [*curves([record(10)])] == ["records"]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_value_that_is_not_finite_is_left_out(bad: float) -> None:
    drawing = curves([record(10, a__loss=1.0), record(20, a__loss=bad), record(30, a__loss=2.0)])["loss"]
    assert len(heights(drawing)) == 2
