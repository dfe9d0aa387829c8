"""A headless Chromium, driven by Selenium, that reaches this machine alone.

The fixture `browser` (in conftest.py) is one for a test; `started` is one for as long as a test file needs it. Both end
with an error if a page asked for an address outside this machine. Where there is no browser a test is skipped and names
what is missing; in continuous integration (CI=true) it fails.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver

HERE = {"127.0.0.1", "localhost", "::1", None}  # hosts of this machine; a file or data address has none
SWITCHES = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"),
    *("--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--allow-file-access-from-files", "--autoplay-policy=no-user-gesture-required"),
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE [::1]",
)


def program(*names: str) -> str | None:
    """The path of the first of these programs that is installed."""
    return next(filter(None, map(shutil.which, names)), None)


def missing() -> str:
    """What a browser test lacks here, with the way to get it; "" if nothing."""
    if not program("chromium", "chromium-browser", "google-chrome"):
        return "no browser: apt-get install chromium"
    if not program("chromedriver"):
        return "no driver of the browser: apt-get install chromium-driver"
    return "" if find_spec("selenium") else "no driver's client: pip install selenium"


def need(lack: str) -> None:
    """Nothing if `lack` is empty; else the test is skipped, and failed in continuous integration."""
    if lack and os.environ.get("CI") == "true":
        pytest.fail(f"{lack} (CI=true: a browser is required)")
    if lack:
        pytest.skip(lack)


@contextmanager
def started(*, width: int = 1200, height: int = 900, outside: bool = False) -> Iterator[WebDriver]:
    """A browser with a fresh profile and a view of width x height pixels; `outside`: requests outside are no error."""
    need(missing())
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = program("chromium", "chromium-browser", "google-chrome") or ""
    for switch in SWITCHES:
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(program("chromedriver")))
    try:
        driver.set_page_load_timeout(120)
        driver.set_script_timeout(120)
        resize(driver, width, height)
        yield driver
        asked = requests(driver)
    finally:
        driver.quit()
    assert outside or not (beyond := [url for url in asked if urlsplit(url).hostname not in HERE]), beyond


def resize(driver: WebDriver, width: int, height: int) -> None:
    """A view of exactly width x height pixels (a window has a least width, a telephone less)."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def requests(driver: WebDriver) -> list[str]:
    """The addresses that pages asked for since the last call, and those that a policy or the network refused."""
    said = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]  # type: ignore[no-untyped-call]
    sent = [one["params"] for one in said if one["method"] == "Network.requestWillBeSent"]
    return [one["request"]["url"] for one in sent]


def complaints(driver: WebDriver) -> list[str]:
    """What the console said since the last call: errors of scripts, violations of the page's policy."""
    entries = driver.get_log("browser")  # type: ignore[no-untyped-call]
    return [entry["message"] for entry in entries if entry["level"] in {"SEVERE", "WARNING"}]
