"""Map: points are walked, shown, chosen, and encircled by the mouse and by keys."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from driving import button, click, click_on, one, press, require_clean, until, visit
from pages import Served
from places import moved, note_places

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver

pytestmark = pytest.mark.prove
REGION = "return document.querySelector('.map-region h2')?.textContent"
POINT = "return document.querySelector('.map-card .tile')?.getAttribute('aria-label')"


SEEN = """
const inSight = ({top, bottom, height}, floor) => height > 0 && top >= floor - 1 && bottom <= innerHeight;
const bar = document.querySelector('header').getBoundingClientRect().bottom;
const map = document.querySelector('.map-holder').getBoundingClientRect();
const tile = document.querySelector('.map-region .tile').getBoundingClientRect();
return [inSight(tile, tile.left > map.right ? bar : map.bottom), inSight(map, bar)];
"""  # the first image of the region, beside the map or below it; the map


def opened(screen: WebDriver, explored: Served) -> None:
    visit(screen, explored.url, "map?run=toy&count=300")
    until(screen, "return document.querySelector('[data-view]').dataset.ready === ''", seconds=180)
    until(screen, "return document.querySelector('.map-card img')?.naturalWidth > 0")


def test_by_keys(screen: WebDriver, explored: Served) -> None:
    opened(screen, explored)
    screen.execute_script("arguments[0].focus()", one(screen, ".map-plot"))  # type: ignore[no-untyped-call]
    seen = set()
    for key in ("\ue012", "\ue013", "\ue014", "\ue014"):
        press(screen, key)
        seen.add(screen.execute_script(POINT))  # type: ignore[no-untyped-call]
    assert len(seen) >= 3
    press(screen, "\ue007")  # Enter
    assert until(screen, REGION).startswith("24 points")
    press(screen, "+")
    assert until(screen, REGION).startswith("38 points")
    until(screen, "return document.querySelectorAll('.map-tiles .tile').length", 38)
    require_clean(screen)


def test_by_mouse(screen: WebDriver, explored: Served) -> None:
    from selenium.webdriver import ActionChains

    opened(screen, explored)
    facts = until(screen, "return document.querySelector('[data-view] p[role=status]').textContent")
    assert "precision" in facts
    assert "recall" in facts
    assert one(screen, ".map-notes li").text
    click_on(screen, ".map-choices .what")
    said = until(screen, "return document.querySelector('dialog')?.innerText")
    assert all(word in said for word in ("point (of the map)", "One image", "hole (of the map)"))
    press(screen, "\ue00c")  # Escape
    assert "gansmith map " in one(screen, "#command code:not(.none)").text
    until(screen, "return document.querySelector('.truth-offer')")  # no network judges here, and it can be had
    click(screen, button(screen, "Missed"))
    assert "by pixels alone" in one(screen, ".map-region p").text
    assert " 0 samples" in until(screen, REGION)
    until(screen, SEEN, [True, True])  # the images and the map
    first = "return document.querySelector('.map-region .tile').getAttribute('aria-label')"
    assert screen.execute_script(POINT) == screen.execute_script(first)  # type: ignore[no-untyped-call]
    tall = "return document.querySelector('.map-region').getBoundingClientRect().height > 300 || innerWidth <= 900"
    assert screen.execute_script(tall)  # type: ignore[no-untyped-call]
    last = "document.querySelector('.map-region .tile:last-child').scrollIntoView({block: 'end'})"
    screen.execute_script(last)  # type: ignore[no-untyped-call]
    until(screen, SEEN, [False, True])  # the map stays
    screen.execute_script("scrollTo(0, 0)")  # type: ignore[no-untyped-call]
    click(screen, button(screen, "What is plane"))
    assert "PCA" in one(screen, "dialog[open] dd").text
    press(screen, "\ue00c")
    click(screen, button(screen, "Nothing"))
    until(screen, f"{REGION} === undefined")
    plot = one(screen, ".map-plot .nsewdrag")
    screen.execute_script("arguments[0].scrollIntoView({block: 'center'})", plot)  # type: ignore[no-untyped-call]
    w, h = plot.size["width"], plot.size["height"]
    chain = ActionChains(screen).move_to_element_with_offset(plot, -w // 2 + 4, -h // 2 + 4).click_and_hold()
    for x, y in ((w - 10, 0), (0, h - 10), (10 - w, 0), (0, 10 - h)):
        chain.move_by_offset(x, y)
    chain.release().perform()
    assert int(until(screen, REGION).split()[0].replace(",", "")) > 50
    require_clean(screen)


def test_a_finger_draws_round_points(screen: WebDriver, explored: Served) -> None:
    """Touches of a telephone: one that moves draws, and scrolls nothing; one that does not is a tap."""
    screen.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 1})
    try:
        opened(screen, explored)
        box = screen.execute_script(
            "document.querySelector('.map-holder').scrollIntoView({block: 'center'});"
            "const {x, y, width, height} = document.querySelector('.map-plot .nsewdrag').getBoundingClientRect();"
            "return [x, y, width, height]"
        )  # type: ignore[no-untyped-call]
        x, y, width, height = box

        def touch(kind: str, *place: float) -> None:
            points = [{"x": place[0], "y": place[1]}] if place else []
            screen.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        def draw(share: float) -> None:
            corners = [(0.01, 0.01), (share, 0.01), (share, 0.99), (0.01, 0.99), (0.01, 0.02)]
            touch("touchStart", x + corners[0][0] * width, y + corners[0][1] * height)
            for (a, b), (c, d) in pairwise(corners):
                for part in (0.25, 0.5, 0.75, 1.0):
                    touch("touchMove", x + (a + (c - a) * part) * width, y + (b + (d - b) * part) * height)
            touch("touchEnd")

        draw(0.99)
        whole = int(until(screen, REGION).split()[0].replace(",", ""))
        assert whole > 250  # of 300
        assert screen.execute_script("return document.querySelector('.lasso polygon').points.length") > 8  # type: ignore[no-untyped-call]
        where = "return document.querySelector('.map-plot .nsewdrag').getBoundingClientRect().y"
        y = screen.execute_script(where)  # type: ignore[no-untyped-call]
        draw(0.5)
        half = int(
            until(screen, f"const now = (() => {{ {REGION} }})(); return !now.startsWith('{whole} ') && now").split()[0]
        )
        assert 0 < half < whole
        click(screen, button(screen, "Nothing"))
        until(screen, f"{REGION} === undefined")
        assert screen.execute_script("return document.querySelector('.lasso polygon').points.length") == 0  # type: ignore[no-untyped-call]
        mark = screen.execute_script(
            "const at = document.querySelectorAll('.map-plot .trace:first-child .point')[3].getBoundingClientRect();"
            "return [at.x + at.width / 2, at.y + at.height / 2]"
        )  # type: ignore[no-untyped-call]
        before = screen.execute_script(POINT)  # type: ignore[no-untyped-call]
        touch("touchStart", *mark)
        touch("touchEnd")
        until(screen, f"return (() => {{ {POINT} }})() !== {json.dumps(before)}")
        require_clean(screen)
    finally:
        screen.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})


def test_nothing_moves_while_the_map_is_read_anew(screen: WebDriver, explored: Served) -> None:
    opened(screen, explored)
    assert note_places(screen) >= 5
    facts = "document.querySelector('.map-head p')"
    long = "1,000 points (about 1,000: each kind in its share, rounded) of 65,000, thinned evenly. "
    long += "precision 0.123: samples near a real image, recall 0.123: real images near a sample"
    for words in ("", "Reading the features; the first time takes a while …", long):
        screen.execute_script(f"{facts}.textContent = arguments[0]", words)  # type: ignore[no-untyped-call]
        assert moved(screen) == []
    field = one(screen, ".map-head .row > label.field select")
    screen.execute_script(
        "arguments[0].value = '1000'; arguments[0].dispatchEvent(new Event('change', {bubbles: true}))", field
    )  # type: ignore[no-untyped-call]
    until(screen, f"return {facts}.textContent.includes('recall') && {facts}.textContent !== '{long}'", seconds=180)
    assert moved(screen) == []
