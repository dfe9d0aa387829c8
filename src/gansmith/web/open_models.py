"""Models that are open: renderers and translators by (run, digest), the least recently used let go."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from gansmith.runs.run import Run
from gansmith.web.digests import Stamp, stamp_of

if TYPE_CHECKING:
    from torch import nn

    from gansmith.latent.renderer import Renderer
    from gansmith.latent.translate import Translator

Key: TypeAlias = tuple[str, str]  # path of a run; what is open of it: "generator", "to_a", "to_b"


@dataclass
class _Entry:
    stamp: Stamp
    model: Any
    size: int  # bytes of its weights


@dataclass
class OpenModels:
    """Renderers and translators, at most `memory` bytes of weights in all, but always the one that is asked for.

    A run that trains writes its model anew: the new file is opened at the next request. Safe for threads.
    """

    memory: int
    _entries: OrderedDict[Key, _Entry] = field(default_factory=OrderedDict)
    _opening: dict[Key, threading.Lock] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def renderer(self, run: Run) -> Renderer:
        """The generator of a run, as the command line uses it. Raises RunError where there is none."""
        model: Renderer = self._model(run, "generator", run.renderer, lambda one: [one.generator])
        return model

    def translator(self, run: Run, to: str | None) -> Translator:
        """The translator of a run to a domain. Raises RunError or OptionError."""
        key = "to" if to is None else f"to_{to}"
        model: Translator = self._model(run, key, lambda: run.translator(to=to), lambda one: one.networks)
        return model

    @property
    def size(self) -> int:
        """Bytes of all weights that are open."""
        with self._lock:
            return sum(entry.size for entry in self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def _model(self, run: Run, what: str, build: Callable[[], Any], networks: Callable[[Any], list[nn.Module]]) -> Any:
        key = (str(run.path), what)
        with self._lock:
            opening = self._opening.setdefault(key, threading.Lock())
        with opening:  # one opens it, the others wait
            stamp = stamp_of(run.model)
            with self._lock:
                entry = self._entries.get(key)
                if entry is not None and entry.stamp == stamp:
                    self._entries.move_to_end(key)
                    return entry.model
            model = build()
            size = sum(weights.nbytes for network in networks(model) for weights in network.state_dict().values())
            with self._lock:
                self._entries[key] = _Entry(stamp, model, size)
                self._entries.move_to_end(key)
                self._let_go(key)
            return model

    def _let_go(self, kept: Key) -> None:
        total = sum(entry.size for entry in self._entries.values())
        while total > self.memory and next(iter(self._entries)) != kept:
            total -= self._entries.popitem(last=False)[1].size
