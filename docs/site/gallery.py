"""The gallery: every picture of the pages with what stands below it there, and the strips that the package ships."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

PICTURE = re.compile(r"^!\[([^\]]*)\]\(([^)]+)\)\n(?:\n\*((?:[^*]|\*\*)+?)\*\n)?", re.MULTILINE)
HEAD = """# Gallery

What gansmith has made, none chosen, each with the page that says how. The page of wide residual networks has no
picture: they are classifiers, and make no images.
"""


def write_gallery(source: Path, pages: Iterable[str], package: Path) -> None:
    """gallery.md in `source`, from its `pages` (names without suffix) and the strips in the package's gallery."""
    parts: list[str] = []
    for name in pages:
        file = source / f"{name}.md"
        text = file.read_text() if file.exists() else ""
        for words, target, caption in PICTURE.findall(text):
            picture = (file.parent / target).resolve().relative_to(source.resolve())
            shown = _plain(caption) if caption else f"{words}."
            parts.append(_card(str(picture), words, f"{shown} [{title_of(text)}]({name}.md)"))
    (source / "pictures" / "strips").mkdir(parents=True, exist_ok=True)
    for facts in sorted((package / "gallery").glob("*.json")):
        strip = facts.with_suffix(".jpg")
        shutil.copyfile(strip, source / "pictures" / "strips" / strip.name)
        parts.append(_card(f"pictures/strips/{strip.name}", f"16 images of {facts.stem}", _caption(facts)))
    grid = ["::::{container} gallery\n", *parts, "::::\n"] if parts else []
    (source / "gallery.md").write_text("\n".join([HEAD, *grid]))


def title_of(text: str) -> str:
    """The first heading of a page."""
    heading = re.search(r"^# (.+)$", text, re.MULTILINE)
    return heading[1] if heading else "page"


def _card(picture: str, words: str, caption: str) -> str:
    return f":::{{container}} card\n![{words}]({picture})\n\n{caption}\n:::\n"


def _plain(caption: str) -> str:
    """A caption without its links, which lead from another folder."""
    return re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", " ".join(caption.split()))


def _caption(facts: Path) -> str:
    said = json.loads(facts.read_text())
    kind = f"{said['images']:,} images of {said['set']} ({said['licence']}) at {said['size']} pixels"
    return f"The first 16 samples of `{said['recipe']}`, {said['minutes']:g} minutes on {kind}: {said['machine']}."
