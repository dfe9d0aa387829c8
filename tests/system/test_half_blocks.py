"""Images in a terminal: two pixels a cell, within its room, where it has 24-bit colours."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from test_progress import Terminal

from gansmith.system.half_blocks import BLOCK, fit, half_blocks
from gansmith.system.progress import bar


def test_upper_and_lower_pixels_are_the_two_colours_of_a_cell() -> None:
    pixels = np.arange(18, dtype=np.uint8).reshape(3, 2, 3)
    text = half_blocks(np.repeat(np.repeat(pixels, 11, 0), 11, 1), columns=2, rows=2)
    assert text.plain == f"{BLOCK * 2}\n{BLOCK * 2}"
    styles: list[Any] = [span.style for span in text.spans]
    colours = [[(*one.color.triplet,), (*one.bgcolor.triplet,)] for one in styles]
    rows = [[tuple(pixel) for pixel in row] for row in pixels.tolist()]
    # the last row has no pixel below: its own
    assert colours == [[rows[0][0], rows[1][0]], [rows[0][1], rows[1][1]], [rows[2][0]] * 2, [rows[2][1]] * 2]


@pytest.mark.parametrize(("size", "room", "fitted"), [
    ((64, 130), (80, 64), (32, 65)), ((8, 18), (79, 64), (32, 72)), ((8, 18), (20, 64), (8, 18)),
    ((33, 33), (32, 32), (17, 17)), ((64, 130), (1, 2), (1, 1)),
])  # fmt: skip
def test_it_fits_the_room(size: tuple[int, int], room: tuple[int, int], fitted: tuple[int, int]) -> None:
    assert fit(np.zeros((*size, 3), np.uint8), *room).shape == (*fitted, 3)


def test_squares_are_means_and_the_edge_is_its_own() -> None:
    pixels = np.array([[0, 10, 7], [20, 30, 7]], np.uint8)[:, :, None].repeat(3, 2)
    assert fit(pixels, 2, 2)[:, :, 0].tolist() == [[15, 7]]


@pytest.mark.parametrize(("variables", "drawn"), [
    ({"COLORTERM": "truecolor"}, True), ({"COLORTERM": "truecolor", "NO_COLOR": "1"}, False),
    ({"COLORTERM": ""}, False), ({"COLORTERM": "truecolor", "LINES": "5"}, False),
])  # fmt: skip
def test_a_bar_draws_the_image_where_colours_are_on(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], drawn: bool
) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in {"COLUMNS": "160", "LINES": "40", "TERM": "xterm-256color", **variables}.items():
        monkeypatch.setenv(name, value)
    pixels = np.full((4, 4, 3), (200, 30, 31), np.uint8)
    with bar("inverting", 10, picture=lambda: pixels) as advance:
        advance(5)
    shown = screen.getvalue()
    assert ("38;2;200;30;31" in shown) is (BLOCK in shown) is drawn
    assert "5/10" in shown


@pytest.mark.parametrize("picture", [None, lambda: None])
def test_no_image_yet_is_the_line_alone(monkeypatch: pytest.MonkeyPatch, picture: Callable[[], Any] | None) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TERM", "xterm-256color")
    with bar("inverting", 10, picture=picture) as advance:
        advance(5)
    assert BLOCK not in screen.getvalue()
    assert "5/10" in screen.getvalue()


def test_a_log_has_no_image(capsys: pytest.CaptureFixture[str]) -> None:
    def picture() -> None:
        raise AssertionError("nobody sees it")

    with bar("inverting", 10, picture=picture) as advance:
        advance(10)
    assert capsys.readouterr().err == ""
