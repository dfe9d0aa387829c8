"""The documentation site: it builds without a warning, its links lead somewhere, it asks for nothing outside."""

from __future__ import annotations

import re
from functools import cache
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import pytest
from docs.site import reference
from docs.site.__main__ import ROOT, build
from docs.site.stage import places

import browser as browsers

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver

pytestmark = pytest.mark.prove


class Tags(HTMLParser):
    """Every id, every link, and every address that a browser loads by itself."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        self.ids |= {named[name] for name in ("id", "name") if name in named}
        address = named.get("href") or named.get("src")
        if address and tag == "a":
            self.links.append(address)
        elif address and not (tag == "link" and named.get("rel") in {"canonical", "next", "prev"}):
            self.loaded.append(address)
            self.links.append(address)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole site, built with every warning as an error."""
    need_sphinx()
    out = tmp_path_factory.mktemp("whole") / "site"
    assert build(ROOT, out) == 0
    return out


def need_sphinx() -> None:
    lack = [name for name in ("sphinx", "myst_nb", "furo") if find_spec(name) is None]
    browsers.need(f"no {lack[0]}: pip install 'gansmith[docs]'" if lack else "")


@cache
def tags(page: Path) -> Tags:
    return Tags(page.read_text())


def test_every_page_and_every_public_name_is_in_it(site: Path) -> None:
    for file, place in places(ROOT).items():
        if file.suffix == ".md":
            assert (site / place).with_suffix(".html").is_file(), file
    for module in reference.MODULES:
        ids = tags(site / "api" / f"{module}.html").ids
        found = __import__(module, fromlist=["x"])
        assert {f"{module}.{name}" for name in found.__all__} <= ids
    assert "doctest" in (site / "api" / "gansmith.evaluation.html").read_text()


def test_its_links_and_anchors_lead_somewhere(site: Path) -> None:
    broken = []
    for page in site.rglob("*.html"):
        for link in tags(page).links:
            address = urlsplit(link)
            if address.scheme or link.startswith("//"):
                continue
            target = (page.parent / unquote(address.path)).resolve() if address.path else page
            known = target.is_file() and (
                not address.fragment or target.suffix != ".html" or unquote(address.fragment) in tags(target).ids
            )
            if not known:
                broken.append(f"{page.relative_to(site)}: {link}")
    assert broken == []


def test_it_loads_nothing_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        outside = [
            one for one in tags(page).loaded if urlsplit(one).scheme in {"http", "https"} or one.startswith("//")
        ]
        assert outside == [], page
    for style in site.rglob("*.css"):
        assert not re.search(r"(?:url\(|@import)\s*['\"]?(?:https?:)?//", style.read_text(errors="replace")), style


@pytest.mark.parametrize("width", [400, 1200])
def test_pages_open_in_a_browser_and_are_no_wider_than_it(site: Path, browser: WebDriver, width: int) -> None:
    browsers.resize(browser, width, 900)
    for name in ("index", "gallery", "methods/dcgan", "api/gansmith.latent", "architecture", "results"):
        browser.get((site / f"{name}.html").as_uri())
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width, name
        broken = "return [...document.images].filter(image => !image.naturalWidth && image.loading != 'lazy').length"
        assert browser.execute_script(broken) == 0, name
        assert [line for line in browsers.complaints(browser) if "favicon" not in line] == []


NOTEBOOK = """---
jupytext:
  text_representation: {extension: .md, format_name: myst}
kernelspec: {display_name: Python 3, language: python, name: python3}
---
# A sum

```{code-cell} python
import gansmith
print("the sum is", 20 + 22)
```
"""


def small_root(folder: Path, notebook: str) -> Path:
    (folder / "docs" / "tutorials").mkdir(parents=True)
    (folder / "README.md").write_text("# One\n\n[a sum](docs/tutorials/sum.md) and [a folder](src/)\n")
    (folder / "CONTRIBUTING.md").write_text("# Two\n\n[one](README.md)\n")
    (folder / "docs" / "tutorials" / "sum.md").write_text(notebook)
    return folder


def test_notebooks_are_executed_and_their_outputs_shown(tmp_path: Path) -> None:
    need_sphinx()
    root = small_root(tmp_path / "root", NOTEBOOK)
    assert build(root, tmp_path / "site") == 0
    assert "the sum is 42" in (tmp_path / "site" / "tutorials" / "sum.html").read_text()


def test_a_notebook_that_raises_fails_the_build(tmp_path: Path) -> None:
    need_sphinx()
    root = small_root(tmp_path / "root", NOTEBOOK.replace("20 + 22", "1 / 0"))
    assert build(root, tmp_path / "site") != 0


def test_a_broken_link_fails_the_build(tmp_path: Path) -> None:
    need_sphinx()
    root = small_root(tmp_path / "root", "# A sum\n\n[nowhere](#nowhere)\n")
    assert build(root, tmp_path / "site") != 0
