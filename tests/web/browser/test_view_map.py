"""Map: points are walked, shown, chosen, and encircled by the mouse and by keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from driving import button, click, one, press, require_clean, until, visit
from pages import Served

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver

pytestmark = pytest.mark.prove
REGION = "return document.querySelector('.map-region h2')?.textContent"
POINT = "return document.querySelector('.map-card .tile')?.getAttribute('aria-label')"


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
    assert "gansmith map " in one(screen, "#command code:not(.none)").text
    click(screen, button(screen, "Missed"))
    assert " 0 samples" in until(screen, REGION)
    seen = """const {top, bottom} = document.querySelector('.map-region .tile').getBoundingClientRect();
    return top >= 0 && bottom <= innerHeight"""
    until(screen, seen, True, seconds=5)  # its images are in sight
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
