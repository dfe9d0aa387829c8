"""Messages about images that cannot be decoded."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gansmith.errors import DataError
from gansmith.system.text import printable

_GROUPS = 5  # kinds of damage in a message; the others are counted
_NAMED = 5  # images of one kind of damage that are named


def unreadable(failures: Mapping[str, str], total: int) -> DataError:
    """One error for all images that cannot be decoded: name -> reason.

    >>> print(unreadable({"a.png": "a.png is empty"}, 30))
    1 image of 30 could not be read: a.png is empty. Repair or remove them, or leave them out with --skip-unreadable
    """
    return DataError(some_unreadable(len(failures), total, _listed(failures)))


def some_unreadable(count: int, total: int, listed: str = "") -> str:
    """The words of this error; without the list where that stands elsewhere."""
    return (
        f"{_count(count)} of {total:,} could not be read{f': {listed}' if listed else ''}. "
        f"Repair or remove them, or leave them out with --skip-unreadable"
    )


def left_out(failures: Mapping[str, str]) -> str:
    """The warning about images that cannot be decoded and are left out: name -> reason."""
    return f"left out {_count(len(failures))} that could not be read: {_listed(failures)}"


def reason(error: Exception) -> str:
    """The message of an error on one line."""
    return printable(" ".join(str(error).split())) or type(error).__name__


def folded(failures: Mapping[str, str]) -> list[str]:
    """One line for each kind of damage, the most frequent first: name -> reason, equal but for the name and numbers.

    >>> folded({"a": "x/a is empty", "b": "x/b is cut after 3 bytes", "c": "x/c is cut after 9 bytes"})
    ['b, c: each is cut after 3 bytes', 'x/a is empty']
    """
    groups: dict[str, list[str]] = {}
    for name, text in failures.items():
        groups.setdefault(re.sub("[0-9]+", "0", _damage(name, text)), []).append(name)
    return [_group(names, failures) for names in sorted(groups.values(), key=len, reverse=True)]


def _group(names: list[str], failures: Mapping[str, str]) -> str:
    first, text = printable(names[0]), failures[names[0]]
    if len(names) == 1:
        return text if first in text else f"{first}: {text}"
    listed = ", ".join(printable(name) for name in names[:_NAMED])
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return f"{listed}{more}: each {_damage(names[0], text)}"


def _damage(name: str, text: str) -> str:
    """The reason without the name at its beginning."""
    found = re.match(rf"(?:.*/)?{re.escape(printable(name))}(?=[ :,])", text)
    return text[found.end() :].strip(" :,") if found else text


def _listed(failures: Mapping[str, str]) -> str:
    """`b.png, c.png: each cannot be decoded ...; a.png is empty`."""
    lines = folded(failures)
    more = len(lines) - _GROUPS
    return "; ".join([*lines[:_GROUPS], *([f"and {more:,} other reasons"] if more > 0 else [])])


def _count(number: int) -> str:
    return f"{number:,} image{'' if number == 1 else 's'}"
