"""Messages about images that cannot be decoded."""

from __future__ import annotations

from collections.abc import Mapping

from gansmith.errors import DataError

_NAMED = 5  # of them are named in a message; the others are counted


def unreadable(failures: Mapping[str, str], total: int) -> DataError:
    """One error for all images that cannot be decoded: name -> reason.

    >>> print(unreadable({"a.png": "a.png is empty"}, 30))
    1 image of 30 could not be read: a.png is empty. Repair or remove them, or leave them out with --skip-unreadable
    """
    return DataError(
        f"{_count(len(failures))} of {total:,} could not be read: {_listed(failures)}. "
        f"Repair or remove them, or leave them out with --skip-unreadable"
    )


def left_out(failures: Mapping[str, str]) -> str:
    """The warning about images that cannot be decoded and are left out: name -> reason."""
    return f"left out {_count(len(failures))} that could not be read: {_listed(failures)}"


def reason(error: Exception) -> str:
    """The message of an error on one line."""
    return " ".join(str(error).split()) or type(error).__name__


def _listed(failures: Mapping[str, str]) -> str:
    """`a.png is empty; b.png cannot be decoded ...; and 3 more`."""
    first = list(failures.items())[:_NAMED]
    listed = "; ".join(text if name in text else f"{name}: {text}" for name, text in first)
    more = len(failures) - _NAMED
    return f"{listed}; and {more:,} more" if more > 0 else listed


def _count(number: int) -> str:
    return f"{number:,} image{'' if number == 1 else 's'}"
