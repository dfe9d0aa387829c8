"""Runs: the list, one run opened, two side by side, and a training watched, stopped and continued."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from driving import button, click, click_on, one, press, require_clean, state, until, visit
from pages import Served
from places import CONTROLS, moved, note_places
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.keys import Keys
from shell_folder import let_in

from gansmith.runs.lock import locked
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
        ["cycle", "styles", "toy", "toy2"],
    )
    until(screen, "return [...document.querySelectorAll('.runs-card img')].filter((i) => i.naturalWidth > 0).length", 2)
    assert "ended" in one(screen, ".runs-card:nth-child(3)").text
    require_clean(screen)
    click_on(screen, ".runs-card:nth-child(3) h3 a")
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
    until(screen, "return new URLSearchParams(location.hash.split('?')[1]).get('at')", before.rsplit("/", 1)[1])
    said = "return [...document.querySelectorAll('[role=status]')].some((e) => e.textContent.includes('record at'))"
    assert until(screen, said)
    visit(screen, page.url, f"runs?run=toy&at={state(screen)['at']}")  # the link restores it
    until(screen, SHEET, before)
    click(screen, button(screen, "Newest"))
    until(screen, SHEET, newest)
    until(screen, "return !new URLSearchParams(location.hash.split('?')[1]).has('at')")
    press(screen, "p")  # plays from the first sheet to the newest
    until(screen, "return document.querySelector('.runs-slider button').getAttribute('aria-label')", "Play the sheets")
    until(screen, SHEET, newest)
    require_clean(screen)


DRAG = """
const done = arguments[0];
const rest = (ms) => new Promise((r) => setTimeout(r, ms));
const slider = document.querySelector('.runs-slider input'), asked = [], decode = Image.prototype.decode;
Image.prototype.decode = async function () {
  asked.push(this.src.split('/').at(-1));
  await rest(100);
  return decode.call(this);
};
const shown = () => document.querySelector('.runs-sheet img').src.split('/').at(-1);
(async () => {
  slider.value = 0;
  slider.dispatchEvent(new Event('input', { bubbles: true }));
  await rest(3000);  // the first place, and its neighbours
  asked.length = 0;
  const begun = performance.now();
  for (let at = 0; at < 250; at += 1) {
    slider.value = at;
    slider.dispatchEvent(new Event('input', { bubbles: true }));
    if (at % 10 === 9) await rest(10);
  }
  const seconds = (performance.now() - begun) / 1000, while_moving = [...asked];
  while (shown() !== '2490') await rest(10);
  await rest(3000);
  done([seconds, while_moving, asked]);
})();
"""


def test_three_hundred_sheets_on_one_slider(screen: WebDriver, page: Served, folder: Path) -> None:
    """Places that the slider passes while a sheet takes long are left out; the last one comes, then its neighbours."""
    many = Path(shutil.copytree(folder / "runs" / "toy", folder / "runs" / "many"))
    try:
        data = (many / "samples" / "000000320.png").read_bytes()
        for number in range(300):
            (many / "samples" / f"{10 * number:09}.png").write_bytes(data)
        visit(screen, page.url, "runs?run=many")
        until(screen, SHEET)
        screen.set_script_timeout(60)
        seconds, moving, asked = screen.execute_async_script(DRAG)
        assert len(moving) <= 2 + 2 * seconds / 0.1  # two at once, each a tenth of a second
        assert len(set(asked)) < 150
        assert {str(10 * (249 + by)) for by in (1, -1, 2, -2, 3, 4, 5, 6)} <= set(asked)
        assert [one for one in asked if int(one) > 2550] == []  # no farther ahead
        until(screen, "return new URLSearchParams(location.hash.split('?')[1]).get('at')", "2490")
        require_clean(screen)
    finally:
        shutil.rmtree(many)


def test_the_curves_by_group_and_as_numbers(screen: WebDriver, page: Served) -> None:
    visit(screen, page.url, "runs?run=toy")
    until(screen, CURVE)
    tab = one(screen, ".runs-tabs input[value='Scores']")
    click(screen, tab)
    until(screen, "return [...document.querySelectorAll('.legendtext')].some((t) => t.textContent.includes('score'))")
    assert state(screen)["curves"] == "Scores"
    asks = one(screen, ".runs-means .what")
    assert asks.get_attribute("aria-label") == "What is scores?"
    click(screen, asks)
    assert "discriminator" in until(screen, "return document.querySelector('dialog')?.innerText")
    press(screen, Keys.ESCAPE)
    tab.send_keys(Keys.ARROW_LEFT)
    assert until(screen, "return new URLSearchParams(location.hash.split('?')[1]).get('curves') !== 'Scores'")
    click_on(screen, ".chart summary")
    assert one(screen, ".chart table").text.count("\n") >= 1
    assert one(screen, ".chart .plot").get_attribute("aria-label")
    require_clean(screen)


def test_what_the_checks_said_is_words_and_the_record_has_numbers(
    screen: WebDriver, page: Served, folder: Path
) -> None:
    """A box holds the sentence and the command of a notice; one without a sentence is no box. The newest record is
    of a check; the line below the losses is of the nearest record that has losses."""
    noticed = Path(shutil.copytree(folder / "runs" / "toy", folder / "runs" / "noticed"))
    try:
        notice = {"sign": "collapse", "words": "The samples became alike.", "paste": "gansmith resume noticed"}
        check = {"step": 20, "images": 320, "check/spread": 0.5, "signs": [], "notices": [notice, {"sign": "x"}]}
        with (noticed / "events.jsonl").open("a") as file:
            file.write(json.dumps(check) + "\n")
        visit(screen, page.url, "runs?run=noticed")
        until(screen, SHEET)
        boxes = [box.text for box in screen.find_elements("css selector", ".runs-notices li")]
        assert len(boxes) == 1
        assert "After 320 images: The samples became alike." in boxes[0]
        assert "gansmith resume noticed" in boxes[0]
        said = "[...document.querySelectorAll('[role=status]')].find((e) => e.textContent.includes('record at'))"
        assert "loss" in until(screen, f"return {said}?.textContent")
        require_clean(screen)
    finally:
        shutil.rmtree(noticed)


def test_two_runs_side_by_side_on_one_clock(screen: WebDriver, page: Served) -> None:
    visit(screen, page.url, "runs")
    until(screen, "return document.querySelectorAll('.runs-card').length", 4)
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


FACTS = """return Object.fromEntries([...document.querySelectorAll('.runs-facts > div')].map(
  (fact) => [fact.querySelector('dt').firstChild.textContent.trim(), fact.querySelector('dd').textContent.trim()]))"""


def test_the_first_minute_has_one_clock_and_promises_nothing(screen: WebDriver, page: Served, folder: Path) -> None:
    """The first sheet comes long before the first record; rate and time left when they are steady; no praise before
    there is evidence; and no control moves meanwhile."""
    young = Path(shutil.copytree(folder / "runs" / "toy", folder / "runs" / "young"))
    try:
        for part in ("samples", "model", "checkpoints"):
            shutil.rmtree(young / part)
        (young / "events.jsonl").unlink()
        (young / "samples").mkdir()
        shutil.copyfile(folder / "runs" / "toy" / "samples" / "000000320.png", young / "samples" / "000000128.png")
        settings = young / "experiment.yaml"
        settings.write_text(settings.read_text().replace("images: 320", "images: 50000"))
        with locked(young):
            visit(screen, page.url, "runs?run=young")
            until(screen, SHEET)
            said = until(screen, FACTS)
            assert said["images drawn"].startswith("128")
            assert one(screen, ".runs-slider .at").text == "128 images"
            assert (said["rate"], said["time left"], said["health"]) == ("measuring", "measuring", "too early to say")
            until(screen, "return document.querySelector('.runs-open .chart')?.innerText.includes('No numbers yet')")
            note_places(screen, f"{CONTROLS}, .runs-sheet, .chart")
            with (young / "events.jsonl").open("a") as file:
                for number in range(1, 7):
                    record = {"step": number, "images": 2000 * number, "seconds": 7.0 + 2 * number}
                    words = "discriminator winning, memorising, oscillating" if number != 5 else "balanced"
                    losses = {"images_per_second": 90.0 * number, "discriminator/loss": 1.0, "health": words}
                    file.write(json.dumps({**record, **losses}) + "\n")
                    file.flush()
                    said = until(
                        screen,
                        f"const said = (() => {{ {FACTS} }})();"
                        f"return said['images drawn'].startsWith('{2 * number},000') && said",
                    )
                    assert moved(screen) == []
                    early = number < 3  # the first record holds the start of the networks: its rate says nothing
                    assert said["rate"] == ("measuring" if early else "1,000/s")
                    left = (50000 - 2000 * number) // 1000
                    assert said["time left"] == ("measuring" if early else f"{left} s")
                    assert said["health"] == ("too early to say" if number < 5 else words)
        require_clean(screen)
    finally:
        shutil.rmtree(young)


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
