"""Begin, Truth and Translate: a folder checked and trained on, a run evaluated, an image translated and back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from driving import button, click, one, press, require_clean, state, until, visit
from pages import Served
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.keys import Keys
from shell_folder import let_in, page_of_shell

pytestmark = pytest.mark.prove


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("of_work")


@pytest.fixture(scope="module")
def page(runs: Path, folder: Path) -> Iterator[Served]:
    with page_of_shell(runs, folder) as served:
        yield served


@pytest.fixture(scope="module", params=[1200, 400])
def screen(request: pytest.FixtureRequest, page: Served) -> Iterator[WebDriver]:
    with let_in(page, request.param) as driver:
        yield driver


def test_begin_checks_the_folder_and_says_what_to_expect(screen: WebDriver, page: Served) -> None:
    visit(screen, page.url, "begin")
    assert "40" in until(screen, "return document.querySelector('[aria-label=Check]')?.innerText")
    until(screen, "return document.querySelector('.begin-forecast .begin-facts')?.innerText", seconds=120)
    one(screen, ".begin-form select").send_keys("5 minutes")
    until(screen, "return new URLSearchParams(location.hash.split('?')[1]).get('time')", "5m")
    name = one(screen, ".begin-form input")
    name.send_keys("x")
    command = one(screen, "#command code").text
    assert "gansmith train" in command
    assert "--time 5m" in command
    assert command.endswith("x")
    require_clean(screen)


def test_begin_trains_and_shows_the_first_sheet(page: Served) -> None:
    with let_in(page) as screen:
        visit(screen, page.url, "begin?time=1m&name=mine")
        until(screen, "return document.querySelector('.begin-form button')?.disabled === false")
        one(screen, ".begin-form button").send_keys(Keys.ENTER)
        sheet = "const i = document.querySelector('.begin-live img'); return i && i.naturalWidth > 0"
        until(screen, sheet, seconds=90)
        assert state(screen)["job"] == "mine"
        visit(screen, page.url, "begin?job=mine")  # found again
        until(screen, sheet)
        click(screen, button(screen, "Open the run"))
        until(screen, "return document.querySelector('.runs-open [role=status]')?.textContent", "training")
        click(screen, button(screen, "Stop"))
        press(screen, Keys.TAB, Keys.ENTER)
        until(screen, "return document.querySelector('.runs-open [role=status]').textContent", "stopped", seconds=90)
        require_clean(screen)


def test_truth_evaluates_and_shows_five_answers(page: Served) -> None:
    with let_in(page) as screen:
        visit(screen, page.url, "truth?run=toy")
        until(screen, "return document.querySelector('#view .empty')")
        with page.client() as client:  # the training that was stopped has ended
            end = time.monotonic() + 60
            while any(job["state"] == "running" for job in client.get("/api/jobs").json()):
                assert time.monotonic() < end
                time.sleep(0.2)
        button(screen, "Evaluate now").send_keys(Keys.ENTER)
        press(screen, Keys.TAB, Keys.ENTER)
        until(screen, "return document.querySelectorAll('.truth-card').length", 5, seconds=300)
        for name in ("quality", "memorisation", "collapse", "diversity", "artifacts"):
            card = one(screen, f".truth-card[data-question={name}]")
            assert card.find_element("css selector", ".chip").text  # a word, not a colour alone
        require_clean(screen)


def test_truth_shows_pairs(screen: WebDriver, page: Served) -> None:
    visit(screen, page.url, "truth?run=toy")
    loaded = "return [...document.querySelectorAll('.truth-pairs img')].filter((i) => i.naturalWidth > 0).length"
    until(screen, loaded, 12)
    assert "distance" in one(screen, ".truth-pairs figcaption").text
    click(screen, button(screen, "Show six more"))
    until(screen, loaded, 24)
    require_clean(screen)


def test_truth_links_to_a_blind_test(screen: WebDriver, page: Served) -> None:
    visit(screen, page.url, "truth?run=toy")
    link = until(
        screen,
        "return [...document.querySelectorAll('#view a')].find((a) => a.textContent.startsWith('Blind test'))?.href",
    )
    screen.get(link)
    assert "real" in until(screen, "return document.body.innerText").lower()


def test_translate_takes_an_image_and_leads_back(screen: WebDriver, page: Served, folder: Path) -> None:
    visit(screen, page.url, "translate?run=cycle")
    until(screen, "return document.querySelector('.drop input')")
    one(screen, ".drop input").send_keys(str(folder / "photos" / "00.png"))
    until(
        screen,
        "return [...document.querySelectorAll('.translate-stage img')].filter((i) => i.naturalWidth > 0).length",
        3,
    )
    first = "return document.querySelectorAll('.translate-stage img')[1].src"
    before = screen.execute_script(first)
    ways = screen.find_elements("css selector", ".translate-ways input")
    ways[-1].send_keys(Keys.ARROW_LEFT)
    until(screen, f"return (() => {{ {first} }})() !== '{before}'")
    assert state(screen)["to"] == "a"
    assert "gansmith translate" in one(screen, "#command code").text
    require_clean(screen)
