"""Lay out what Sphinx builds: README as the first page, the pages of docs/, and what is generated, in one folder.

Links change, and charts: links between pages and to pictures lead to where these are in the site, those to other files
of the repository become their text. Each page stands in the contents, at the end if no section names it.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from docs.site.flow import with_lists
from docs.site.gallery import write_gallery
from docs.site.reference import write_reference

SECTIONS = {  # caption of the contents -> pages, in order; a folder is all of its pages
    "Begin": ("training", "data", "data-checks", "translation", "defaults", "start_from"),
    "Tutorials": ("tutorials/",),
    "Judge": (
        "evaluation",
        "metrics",
        "features",
        "memorisation",
        "collapse",
        "diversity",
        "artifacts",
        "compare",
        "blindtest",
    ),
    "Explore": ("explore", "latent", "invert", "directions", "inside", "export"),
    "Methods": ("methods/", "penalties", "augment", "tricks", "toys"),
    "From Python": ("parts", "autograd", "minimize", "api/"),
    "Measured": ("gallery", "results", "peers", "speed"),
    "The project": ("architecture", "contributing", "decisions/"),
}
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
COMMANDS = re.compile(r"^```\n(?=(?:gansmith|make|pip|python3?|source|\.venv/bin/)\b)", re.MULTILINE)


def stage(root: Path, source: Path) -> None:
    """The folder `source`, written anew, from README.md, CONTRIBUTING.md, docs/ and the package of `root`."""
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir(parents=True)
    placed = places(root)
    for file, place in placed.items():
        (source / place).parent.mkdir(parents=True, exist_ok=True)
        if file.suffix == ".md":
            (source / place).write_text(staged(file, root, placed))
        else:
            shutil.copyfile(file, source / place)
    names = [str(place.with_suffix("")) for file, place in placed.items() if file.suffix == ".md"]
    if (root / "src").is_dir():
        names += write_reference(source / "api")
    sections = contents([*names, "gallery"])
    pictured = ["index", *(name for pages in sections.values() for name in pages)]
    write_gallery(source, pictured, root / "src" / "gansmith")
    with (source / "index.md").open("a") as index:
        index.writelines(_toctree(caption, pages) for caption, pages in sections.items())


def places(root: Path) -> dict[Path, Path]:
    """Where each page and picture of the repository lies in the site."""
    docs = root / "docs"
    pages = [*sorted(docs.rglob("*.md")), *sorted((docs / "pictures").rglob("*.*"))]
    own = {root / "README.md": Path("index.md"), root / "CONTRIBUTING.md": Path("contributing.md")}
    return own | {file: file.relative_to(docs) for file in pages if file.suffix != ".json"}


def staged(file: Path, root: Path, placed: dict[Path, Path]) -> str:
    """The page's text with links that lead to where things are in the site, and commands as such."""
    home = placed[file].parent

    def led(match: re.Match[str]) -> str:
        picture, words, target = match.groups()
        path, _, anchor = target.partition("#")
        if "://" in target or not path:
            return match[0]
        place = placed.get(Path(os.path.normpath(file.parent / path)))
        if place is None:
            return words
        return f"{picture}[{words}]({os.path.relpath(place, home)}{'#' if anchor else ''}{anchor})"

    text = COMMANDS.sub("```bash\n", file.read_text())
    return LINK.sub(led, with_lists(text))


def contents(names: list[str]) -> dict[str, list[str]]:
    """The pages of each section, in order; those that no section names at the end."""
    left = [name for name in names if name != "index"]
    sections = {}
    for caption, wanted in SECTIONS.items():
        pages = [name for one in wanted for name in left if name == one or (one.endswith("/") and name.startswith(one))]
        if pages:
            sections[caption] = pages
            left = [name for name in left if name not in pages]
    return sections | ({"Further": left} if left else {})


def _toctree(caption: str, pages: list[str]) -> str:
    return "\n".join(["", "```{toctree}", ":hidden:", f":caption: {caption}", "", *pages, "```", ""])
