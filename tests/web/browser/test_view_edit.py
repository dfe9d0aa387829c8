"""Edit: sliders along directions, before and after, a photograph of one's own, and how many images a second come."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from driving import button, click, click_on, one, press, require_clean, until, visit
from pages import Served
from PIL import Image
from places import moved, note_places

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver

pytestmark = pytest.mark.prove
COMMAND = "return document.querySelector('#command code:not(.none)')?.textContent"
ALONG = "return new URLSearchParams(location.hash.split('?')[1]).get('along')"
BOTH = "return [...document.querySelectorAll('.edit-stage > :not(.edit-film) img')].every((i) => i.naturalWidth > 0)"
STATE = "return document.querySelector('[data-view]').dataset.state"
PUSH = """
const [seconds, done] = arguments;
const slider = document.querySelector('.slider-row input'), root = document.querySelector('[data-view]');
const begun = performance.now(), before = Number(root.dataset.frames || 0);
let count = 0;
const move = () => {
  const gone = (performance.now() - begun) / 1000;
  if (gone > seconds) { done([Number(root.dataset.frames) - before, count]); return; }
  slider.value = 3 * Math.sin(gone * 4);
  slider.dispatchEvent(new Event('input', {bubbles: true}));
  count += 1;
  requestAnimationFrame(move);
};
move();
"""


def opened(screen: WebDriver, explored: Served, more: str = "") -> None:
    visit(screen, explored.url, f"edit?run=toy{more}")
    until(screen, BOTH)


def test_by_mouse(screen: WebDriver, explored: Served) -> None:
    opened(screen, explored, "&of=7")
    click(screen, button(screen, "Next seed"))
    until(screen, "return new URLSearchParams(location.hash.split('?')[1]).get('of')", "8")
    until(screen, f"{COMMAND}?.includes('sample')")
    click(screen, button(screen, "By chance"))
    until(screen, f"{COMMAND}?.includes('gansmith edit')")
    until(screen, f"{ALONG}?.split(',').length >= 3")
    click(screen, button(screen, "Play the film"))
    until(screen, "return document.querySelector('.edit-film img')?.naturalWidth > 0")
    click(screen, button(screen, "As it was"))
    until(screen, "return new URLSearchParams(location.hash.split('?')[1]).get('along') === null")
    require_clean(screen)


def test_by_keys(screen: WebDriver, explored: Served) -> None:
    opened(screen, explored)
    slider = one(screen, ".slider-row input")
    screen.execute_script("arguments[0].focus()", slider)  # type: ignore[no-untyped-call]
    press(screen, *["\ue014"] * 5)
    name = slider.get_attribute("aria-label")
    until(screen, ALONG, f"{name}:0.5")
    until(screen, f"{COMMAND}?.includes('{name}:0.5')")
    click_on(screen, ".edit-looks label:last-child")
    edge = one(screen, ".wipe input")
    screen.execute_script("arguments[0].focus()", edge)  # type: ignore[no-untyped-call]
    press(screen, "\ue012")
    assert edge.get_attribute("value") == "49"
    press(screen, "r")
    until(screen, "return new URLSearchParams(location.hash.split('?')[1]).get('along') === null")
    press(screen, "]")
    until(screen, "return new URLSearchParams(location.hash.split('?')[1]).get('of')", "1")
    require_clean(screen)


def caption(screen: WebDriver, place: str) -> str:
    """What is written below the image before or after."""
    script = "return document.querySelector(arguments[0]).textContent"
    return str(screen.execute_script(script, f".edit-{place} figcaption"))  # type: ignore[no-untyped-call]


def test_photograph_of_ones_own(screen: WebDriver, explored: Served, tmp_path: Path) -> None:
    opened(screen, explored)
    Image.radial_gradient("L").resize((40, 30)).convert("RGB").save(tmp_path / "own.png")
    one(screen, ".drop input").send_keys(str(tmp_path / "own.png"))
    latent = until(screen, "return new URLSearchParams(location.hash.split('?')[1]).get('of')", seconds=180)
    assert not latent.isdigit()
    until(screen, STATE, "photograph")
    assert one(screen, ".edit-words").text.startswith("Found")
    assert caption(screen, "before") == "your photograph at 8 pixels"
    natural = "const img = document.querySelector('.edit-before img'); return [img.naturalWidth, img.naturalHeight]"
    until(screen, natural, [8, 8])  # as large and cut as the image beside it
    small = "return document.querySelector('.wipe .before').naturalWidth"
    until(screen, small, 8)  # under the wipe both are of the model's size
    click(screen, button(screen, "own size"))
    wide = "return document.querySelector('dialog[open] img')?.getBoundingClientRect().width"
    until(screen, wide, 40)
    assert "40 × 30" in one(screen, "dialog[open] h2").text  # noqa: RUF001  (what the page shows)
    press(screen, "\ue00c")
    click_on(screen, ".edit-looks label:last-child")
    assert one(screen, ".wipe .left").text == "your photograph at 8 pixels"
    assert screen.execute_script("return document.querySelector('.sliders').inert") is False  # type: ignore[no-untyped-call]
    click(screen, button(screen, "By chance"))
    until(screen, f"{COMMAND}?.includes('.safetensors')")  # the command names the latent file in the run
    until(screen, ALONG)
    link = screen.current_url
    screen.get("about:blank")
    screen.get(link)
    until(screen, BOTH)
    before = "return document.querySelector('.edit-before img')?.src?.endsWith('/photograph')"
    until(screen, before)  # the page was closed: of the photograph there is what the run keeps
    assert screen.execute_script(natural) == [8, 8]  # type: ignore[no-untyped-call]
    assert caption(screen, "before") == "your photograph at 8 pixels"
    assert one(screen, ".edit-whole").is_displayed() is False
    assert "own.png" in one(screen, ".edit-words").text
    screen.execute_script("location.hash = '#/make?run=toy'")  # type: ignore[no-untyped-call]
    until(screen, "return document.querySelector('[data-view]')?.dataset.view", "make")
    screen.execute_script("document.querySelector('#nav a[href^=\"#/edit\"]').click()")  # type: ignore[no-untyped-call]
    until(screen, before)  # back again: as it was left
    assert screen.current_url == link
    assert one(screen, ".edit-seed input").get_attribute("placeholder") == "own.png"
    assert one(screen, ".edit-seed input").get_attribute("value") == ""
    listed = "const list = document.querySelector('.edit-list'); return list.selectedOptions[0].textContent"
    assert screen.execute_script(listed) == "own.png"  # type: ignore[no-untyped-call]
    assert one(screen, ".slider-row input").get_attribute("value") != "0"
    require_clean(screen)


def test_no_control_moves_as_texts_change(screen: WebDriver, explored: Served) -> None:
    opened(screen, explored)
    until(screen, STATE, "seed")
    assert note_places(screen) >= 10
    set_seed = """const field = document.querySelector('.edit-seed input');
    field.value = arguments[0]; field.dispatchEvent(new Event('change', {bubbles: true}))"""
    for seed in ("3", "900719925474099"):
        screen.execute_script(set_seed, seed)  # type: ignore[no-untyped-call]
        until(screen, f"return document.querySelector('.edit-words').textContent.includes('{seed}')")
        assert moved(screen) == []
    screen.execute_script("document.querySelector('.slider-row .tile:last-child').click()")  # type: ignore[no-untyped-call]
    until(screen, "return document.querySelector('.edit-words').textContent.includes('moved')")
    until(screen, "return !document.querySelector('.edit-files button').disabled")
    assert moved(screen) == []
    for look in ("both", "wipe", "before", "after"):
        screen.execute_script(f"document.querySelector('.edit-looks [value={look}]').click()")  # type: ignore[no-untyped-call]
        assert moved(screen) == []
    screen.execute_script("document.querySelector('.edit-files button').click()")  # type: ignore[no-untyped-call]
    until(screen, "return document.querySelector('.edit-rate').textContent.includes('frames')")
    assert moved(screen) == []
    until(screen, "return document.querySelector('.edit-stage').dataset.show", "film")
    until(screen, "return document.querySelector('.edit-rate').textContent", "")
    assert moved(screen) == []
    screen.execute_script("[...document.querySelectorAll('button')].find((b) => b.textContent === 'As it was').click()")  # type: ignore[no-untyped-call]
    until(screen, "return document.querySelector('.edit-rate').textContent.includes('move a slider')")
    assert moved(screen) == []


def test_before_after_and_film_are_large(screen: WebDriver, explored: Served) -> None:
    opened(screen, explored, "&of=5&along=pca-1:2")
    sides = """const {width, height} = document.querySelector(arguments[0]).getBoundingClientRect();
    return Math.min(width, height)"""
    for look, css in (("before", ".edit-before img"), ("after", ".edit-after img"), ("wipe", ".wipe")):
        screen.execute_script(f"document.querySelector('.edit-looks [value={look}]').click()")  # type: ignore[no-untyped-call]
        assert screen.execute_script(sides, css) >= 256, look  # type: ignore[no-untyped-call]
    screen.execute_script("document.querySelector('.edit-looks [value=both]').click()")  # type: ignore[no-untyped-call]
    wide = screen.execute_script("return innerWidth > 900")  # type: ignore[no-untyped-call]
    for place in ("before", "after"):
        assert screen.execute_script(sides, f".edit-{place} img") >= (256 if wide else 170)  # type: ignore[no-untyped-call]
    screen.execute_script("document.querySelector('.edit-files button').click()")  # type: ignore[no-untyped-call]
    until(screen, "return document.querySelector('.edit-stage').dataset.show", "film")
    until(screen, "return document.querySelector('.edit-film img').naturalWidth > 0")
    assert screen.execute_script(sides, ".edit-film img") >= 256  # type: ignore[no-untyped-call]
    seen = "return getComputedStyle(document.querySelector('.edit-film')).visibility"
    assert screen.execute_script(seen) == "visible"  # type: ignore[no-untyped-call]
    screen.execute_script("document.querySelector('.slider-row .tile').click()")  # type: ignore[no-untyped-call]
    until(screen, "return document.querySelector('.edit-stage').dataset.show", "both")  # the film was of another edit
    require_clean(screen)


def test_a_film_says_what_it_waits_for(screen: WebDriver, explored: Served) -> None:
    opened(screen, explored, "&of=7")
    off = "return [...document.querySelectorAll('.edit-files button')].map((one) => one.disabled)"
    until(screen, off, [True, False, True])
    assert "move a slider" in one(screen, ".edit-rate").text
    click_on(screen, ".slider-row .slider-looks .tile:last-child")
    until(screen, off, [False, False, False])
    watch = """window.said = []; for (const one of document.querySelectorAll('.edit-rate, #says'))
      new MutationObserver(() => said.push(one.textContent)).observe(one, {childList: true, subtree: true})"""
    screen.execute_script(watch)  # type: ignore[no-untyped-call]
    click(screen, button(screen, "Film"))  # made, shown and saved
    until(screen, "return document.querySelector('.edit-film img')?.naturalWidth > 0")
    until(screen, "return window.said.some((words) => words.includes('toy-edit.webp'))")
    assert screen.execute_script("return window.said.some((words) => words.includes('Making 24 frames'))")  # type: ignore[no-untyped-call]
    require_clean(screen)


def test_each_slider_shows_what_it_does(screen: WebDriver, explored: Served) -> None:
    opened(screen, explored, "&of=5")
    until(screen, "return document.querySelectorAll('.slider-row').length", 3)  # the strongest; the rest behind "more"
    until(
        screen, "return [...document.querySelectorAll('.slider-looks img')].filter((i) => i.naturalWidth > 0).length", 9
    )
    names = screen.execute_script(
        "return [...document.querySelectorAll('.slider-row > input')].map((i) => i.ariaLabel)"
    )  # type: ignore[no-untyped-call]
    assert names == ["pca-1", "pca-2", "pca-3"]
    click_on(screen, ".slider-row:nth-child(2) .slider-looks .tile:last-child")
    until(screen, ALONG, "pca-2:3")
    until(screen, f"{COMMAND}?.includes('pca-2:3')")
    click(screen, button(screen, "1 more"))
    until(screen, "return document.querySelectorAll('.slider-row').length", 4)
    assert screen.execute_script("return document.activeElement.ariaLabel") == "pca-4"  # type: ignore[no-untyped-call]
    require_clean(screen)


def test_a_direction_is_renamed_in_place(screen: WebDriver, explored: Served) -> None:
    opened(screen, explored, "&of=5&along=pca-1:2")
    for old, new, wanted in (
        ("pca-1", "taller", "taller"),
        ("taller", "pca-2", "taller"),
        ("taller", "pca-1", "pca-1"),
    ):
        click(screen, button(screen, f"Rename {old}"))
        press(screen, new, "\ue007")
        until(screen, "return document.querySelector('.slider-row > input').ariaLabel", wanted)
        if new == "pca-2":  # another has that name: refused, the field stays
            until(screen, "return document.body.textContent.includes('two directions are called')")
            press(screen, "\ue00c")
        until(screen, ALONG, f"{wanted}:2")
    until(screen, f"{COMMAND}?.includes('pca-1:2')")
    require_clean(screen)


def test_truncation_reaches_the_command(screen: WebDriver, explored: Served) -> None:
    opened(screen, explored, "&of=5&along=pca-1:2&truncation=0.5")
    until(screen, f"{COMMAND}?.includes('--truncation 0.5')")
    click(screen, button(screen, "Play the film"))
    line = until(screen, f"const c = ({COMMAND.removeprefix('return ')}); return c?.includes('--film') && c")
    assert line.endswith("--truncation 0.5 --film --steps 24 --out edited.webp")
    require_clean(screen)


def test_rate_of_a_slider(screen: WebDriver, explored: Served) -> None:
    opened(screen, explored)
    images, moves = screen.execute_async_script(PUSH, 4)  # type: ignore[no-untyped-call]
    assert images >= 2, (images, moves)  # on any machine; docs/explore.md says how fast on an idle one
    assert images <= moves
    screen.execute_script("document.querySelector('.slider-row input').dispatchEvent(new Event('input'))")  # type: ignore[no-untyped-call]
    last = one(screen, ".slider-row input").get_attribute("value")
    until(screen, f"{COMMAND}?.includes(':{float(last or 0):g}')")  # the newest request is what stays
