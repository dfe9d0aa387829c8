"""Errors that a user's function raises in a worker: whatever they are, they arrive as they were raised."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from gansmith.data import cache
from gansmith.data.dataset import Dataset, ImageItem, Listed
from gansmith.data.worker_errors import error_of, failure_of
from gansmith.errors import DataError, UnreadableImageError
from living import living_children


class TwoArgumentsError(Exception):
    """Has no copy by pickle: its `args` are not those of `__init__`."""

    def __init__(self, name: str, count: int) -> None:
        super().__init__(f"{name} x {count}")
        self.count = count


def _with_file() -> Exception:
    error = ValueError("an open file")
    error.handle = sys.stdout  # type: ignore[attr-defined]
    return error


def _local() -> Exception:
    class LocalError(LookupError):
        pass

    return LocalError("of a function", 7)


ERRORS: dict[str, Callable[[], BaseException]] = {
    "plain": lambda: ValueError("boom", 3),
    "ours": lambda: UnreadableImageError("a.png is empty"),
    "two arguments": lambda: TwoArgumentsError("cat", 3),
    "an open file": _with_file,
    "exit": lambda: SystemExit(4),
    "interrupt": KeyboardInterrupt,
    "system": lambda: FileNotFoundError(2, "no such file", "a.png"),
    "unicode": lambda: UnicodeDecodeError("utf8", b"abc", 1, 2, "why"),
    "group": lambda: ExceptionGroup("two", [ValueError(1), KeyError(2)]),
}


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_arrives_as_it_was_raised(name: str) -> None:
    raised = ERRORS[name]()

    def fragile(number: int) -> int:
        if number == 3:
            raise raised
        return number

    seen = []
    with pytest.raises(type(raised)) as caught:
        seen.extend(Listed(range(9)).load(fragile).parallel(workers=2))
    assert type(caught.value) is type(raised)
    assert (caught.value.args, str(caught.value)) == (raised.args, str(raised)) or name == "group"
    assert str(caught.value) == str(raised)
    assert "in fragile" in caught.value.__notes__[-1]
    assert "raise raised" in caught.value.__notes__[-1]
    assert not living_children()


class Breaking(Dataset):
    """Images of which one raises."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __len__(self) -> int:
        return 300

    def one(self, index: int) -> ImageItem:
        if index == 200:
            raise self.error
        return ImageItem(np.zeros((4, 4, 1), np.uint8))


@pytest.mark.parametrize("name", ["plain", "two arguments", "an open file", "exit"])
@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_while_a_cache_is_built_arrives_too(
    name: str, workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path))
    raised = ERRORS[name]()
    with pytest.raises(type(raised)) as caught:
        cache.store(Breaking(raised), key="k", names=[str(n) for n in range(300)], workers=workers)
    assert (type(caught.value), str(caught.value)) == (type(raised), str(raised))
    assert not living_children()
    assert [path.name for path in tmp_path.iterdir()] == ["k.lock"]


def test_attributes_arrive_where_they_can() -> None:
    copy = error_of(failure_of(TwoArgumentsError("cat", 3)))
    assert isinstance(copy, TwoArgumentsError)
    assert copy.count == 3
    assert not hasattr(error_of(failure_of(_with_file())), "handle")


def test_a_class_of_a_function_is_found_again() -> None:
    raised = _local()
    copy = error_of(failure_of(raised))
    assert (type(copy), copy.args) == (type(raised), ("of a function", 7))


def test_a_class_that_only_the_worker_knows_becomes_its_base() -> None:
    def in_worker(number: int) -> int:
        class OfTheWorkerError(LookupError):
            pass

        raise OfTheWorkerError("of a function", 7)

    with pytest.raises(LookupError) as caught:
        list(Listed([1]).load(in_worker).parallel(workers=1))
    assert (type(caught.value), caught.value.args) == (LookupError, ("of a function", 7))
    assert any("OfTheWorkerError" in note for note in caught.value.__notes__)


def test_arguments_that_cannot_be_pickled_are_told_in_words() -> None:
    copy = error_of(failure_of(ValueError(sys.stdout, 2)))
    assert type(copy) is ValueError
    assert "TextIOWrapper" in str(copy) or "EncodedFile" in str(copy)


def _unsendable() -> dict[str, Any]:
    class Pair(NamedTuple):
        left: int

    class Word(str):
        __slots__ = ()

    objects = np.array([lambda: 0], dtype=object)
    return {
        "function": lambda: 0,
        "in a list": [1, lambda: 0],
        "in a dictionary": {"a": (lambda: 0,)},
        "generator": (n for n in [1]),
        "tuple of a local class": Pair(1),
        "word of a local class": Word("a"),
        "array of objects": objects,
        "open file": sys.stdout,
    }


@pytest.mark.parametrize("name", _unsendable())
def test_an_item_that_cannot_be_sent_is_an_error_and_no_endless_wait(name: str) -> None:
    items = Listed([0, 1]).load(lambda number: _unsendable()[name] if number else number).parallel(workers=2)
    with pytest.raises(DataError, match=r"item 1.*workers=0"):
        list(items)


@pytest.mark.parametrize(
    "item",
    [None, 3, 2.5, "a", b"a", [1, "b"], {"a": (1, None)}, np.float32(2), open, ImageItem(np.zeros(3, np.uint8), 2)],
    ids=repr,
)
def test_an_item_that_can_be_sent_arrives(item: Any) -> None:
    assert repr(list(Listed([0]).load(lambda _: item).parallel(workers=1))) == repr([item])


_PROGRAM = """
from gansmith.data import cache
from gansmith.data.dataset import Dataset, ImageItem, Listed

class Strange(Exception):
    def __init__(self, a, b):
        super().__init__(a)

def fragile(number):
    if number == 3:
        raise KIND
    return number

if __name__ == "__main__":
    items = Listed(range(9)).load(fragile).parallel(workers=2)
    for item in items:
        print(item, flush=True)
"""


@pytest.mark.parametrize(
    ("kind", "status"),
    [("ValueError('boom')", 1), ("Strange(1, 2)", 1), ("SystemExit(5)", 5), ("KeyboardInterrupt()", -2)],
)
def test_a_program_ends_with_the_error_of_a_worker(kind: str, status: int) -> None:
    program = _PROGRAM.replace("KIND", kind)
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=240, check=False)
    assert (ended.returncode, ended.stdout) == (status, "0\n1\n2\n")
    if status != 5:
        assert kind.partition("(")[0] in ended.stderr.splitlines()[-1]
        assert "in fragile" in ended.stderr


def test_a_program_that_is_interrupted_while_it_waits_ends() -> None:
    program = """
import os, signal, threading, time
from gansmith.data import cache
from gansmith.data.dataset import Dataset, ImageItem, Listed

def slow(number):
    if number:
        time.sleep(4)
    return number

items = iter(Listed(range(90)).load(slow).parallel(workers=2))
next(items)
threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
next(items), next(items)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=240, check=False)
    assert ended.returncode == -2
    assert ended.stderr.splitlines()[-1] == "KeyboardInterrupt"
