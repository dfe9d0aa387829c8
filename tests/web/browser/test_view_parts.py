"""What the views stand on, without their DOM: selection, grid, queue of images, sets, points, lists of latents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from driving import visit
from pages import Served

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver

pytestmark = [pytest.mark.prove, pytest.mark.parametrize("screen", [1200], indirect=True, scope="module")]


@pytest.fixture(scope="module")
def page(screen: WebDriver, explored: Served) -> WebDriver:
    visit(screen, explored.url, "make?run=toy")
    return screen


def asked(page: WebDriver, module: str, script: str) -> Any:
    """What `script`, the body of an async function of the module `m`, returns."""
    whole = f"""const done = arguments[0];
      import('/static/parts/{module}.js').then(async (m) => {{ {script} }}).then(done, (e) => done(String(e)))"""
    return page.execute_async_script(whole)  # type: ignore[no-untyped-call]


SELECTION = "const s = new m.Selection({keyAt: (i) => String(i + 10), count: () => 50}); "


def test_selection(page: WebDriver) -> None:
    clicked = SELECTION + "s.click(3); s.click(6, {shift: true}); s.click(4); return s.picked"
    assert asked(page, "selection", clicked) == ["13", "15", "16"]
    backwards = SELECTION + "s.click(6); s.click(3, {shift: true}); return s.picked"
    assert asked(page, "selection", backwards) == ["16", "15", "14", "13"]
    shorter = SELECTION + "s.moveTo(2); for (const i of [3, 4, 5, 4]) s.moveTo(i, {shift: true}); return s.picked"
    assert asked(page, "selection", shorter) == ["12", "13", "14"]
    ends = SELECTION + "s.moveTo(-4); const a = s.active; s.moveTo(99); return [a, s.active]"
    assert asked(page, "selection", ends) == [0, 49]


def test_undo_of_a_selection(page: WebDriver) -> None:
    script = SELECTION + "s.click(1); s.click(2); s.clear(); const seen = [];"
    script += "while (s.past.undo() !== null) seen.push([...s.picked]); return seen"
    assert asked(page, "selection", script) == [["11", "12"], ["11"], []]


def test_time_left_before_the_first_record_is_that_which_was_given(page: WebDriver) -> None:
    script = "return [{}, {seconds: 9}].map((record) => m.remaining({left: 300, record}, ' left'))"
    assert asked(page, "words", script) == ["5 min from the first step on", "5 min left"]


def test_grid(page: WebDriver) -> None:
    grid = "const g = m.gridOf({width: 428, tile: 100, gap: 8, count: 1000, ratio: 2}); "
    assert asked(page, "grid_layout", grid + "return [g.columns, g.side, g.high, g.rows, g.height]") == [
        *(4, 101, 202, 250),
        250 * 210 - 8,
    ]
    seen = asked(page, "grid_layout", grid + "return m.visible(g, {top: 2100, height: 630, spare: 1})")
    assert seen == {"from": 9 * 4, "to": 14 * 4}
    keys = "const k = ['ArrowUp', 'ArrowDown', 'ArrowLeft', 'PageDown', 'Home', 'End', 'x'];"
    keys += "return k.map((key) => m.leadsTo(g, 6, key, 630))"
    assert asked(page, "grid_layout", grid + keys) == [2, 10, 5, 18, 0, 999, None]
    tops = "return [m.topThatShows(g, 0, {top: 500, height: 630}), m.topThatShows(g, 40, {top: 0, height: 630})]"
    assert asked(page, "grid_layout", grid + tops) == [0, 2100 + 202 - 630]


STORE = """
const asked = [], came = [], waits = {};
const load = (key, signal) => new Promise((yes, no) => { asked.push(key); waits[key] = yes;
  signal.addEventListener('abort', () => no(new DOMException('left', 'AbortError'))); });
const freed = [];
const s = m.imageStore({load, arrived: (key) => came.push(key), most: 2, bytes: 25,
  failed: (key) => came.push('!' + key), free: (url) => freed.push(url)});
const rest = () => new Promise((done) => setTimeout(done, 5));
const give = async (key) => { waits[key]({url: key, blob: {size: 10}}); await rest(); };
"""


def test_what_left_the_screen_is_dropped(page: WebDriver) -> None:
    script = STORE + "s.want(['1', '2', '3', '4']); s.want(['8', '9']); await rest(); await give('8'); await give('1');"
    assert asked(page, "image_store", script + "return [asked, came]") == [["1", "2", "8", "9"], ["8"]]


def test_kept_images_are_bounded(page: WebDriver) -> None:
    script = STORE + "for (const k of 'abcd') { s.want([k]); await give(k); } s.want(['d', 'c']); await rest();"
    counts = [["a", "b", "c", "d"], ["a", "b"], 2]
    assert asked(page, "image_store", script + "return [asked, freed, s.counts.kept]") == counts


def test_newest_frame_is_shown(page: WebDriver) -> None:
    script = """const waits = [], seen = [], rest = () => new Promise((done) => setTimeout(done, 5));
    const ask = m.frames((n) => new Promise((yes) => { waits.push([n, () => yes(n)]); }));
    for (const n of [1, 2, 3, 4]) ask(n).then((image) => { seen.push(image ?? null); });
    await rest(); waits[1][1](); await rest(); waits[0][1](); await rest(); waits[2][1](); await rest();
    return [waits.map(([n]) => n), seen]"""
    assert asked(page, "frames", script) == [[1, 2, 4], [None, 2, None, 4]]


def test_sets_that_add_up(page: WebDriver) -> None:
    sets = "const t = new m.Trays({}, {past: {add: (w, f) => { t.back = f; }}}); "
    script = sets + "t.put('1'); t.put('2', 'b'); t.put('3'); t.put('1', 'c'); return [t.sets, t.formula(), t.all()]"
    assert asked(page, "trays", script) == [{"a": [], "b": ["2", "3"], "c": ["1"]}, "− b + c", ["2", "3", "1"]]  # noqa: RUF001  (what the page shows)
    assert asked(page, "trays", sets + "t.put('1'); t.put('1'); t.back(); return t.sets.a") == ["1"]


def test_walking_points(page: WebDriver) -> None:
    points = "const p = [[0, 0], [1, 0], [0, 1], [-1, 0], [0, -1], [2, 0.1]].map(([x, y]) => ({x, y})); "
    keys = "return ['ArrowRight', 'ArrowUp', 'ArrowLeft', 'ArrowDown', 'q'].map((k) => m.nearestBy(p, 0, k))"
    assert asked(page, "plane", points + keys) == [1, 2, 3, 4, None]
    assert asked(page, "plane", points + "return m.circle(p, 1, 2)") == [1, 0]


def test_inside_a_drawn_line(page: WebDriver) -> None:
    square = "const line = [[0, 0], [4, 0], [4, 4], [0, 4]]; "
    places = "return [[1, 1], [5, 1], [1, -1], [3.9, 3.9], [1, 5]].map((one) => m.inside(one, line))"
    assert asked(page, "plane", square + places) == [True, False, False, True, False]
    bow = "const line = [[0, 0], [4, 4], [4, 0], [0, 4]]; return [[1, 2], [3, 2], [2, 1]].map((o) => m.inside(o, line))"
    assert asked(page, "plane", bow) == [True, True, False]
    assert asked(page, "plane", "return m.inside([0, 0], [])") is False


SAID = """const known = {id: 'photo-1', photograph: true, from: 'me.png', distance: 0.0123};
const said = (more) => m.editWords({search: null, failure: null, found: null, key: '7', chosen: true,
  moved: false, has: true, size: '32', original: null, known: undefined, ...more}); """


def test_each_state_of_edit_says_one_thing(page: WebDriver) -> None:
    """Nothing chosen, a seed, a search, found, failed, stopped: words, captions and list of the same thing."""
    nothing = asked(page, "edit_words", SAID + "return said({key: '0', chosen: false})")
    assert (nothing["state"], nothing["list"], nothing["sliders"]) == ("seed", None, None)
    assert "Nothing is chosen" in nothing["says"]
    assert "seed 0" in nothing["says"]
    seed = asked(page, "edit_words", SAID + "return [said({}), said({moved: true}), said({has: false})]")
    assert [one["after"] for one in seed[:2]] == ["after: nothing moved yet", "after"]
    assert "Move a slider" in seed[0]["says"]
    assert "Move a slider" not in seed[1]["says"]
    assert "Find directions" in seed[2]["says"]
    search = "const search = {name: 'me.png', share: null, seen: null}; "
    searching = asked(page, "edit_words", SAID + search + "return said({search, failure: {name: 'x', message: 'y'}})")
    assert searching["state"] == "searching"
    assert (searching["after"], searching["list"]) == ("nothing found yet", "searching for me.png …")
    assert searching["sliders"]
    assert asked(page, "edit_words", SAID + search + "return said({search, has: false})")["sliders"] is None
    words = " ".join(str(value) for value in searching.values())
    assert "seed" not in words.lower()
    assert "Move a slider" not in words
    seen = "return said({search: {...search, share: 0.256, distance: 0.05, seen: 'u'}})"
    nearer = asked(page, "edit_words", SAID + search + seen)
    assert nearer["after"] == "nearest so far"
    assert "26 %" in nearer["says"]
    found = "return said({key: 'photo-1', known, found: {}, original: true})"
    there = asked(page, "edit_words", SAID + found)
    assert (there["state"], there["kind"], there["field"]) == ("photograph", "Photograph", "me.png")
    assert there["before"] == "your photograph at 32 pixels"  # beside a result of that size
    assert there["says"].startswith("Found, distance 0.0123")
    assert "at 32 pixels, no larger" in there["says"]
    again = asked(page, "edit_words", SAID + "return said({key: 'photo-1', known, moved: true})")
    assert again["before"] == there["before"]
    assert "no larger" not in again["says"]
    assert again["after"] == "the model's image of it, edited"
    failed = "return ['it is damaged', null].map((message) => said({failure: {name: 'me.png', message}}))"
    broken, stopped = asked(page, "edit_words", SAID + failed)
    assert broken["state"] == "failed"
    assert broken["says"] == "me.png was not found: it is damaged. Still edited: seed 7."
    refused = "return said({failure: {name: 'me.txt', message: 'me.txt is no image', refused: true}}).says"
    assert asked(page, "edit_words", SAID + refused) == "me.txt is no image. Still edited: seed 7."
    assert stopped["state"] == "seed"
    assert "was stopped" in stopped["says"]
    assert (broken["before"], broken["after"], broken["list"]) == ("before", "after: nothing moved yet", None)


def test_a_long_name_of_a_file_keeps_to_its_line(page: WebDriver) -> None:
    names = asked(page, "edit_words", "return ['me.png', 'x'.repeat(200) + '.png'].map(m.brief)")
    assert names[0] == "me.png"
    assert len(names[1]) == 28
    assert names[1].endswith(".png")


@pytest.mark.parametrize("width", [150, 210, 330])
def test_a_name_of_a_direction_breaks_between_words(page: WebDriver, width: int) -> None:
    """Never at a hyphen while the word has room on a line; one that is too long breaks, and stays inside."""
    script = """
      const {sheet, h} = await import('/static/parts/dom.js');
      await sheet('/static/views/edit.css');
      const long = 'a-name-of-forty-signs-given-by-a-person-';
      const sliders = new m.Sliders({run: {name: 'toy', size: 8}, along: [], changed: () => {}, rename: () => null,
        directions: ['pca-1', long, 'long-haired and blue-eyed'].map((name, i) => ({name, change: 3 - i})),
        look: async () => { throw new Error('none'); }});
      const box = h('div', {style: {width: `${WIDTH}px`}}, [...sliders.rows.values()].map((row) => row.place));
      document.body.append(box);
      const lines = (element) => {
        const range = document.createRange();
        range.selectNodeContents(element);
        return new Set([...range.getClientRects()].map((r) => Math.round(r.top))).size;
      };
      const seen = [...box.querySelectorAll('.slider-word')].map((word) => [word.textContent, lines(word)]);
      const wide = box.scrollWidth - box.clientWidth;
      const names = [...box.querySelectorAll('.slider-name > span:first-child')].map((name) => name.textContent);
      box.remove();
      sliders.end();
      return [seen, wide, names];
    """
    seen, wide, names = asked(page, "sliders", script.replace("WIDTH", str(width)))
    assert (wide <= 0, len(seen)) == (True, 7)
    assert names[0] == "change 1 (pca-1)"
    assert names[2] == "long-haired and blue-eyed"
    assert [word for word, lines in seen if lines > 1 and "forty" not in word] == []


def test_curves_say_what_they_mean_once_there_are_some(page: WebDriver) -> None:
    script = """
      const curves = m.curves(['toy']);
      const says = () => curves.element.querySelector('.what')?.getAttribute('aria-label') ?? null;
      curves.set([{images: [], columns: {}, count: 0, shown: 0}]);
      const before = says();
      curves.set([{images: [16, 32], columns: {'generator/loss': [1, 2]}, count: 2, shown: 2}]);
      const after = says();
      curves.end();
      return [before, after];
    """
    assert asked(page, "curves", script) == [None, "What is losses?"]


def test_the_clock_of_a_first_record_is_in_whole_images(page: WebDriver) -> None:
    script = """
      const curves = m.curves(['toy']);
      document.body.append(curves.element);
      curves.set([{images: [640], columns: {'generator/loss': [1]}, count: 1, shown: 1}]);
      const ticks = () => [...curves.element.querySelectorAll('.xtick text')].map((one) => one.textContent);
      for (let i = 0; i < 400 && !ticks().length; i += 1) await new Promise((r) => setTimeout(r, 50));
      const seen = ticks();
      curves.end();
      curves.element.remove();
      return seen;
    """
    ticks = asked(page, "curves", script)
    assert len(ticks) > 1
    assert all(one.isdigit() for one in ticks), ticks


def test_a_photograph_that_the_browser_does_not_draw_is_shown_as_the_run_keeps_it(page: WebDriver) -> None:
    script = """
      const {image: draws} = await new Promise((done) => {
        const image = new Image();
        image.onload = () => done({image});
        image.src = '/static/icon.svg';
      });
      const stage = m.editStage({size: 8});
      document.body.append(stage.element);
      const at = (css) => stage.element.querySelector(css);
      const seen = () => [at('.edit-before img').getAttribute('src'), at('.edit-whole').hidden];
      const rest = async (until) => {
        for (let i = 0; i < 400 && !until(); i += 1) await new Promise((r) => setTimeout(r, 50));
      };
      const blob = URL.createObjectURL(new Blob(['II*'], {type: 'image/tiff'}));
      stage.before(blob, {own: true, original: blob});
      await rest(() => seen()[0] === null);
      const searched = seen();
      stage.before('/static/icon.svg', {original: blob});
      await rest(() => at('.edit-before img').naturalWidth > 0);
      const found = seen();
      stage.before('/static/icon.svg', {original: draws.src});
      await rest(() => !seen()[1]);
      const drawn = seen();
      stage.element.remove();
      return [searched, found, drawn];
    """
    kept = "/static/icon.svg"
    assert asked(page, "edit_stage", script) == [[None, True], [kept, True], [kept, False]]


def test_lists_of_latents(page: WebDriver) -> None:
    assert asked(page, "latents", "return m.parseList('1,4-6,me,4')") == ["1", "4", "5", "6", "me"]
    assert asked(page, "latents", "return m.listText(['1', '2', '4', '5', '6', 'me'])") == "1,2,4-6,me"
    along = "const a = new Map([['a,b:c', 1.5], ['3', -1], ['x', 0]]); const t = m.alongText(a);"
    along += "return [t, [...m.parseAlong(t)]]"
    assert asked(page, "latents", along) == ["a%2Cb:c:1.5,3:-1", [["a,b:c", 1.5], ["3", -1]]]
