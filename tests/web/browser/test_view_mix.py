"""Mix: images go into a, b and c; the means and the result follow; the way between them plays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from driving import button, click, click_on, one, press, require_clean, state, until, visit, watch
from pages import Served
from places import moved, note_places

from browser import started

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver

pytestmark = pytest.mark.prove
LOADED = "return [...document.querySelectorAll('.gallery .tile img')].filter((i) => i.naturalWidth > 0).length >= 6"
MEANS = """return [...document.querySelectorAll('.mix-tray > .tile')].map(
  (t) => !t.classList.contains('blank') && t.querySelector('img').naturalWidth > 0)"""
COMMAND = "return document.querySelector('#command code:not(.none)')?.textContent"
STRIP = "const i = document.querySelector('.way-strip img'); return i && i.naturalWidth > i.naturalHeight"

PUT = """
const [name, seed] = arguments;
document.querySelectorAll('.mix-name')['abc'.indexOf(name)].click();
document.querySelector(`.gallery [data-key="${seed}"]`).click();
"""


def opened(screen: WebDriver, explored: Served, more: str = "") -> None:
    visit(screen, explored.url, f"mix?run=toy{more}")
    until(screen, LOADED)


def test_by_mouse(screen: WebDriver, explored: Served) -> None:
    opened(screen, explored)
    for seed in (1, 2):
        click_on(screen, f".gallery [data-key='{seed}']")
    until(screen, MEANS, [True, False, False, True])
    click_on(screen, ".mix-tray:nth-child(2) .mix-name")
    click_on(screen, ".gallery [data-key='3']")
    until(screen, MEANS, [True, True, False, True])
    held = state(screen)
    assert (held["a"], held["b"]) == ("1,2", "3")
    assert one(screen, ".gallery [data-key='3'] .badge").text == "b"
    assert "--plus 1,2 --minus 3" in until(screen, COMMAND)
    click_on(screen, ".mix-tray:nth-child(1) .mix-thumbs .tile")  # out of a
    until(screen, "return new URLSearchParams(location.hash.split('?')[1]).get('a')", "2")
    click(screen, button(screen, "Undo"))
    until(screen, "return new URLSearchParams(location.hash.split('?')[1]).get('a')", "1,2")
    require_clean(screen)


def test_by_keys(screen: WebDriver, explored: Served) -> None:
    opened(screen, explored)
    screen.execute_script("arguments[0].focus()", one(screen, ".gallery"))  # type: ignore[no-untyped-call]
    press(screen, "\ue014", "a", "\ue014", "b", "\ue014", "c")
    until(screen, MEANS, [True, True, True, True])
    held = state(screen)
    assert (held["a"], held["b"], held["c"]) == ("1", "2", "3")
    press(screen, "p")
    until(screen, "return document.querySelector('.way-film img')?.naturalWidth > 0")
    assert "gansmith interpolate" in until(screen, COMMAND)
    press(screen, "u")
    until(screen, "return new URLSearchParams(location.hash.split('?')[1]).get('c') === null")
    require_clean(screen)


def test_strip_and_film_of_a_link(screen: WebDriver, explored: Served) -> None:
    opened(screen, explored)
    off = "return [...document.querySelectorAll('.way > .row:last-child button')].map((one) => one.disabled)"
    until(screen, off, [True, True, True])
    opened(screen, explored, "&a=1,7&b=2&c=3&steps=4")
    until(screen, STRIP)
    until(screen, off, [False, False, False])
    assert one(screen, ".mix-tray:nth-child(1) > .tile .badge").text == "mean of 2"
    until(screen, MEANS, [True, True, True, True])
    click(screen, button(screen, "Play the film"))
    until(screen, "return document.querySelector('.way-film img')?.naturalWidth > 0")
    assert until(screen, COMMAND).endswith(".webp")
    click(screen, button(screen, "Film"))
    until(screen, "return document.querySelector('#says').textContent.includes('toy-way.webp')")
    require_clean(screen)


def test_sets_result_and_images_are_on_one_screen(explored: Served) -> None:
    inside = """const box = (css) => document.querySelector(css).getBoundingClientRect();
    return ['.mix-tray:nth-child(1)', '.mix-result', '.gallery .tile'].every(
      (css) => box(css).top >= box('header').bottom - 1 && box(css).bottom <= box('footer').top)"""
    with started(width=400, height=640) as driver:
        watch(driver)
        driver.get(f"{explored.url}/?token={explored.token}")
        opened(driver, explored, "&a=1,2&b=3")
        until(driver, MEANS, [True, True, False, True])
        assert driver.execute_script(inside)  # type: ignore[no-untyped-call]
        height = "return document.querySelector('.mix-head p').getBoundingClientRect().height"
        assert driver.execute_script(height) < 60  # type: ignore[no-untyped-call]  (lines, no column of words)
        circle = """const {width, height} = document.querySelector('.mix-head .what').getBoundingClientRect();
        return width - height"""
        assert driver.execute_script(circle) == 0  # type: ignore[no-untyped-call]
        driver.execute_script("scrollTo(0, 150)")  # type: ignore[no-untyped-call]
        until(driver, inside, True)  # the sum stays
        require_clean(driver)


def test_truncation_is_of_the_result_too(screen: WebDriver, explored: Served) -> None:
    opened(screen, explored, "&a=1,2&b=3&truncation=0.5")
    assert "--truncation 0.5" in until(screen, COMMAND)
    click(screen, button(screen, "Play the film"))
    until(
        screen, f"{COMMAND}?.includes('interpolate') && {COMMAND.removeprefix('return ')}.includes('--truncation 0.5')"
    )


def test_no_control_moves_as_texts_change(screen: WebDriver, explored: Served) -> None:
    """Also at the end of the page, where a shorter one would move under the pointer."""
    opened(screen, explored)
    screen.execute_script("scrollTo(0, document.documentElement.scrollHeight)")  # type: ignore[no-untyped-call]
    words = "return document.querySelector('.way-words').textContent"
    assert "Pick two" in until(screen, words)
    assert note_places(screen) >= 12
    for name, seed in (("a", 1), ("b", 2), ("b", 3)):
        screen.execute_script(PUT, name, str(seed))  # type: ignore[no-untyped-call]
        assert moved(screen) == []
    until(screen, MEANS, [True, True, False, True])
    until(screen, STRIP)
    assert moved(screen) == []
    screen.execute_script("document.querySelector('.way .main').click()")  # type: ignore[no-untyped-call]
    assert "Making the film" in screen.execute_script(words)  # type: ignore[no-untyped-call]
    assert moved(screen) == []
    until(screen, "return document.querySelector('.way-film img')?.naturalWidth > 0")
    until(screen, f"return !(() => {{ {words} }})().includes('Making')")
    assert moved(screen) == []
    least = """const {width, height} = document.querySelector('.way-film img').getBoundingClientRect();
    return Math.min(width, height)"""
    assert screen.execute_script(least) >= 256  # type: ignore[no-untyped-call]
    click(screen, button(screen, "Clear"))
    screen.execute_script("scrollTo(0, document.documentElement.scrollHeight)")  # type: ignore[no-untyped-call]
    until(screen, f"return (() => {{ {words} }})().includes('Pick two')")
    assert moved(screen) == []
    require_clean(screen)
