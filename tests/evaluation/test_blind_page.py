"""The page of a blind test: what is in it, and in a browser what it does."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from gansmith.errors import DataError, OptionError
from gansmith.evaluation import intervals
from gansmith.evaluation.blind.code import decode
from gansmith.evaluation.blind.page import BlindTest, page

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver

TRUTH = tuple(bit == "1" for bit in "101100111010")


def blind(kind: str = "real or made", channels: int = 3, seed: int = 0) -> BlindTest:
    beside = 1 if kind == "real or made" else 2
    shown = np.random.default_rng(seed).integers(0, 256, (len(TRUTH), beside, 6, 8, channels), dtype=np.uint8)
    names = ("photos",) if beside == 1 else ("<b>first", "second & third")
    return BlindTest(kind, shown, TRUTH, names, "drawn from set <i>" if beside == 1 else "", seed)  # type: ignore[arg-type]


def data_of(text: str) -> dict[str, object]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    data: dict[str, object] = json.loads(found[1])
    return data


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("kind", ["real or made", "a or b"])
def test_images_are_in_it_pixel_by_pixel_and_nothing_names_them(kind: str, channels: int) -> None:
    test = blind(kind, channels)
    text = page(test)
    looks = data_of(text)["looks"]
    assert isinstance(looks, list)
    for look, shown in zip(looks, test.shown, strict=True):
        for stored, image in zip(look, shown, strict=True):
            with Image.open(io.BytesIO(base64.b64decode(stored))) as opened:
                assert opened.info == {}
                assert (np.asarray(opened).reshape(image.shape) == image).all()
    assert set(re.findall(r'alt="([^"]*)"', text)) <= {"", "The image to judge"}


def test_the_truth_cannot_be_read_at_a_glance() -> None:
    data = data_of(page(blind()))
    key = base64.b64decode(str(data["key"]))
    assert len(key) == len(TRUTH)
    assert bytes(TRUTH) != key
    assert len(set(key)) > 4
    bits = json.dumps([int(bit) for bit in TRUTH])
    assert bits not in page(blind())
    assert "".join(map(str, map(int, TRUTH))) not in page(blind())


def test_it_loads_nothing_and_its_policy_allows_its_own_script_and_style_alone() -> None:
    text = page(blind())
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    rules = dict(rule.strip().split(" ", 1) for rule in unescape(policy[1]).split(";"))
    assert rules["default-src"] == "'none'"
    for tag, rule in (("script", "script-src"), ("style", "style-src")):
        inside = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert len(inside) == 1
        digest = base64.b64encode(hashlib.sha256(inside[0].encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"
    assert rules["img-src"] == "data:"
    assert not re.search(r"https?://|//cdn|@import|\bfetch\(|XMLHttpRequest|sendBeacon|<link|style=", text)


def test_names_are_escaped() -> None:
    text = page(blind("a or b"))
    assert "<b>first" not in text
    assert data_of(text)["names"] == ["<b>first", "second & third"]
    assert "set &lt;i&gt;" in page(blind())


def test_its_intervals_are_the_exact_ones() -> None:
    table = data_of(page(blind()))["intervals"]
    expected = [intervals.share(wrong, len(TRUTH)) for wrong in range(len(TRUTH) + 1)]
    assert np.allclose(np.array(table), np.array(expected), atol=1e-4)


def test_the_test_is_a_digest_of_images_truth_and_seed() -> None:
    test = blind()
    others = [blind(seed=1), blind("a or b"), replace(test, seed=1), replace(test, truth=TRUTH[::-1])]
    assert len({test.test, *(other.test for other in others)}) == 5
    assert page(test) == page(blind())
    assert len(test.test) == 8


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(OptionError, match="at least 10"):
        replace(blind(), truth=TRUTH[:3])
    with pytest.raises(DataError, match="12 looks"):
        replace(blind(), shown=blind("a or b").shown)


def opened(browser: WebDriver, path: Path, text: str) -> WebDriver:
    path.write_text(text, encoding="utf-8")
    browser.get(path.as_uri())
    return browser


PRESS = """
const [keys, done] = arguments;
const wait = (time) => new Promise((over) => setTimeout(over, time));
(async () => {
  document.getElementById("begin").click();
  for (const key of keys) {
    await wait(250);
    if (key.startsWith("#")) document.querySelector(key).click();
    else document.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
  }
  document.body.dataset.code = document.getElementById("code").value;
  done();
})();
"""


@pytest.mark.prove
def test_its_own_script_runs_under_its_policy(browser: WebDriver, tmp_path: Path) -> None:
    text = page(blind())
    assert re.search(r'id="begin"[^>]* disabled', text)
    foreign = text.replace("</body>", "<script>document.body.dataset.foreign = 1</script></body>")
    shown = opened(browser, tmp_path / "page.html", foreign).page_source
    assert re.search(r'id="begin"[^>]*>Begin', shown)
    assert not re.search(r'id="begin"[^>]* disabled', shown)
    assert "data-foreign" not in shown


@pytest.mark.prove
@pytest.mark.parametrize("kind", ["real or made", "a or b"])
def test_keys_and_buttons_make_a_code_that_is_read(kind: str, browser: WebDriver, tmp_path: Path) -> None:
    alone = kind == "real or made"
    ways = {
        True: ["ArrowRight", "m", "M", "#choice-1"] if alone else ["ArrowLeft", "l", "L", "#choice-1"],
        False: ["ArrowLeft", "r", "R", "#choice-0"] if alone else ["ArrowRight", "r", "R", "#choice-0"],
    }
    wrong = {0, 4, 5}
    chosen = [truth != (at in wrong) for at, truth in enumerate(TRUTH)]
    keys = [ways[one][at % 4] for at, one in enumerate(chosen)]
    test = blind(kind)
    opened(browser, tmp_path / "page.html", page(test)).execute_async_script(PRESS, ["x", "Enter", *keys])
    text = browser.page_source
    code = re.search(r'data-code="([^"]+)"', text)
    assert code, text[-2000:]
    sitting = decode(code[1])
    assert (sitting.kind, sitting.test) == (kind, test.test)
    assert sitting.truth == TRUTH
    assert sitting.chosen == tuple(chosen)
    counted = 3 if alone else 9
    low, high = intervals.share(counted, 12)
    result = re.search(r'id="result"[^>]*>([^<]*)<', text)
    assert result
    assert f"{counted} of 12" in unescape(result[1])
    assert f"({round(100 * low)} to {round(100 * high)})" in result[1]


@pytest.mark.prove
def test_nothing_is_told_before_the_end(browser: WebDriver, tmp_path: Path) -> None:
    opened(browser, tmp_path / "page.html", page(blind())).execute_async_script(PRESS, ["m"] * 11)
    text = browser.page_source
    assert re.search(r'id="progress"[^>]*>Image 12 of 12<', text)
    assert re.search(r'id="result"[^>]*></h2>', text)
    assert 'data-code=""' in text
    assert '<section id="end" aria-labelledby="result" hidden' in text
