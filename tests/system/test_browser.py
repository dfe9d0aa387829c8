"""The browser of the tests reaches this machine alone, and says who asked for more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import browser as browsers

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver


@pytest.mark.prove
def test_an_outside_request_is_an_error(tmp_path: Path) -> None:
    page = tmp_path / "a.html"
    page.write_text('<img src="https://example.com/a.png"><img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">')
    with pytest.raises(AssertionError, match=r"example\.com"), browsers.started() as driver:
        driver.get(page.as_uri())


@pytest.mark.prove
def test_the_view_is_as_narrow_as_a_telephone(browser: WebDriver, tmp_path: Path) -> None:
    page = tmp_path / "a.html"
    page.write_text("<p>text")
    browser.get(page.as_uri())
    for width in (400, 1200):
        browsers.resize(browser, width, 800)
        assert browser.execute_script("return innerWidth") == width


def test_a_missing_browser_is_a_failure_in_continuous_integration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    lack = browsers.missing()
    assert "apt-get install chromium" in lack
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="apt-get install chromium"):
        browsers.need(lack)
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception, match="apt-get install chromium"):
        browsers.need(lack)
    browsers.need("")
