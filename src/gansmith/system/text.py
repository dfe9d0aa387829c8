"""Text of a user (a path, a name inside an archive, a cell of a table) made safe for a terminal.

File names may hold line breaks, escape sequences that a terminal obeys, signs that reverse the direction of writing,
and bytes that are no UTF-8 (Python keeps these as lone surrogates, PEP 383, which no stream can encode).
"""

from __future__ import annotations

import re
from textwrap import fill

WIDTH = 100  # columns of what is printed in sentences
_CONTROLS = "\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_UNSAFE = re.compile(f"[\n{_CONTROLS}]")
_UNSAFE_IN_LINES = re.compile(f"[{_CONTROLS}]")
_SHORT = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}


def printable(text: object) -> str:
    """`str(text)` on one line, every sign that is no letter to a terminal written as its code.

    >>> print(printable("a\\x1b[31m\\nb\\udcff.png"), printable("Ölbild 3.png"))
    a\\x1b[31m\\nb\\xff.png Ölbild 3.png
    """
    return _UNSAFE.sub(_escaped, str(text))


def printable_lines(text: str) -> str:
    """The same for a message of several lines, which stay lines.

    >>> print(printable_lines("two lines,\\none \\x07"))
    two lines,
    one \\x07
    """
    return _UNSAFE_IN_LINES.sub(_escaped, text)


def wrapped(text: str, *, indent: int = 0) -> str:
    """Text in lines of at most WIDTH columns, all but the first indented; words longer than that stay whole.

    >>> print(wrapped("note: " + "a word " * 15, indent=6))
    note: a word a word a word a word a word a word a word a word a word a word a word a word a word a
          word a word
    """
    return fill(text, WIDTH, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    if match[0] in _SHORT:
        return _SHORT[match[0]]
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def whole_number(text: str) -> int | None:
    """The number that up to 18 ASCII digits write; None for anything else, also for `²`, `٣` and `1_0`.

    >>> whole_number("007"), whole_number("\\N{SUPERSCRIPT TWO}"), whole_number("9" * 4301), whole_number("")
    (7, None, None, None)
    """
    return int(text) if re.fullmatch("[0-9]{1,18}", text) else None
