"""The page in a browser, measured: from the click to the first picture, and how many images a second a slider shows.

    python -m benchmarks.page_browser RUN [--servers 3] [--pushes 3]     # a run with directions; Chromium, headless

A server and a browser are started for each of the `servers` first pictures; RUN is copied, so that nothing of it
changes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.page import served
from benchmarks.page_pictures import browser

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver

OTHERS = 5  # further runs of a server
SECONDS = 5.0  # that a slider is pushed
CLICK = """
const done = arguments[0], begun = performance.now();
document.querySelector('#nav a[href^="#/make"]').click();
const look = () => {
  const tiles = [...document.querySelectorAll('.gallery .tile img')];
  const there = tiles.some((one) => one.complete && one.naturalWidth > 0);
  if (there) done(performance.now() - begun); else requestAnimationFrame(look);
};
look();
"""
PUSH = """
const [seconds, done] = arguments;
const slider = document.querySelector('.slider-row input'), root = document.querySelector('[data-view]');
const begun = performance.now(), before = Number(root.dataset.frames || 0);
const move = () => {
  const gone = (performance.now() - begun) / 1000;
  if (gone > seconds) { done(Number(root.dataset.frames) - before); return; }
  slider.value = 3 * Math.sin(gone * 4);
  slider.dispatchEvent(new Event('input', {bubbles: true}));
  requestAnimationFrame(move);
};
move();
"""
READY = "return Boolean(document.querySelector(arguments[0])) && !document.querySelector('#view[aria-busy]')"


def opened(driver: WebDriver, url: str, view: str, css: str) -> None:
    """A view of the page, once `css` is there, and a second later."""
    driver.get("about:blank")
    driver.get(f"{url}/#/{view}")
    end = time.monotonic() + 60
    while not driver.execute_script(READY, css):
        if time.monotonic() > end:
            raise SystemExit(f"{view} shows no {css}: has the run directions?")
        time.sleep(0.05)
    time.sleep(1)


def first_picture(driver: WebDriver, url: str, run: str) -> float:
    """Milliseconds from the click on Make, in the opened run, to its first sample."""
    opened(driver, url, f"runs?run={run}", ".chart .main-svg")
    milliseconds: float = driver.execute_async_script(CLICK)
    return milliseconds


def measure(run: Path, servers: int, pushes: int) -> list[tuple[str, str]]:
    """The table's rows."""
    first: list[float] = []
    others: list[float] = []
    again: list[float] = []
    rates: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder) / "runs"
        for number in range(OTHERS + 1):
            shutil.copytree(run, runs / f"run{number}")
        for server in range(servers):
            with served(runs) as (port, token, _), browser(dark=False) as driver:
                url = f"http://127.0.0.1:{port}"
                driver.get(f"{url}/?token={token}")
                first.append(first_picture(driver, url, "run0"))
                if server:
                    continue
                others = [first_picture(driver, url, f"run{number}") for number in range(1, OTHERS + 1)]
                again = [first_picture(driver, url, f"run{number}") for number in range(1, OTHERS + 1)]
                opened(driver, url, "edit?run=run0", ".slider-row input")
                time.sleep(2)  # the strips of the sliders
                rates = [driver.execute_async_script(PUSH, SECONDS) / SECONDS for _ in range(pushes)]
    return [
        ("click to the first picture, the first run of a server", words(first, "ms")),
        ("click to the first picture, another run", words(others, "ms")),
        ("click to the first picture, a run that is open", words(again, "ms")),
        (f"images a second of a slider, {SECONDS:g} s each", words(rates, "")),
    ]


def words(values: list[float], unit: str) -> str:
    """Median, least and most of some values, and how many there are."""
    return f"{median(values):.0f} {unit} ({min(values):.0f} to {max(values):.0f}, n = {len(values)})".replace("  ", " ")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--servers", type=int, default=3)
    parser.add_argument("--pushes", type=int, default=3)
    given = parser.parse_args()
    print(f"{given.run}, {os.cpu_count()} processors, load before {os.getloadavg()[0]:.1f}", end="", flush=True)
    rows = measure(given.run, given.servers, given.pushes)
    print(f", after {os.getloadavg()[0]:.1f}")
    for name, value in rows:
        print(f"| {name} | {value} |")


if __name__ == "__main__":
    main()
