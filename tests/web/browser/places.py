"""Where things stand on the page, before and after something happens: a text that grows must move no control."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver

CONTROLS = "#view :is(button, select, input, summary, a.button):not(.gallery *, .mix-thumbs *)"
_NOTE = """
window.places = [...document.querySelectorAll(arguments[0])].map((e) => [e, e.getBoundingClientRect()]).filter(
  ([, box]) => box.width > 0);
return window.places.length;
"""
_MOVED = """
return window.places.map(([e, was]) => [e, was, e.getBoundingClientRect()]).filter(
  ([e, was, now]) => e.isConnected && now.width > 0 && Math.hypot(now.x - was.x, now.y - was.y) > 0.5).map(
  ([e, was, now]) => `${e.ariaLabel || e.textContent.trim().slice(0, 40) || e.className}: ` +
    `${Math.round(now.x - was.x)}, ${Math.round(now.y - was.y)}`);
"""


def note_places(driver: WebDriver, css: str = CONTROLS) -> int:
    """Notes where the elements of a selector stand on the screen, and returns how many there are."""
    return int(driver.execute_script(_NOTE, css))  # type: ignore[no-untyped-call]


def moved(driver: WebDriver) -> list[Any]:
    """Those that stand elsewhere than they did when they were noted, and how far: `Play the film: 0, -22`. What has
    gone from the screen is left out."""
    found: list[Any] = driver.execute_script(_MOVED)  # type: ignore[no-untyped-call]
    return found
