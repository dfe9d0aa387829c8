"""Runs: the list, one run opened, two side by side, and a training watched, stopped and continued."""

from __future__ import annotations

from pathlib import Path

import pytest
from driving import button, click, one, press, require_clean, state, until, visit
from pages import Served
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.keys import Keys
from shell_folder import let_in

from small import OPTIONS, start

pytestmark = pytest.mark.prove
PAGE = "page"
SHEET = "const i = document.querySelector('.runs-sheet img'); return i && i.naturalWidth > 0 ? i.src : null"
CURVE = "return document.querySelectorAll('.chart .scatterlayer .js-line').length"
CURSOR = "return document.querySelectorAll('.chart .shapelayer path').length"


def test_the_list_shows_each_run_with_its_sheet(screen: WebDriver, page: Served) -> None:
    visit(screen, page.url, "runs")
    until(
        screen,
        "return [...document.querySelectorAll('.runs-card h3')].map((h) => h.textContent)",
        ["cycle", "toy", "toy2"],
    )
    until(screen, "return [...document.querySelectorAll('.runs-card img')].filter((i) => i.naturalWidth > 0).length", 2)
    assert "ended" in one(screen, ".runs-card:nth-child(2)").text
    require_clean(screen)
    click(screen, one(screen, ".runs-card:nth-child(2) h3 a"))
    until(screen, SHEET)
    assert state(screen)["run"] == "toy"


def test_one_slider_over_the_sheets_by_mouse_and_by_keys(screen: WebDriver, page: Served) -> None:
    visit(screen, page.url, "runs?run=toy")
    newest = until(screen, SHEET)
    assert newest.endswith("/320")
    until(screen, CURVE)
    until(screen, CURSOR)
    slider = one(screen, ".runs-slider input")
    slider.send_keys(Keys.ARROW_LEFT)
    before = until(screen, f"const u = (() => {{ {SHEET} }})(); return u !== '{newest}' && u")
    assert slider.get_attribute("aria-valuetext").endswith("images")
    assert state(screen)["at"] == before.rsplit("/", 1)[1]
    said = "return [...document.querySelectorAll('[role=status]')].some((e) => e.textContent.includes('record at'))"
    assert until(screen, said)
    visit(screen, page.url, f"runs?run=toy&at={state(screen)['at']}")  # the link restores it
    until(screen, SHEET, before)
    click(screen, button(screen, "Newest"))
    until(screen, SHEET, newest)
    assert "at" not in state(screen)
    press(screen, "p")  # plays from the first sheet to the newest
    until(screen, "return document.querySelector('.runs-slider button').getAttribute('aria-label')", "Play the sheets")
    until(screen, SHEET, newest)
    require_clean(screen)


def test_the_curves_by_group_and_as_numbers(screen: WebDriver, page: Served) -> None:
    visit(screen, page.url, "runs?run=toy")
    until(screen, CURVE)
    tab = one(screen, ".runs-tabs input[value='Scores']")
    click(screen, tab)
    until(screen, "return [...document.querySelectorAll('.legendtext')].some((t) => t.textContent.includes('score'))")
    assert state(screen)["curves"] == "Scores"
    tab.send_keys(Keys.ARROW_LEFT)
    assert until(screen, "return new URLSearchParams(location.hash.split('?')[1]).get('curves') !== 'Scores'")
    click(screen, one(screen, ".chart summary"))
    assert one(screen, ".chart table").text.count("\n") >= 1
    assert one(screen, ".chart .plot").get_attribute("aria-label")
    require_clean(screen)


def test_two_runs_side_by_side_on_one_clock(screen: WebDriver, page: Served) -> None:
    visit(screen, page.url, "runs")
    until(screen, "return document.querySelectorAll('.runs-card').length", 3)
    for name in ("toy", "toy2"):
        one(screen, f"[aria-label^='Pick {name} ']").send_keys(Keys.SPACE)
    button(screen, "Open two").send_keys(Keys.ENTER)
    two = (
        "return [...document.querySelectorAll('.runs-sheet img')]"
        ".map((i) => i.naturalWidth > 0 && new URL(i.src).pathname)"
    )
    until(screen, two, ["/api/runs/toy/sheets/320", "/api/runs/toy2/sheets/320"])
    one(screen, ".runs-slider input").send_keys(Keys.HOME)
    until(screen, two, ["/api/runs/toy/sheets/0", "/api/runs/toy2/sheets/0"])
    click(screen, button(screen, "Play now"))
    assert until(screen, "return document.querySelector('.runs-board')?.innerText").count("%") == 4
    assert "gansmith compare" in one(screen, "#command code").text
    require_clean(screen)


def test_a_training_is_watched_stopped_and_continued(page: Served, folder: Path) -> None:
    options = [word if word != "320" else "400000" for word in OPTIONS]
    with let_in(page) as screen, start("train", *options, "--no-ruler", "--out", folder / "runs" / "long") as training:
        visit(screen, page.url, "runs")
        card = "[...document.querySelectorAll('.runs-card')].find((c) => c.querySelector('h3').textContent === 'long')"
        until(screen, f"return {card}?.innerText.includes('training')")
        visit(screen, page.url, "runs?run=long")
        drawn = "return document.querySelector('.runs-facts dd')?.textContent"
        first = until(screen, drawn)
        until(screen, f"return (() => {{ {drawn} }})() !== '{first}'")  # without a reload
        until(screen, SHEET)
        click(screen, button(screen, "Stop"))
        until(
            screen, "return document.activeElement.textContent", "Cancel"
        )  # asks first, and the safe answer has the focus
        press(screen, Keys.ENTER)
        assert training.poll() is None
        click(screen, button(screen, "Stop"))
        press(screen, Keys.TAB, Keys.ENTER)
        training.wait(timeout=60)
        until(screen, "return document.querySelector('.runs-open [role=status]').textContent", "stopped")
        click(screen, button(screen, "Continue"))
        press(screen, Keys.TAB, Keys.ENTER)
        until(screen, "return document.querySelector('.runs-open [role=status]').textContent", "training")
        click(screen, button(screen, "Stop"))
        press(screen, Keys.TAB, Keys.ENTER)
        until(screen, "return document.querySelector('.runs-open [role=status]').textContent", "stopped")
        require_clean(screen)
