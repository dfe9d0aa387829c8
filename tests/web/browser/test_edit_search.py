"""Edit while a photograph is searched for, not found, or given up: its words and its pictures are of one thing."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from driving import button, click, one, require_clean, until, visit
from pages import Served
from PIL import Image
from places import moved, note_places
from test_view_edit import BOTH, STATE, caption, opened

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver

pytestmark = pytest.mark.prove
SEARCHED = """
const ours = window.fetch, text = new TextEncoder();
window.searches = [];
window.fetch = (path, options) => {
  if (!String(path).includes('/invert')) return ours(path, options);
  const stream = new ReadableStream({ start(control) {
    const tell = (name, data) => control.enqueue(text.encode(`event: ${name}\\ndata: ${JSON.stringify(data)}\\n\\n`));
    searches.push({ tell, end: () => control.close(), signal: options.signal });
    options.signal.addEventListener('abort', () => control.error(new DOMException('left', 'AbortError')));
  } });
  return Promise.resolve(new Response(stream, { status: 200 }));
};
window.putIn = (name) => { const data = new DataTransfer();
  const bytes = Uint8Array.from(atob('PNG64'), (letter) => letter.charCodeAt(0));
  data.items.add(new File([bytes], name, { type: 'image/png' }));
  const drop = new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true });
  document.querySelector('.drop').dispatchEvent(drop); };
"""  # the search of the server in the hands of the test
SHOWN = """
const at = (css) => document.querySelector(css), visible = (css) => getComputedStyle(at(css)).visibility === 'visible';
return { after: at('.edit-after img').getAttribute('src'),
  list: at('.edit-list').selectedOptions[0].textContent,
  sliders: visible('.sliders'), waits: at('.edit-waits').textContent, says: at('.edit-words').textContent,
  stop: visible('.edit-search'), film: at('.edit-files button').disabled };
"""


def test_pictures_and_words_of_a_search_agree(screen: WebDriver, explored: Served) -> None:
    opened(screen, explored, "&of=7&along=pca-1:2")
    file = io.BytesIO()
    Image.new("RGB", (50, 40), "red").save(file, "PNG")
    coded = base64.b64encode(file.getvalue()).decode()
    screen.execute_script(SEARCHED.replace("PNG64", coded))  # type: ignore[no-untyped-call]
    seed = screen.execute_script(SHOWN)  # type: ignore[no-untyped-call]
    assert (seed["sliders"], seed["stop"], seed["film"], seed["waits"]) == (True, False, False, "")
    note_places(screen)
    screen.execute_script("putIn('mine.png')")  # type: ignore[no-untyped-call]
    until(screen, STATE, "searching")
    shown = screen.execute_script(SHOWN)  # type: ignore[no-untyped-call]
    assert shown["after"] is None  # no other picture stands where the result will be
    assert caption(screen, "after") == "nothing found yet"
    assert (shown["sliders"], shown["stop"], shown["film"]) == (False, True, True)
    assert shown["waits"]
    assert shown["list"] == "searching for mine.png …"
    assert "move a slider" not in shown["says"].lower()
    preview = f"searches[0].tell('preview', {{image: '{coded}', step: 50, of: 200, distance: 0.25}})"
    screen.execute_script(preview)  # type: ignore[no-untyped-call]
    until(screen, "return document.querySelector('.edit-words').textContent.includes('25 %')")
    assert caption(screen, "after") == "nearest so far"
    until(screen, "return document.querySelector('.edit-after img').naturalWidth", 50)
    assert moved(screen) == []
    screen.execute_script("searches[0].tell('error', {error: 'the search was too long for this machine'})")  # type: ignore[no-untyped-call]
    until(screen, STATE, "failed")
    until(screen, "return document.querySelector('.edit-after img').naturalWidth", 8)  # what is edited again
    failed = screen.execute_script(SHOWN)  # type: ignore[no-untyped-call]
    assert "mine.png was not found: the search was too long for this machine. Still edited: seed 7." in failed["says"]
    assert (failed["sliders"], failed["stop"], failed["film"]) == (True, False, False)
    assert (failed["waits"], failed["list"]) == ("", seed["list"])
    assert one(screen, ".edit-seed input").get_attribute("value") == "7"
    screen.execute_script("putIn('again.png')")  # type: ignore[no-untyped-call]
    until(screen, STATE, "searching")
    assert "again.png" in one(screen, ".edit-words").text
    click(screen, button(screen, "Stop the search"))
    until(screen, STATE, "seed")
    assert screen.execute_script("return searches[1].signal.aborted")  # type: ignore[no-untyped-call]
    assert "The search for again.png was stopped" in one(screen, ".edit-words").text
    until(screen, BOTH)
    screen.execute_script("putIn('third.png')")  # type: ignore[no-untyped-call]
    until(screen, STATE, "searching")
    click(screen, button(screen, "Next seed"))  # another image ends it
    until(screen, STATE, "seed")
    until(screen, "return new URLSearchParams(location.hash.split('?')[1]).get('of')", "8")
    assert screen.execute_script("return searches[2].signal.aborted")  # type: ignore[no-untyped-call]
    require_clean(screen)


def test_what_is_no_image_is_said_once(screen: WebDriver, explored: Served, tmp_path: Path) -> None:
    opened(screen, explored, "&of=7")
    for name in ("notes.txt", "fake.jpg"):
        (tmp_path / name).write_text("no image")
        one(screen, ".drop input").send_keys(str(tmp_path / name))
        until(screen, f"return document.querySelector('.edit-words').textContent.startsWith('{name} is not an image')")
        assert one(screen, ".edit-words").text.endswith("Still edited: seed 7.")
        assert screen.execute_script("return document.body.innerText").count(name) == 1  # type: ignore[no-untyped-call]
    require_clean(screen)


def test_a_photograph_dropped_elsewhere_shows_no_seed_meanwhile(screen: WebDriver, explored: Served) -> None:
    visit(screen, explored.url, "make?run=toy")
    file = io.BytesIO()
    Image.new("RGB", (50, 40), "red").save(file, "PNG")
    coded = base64.b64encode(file.getvalue()).decode()
    screen.execute_script(SEARCHED.replace("PNG64", coded))  # type: ignore[no-untyped-call]
    paste = """const data = new DataTransfer();
    const bytes = Uint8Array.from(atob(arguments[0]), (letter) => letter.charCodeAt(0));
    data.items.add(new File([bytes], 'mine.png', { type: 'image/png' }));
    document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true }))"""
    screen.execute_script(paste, coded)  # type: ignore[no-untyped-call]
    until(screen, f"return document.querySelector('[data-view=edit]') && (() => {{ {STATE} }})()", "searching")
    asked = "return performance.getEntriesByType('resource').some((one) => /\\/(image|render)/.test(one.name))"
    until(screen, "return window.searches.length", 1)
    assert caption(screen, "after") == "nothing found yet"
    assert screen.execute_script("return document.querySelector('.edit-after img').getAttribute('src')") is None  # type: ignore[no-untyped-call]
    click(screen, button(screen, "Stop the search"))
    until(screen, STATE, "seed")
    until(screen, asked)
    until(screen, BOTH)
    require_clean(screen)
