"""Results that take long, kept by key: each computed once however many ask, the least recently used let go."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from gansmith.system.progress import hidden_bars

T = TypeVar("T")


@dataclass
class Kept:
    """At most `most` results of each kind, the first part of their keys. Safe for threads.

    >>> kept = Kept()
    >>> kept.of(("square", 3), lambda: 9), kept.of(("square", 3), lambda: 10)
    (9, 9)
    """

    most: int = 3
    _results: OrderedDict[tuple[Hashable, ...], Any] = field(default_factory=OrderedDict)
    _computing: dict[Hashable, threading.Lock] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, key: tuple[Hashable, ...], compute: Callable[[], T]) -> T:
        """The result for `key`; one of a kind is computed at a time. What `compute` raises is kept for nobody."""
        with self._lock:
            computing = self._computing.setdefault(key[0], threading.Lock())
            if key in self._results:
                self._results.move_to_end(key)
                known: T = self._results[key]
                return known
        with computing:
            with self._lock:
                if key in self._results:
                    again: T = self._results[key]
                    return again
            with hidden_bars():
                result = compute()
            with self._lock:
                self._results[key] = result
                same = [one for one in self._results if one[0] == key[0]]
                for old in same[: -self.most]:
                    del self._results[old]
            return result
