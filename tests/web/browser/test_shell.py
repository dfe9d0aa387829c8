"""The frame round the views: the way in, links that restore, keys, colours, help, drops, messages, and what to do when
nothing is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from driving import click_on, one, press, require_clean, until, visit
from pages import Served, end_page, start_page
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.keys import Keys
from shell_folder import let_in

pytestmark = pytest.mark.prove
PAGE = "page"
VIEWS = ["runs", "begin", "make", "mix", "edit", "map", "translate", "truth"]
FOCUS = "return document.activeElement.id || document.activeElement.textContent"


def ask(driver: WebDriver, script: str, *arguments: Any) -> Any:
    return driver.execute_async_script(  # type: ignore[no-untyped-call]
        "const done = arguments[arguments.length - 1];"
        f"(async () => {{ {script} }})().then(done, (e) => done(String(e)))",
        *arguments,
    )


def test_every_view_opens_by_its_link_and_by_its_keys(screen: WebDriver, page: Served) -> None:
    visit(screen, page.url, "runs")
    links = "return [...document.querySelectorAll('#nav a')].map((a) => a.hash.slice(2).split('?')[0])"
    until(screen, links, VIEWS)
    for view in VIEWS:
        visit(screen, page.url, f"{view}?run=toy")
        until(screen, "return document.querySelector('#nav [aria-current=page]')?.hash.split(/[/?]/)[1]", view)
        assert view in screen.title.lower()
        require_clean(screen)
    one(screen, "body").send_keys("g", "r")
    until(screen, "return document.querySelector('[data-view]')?.dataset.view", "runs")
    one(screen, "body").send_keys("g", "t")
    until(screen, "return document.querySelector('[data-view]')?.dataset.view", "truth")
    screen.back()
    until(screen, "return document.querySelector('[data-view]')?.dataset.view", "runs")


def test_a_letter_goes_to_a_view_only_after_g(screen: WebDriver, page: Served) -> None:
    """Even in the first second of a page."""
    visit(screen, page.url, "make?run=toy")
    held = (
        "performance.now = () => 100; "
        "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: arguments[0], bubbles: true}))"
    )
    screen.execute_script(held, "b")  # type: ignore[no-untyped-call]
    screen.execute_script(held, "x")  # type: ignore[no-untyped-call]
    assert "make?" in screen.current_url
    screen.execute_script(held, "g")  # type: ignore[no-untyped-call]
    screen.execute_script(held, "x")  # type: ignore[no-untyped-call]
    until(screen, "return document.querySelector('[data-view]')?.dataset.view", "mix")


SAYS = """
const {say} = await import('/static/parts/toast.js');
say(arguments[0], {kind: arguments[1], seconds: arguments[2]});
const [toast, foot] = ['.toast', 'footer.command'].map((css) => document.querySelector(css).getBoundingClientRect());
const copy = document.querySelector('#command button');
const {left, top, width, height} = copy.getBoundingClientRect();
const at = (x) => document.elementFromPoint(left + x * width, top + height / 2);
const free = [0.02, 0.5, 0.98].every((x) => copy.contains(at(x)));
return [toast.top - foot.top, foot.bottom - toast.bottom, document.querySelectorAll('.toast').length, free];
"""


@pytest.mark.parametrize("kind", ["info", "error"])
def test_a_message_lies_on_the_command_bar_and_goes_by_itself_and_by_escape(
    screen: WebDriver, page: Served, kind: str
) -> None:
    visit(screen, page.url, "runs")
    said = SAYS.replace("arguments[0]", "'a word '.repeat(60)").replace("arguments[1]", f"'{kind}'")
    for seconds in (1000, 0.2):
        above, below, count, free = ask(screen, said.replace("arguments[2]", str(seconds)))
        assert above >= 0
        assert below >= 0
        assert count == 1
        assert free, "the message lies on the button that copies"
        if seconds == 1000:
            assert one(screen, ".toast button[aria-expanded=false]").text == "More"
            press(screen, Keys.ESCAPE)
        until(screen, "return document.querySelectorAll('.toast').length === 0")


def test_no_link_holds_the_token(screen: WebDriver, page: Served) -> None:
    visit(screen, page.url, "runs?run=toy")
    assert page.token not in screen.current_url
    assert page.token not in str(screen.execute_script("return document.documentElement.outerHTML"))


def test_colours_are_switched_and_remembered(screen: WebDriver, page: Served) -> None:
    visit(screen, page.url, "runs")
    theme = "return document.documentElement.dataset.theme"
    ground = "return getComputedStyle(document.body).backgroundColor"
    before, colour = screen.execute_script(theme), screen.execute_script(ground)
    one(screen, "#theme").send_keys(Keys.ENTER)
    after = until(screen, theme, {"dark": "light", "light": "dark"}[before])
    assert screen.execute_script(ground) != colour
    visit(screen, page.url, "runs")
    assert screen.execute_script(theme) == after


def test_the_keys_are_listed_and_the_focus_comes_back(screen: WebDriver, page: Served) -> None:
    visit(screen, page.url, "runs?run=toy")
    until(screen, "return document.querySelector('.runs-sheet img')?.naturalWidth > 0")
    button = one(screen, "#help")
    button.send_keys(Keys.ENTER)
    words = until(screen, "return document.querySelector('dialog[open]')?.innerText")
    assert "play the sheets" in words
    assert "Truth" in words
    press(screen, Keys.ESCAPE)
    until(screen, "return !document.querySelector('dialog')")
    assert screen.execute_script(FOCUS) == "help"
    button.send_keys("?")
    click_on(screen, "dialog[open] input[type=checkbox]")
    press(screen, Keys.ESCAPE)
    one(screen, "body").send_keys("?")
    assert not screen.execute_script("return document.querySelector('dialog')")
    screen.execute_script("localStorage.removeItem('gansmith.keys')")


def test_the_skip_link_leads_to_the_view(screen: WebDriver, page: Served) -> None:
    visit(screen, page.url, "runs")
    screen.execute_script("document.activeElement.blur()")
    press(screen, Keys.TAB)
    assert screen.execute_script(FOCUS) == "skip"
    press(screen, Keys.ENTER)
    assert screen.execute_script(FOCUS) == "view"
    assert screen.execute_script("return location.hash") == "#/runs"


def test_a_run_that_is_not_there_is_named_with_a_way_out(screen: WebDriver, page: Served) -> None:
    screen.get("about:blank")
    screen.get(f"{page.url}/#/truth?run=<img src=x onerror=alert(1)>")
    words = until(screen, "return document.querySelector('#view .empty')?.innerText")
    assert "<img src=x" in words
    assert screen.execute_script("return document.querySelectorAll('#view img').length") == 0
    click_on(screen, "#view .empty a")
    until(screen, "return document.querySelectorAll('.runs-card').length", 4)


def test_a_view_that_a_run_cannot_have_says_why(screen: WebDriver, page: Served) -> None:
    visit(screen, page.url, "translate?run=toy")
    assert "gansmith train" in until(screen, "return document.querySelector('#view .empty')?.innerText")
    visit(screen, page.url, "translate")  # only two of four fit
    until(screen, "return document.querySelectorAll('.choose:not(:disabled)').length", 2)


def test_an_image_of_ours_dropped_anywhere_opens_where_it_was_made(screen: WebDriver, page: Served) -> None:
    visit(screen, page.url, "runs")
    script = """
      const answer = await fetch('/api/runs/toy/image?seed=5');
      const data = new DataTransfer();
      data.items.add(new File([await answer.blob()], 'x.png', {type: 'image/png'}));
      window.dispatchEvent(new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true}));
    """
    ask(screen, script)
    until(
        screen,
        "const h = location.hash; return h.startsWith('#/edit?') && h.includes('run=toy') && h.includes('of=5')",
    )


def test_requests_that_are_stale_are_dropped(screen: WebDriver, page: Served) -> None:
    visit(screen, page.url, "runs")
    script = """
      const { newest } = await import('/static/api.js');
      const started = [];
      const slow = newest((n) => { started.push(n); return new Promise((r) => setTimeout(() => r(n), 30)); });
      const got = await Promise.all([slow(1), slow(2), slow(3), slow(4)]);
      return [started, got.map((x) => x ?? null)];
    """
    assert ask(screen, script) == [[1, 4], [1, None, None, 4]]
    failing = """
      const { newest } = await import('/static/api.js');
      const ask = newest((n) => n === 1 ? Promise.reject(new Error('one')) : Promise.resolve(n));
      const got = await Promise.allSettled([ask(1), ask(2)]);
      return got.map((one) => one.status + (one.value ?? one.reason.message));
    """
    assert ask(screen, failing) == ["rejectedone", "fulfilled2"]


def test_events_of_a_post_are_read_as_they_come(screen: WebDriver, page: Served) -> None:
    visit(screen, page.url, "runs")
    script = """
      const { events } = await import('/static/api.js');
      const text = 'event: preview\\r\\ndata: {"step": 1}\\r\\n\\r\\n: still here\\n\\n'
        + 'event: done\\ndata: {"latent":\\ndata: "ä"}\\n\\n';
      const bytes = new TextEncoder().encode(text);
      const parts = [...bytes].map((b) => new Uint8Array([b]));
      const pull = (c) => { if (parts.length) c.enqueue(parts.shift()); else c.close(); };
      window.fetch = async () => new Response(new ReadableStream({ pull }));
      const got = [];
      await events('/x', {}, (name, data) => got.push([name, data]));
      return got;
    """
    assert ask(screen, script) == [["preview", {"step": 1}], ["done", {"latent": "ä"}]]


def test_the_command_is_copied_twice_in_a_row(screen: WebDriver, page: Served) -> None:
    """The message that it was copied is in nobody's way, and nothing moves for it."""
    visit(screen, page.url, "runs?run=toy")
    until(screen, "return document.querySelector('.runs-sheet img')?.naturalWidth > 0")
    place = "return JSON.stringify(document.querySelector('#command button').getBoundingClientRect())"
    before = screen.execute_script(place)
    for _ in range(2):
        click_on(screen, "#command button")
        until(screen, "return document.querySelectorAll('.toast').length", 1)
        assert screen.execute_script(place) == before
    require_clean(screen)


@pytest.mark.parametrize("options", [(), ("--read-only",)])
def test_an_empty_folder_says_what_to_do(tmp_path: Path, options: tuple[str, ...]) -> None:
    (tmp_path / "runs").mkdir()
    served = start_page(tmp_path / "runs", *options)
    try:
        with let_in(served, 400) as driver:
            for view in ("runs", "make", "truth", "begin"):
                visit(driver, served.url, view)
                words = until(driver, "return document.querySelector('#view .empty')?.innerText")
                assert "gansmith" in words
                assert ("read-only" in words) == bool(options)
                require_clean(driver)
    finally:
        end_page(served)
