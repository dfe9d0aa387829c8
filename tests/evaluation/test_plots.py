"""Plots: what is drawn lies where the numbers say, texts are harmless, and odd data give a sensible drawing."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest

from gansmith.errors import OptionError
from gansmith.evaluation import number_format
from gansmith.evaluation.audit import axes, plots
from gansmith.evaluation.types import Number

SVG = "{http://www.w3.org/2000/svg}"
THIN = "\u202f"


def parsed(svg: str) -> ElementTree.Element:
    """Every drawing is well-formed, sized by its viewBox, and can be read aloud."""
    root = ElementTree.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    assert root.get("viewBox", "").startswith("0 0 480 ")
    assert root.get("role") == "img"
    assert root.get("aria-label")
    assert "nan" not in re.sub(r"<style>.*?</style>", "", svg, flags=re.DOTALL).lower().replace("nan-", "")
    return root


def texts(root: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def pieces(root: ElementTree.Element, tag: str, kind: str) -> list[ElementTree.Element]:
    return [element for element in root.iter(f"{SVG}{tag}") if element.get("class") == kind]


def number_at(root: ElementTree.Element, label: str, attribute: str) -> float:
    """Where the tick with this label stands."""
    side = {"x": "middle", "y": "end"}[attribute]
    ticks = [element for element in root.iter(f"{SVG}text") if element.get("text-anchor") == side]
    (place,) = [float(element.get(attribute, "")) for element in ticks if element.text == label]
    return place


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0"),
        (71, "71"),
        (71.26, "71.3"),
        (0.7126, "0.713"),
        (0.01234, "0.0123"),
        (-0.5, "\u22120.500"),
        (12345, f"12{THIN}345"),
        (12345.6, f"12{THIN}300"),
        (1e6, f"1{THIN}000{THIN}000"),
        (99.96, "100"),
        (2.3e-9, "2.30 \u00d7 10\u207b\u2079"),
        (-4.5e12, "\u22124.50 \u00d7 10\u00b9\u00b2"),
        (math.nan, "not known"),
        (math.inf, "no limit"),
        (-math.inf, "\u2212no limit"),
    ],
)
def test_numbers_have_three_digits(value: float, expected: str) -> None:
    assert number_format.number(value) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (Number(71, 66, 75), "71 (66 to 75)"),
        (Number(71.26, 66.04, 75.51), "71.3 (66.0 to 75.5)"),
        (Number(0.0001, -0.0034, 0.0041), "0.00010 (\u22120.00340 to 0.00410)"),
        (
            Number(0.00002, 0.00001, 0.00004),
            "2.00 \u00d7 10\u207b\u2075 (1.00 \u00d7 10\u207b\u2075 to 4.00 \u00d7 10\u207b\u2075)",
        ),
        (Number(71), "71"),
        (Number(71, low=66), "at least 66"),
        (Number(0.5, 0.5, 0.5), "0.500"),
        (Number(71, high=75), "71 (at most 75)"),
        (Number(1500.5, 66.25, math.inf), "at least 66.2"),
        (Number(math.nan), "not known"),
        (Number(math.nan, 3, 4), "not known (3 to 4)"),
        (Number(math.inf, 3), "at least 3"),
        (Number(-0.0004, -1.0, 1.0), "0.00 (\u22121.00 to 1.00)"),
    ],
)
def test_intervals_stand_in_brackets(given: Number, expected: str) -> None:
    assert number_format.interval(given) == expected


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0, 100, [0, 20, 40, 60, 80, 100]),
        (-0.13, 0.22, [-0.1, 0, 0.1, 0.2]),
        (3.2e-7, 8.9e-7, [4e-7, 6e-7, 8e-7]),
        (1995, 2004, [1996, 1998, 2000, 2002, 2004]),
    ],
)
def test_ticks_are_round(low: float, high: float, expected: list[float]) -> None:
    np.testing.assert_allclose(axes.ticks(low, high), expected, rtol=1e-12, atol=1e-15)


def test_logarithmic_ticks() -> None:
    np.testing.assert_allclose(axes.powers(0.5, 2000), [1, 10, 100, 1000])
    np.testing.assert_allclose(axes.powers(1, 32), [1, 2, 5, 10, 20])
    assert len(axes.powers(1e-30, 1e30)) <= 7


def test_a_histogram_counts() -> None:
    """Whole numbers have a bin each: 1, 1, 2, 4 are 50 %, 25 %, 0 %, 25 %."""
    root = parsed(plots.histogram({"size": [1, 1, 2, 4]}, x="cluster size"))
    (path,) = [element.get("d", "") for element in pieces(root, "path", "l0")]
    heights = [float(height) for height in re.findall(r"V([\d.]+)", path)]
    floor = number_at(root, "0", "y") - 4
    tick = number_at(root, "40", "y") - 4
    shares = [40 * (floor - height) / (floor - tick) for height in heights]
    np.testing.assert_allclose(shares, [50, 25, 0, 25, 0], atol=0.3)  # the last goes back to the floor
    rights = [float(right) for right in re.findall(r"H([\d.]+)", path)]
    middle = (rights[0] + rights[1]) / 2
    assert middle == pytest.approx(number_at(root, "2", "x"), abs=0.2)
    assert "size (4)" in texts(root)


def test_shares_of_each_group_sum_to_all() -> None:
    rng = np.random.default_rng(0)
    root = parsed(plots.histogram({"a": rng.normal(size=900), "b": rng.normal(3, 2, 30), "c": []}, x="distance"))
    floor, five = number_at(root, "0", "y") - 4, number_at(root, "10", "y") - 4
    for kind, total in (("l0", 100), ("l1", 100), ("l2", 0)):
        (path,) = [element.get("d", "") for element in pieces(root, "path", kind)]
        heights = [float(height) for height in re.findall(r"V([\d.]+)", path)]
        assert sum(10 * (floor - height) / (floor - five) for height in heights) == pytest.approx(total, abs=2)


def test_marks_stand_at_their_value() -> None:
    root = parsed(
        plots.histogram({"a": np.linspace(0, 10, 101)}, x="x", marks={"half": 5.0, "far": 20.0, "no": math.nan})
    )
    places = [float(re.findall(r"M([\d.]+) ", element.get("d", ""))[0]) for element in pieces(root, "path", "mark")]
    zero, ten = number_at(root, "0", "x"), number_at(root, "10", "x")
    assert len(places) == 2
    assert places[0] == pytest.approx((zero + ten) / 2, abs=0.3)
    assert places[1] == pytest.approx(zero + 2 * (ten - zero), abs=0.3)
    assert {"half", "far"} < set(texts(root))
    assert "no" not in texts(root)
    assert "half at 5" in root.get("aria-label", "")


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plots.histogram({"a": [2.5] * 10, "b": []}, x="constant"),
        lambda: plots.histogram({"a": [1e9 + 0.1, 1e9 + 0.2]}, x="large"),
        lambda: plots.bars({"a": {"x": 0.0}}, y="zero"),
        lambda: plots.lines({"a": [(3, 4)]}, x="x", y="one point"),
        lambda: plots.lines({"a": [(1, 7), (2, 7)], "b": []}, x="x", y="constant"),
        lambda: plots.lines({"a": [(1, 7), (2, 7)]}, x="x", y="constant", log_x=True, log_y=True),
        lambda: plots.bars({"a": {f"category {i}": i for i in range(500)}}, y="many"),
    ],
)
def test_odd_data_are_drawn(draw: Callable[[], str]) -> None:
    root = parsed(draw())
    for element in root.iter(f"{SVG}text"):
        assert -1 <= float(element.get("x", "")) <= 480
        assert 0 <= float(element.get("y", "")) <= 271


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plots.histogram({"a": [math.nan, math.inf], "b": []}, x="what"),
        lambda: plots.bars({"a": {"x": math.nan}}, y="what"),
        lambda: plots.bars({"a": {}}, y="what"),
        lambda: plots.lines({"a": [(1, math.nan)]}, x="x", y="what"),
        lambda: plots.lines({"a": [(0, 1), (-1, 2)]}, x="x", y="what", log_x=True),
    ],
)
def test_nothing_to_draw_is_said(draw: Callable[[], str]) -> None:
    assert texts(parsed(draw())) == ["what: no values to draw"]


def test_what_was_left_out_is_said() -> None:
    root = parsed(plots.histogram({"a": [1.5, math.nan, 2.5, math.inf]}, x="distance"))
    assert "distance (2 not drawn: no number, or none for this axis)" in texts(root)
    root = parsed(plots.lines({"a": [(1, 1), (2, 0), (3, 5)]}, x="time", y="v", log_y=True))
    assert "time (1 not drawn: no number, or none for this axis)" in texts(root)


def test_bars_are_as_high_as_their_value() -> None:
    root = parsed(
        plots.bars(
            {"real": {"cat": 10.0, "dog": 20.0}, "made": {"dog": 5.0, "cow": -10.0}},
            y="share (%)",
            intervals={"made": {"dog": (2.5, 7.5), "cow": (math.nan, 1)}},
        )
    )
    zero, ten = number_at(root, "0", "y"), number_at(root, "10", "y")
    unit = (zero - ten) / 10
    real = [element for element in pieces(root, "rect", "f0") if element.get("width") != "24"]
    made = [element for element in pieces(root, "rect", "f1") if element.get("width") != "24"]
    np.testing.assert_allclose([float(e.get("height", "")) / unit for e in real], [10, 20], atol=0.1)
    np.testing.assert_allclose([float(e.get("height", "")) / unit for e in made], [5, 10], atol=0.1)
    assert float(made[1].get("y", "")) == pytest.approx(zero - 4, abs=0.2)  # a negative bar hangs from zero
    (whisker,) = [e.get("d", "") for e in pieces(root, "path", "axis") if "var(--ink)" in (e.get("style") or "")]
    (top,) = re.findall(r"M[\d.]+ ([\d.]+)", whisker)
    (bottom,) = re.findall(r"V([\d.]+)", whisker)
    assert (float(bottom) - float(top)) / unit == pytest.approx(5, abs=0.1)
    assert [text for text in texts(root) if text in {"cat", "dog", "cow"}] == ["cat", "dog", "cow"]


def test_lines_go_through_their_points() -> None:
    path = [(1.0, 100.0), (10.0, 10.0), (100.0, 1.0)]
    root = parsed(plots.lines({"a": path[::-1]}, x="x", y="y", log_x=True, log_y=True, bands={"a": [(1, 50, 200)]}))
    (drawn,) = [element.get("d", "") for element in pieces(root, "path", "l0") if "L" in element.get("d", "")]
    places = [tuple(map(float, place.split())) for place in drawn[1:].split("L")]
    assert places[0][0] < places[1][0] < places[2][0]  # sorted from left to right
    assert places[1][0] - places[0][0] == pytest.approx(places[2][0] - places[1][0], abs=0.2)
    assert places[1][1] - places[0][1] == pytest.approx(places[2][1] - places[1][1], abs=0.2)
    assert places[0][1] < places[2][1]  # large values are high up
    (band,) = [element.get("d", "") for element in pieces(root, "path", "f0") if element.get("fill-opacity")]
    over, under = (float(place.split()[1]) for place in band[1:-1].split("L"))
    assert over < places[0][1] < under


def test_a_long_line_has_no_dots() -> None:
    for count, dots in ((30, 31), (31, 0)):  # one more beside its name
        root = parsed(plots.lines({"a": [(i, i) for i in range(count)]}, x="x", y="y"))
        assert len(pieces(root, "path", "f0")) == dots


def scale_places(svg: str) -> tuple[float, list[float], float, float]:
    root = parsed(svg)
    (pointer,) = [e.get("d", "") for e in pieces(root, "path", "f0") if "l7" in e.get("d", "")]
    (whisker,) = [element.get("d", "") for element in pieces(root, "path", "l0")]
    (zone,) = pieces(root, "rect", "zone")
    ends = [float(found) for found in re.findall(r"[MH]([\d.]+)", whisker)]
    left, wide = float(zone.get("x", "")), float(zone.get("width", ""))
    return float(pointer[1:].split()[0]), ends, left, left + wide


def test_the_scale_runs_from_bad_to_good() -> None:
    here, between, left, right = scale_places(plots.scale(71, 66, 75, good=(80, 100), ends=(0, 100), label="share"))
    np.testing.assert_allclose([here, *between, left, right], [328.2, 307.2, 345, 366, 450], atol=0.11)
    here, between, left, right = scale_places(plots.scale(29, 25, 34, good=(20, 0), ends=(100, 0), label="FID"))
    np.testing.assert_allclose([here, *between, left, right], [328.2, 307.2, 345, 366, 450], atol=0.11)


def test_beyond_the_end_of_a_scale_is_an_arrow() -> None:
    svg = plots.scale(130, None, None, good=(10, 0), ends=(100, 0), label="FID")
    here, between, _, _ = scale_places(svg)
    assert here == 30
    assert between == [30, 30]
    arrows = [e.get("d", "") for e in pieces(parsed(svg), "path", "f0")][1:]
    assert arrows == ["M10.0 52.0l8-5v10z"]
    assert len(pieces(parsed(plots.scale(50, None, None, good=(10, 0), ends=(100, 0), label="FID")), "path", "f0")) == 1


def test_a_scale_says_its_number() -> None:
    root = parsed(plots.scale(71.26, 66, 75, good=(80, 100), ends=(0, 100), label="share"))
    assert texts(root) == ["share: 71.3 (66.0 to 75.0)", "good", "0 \u00b7 bad", "100 \u00b7 as good as real"]
    says = root.get("aria-label")
    assert says == "share: 71.3 (66.0 to 75.0); good from 80 to 100, bad at 0, as good as real at 100"
    assert texts(parsed(plots.scale(math.nan, 1, 2, good=(0, 1), ends=(0, 1), label="share"))) == ["share: not known"]


@pytest.mark.parametrize("ends", [(1.0, 1.0), (0.0, math.inf), (math.nan, 1.0)])
def test_a_scale_without_length(ends: tuple[float, float]) -> None:
    with pytest.raises(OptionError, match="two different, finite ends"):
        plots.scale(0.5, None, None, good=(0, 1), ends=ends, label="share")


def test_too_many_series() -> None:
    many: Mapping[str, list[float]] = {str(i): [1.0] for i in range(7)}
    with pytest.raises(OptionError, match=r"1 to 3 series.*7.*0, 1, 2, 3, 4, 5, 6"):
        plots.histogram(many, x="x")
    with pytest.raises(OptionError, match=r"^a plot shows 1 to 6 series, not 7"):
        plots.lines({name: [(1, 1)] for name in many}, x="x", y="y")
    with pytest.raises(OptionError, match=r"^a plot shows 1 to 6 series, not 0: none$"):
        plots.bars({}, y="y")


def test_a_band_without_a_line() -> None:
    with pytest.raises(OptionError, match=r"'reel'.*real, made"):
        plots.lines({"real": [(1, 1)], "made": [(1, 1)]}, x="x", y="y", bands={"reel": [(1, 0, 2)]})


@pytest.mark.parametrize(
    "draw",
    [
        lambda evil: plots.histogram({evil: [1, 2]}, x=evil, marks={evil: 1.5}),
        lambda evil: plots.bars({evil: {evil: 1}}, y=evil),
        lambda evil: plots.lines({evil: [(1, 1), (2, 2)]}, x=evil, y=evil, marks={evil: 1}),
        lambda evil: plots.scale(1, 0, 2, good=(1, 2), ends=(0, 2), label=evil),
        lambda evil: plots.scale(math.nan, 0, 2, good=(1, 2), ends=(0, 2), label=evil),
    ],
)
def test_texts_are_harmless(draw: Callable[[str], str]) -> None:
    evil = '"><script>x</script>&'
    svg = draw(evil)
    root = parsed(svg)
    assert not list(root.iter(f"{SVG}script"))
    assert "<script" not in svg
    assert any(evil in text or text.startswith(evil[:10]) for text in texts(root))


def test_series_differ_without_colour() -> None:
    dashes = re.findall(
        r"\.plot \.l\d\{[^}]*?(?:stroke-dasharray:([\d ]+))?\}", parsed(axes.nothing("x"))[0].text or ""
    )
    assert len(dashes) == len(set(dashes)) == axes.SERIES


def test_long_names_are_cut_and_legends_wrap() -> None:
    name = "a name that is far too long to be written beside a line of any plot"
    root = parsed(plots.lines({f"{i} {name}": [(1, i), (2, i)] for i in range(3)}, x=name * 3, y=name))
    rows = sorted({float(e.get("y", "")) for e in root.iter(f"{SVG}text") if (e.text or "").endswith("\u2026")})
    assert len(rows) >= 4
    assert all(axes.width(text) < 480 for text in texts(root))


def test_equal_data_give_equal_drawings() -> None:
    assert plots.histogram({"a": [1, 2.5]}, x="x") == plots.histogram({"a": [1, 2.5]}, x="x")


def test_bars_stand_on_zero() -> None:
    root = parsed(plots.bars({"a": {"x": 10.0, "y": 20.0}}, y="v"))
    low, high = (float(e.get("height", "")) for e in pieces(root, "rect", "f0") if e.get("width") != "24")
    assert high == pytest.approx(2 * low, abs=0.2)
    bottoms = {float(e.get("y", "")) + float(e.get("height", "")) for e in pieces(root, "rect", "f0")[1:]}
    assert max(bottoms) == pytest.approx(number_at(root, "0", "y") - 4, abs=0.2)


def test_bars_lie_around_their_name_side_by_side() -> None:
    root = parsed(plots.bars({"a": {"x": 1.0, "y": -2.0}, "b": {"x": 2.0, "y": 2.0}}, y="v"))
    for name, place in (("x", 0), ("y", 1)):
        first, second = (
            [e for e in pieces(root, "rect", kind) if e.get("width") != "24"][place] for kind in ("f0", "f1")
        )
        left, next_left, wide = float(first.get("x", "")), float(second.get("x", "")), float(first.get("width", ""))
        assert next_left - left == pytest.approx(wide / 0.9, abs=0.2)
        assert (left + next_left + wide / 0.9) / 2 == pytest.approx(number_at(root, name, "x"), abs=0.2)
    lines = [e.get("d", "") for e in pieces(root, "path", "axis") if "H" in e.get("d", "")]
    assert float(lines[0].split()[1].partition("H")[0]) == pytest.approx(number_at(root, "0", "y") - 4, abs=0.1)


@pytest.mark.parametrize(("letters", "turned"), [(3, 0), (30, 6)])
def test_long_names_under_bars_are_turned(letters: int, turned: int) -> None:
    root = parsed(plots.bars({"a": {f"{i}" * letters: 1.0 for i in range(6)}}, y="v"))
    assert sum("-38" in e.get("transform", "") for e in root.iter(f"{SVG}text")) == turned


def test_the_order_of_the_good_stretch_does_not_matter() -> None:
    one, other = (plots.scale(29, 25, 34, good=good, ends=(100, 0), label="FID") for good in ((20, 0), (0, 20)))
    assert one == other


def test_labels_of_marks_stand_above_one_another_and_above_the_frame() -> None:
    root = parsed(plots.histogram({"a": [1.0, 2.5, 2.5]}, x="x", marks={"one": 1.2, "two": 1.3, "three": 2.0}))
    found = {e.text: float(e.get("y", "")) for e in root.iter(f"{SVG}text") if e.get("class") == "ink halo"}
    (path,) = [e.get("d", "") for e in pieces(root, "path", "l0")]
    highest = min(float(height) for height in re.findall(r"V([\d.]+)", path))
    assert found["one"] < found["two"] - 10 < found["three"] - 20
    assert found["three"] < highest
    assert found["one"] > 30  # below the legend


def test_one_value_lies_in_the_middle_of_its_bin() -> None:
    root = parsed(plots.histogram({"a": [2.5, 2.5]}, x="x"))
    (path,) = [e.get("d", "") for e in pieces(root, "path", "l0")]
    steps = re.findall(r"V([\d.]+)H([\d.]+)", path)
    tallest = min(range(len(steps)), key=lambda i: float(steps[i][0]))
    middle = (float(steps[tallest - 1][1]) + float(steps[tallest][1])) / 2
    assert middle == pytest.approx(number_at(root, "2.5", "x"), abs=0.2)


def test_the_last_tick_is_not_cut_off() -> None:
    root = parsed(plots.lines({"a": [(0, 1), (1e6, 2)]}, x="images", y="v"))
    assert number_at(root, f"1{THIN}000{THIN}000", "x") + axes.width("1 000 000") / 2 <= 480


def test_of_many_names_some_are_written() -> None:
    root = parsed(plots.bars({"a": {f"kind {i}": 1.0 for i in range(500)}}, y="v"))
    places = [float(e.get("x", "")) for e in root.iter(f"{SVG}text") if (e.text or "").startswith("kind ")]
    assert len(places) >= 20
    assert min(after - before for before, after in pairwise(places)) >= 14
