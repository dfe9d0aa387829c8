"""Make: samples stream in, are picked, starred, undone, and lead on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from driving import button, click, click_on, one, press, require_clean, state, until, visit
from pages import Served
from places import moved, note_places

from browser import requests

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver

pytestmark = pytest.mark.prove
LOADED = "return [...document.querySelectorAll('.gallery .tile img')].filter((i) => i.naturalWidth > 0).length"
NAME_OF_2 = "return document.querySelector('.gallery [data-key=\"2\"]').getAttribute('aria-label')"
LEAPS = """
const done = arguments[0], gallery = document.querySelector('.gallery');
let share = 0;
const leap = () => {
  share += 1;
  gallery.scrollTop = gallery.scrollHeight * share / 40;
  if (share < 40) requestAnimationFrame(leap); else done();
};
leap();
"""  # down to the end in forty frames
PICKED = "return document.querySelector('.make-picks strong').textContent"


def opened(screen: WebDriver, explored: Served, more: str = "") -> None:
    visit(screen, explored.url, f"make?run=toy{more}")
    until(screen, f"{LOADED} >= 6")


def test_by_mouse(screen: WebDriver, explored: Served) -> None:
    opened(screen, explored)
    for seed in (1, 3):
        click_on(screen, f".gallery [data-key='{seed}']")
    until(screen, PICKED, "2 picked")
    click(screen, one(screen, ".gallery [data-key='5']"), held="\ue008")  # Shift
    assert state(screen)["pick"] == "1,3-5"
    click(screen, button(screen, "Undo"))
    until(screen, PICKED, "2 picked")
    assert state(screen)["pick"] == "1,3"
    assert one(screen, ".make-panel h2").text == "seed 5"
    click(screen, button(screen, "Star"))
    until(screen, "return document.querySelector('.gallery [data-key=\"5\"] .badge')?.textContent", "★")
    filled = "return getComputedStyle(document.querySelector('.make-panel [aria-pressed] svg')).fill !== 'none'"
    assert screen.execute_script(filled)  # type: ignore[no-untyped-call]
    assert "gansmith sample" in until(screen, "return document.querySelector('#command code').textContent")
    click(screen, button(screen, "Starred"))
    until(screen, "return document.querySelector('.gallery [data-key=\"5\"] .badge') === null")
    click_on(screen, ".make-picks button")
    until(screen, "return location.hash.startsWith('#/mix')")
    assert state(screen)["a"] == "1,3"
    require_clean(screen)


def test_by_keys(screen: WebDriver, explored: Served) -> None:
    opened(screen, explored)
    gallery = one(screen, ".gallery")
    screen.execute_script("arguments[0].focus()", gallery)  # type: ignore[no-untyped-call]
    press(screen, "\ue014", " ")  # right, space
    until(screen, PICKED, "1 picked")
    press(screen, "\ue014", "\ue014", held="\ue008")  # Shift and right, twice
    until(screen, PICKED, "3 picked")
    press(screen, "\ue012", held="\ue008")  # a shorter range lets go
    until(screen, PICKED, "2 picked")
    assert state(screen)["pick"] == "1,2"
    active = gallery.get_attribute("aria-activedescendant")
    assert active
    label = one(screen, f"[id='{active}']").get_attribute("aria-label")
    assert label == "seed 2"
    press(screen, "s")
    until(screen, NAME_OF_2, "seed 2, starred")
    press(screen, "u")  # the star goes
    until(screen, NAME_OF_2, "seed 2")
    press(screen, "z", held="\ue009")  # Control
    until(screen, PICKED, "3 picked")
    press(screen, "\ue00c")  # Escape
    until(screen, PICKED, "Click images to see and pick them")
    require_clean(screen)


def test_thousands_of_seeds(screen: WebDriver, explored: Served) -> None:
    opened(screen, explored, "&side=48")
    requests(screen)
    screen.execute_async_script(LEAPS)  # type: ignore[no-untyped-call]
    until(screen, "return Number(document.querySelector('input.from').value) > 15000")
    until(screen, f"{LOADED} > 20")
    tiles = screen.execute_script("return document.querySelectorAll('.gallery .tile').length")  # type: ignore[no-untyped-call]
    assert tiles < 800
    asked = sum("/image?seed=" in url for url in requests(screen))
    assert asked < 4 * tiles, asked  # of what was passed over hardly anything was asked for
    assert int(state(screen)["from"]) > 15000
    require_clean(screen)


def test_link_restores(screen: WebDriver, explored: Served) -> None:
    opened(screen, explored, "&from=500&pick=501,503&truncation=0.5&side=64")
    until(screen, PICKED, "2 picked")
    first = int(one(screen, "input.from").get_attribute("value") or 0)
    assert 480 <= first <= 500
    chosen = "return [...document.querySelectorAll('.gallery [aria-selected=true]')].map((t) => t.dataset.key)"
    assert until(screen, chosen) == ["501", "503"]
    assert "--truncation 0.5" in until(screen, "return document.querySelector('#command code:not(.none)')?.textContent")


def test_opened_again_from_the_bar_it_is_as_it_was_left(screen: WebDriver, explored: Served) -> None:
    opened(screen, explored)
    for seed in (1, 3):
        click_on(screen, f".gallery [data-key='{seed}']")
    until(screen, PICKED, "2 picked")
    for view in ("mix", "make", "make"):  # another one, back, and once more
        click_on(screen, f"#nav a[href^='#/{view}']")
        until(screen, "return document.querySelector('[data-view]')?.dataset.view", view)
    until(screen, PICKED, "2 picked")
    assert state(screen)["pick"] == "1,3"
    require_clean(screen)


def test_nearest_training_image(screen: WebDriver, explored: Served) -> None:
    opened(screen, explored)
    press(screen, "n")
    until(screen, "return document.querySelector('.nearest img')?.naturalWidth > 0", seconds=120)
    assert "distance" in until(screen, "return document.querySelector('.nearest').textContent")
    until(screen, "return document.querySelector('.nearest .chip')?.textContent")
    words = one(screen, ".nearest-words").text
    file = screen.execute_async_script(  # type: ignore[no-untyped-call]
        """const done = arguments[0];
        fetch('/api/runs/toy/nearest?seed=0').then((a) => a.json()).then((a) => done(a.name))"""
    )
    assert file in words
    seen = """const box = (css) => document.querySelector(css).getBoundingClientRect();
    const panel = box('.make-panel'), own = box('.make-panel > .tile'), near = box('.nearest .tile');
    const low = Math.min(panel.bottom, box('footer').top), high = Math.max(panel.top, box('header').bottom);
    return Math.abs(own.top - near.top) <= 1 && own.right <= near.left && [own, near, box('.nearest-words')].every(
      ({top, bottom}) => top >= high - 1 && bottom <= low + 1)"""
    until(screen, seen, True, seconds=5)  # both images side by side and the verdict, without scrolling
    places = "[...document.querySelector('.make-panel').children].map((one) => one.getBoundingClientRect())"
    across = "a.bottom > b.top + 1 && b.bottom > a.top + 1 && a.right > b.left + 1 && b.right > a.left + 1"
    covered = f"const all = {places}; return all.some((a, i) => all.slice(i + 1).some((b) => {across}))"
    assert not screen.execute_script(covered)  # type: ignore[no-untyped-call]


def test_a_link_with_picked_images_opens_the_last_one(screen: WebDriver, explored: Served) -> None:
    visit(screen, explored.url, "make?run=toy&pick=3,400")
    until(screen, "return document.querySelector('.make-panel h2')?.textContent", "seed 400")
    until(screen, "return document.querySelector('#command code:not(.none)')?.textContent.includes('--seeds 400')")
    until(screen, "return document.querySelector(\".gallery [data-key='400']\")?.ariaSelected", "true")
    visit(screen, explored.url, "make?run=toy&pick=2&truncation=0.5")
    until(screen, "return document.querySelector('.make-panel h2')?.textContent", "seed 2")
    click(screen, button(screen, "Edit"))
    until(screen, "return document.querySelector('#command code:not(.none)')?.textContent.includes('--truncation 0.5')")
    require_clean(screen)


def test_no_control_moves_as_images_are_picked(screen: WebDriver, explored: Served) -> None:
    opened(screen, explored)
    assert note_places(screen, ".make-picks :is(button, a), .gallery-bar :is(select, input)") >= 8
    for seed in (1, 3, 4):
        screen.execute_script(f"document.querySelector('.gallery [data-key=\"{seed}\"]').click()")  # type: ignore[no-untyped-call]
    until(screen, PICKED, "3 picked")
    assert moved(screen) == []
    press(screen, "s")
    until(screen, "return document.querySelector('.make-picks').textContent.includes('Stars (1)')")
    assert moved(screen) == []
    press(screen, "s")
    until(screen, "return !document.querySelector('.make-picks').textContent.includes('Stars (1)')")
    assert moved(screen) == []
