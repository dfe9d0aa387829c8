"""Begin, Truth and Translate: a folder checked and trained on, a run evaluated, an image translated and back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from driving import button, click, click_on, one, press, require_clean, state, until, visit
from pages import Served, end_page, start_page
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.keys import Keys
from shell_folder import let_in

pytestmark = pytest.mark.prove
PAGE = "page"


STEP = "return document.querySelector('.begin-steps [aria-current]')?.dataset.step"


def test_begin_shows_images_and_says_what_to_expect(screen: WebDriver, page: Served) -> None:
    visit(screen, page.url, "begin")
    shown = "return [...document.querySelectorAll('.begin-images img')].filter((i) => i.naturalWidth === 16).length"
    until(screen, shown, 12)
    assert "40 images, 16 \u00d7 16 pixels" in one(screen, ".begin-strip figcaption").text
    height = "return document.querySelector('.begin-strip').getBoundingClientRect().bottom"
    before = screen.execute_script(height)
    until(screen, "return document.querySelector('.begin-forecast .begin-facts')?.innerText", seconds=120)
    assert screen.execute_script(height) == before
    assert screen.execute_script("return document.querySelectorAll('.begin-form button').length") == 1
    until(screen, "return !document.querySelector('.begin-start').disabled")
    one(screen, ".begin-form select").send_keys("5 minutes")
    until(screen, "return new URLSearchParams(location.hash.split('?')[1]).get('time')", "5m")
    field = one(screen, ".begin-form input")
    click(screen, field)  # the name that was there is replaced by what is typed
    press(screen, "first")
    assert field.get_attribute("value") == "first"
    said = one(screen, ".begin-forecast").text
    assert "up to" not in said
    assert "measured again once it trains" in said
    assert "other images" not in said
    below = "return document.querySelector('.begin-check').getBoundingClientRect().top"
    before = screen.execute_script(below)
    for wrong, words in (("", "Give the run a name"), ("a b", "letters, digits")):  # greyed, and it says why
        field.clear()
        field.send_keys(wrong or "a", *([] if wrong else [Keys.BACKSPACE]))
        until(screen, f"return document.querySelector('.begin-why').innerText.includes('{words}')")
        assert not one(screen, ".begin-start").is_enabled()
        assert "gansmith train" not in one(screen, "#command code").text  # nor is it offered for a terminal
        assert not one(screen, "#command button").is_enabled()
    assert screen.execute_script(below) == before
    field.clear()
    field.send_keys("mine-x")
    until(screen, "return !document.querySelector('.begin-start').disabled")
    until(screen, "return document.querySelector('.begin-why').innerText", "")
    until(screen, "return document.querySelector('#command code').textContent.includes('--time 5m')")
    command = one(screen, "#command code").text
    assert "gansmith train" in command
    assert command.endswith("x")
    require_clean(screen)


def test_begin_trains_says_what_happens_and_is_stopped(page: Served) -> None:
    with let_in(page) as screen:
        visit(screen, page.url, "begin?time=1m&name=mine")
        until(screen, "return document.querySelector('.begin-start')?.disabled === false", seconds=120)
        one(screen, ".begin-start").send_keys(Keys.ENTER)
        until(screen, f"return ['start', 'read'].includes((() => {{ {STEP} }})())")
        assert not screen.execute_script("return document.querySelector('.job details').open")  # what it says is folded
        sheet = "const i = document.querySelector('.begin-live img'); return i && i.naturalWidth > 0"
        until(screen, sheet, seconds=90)
        until(screen, f"return ['first', 'train'].includes((() => {{ {STEP} }})())")
        assert state(screen)["job"] == "mine"
        visit(screen, page.url, "begin?job=mine")  # found again
        until(screen, sheet)
        visit(screen, page.url, "runs")  # and named there
        until(screen, "return document.querySelector('.job [role=status]')?.textContent.includes('mine')")
        click_on(screen, ".job button")
        until(screen, "return document.activeElement.textContent", "Cancel")  # asks first, and the safe answer is near
        press(screen, Keys.ENTER)
        assert "mine: for" in one(screen, ".job [role=status]").text
        click_on(screen, ".job button")
        press(screen, Keys.TAB, Keys.ENTER)
        until(screen, "return document.querySelector('.job [role=status]').textContent.endsWith('stopped')", seconds=90)
        visit(screen, page.url, "runs?run=mine")
        until(screen, "return document.querySelector('.runs-open .facts [role=status]')?.textContent", "stopped")
        require_clean(screen)


def test_an_evaluation_is_stopped_and_the_next_one_shows_five_answers(page: Served) -> None:
    with let_in(page) as screen:
        visit(screen, page.url, "truth?run=toy")
        until(screen, "return document.querySelector('#view .empty')")
        said = "return document.querySelector('.job [role=status]')?.textContent"
        button(screen, "Evaluate now").send_keys(Keys.ENTER)
        dialog = "return document.querySelector('dialog')?.textContent"
        assert "goes on when this page is closed" in until(screen, dialog)
        press(screen, Keys.TAB, Keys.ENTER)
        until(screen, f"return (() => {{ {said} }})()?.includes(' s')")
        one(screen, ".job button").send_keys(Keys.ENTER)
        press(screen, Keys.TAB, Keys.ENTER)
        until(screen, said, "Evaluating toy: stopped")
        assert screen.execute_script("return document.querySelectorAll('.truth-card').length") == 0
        button(screen, "Evaluate now").send_keys(Keys.ENTER)
        assert "is replaced" not in one(screen, "dialog").text  # there is none
        press(screen, Keys.TAB, Keys.ENTER)
        until(screen, "return document.querySelector('.job .job-last')?.textContent.startsWith('Starting')")
        assert not screen.find_elements("css selector", "#view .empty")  # no "not evaluated yet" beside it
        assert "busy" in screen.execute_script(
            "return getComputedStyle(document.querySelector('.job progress')).animation"
        )
        until(screen, f"return / [1-9]\\d? %/.test((() => {{ {said} }})())", seconds=300)
        both = """
          const words = document.querySelector('.job [role=status]').textContent;
          return [Number(words.match(/(\\d+) %/)[1]), Math.round(100 * document.querySelector('.job progress').value)];
        """
        in_words, in_bar = screen.execute_script(both)
        assert in_words == in_bar
        assert one(screen, ".job .job-last").text  # what it does now
        until(screen, "return document.querySelectorAll('.truth-card').length", 5, seconds=300)
        until(screen, "return document.querySelector('.job').hidden", seconds=300)
        verdict = one(screen, ".truth-whole .truth-verdict").text
        assert verdict.endswith(".")
        until(screen, "return document.querySelectorAll('.truth-card').length", 5)
        assert not any(figure.is_displayed() for figure in screen.find_elements("css selector", ".truth-card .number"))
        button(screen, "Evaluate now").send_keys(Keys.ENTER)
        until(screen, "return document.querySelector('dialog')?.textContent.includes('is replaced')")
        press(screen, Keys.ESCAPE)
        for name in ("quality", "memorisation", "collapse", "diversity", "artifacts"):
            card = one(screen, f".truth-card[data-question={name}]")
            assert card.find_element("css selector", ".chip").text  # a word, not a colour alone
        require_clean(screen)


def test_hard_words_in_what_an_audit_says_have_their_question_mark(screen: WebDriver, page: Served) -> None:
    visit(screen, page.url, "truth?run=toy")
    script = """
      const done = arguments[arguments.length - 1];
      import('/static/parts/glossary.js').then(({explaining}) => done([
        explaining('the precision is 0.3, and held-out images by PCA').getAttribute('aria-label'),
        explaining('a plain sentence', undefined)]));
    """
    label, nothing = screen.execute_async_script(script)
    assert label == "What is PCA, precision, held out?"
    assert nothing is None


def test_views_are_no_longer_greyed_once_a_run_has_its_first_model(page: Served, folder: Path) -> None:
    """A training that was stopped, or has saved its first model, while it was on show."""
    young = Path(shutil.copytree(folder / "runs" / "toy", folder / "runs" / "young"))
    shutil.move(young / "model", folder / "model")
    needs = "return document.querySelectorAll('#nav a[data-needs]').length"
    with let_in(page) as screen:
        visit(screen, page.url, "runs?run=young")
        until(screen, needs, 5)  # but for Runs, Begin and Truth
        shutil.move(folder / "model", young / "model")
        until(screen, needs, 1)  # Translate, which is not for such a run
        require_clean(screen)
    shutil.rmtree(young)


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
    assert [way.get_attribute("value") for way in ways] == ["b", "a"]
    ways[0].send_keys(Keys.ARROW_RIGHT)
    until(screen, f"return (() => {{ {first} }})() !== '{before}'")
    assert state(screen)["to"] == "a"
    assert "gansmith translate" in one(screen, "#command code").text
    require_clean(screen)


def test_a_run_of_several_styles_shows_them_as_a_row(screen: WebDriver, page: Served, folder: Path) -> None:
    visit(screen, page.url, "translate?run=styles")
    until(screen, "return document.querySelector('.drop input')")
    one(screen, ".drop input").send_keys(str(folder / "photos" / "00.png"))
    loaded = "return [...document.querySelectorAll('.translate-row img')].filter((i) => i.naturalWidth > 0)"
    until(screen, f"{loaded}.length", 6)
    before = screen.execute_script(f"{loaded}.map((i) => i.src)")
    fourth = screen.find_elements("css selector", ".translate-row .tile")[3]
    fourth.send_keys(Keys.ENTER)
    until(screen, "return document.querySelector('.translate-says').textContent.includes('style 3')")
    assert screen.execute_script("return document.activeElement.getAttribute('aria-label')") == "style 3"
    assert fourth.get_attribute("aria-pressed") == "true"
    assert screen.execute_script(f"{loaded}.map((i) => i.src)") == before  # none of them is made again
    assert state(screen)["style"] == "3"
    command = one(screen, "#command code").text
    assert "00.png" in command
    assert "--styles 4" in command
    pixels = """
      const drawn = (css) => {
        const image = document.querySelector(css), canvas = document.createElement('canvas');
        canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
        canvas.getContext('2d').drawImage(image, 0, 0);
        return canvas.toDataURL();
      };
      const [picked, first] = [".tile[aria-pressed=true]", ".tile"].map((css) => drawn(`.translate-row ${css} img`));
      return [picked === drawn('.translate-stage figure:nth-of-type(2) img'), picked === first];
    """
    assert screen.execute_script(pixels) == [True, False]
    require_clean(screen)


def test_a_page_that_starts_nothing_says_why_and_what_to_type(page: Served, folder: Path) -> None:
    """A model of the zoo, whose images are not here; a page opened with --read-only; one run alone."""
    toy, photos = folder / "runs" / "toy", folder / "photos"
    wanted = {
        ("emoji",): ("comes with gansmith", "gansmith explore runs --images photos/"),
        (folder / "runs", "--read-only"): ("with --read-only", f"gansmith explore {folder / 'runs'} --images photos/"),
        (toy, "--images", photos): ("One run is open", f"gansmith explore {folder / 'runs'} --images {photos}"),
    }
    for options, (why, line) in wanted.items():
        served = start_page(*options)
        try:
            with let_in(served, 400) as screen:
                visit(screen, served.url, "begin")
                until(screen, f"return document.querySelector('#view').innerText.includes({why!r})")
                assert ("read-only" in one(screen, "#view").text) == ("--read-only" in options)
                assert line in [code.text for code in screen.find_elements("css selector", "#view .copyable code")]
                assert not screen.find_elements("css selector", ".begin-start")
                if options == ("emoji",):
                    visit(screen, served.url, "truth?run=emoji")
                    until(screen, "return document.querySelector('.truth-gone .copyable')")
                    assert one(screen, "#view").text.count("are not here") == 1
                    assert "gansmith explore emoji --images FOLDER" in one(screen, ".truth-gone .copyable").text
                    mark = "return document.querySelector('{} path').getAttribute('d')"
                    assert screen.execute_script(mark.format("#view .empty svg")) != screen.execute_script(
                        mark.format("#nav [aria-current] svg")
                    )  # no tick over "not evaluated yet"
                    until(
                        screen, "return document.querySelector('#view .head button')?.textContent.startsWith('Blind')"
                    )
                    click(screen, button(screen, "Blind test"))
                    until(screen, "return document.querySelector('#view')?.innerText.includes('No blind test here')")
                    assert len(screen.window_handles) == 1
                require_clean(screen)
        finally:
            end_page(served)


def test_weights_are_downloaded_by_a_button_and_without_a_network_it_says_so(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The true command, on a machine whose way out is a closed port of its own."""
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    for options in ((), ("--read-only",)):
        served = start_page(Path(shutil.copytree(runs, tmp_path / f"runs{len(options)}")), *options)
        try:
            with let_in(served, 400) as screen:
                visit(screen, served.url, "truth?run=toy")
                offer = "return document.querySelector('.truth-offer')?.textContent"
                assert "you can, by the blind test" in until(screen, offer)
                if options:
                    assert one(screen, ".truth-offer .copyable").text.startswith("gansmith features install mobilenet")
                    assert not screen.find_elements("css selector", ".truth-offer > div > button:not(.small)")
                    continue
                click(screen, button(screen, "Get it (14 MB)"))
                until(screen, "return document.activeElement.textContent", "Cancel")
                press(screen, Keys.TAB, Keys.ENTER)
                work = ".job:not([hidden]) [role=status]"
                until(screen, f"return document.querySelector('{work}')?.textContent.includes('mobilenet')")
                words = "return document.querySelector('#view .notice.bad:not([hidden])')?.textContent"
                assert "no way to the internet" in until(screen, words, seconds=300)
                assert one(screen, work).text.endswith("ended with an error")
                assert not one(screen, ".truth-offer button").get_attribute("disabled")
                require_clean(screen)
        finally:
            end_page(served)
    assert not list((tmp_path / "cache").glob("weights/*.pth"))
