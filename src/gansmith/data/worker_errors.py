"""Errors of worker processes, sent to the process that waits for the item and raised there as they were raised.

An error travels as a pickle where a copy of it can be made, else in parts: its class by name, its arguments and
attributes as far as they can be pickled. The traceback of the worker is a note of the error (PEP 678).
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator
from multiprocessing.reduction import ForkingPickler
from typing import Any, NamedTuple

import numpy as np

from gansmith.errors import DataError

_PLAIN = (type(None), bool, int, float, complex, str, bytes)


class Failure(NamedTuple):
    """What a worker sends in place of an item that raised.

    whole           the pickled error, or None where it has no equal copy
    classes         (module, qualified name) of its class and of the bases of this, the nearest first
    arguments       each of `args`, pickled, or its repr;  attributes: likewise, those that can be pickled
    text            `str` of the error;  traceback: of the worker, as text
    """

    whole: bytes | None
    classes: tuple[tuple[str, str], ...]
    arguments: tuple[bytes, ...]
    attributes: dict[str, bytes]
    text: str
    traceback: str


def call(function: Callable[[int], Any], index: int) -> Any:
    """`function(index)`, or the `Failure` of what it raises, or of an item that cannot be sent."""
    try:
        item = function(index)
        if not _is_plain(item):
            _check_can_be_sent(item, index)
        return item
    except BaseException as error:  # SystemExit and KeyboardInterrupt too: else the process ends without a word
        return failure_of(error)


def _check_can_be_sent(item: Any, index: int) -> None:
    """Raise DataError here: in the queue's own thread an error would lose the item, and its reader would wait on."""
    try:
        ForkingPickler.dumps(item)
    except Exception as error:
        raise DataError(
            f"item {index}, {type(item).__name__}, cannot be sent from a worker process ({error}); return arrays, "
            f"numbers, words or tuples of these, or use workers=0"
        ) from error


def failure_of(error: BaseException) -> Failure:
    """`error`, which was caught in a worker, in a form that can always be sent."""
    kind = type(error)
    whole = _pickled(error)
    if whole is not None and not _copies(whole, error):
        whole = None
    arguments = tuple(_pickled(value) or bytes(ForkingPickler.dumps(repr(value))) for value in error.args)
    attributes = {name: _pickled(value) for name, value in vars(error).items()}
    return Failure(
        whole,
        tuple((base.__module__, base.__qualname__) for base in kind.__mro__ if issubclass(base, BaseException)),
        arguments,
        {name: value for name, value in attributes.items() if value is not None},
        _text(error),
        "".join(traceback.format_exception(error)).rstrip(),
    )


def error_of(failure: Failure) -> BaseException:
    """The error, with the traceback of the worker as a note."""
    error: BaseException | None = None
    if failure.whole is not None:
        error = _unpickled(failure.whole)
    if not isinstance(error, BaseException):
        error = _rebuilt(failure)
    error.add_note(f"in a worker process:\n{failure.traceback}")
    return error


def _rebuilt(failure: Failure) -> BaseException:
    """An error of the same class, or of its nearest base that this process knows, with the same text."""
    for place, known in enumerate(failure.classes):
        kind = _class_named(*known)
        if kind is None:
            continue
        arguments = tuple(_unpickled(value) for value in failure.arguments)
        try:
            error = kind.__new__(kind, *arguments)
            error.args = arguments
        except Exception:  # a __new__ of its own
            continue
        for name, value in failure.attributes.items():
            try:
                setattr(error, name, _unpickled(value))
            except Exception:  # an attribute that cannot be set says nothing of the others
                continue
        if _text(error) != failure.text:
            error.args = (failure.text,)
        if place:
            error.add_note(f"raised as {failure.classes[0][0]}.{failure.classes[0][1]}")
        return error
    return RuntimeError(failure.text)


def _class_named(module: str, name: str) -> type[BaseException] | None:
    """The class of that name: where it stands, else, as of a class defined in a function, among all that exist."""
    found = _named(module, name)
    if isinstance(found, type) and issubclass(found, BaseException):
        return found
    same = [kind for kind in _descendants(BaseException) if (kind.__module__, kind.__qualname__) == (module, name)]
    return same[-1] if same else None


def _named(module: str, name: str) -> Any:
    """What has that qualified name in a module that is imported, or None."""
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def _descendants(kind: type[BaseException]) -> Iterator[type[BaseException]]:
    for below in type.__subclasses__(kind):
        yield below
        yield from _descendants(below)


def _pickled(value: Any) -> bytes | None:
    try:
        return bytes(ForkingPickler.dumps(value))
    except Exception:
        return None


def _unpickled(value: bytes) -> Any:
    """The copy of a value that this process or a child of it pickled, as multiprocessing does; None without one."""
    try:
        return ForkingPickler.loads(value)
    except Exception:
        return None


def _copies(whole: bytes, error: BaseException) -> bool:
    copy = _unpickled(whole)
    return type(copy) is type(error) and _text(copy) == _text(error) and len(copy.args) == len(error.args)


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return f"{type(error).__name__} whose text cannot be made"


def _is_plain(item: Any) -> bool:
    """Whether pickle is sure to take the item: arrays of numbers, and tuples, lists and dictionaries of such."""
    kind = type(item)
    if isinstance(item, (np.ndarray, np.generic)):
        return kind.__module__ == "numpy" and not item.dtype.hasobject
    if kind in (tuple, list) or (isinstance(item, tuple) and _named(kind.__module__, kind.__qualname__) is kind):
        return all(_is_plain(part) for part in item)
    if kind is dict:
        return all(_is_plain(key) and _is_plain(part) for key, part in item.items())
    return kind in _PLAIN
