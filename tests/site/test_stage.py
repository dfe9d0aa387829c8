"""How the pages are laid out for the site."""

from __future__ import annotations

from pathlib import Path

import pytest
from docs.site.docstrings import converted
from docs.site.flow import flow_list
from docs.site.gallery import write_gallery
from docs.site.stage import contents, stage


def small_root(folder: Path) -> Path:
    (folder / "docs" / "methods").mkdir(parents=True)
    (folder / "README.md").write_text("# One\n\n[a sum](docs/methods/sum.md#why) and [a folder](src/)\n")
    (folder / "CONTRIBUTING.md").write_text("# Two\n\n[one](README.md)\n\n```\ngansmith list\n```\n")
    (folder / "docs" / "methods" / "sum.md").write_text("# A sum\n\n[home](../../README.md)\n")
    return folder


def test_links_lead_to_where_pages_are_and_others_become_their_text(tmp_path: Path) -> None:
    source = tmp_path / "source"
    stage(small_root(tmp_path / "root"), source)
    assert "[a sum](methods/sum.md#why) and a folder\n" in (source / "index.md").read_text()
    assert (source / "contributing.md").read_text() == "# Two\n\n[one](index.md)\n\n```bash\ngansmith list\n```\n"
    assert "[home](../index.md)" in (source / "methods" / "sum.md").read_text()


def test_a_chain_of_boxes_becomes_a_list(tmp_path: Path) -> None:
    root, source = small_root(tmp_path / "root"), tmp_path / "source"
    page = root / "docs" / "methods" / "sum.md"
    page.write_text('One\n\n```mermaid\nflowchart TD\n  a["2 · <x>"]\n  b["1 · y"]\n  a --> b\n```\n\nTwo\n')
    stage(root, source)
    text = (source / "methods" / "sum.md").read_text()
    assert text == 'One\n\n<ol class="flow">\n<li>2 · &lt;x&gt;</li>\n<li>1 · y</li>\n</ol>\n\nTwo\n'


@pytest.mark.parametrize(
    "lines",
    ['a["1"]\n b["2"]\n b --> a', 'a["1"]\n b["2"]', 'a["1"]\n b["2"]\n a --> b\n a --> a', 'a["1"]\n subgraph'],
)
def test_other_charts_are_refused(lines: str) -> None:
    with pytest.raises(ValueError, match="one chain"):
        flow_list(f"flowchart TD\n {lines}\n")
    with pytest.raises(ValueError, match="one chain"):
        flow_list('pie\n a["1"]\n')


def test_every_page_stands_in_the_contents_once() -> None:
    names = ["index", "training", "methods/b", "new", "gallery", "methods/a"]
    assert contents(names) == {
        "Begin": ["training"],
        "Methods": ["methods/b", "methods/a"],
        "Measured": ["gallery"],
        "Further": ["new"],
    }


def test_the_gallery_has_each_picture_with_its_caption_and_page(tmp_path: Path) -> None:
    (tmp_path / "methods").mkdir()
    page = "# A method\n\n![Eight hands](../pictures/a.webp)\n\n*Hands, [see](x.md)\nthere.*\n"
    page += "\n![Rows](../pictures/b.png)\n"
    (tmp_path / "methods" / "a.md").write_text(page)
    write_gallery(tmp_path, ["methods/a"], tmp_path / "package")
    text = (tmp_path / "gallery.md").read_text()
    assert "![Eight hands](pictures/a.webp)\n\nHands, see there. [A method](methods/a.md)\n" in text
    assert "![Rows](pictures/b.png)\n\nRows. [A method](methods/a.md)\n" in text


def test_docstrings_keep_their_code_and_escape_what_is_none() -> None:
    plain = [
        "Weights `w` [N, *] of |x| and y_.",
        "",
        "    x = 1",
        "",
        ">>> x * 2",
        "    one   the first",
        "      of two",
    ]
    assert converted(plain[:5]) == [
        "Weights ``w`` [N, \\*] of \\|x\\| and y\\_.",
        *("", ".. code-block:: python", "", "    x = 1", "", ">>> x * 2"),
    ]
    assert converted(["Two:", *plain[5:], "Raises."]) == [
        *("Two:", "", "- ``one``: the first", "  of two", "", "Raises."),
    ]
