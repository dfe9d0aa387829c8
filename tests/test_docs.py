"""What the documentation shows is what happens: its Python blocks run, its links lead somewhere, its commands exist."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


def test_the_parts_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks(ROOT / "docs" / "parts.md", "python"):
        exec(compile(block, "parts.md", "exec"), names)
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "1797 1617 (32, 8, 8, 1) uint8"
    assert said[1] == "10 320 ['accuracy', 'held_real', 'loss', 'score_fake', 'score_real']"
    assert said[2].startswith("20 640")
    assert said[3:5] == ["['loss', 'r1']", "True"]
    assert said[5].startswith("torch.Size([9, 1, 16, 16])")
    assert (tmp_path / "grid.png").is_file()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as forges make them: lower case, hyphens for spaces, other marks dropped."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_anchors_are_headings(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#\s]*)#([^)\s]+)\)", page.read_text()):
        if "://" not in target:
            assert anchor in anchors(page.parent / target if target else page), f"{target}#{anchor}"


@cache
def commands() -> Any:
    from gansmith.cli.main import app

    return get_command(app)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_and_their_options_exist(page: Path) -> None:
    root = commands()
    text = page.read_text().replace("\\\n", " ")
    lines = [line for block in re.findall(r"^```\w*\n(.*?)^```", text, re.M | re.S) for line in block.splitlines()]
    lines += re.findall(r"`(gansmith [^`]+)`", text)
    for line in lines:
        if not line.startswith("gansmith "):
            continue
        words = shlex.split(line, comments=True)[1:]
        command = root
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        known |= {"--help", "-h", "[--images"}
        for word in words:
            option = word.strip("[]").partition("=")[0]
            if option.startswith("--"):
                assert option in known, f"{line}: {option}"
        assert command is not root or words == [] or words[0].startswith("-"), line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_are_named_exist(page: Path) -> None:
    """`data/cache.py`: below src/gansmith, the root, or the page's folder. Names in capitals are placeholders."""
    for name in re.findall(r"`((?:[\w.-]+/)+[\w.-]*|[\w]+\.py)`", page.read_text()):
        inside = [ROOT / "src" / "gansmith" / name, ROOT / name, page.parent / name]
        if name.partition("/")[0] in ROOMS_AND_FOLDERS and not re.search(r"[A-Z]{2,}|^runs/.*/", name):
            assert any(path.exists() for path in inside), name


ROOMS_AND_FOLDERS = {path.name for path in (ROOT / "src" / "gansmith").iterdir()} | {"src", "tests", "benchmarks"}
