"""Docstrings are plain text with code between backticks, indented examples and doctests: as reStructuredText."""

from __future__ import annotations

import re
from typing import Any


def as_restructured_text(*event: Any) -> None:
    """Sphinx's event `autodoc-process-docstring`: changes the lines, its last argument, in place."""
    event[-1][:] = converted(event[-1])


def converted(lines: list[str]) -> list[str]:
    """The lines, with `code` as literals, other marks escaped, and indented blocks as they stand.

    >>> converted(["Weights `w` [N, *] of |x|.", "", "    x = 1", "", ">>> x * 2"])
    ['Weights ``w`` [N, \\\\*] of \\\\|x\\\\|.', '', '.. code-block:: python', '', '    x = 1', '', '>>> x * 2']
    """
    out: list[str] = []
    example = indented = listed = False
    for line in lines:
        entry = re.match(r"(?:    )?(\w+) {2,}(\S.*)$", line)
        if entry and not example and not indented:  # name   what it is
            out += ([] if listed else [""]) + [f"- ``{entry[1]}``: {_text(entry[2])}"]
            listed = True
            continue
        if listed and line.startswith(" "):
            out.append("  " + _text(line.strip()))
            continue
        if listed:
            out.append("")
            listed = False
        if not line.strip():
            example = indented = False
        elif line.lstrip().startswith(">>>"):
            example = True
        elif line.startswith("    ") and not indented and (not out or not out[-1].strip()):
            indented = True
            out += [".. code-block:: python", ""]
        out.append(line if example or indented else _text(line))
    return out


def _text(line: str) -> str:
    parts = re.split(r"(`[^`]+`)", line)
    return "".join(f"`{part}`" if part.startswith("`") else _escaped(part) for part in parts)


def _escaped(text: str) -> str:
    marked = re.sub(r"(?<!^)([*|\\])|^([*|\\])(?! )", lambda match: "\\" + match[0], text)
    return re.sub(r"_(?=\W|$)", r"\\_", marked)
