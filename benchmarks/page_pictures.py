"""The pictures of the page in docs/explore.md: python -m benchmarks.page_pictures RUNS --run NAME [--second NAME]
[--hands NAME] [--translator NAME] [--images FOLDER] [--photo FILE] [--only runs,edit]

Opens the folder with `gansmith explore`, walks through its views in a headless Chromium as a person does, and writes
docs/pictures/page_VIEW.webp, each below 100 kB. Only runs on freely licensed images: digits, hand signs, Noto emoji,
Fashion-MNIST.
"""

from __future__ import annotations

import argparse
import io
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from PIL import Image

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver

FOLDER = Path(__file__).parent.parent / "docs" / "pictures"
MOST_BYTES = 100_000
WIDTH, HEIGHT = 1200, 860
SWITCHES = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage")
LOADED = """
return [...document.querySelectorAll('#view img')].every((i) => !i.getAttribute('src') || i.naturalWidth > 0)
  && !document.querySelector('#view[aria-busy], #view [aria-busy], #view .tile.loading, #view .busy')
  && (!/#.(map|runs.run=)/.test(location.hash) || document.querySelector('#view .main-svg'))
"""


@contextmanager
def served(runs: Path, images: Path | None) -> Iterator[str]:
    """The address of a page on `runs`, opened from the folder that holds it, with its token."""
    words = [sys.executable, "-m", "gansmith", "explore", runs.name, "--no-browser", "--port", "0"]
    with subprocess.Popen(
        [*words, *(["--images", str(images)] if images else [])], stdout=subprocess.PIPE, text=True, cwd=runs.parent
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


@contextmanager
def browser(dark: bool) -> Iterator[WebDriver]:
    """A headless Chromium in light or dark colours."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
    for switch in SWITCHES:
        options.add_argument(switch)
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        metrics = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        yield driver
    finally:
        driver.quit()


def settle(driver: WebDriver, seconds: float = 60) -> None:
    """Waits until every image of the view is there, and half a second more."""
    end = time.monotonic() + seconds
    while not driver.execute_script(LOADED) and time.monotonic() < end:
        time.sleep(0.2)
    time.sleep(2)


def picture(driver: WebDriver) -> bytes:
    """What is on the screen as WebP below 100 kB, as good as that allows."""
    image = Image.open(io.BytesIO(driver.get_screenshot_as_png())).convert("RGB")
    for quality in range(92, 20, -6):
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", quality=quality, method=6)
        if buffer.tell() < MOST_BYTES:
            break
    return buffer.getvalue()


def photograph(file: Path) -> Callable[[WebDriver], None]:
    """A file put into the view's drop zone."""

    def put(driver: WebDriver) -> None:
        driver.find_element("css selector", "#view input[type=file]").send_keys(str(file.absolute()))
        time.sleep(3)

    return put


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--run", required=True)
    parser.add_argument("--second")
    parser.add_argument(
        "--hands", help="a copy of the zoo's hand_signs, with the directions of `--method labels`, class_5 named open"
    )
    parser.add_argument("--translator")
    parser.add_argument("--images", type=Path, help="as seen from the folder that holds RUNS")
    parser.add_argument("--photo", type=Path, help="of the translator's domain a or b")
    parser.add_argument("--only", default="", help="names of pictures, parted by commas")
    given = parser.parse_args()
    run = given.run
    shots: list[tuple[str, str, dict[str, str], bool, Callable[[WebDriver], None] | None]] = [
        ("runs", "runs", {}, False, None),
        ("run", "runs", {"run": run}, False, None),
        ("make", "make", {"run": run, "pick": "1,4,9"}, False, None),
        ("mix", "mix", {"run": run, "a": "1,4,9", "b": "2,3,5", "c": "7,8,6"}, False, None),
        ("edit", "edit", {"run": given.hands or run, "of": "7", "along": "open:2"}, False, None),
        ("map", "map", {"run": run}, False, None),
        ("truth", "truth", {"run": run}, False, None),
        ("dark", "make", {"run": run}, True, None),
    ]
    if given.second:
        shots.append(("two", "runs", {"run": run, "with": given.second}, False, None))
        terms = {"a": "1,4,9", "b": "2,3,5", "c": "7,8,6"}
        shots.append(("opening", "mix", {"run": given.second, **terms}, False, None))  # of README
    if given.images:
        shots.append(("begin", "begin", {}, False, None))
    if given.translator:
        put = photograph(given.photo) if given.photo else None
        shots.append(("translate", "translate", {"run": given.translator}, False, put))
    only = set(filter(None, given.only.split(",")))
    with served(given.runs, given.images) as address:
        for dark in (False, True):
            mine = [shot for shot in shots if shot[3] == dark and (not only or shot[0] in only)]
            if not mine:
                continue
            with browser(dark) as driver:
                driver.get(address)
                for name, view, state, _, put in mine:
                    driver.get("about:blank")
                    driver.get(f"{address.partition('/?')[0]}/#/{view}?{urlencode(state)}")
                    time.sleep(2)
                    settle(driver)
                    if put:
                        put(driver)
                        settle(driver)
                    data = picture(driver)
                    (FOLDER / f"page_{name}.webp").write_bytes(data)
                    print(f"page_{name}.webp: {len(data):,} bytes", flush=True)


if __name__ == "__main__":
    main()
