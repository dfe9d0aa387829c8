"""What changes in the opened runs, told to everybody who listens: one look a second for all listeners together.

A look asks the system for times and sizes; a file is read only where these changed. Nobody listens, nobody looks.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gansmith.errors import GansmithError
from gansmith.runs.lock import is_locked
from gansmith.system.text import printable
from gansmith.web.event_records import EventRecords, Record, number_of, plain
from gansmith.web.page import Page
from gansmith.web.progress_facts import health_of, images_drawn, seconds_left, steady_rate, trained_on
from gansmith.web.run_facts import length_of, state_of
from gansmith.web.sheet_files import newest_sheet

EVERY = 1.0  # seconds between two looks
KEEP_ALIVE = 15.0  # seconds after which a silent stream says that it is there
_WAITING = 1000  # events that wait for a slow listener; then it is dropped, and comes again


@dataclass
class Live:
    """The newest state of each run, and the listeners who are told when it changes."""

    page: Page
    records: EventRecords
    _seen: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    _states: dict[str, dict[str, Any]] = field(default_factory=dict)
    _lengths: dict[Path, tuple[tuple[int, int], int | None, float | None]] = field(default_factory=dict)
    _listeners: set[asyncio.Queue[str | None]] = field(default_factory=set)
    _looking: asyncio.Task[None] | None = None

    async def events(self) -> AsyncIterator[str]:
        """Text of server-sent events: `run` for each run, and `all` with their names; then `run` for each that changes,
        `gone` for one that is no longer there. So a listener who comes again misses nothing, nor what is gone since."""
        queue: asyncio.Queue[str | None] = asyncio.Queue(_WAITING)
        await self._look()
        for state in self._states.values():
            queue.put_nowait(_event("run", state))
        queue.put_nowait(_event("all", {"names": [*self._states]}))
        self._listeners.add(queue)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._keep_looking())
        try:
            yield "retry: 1000\n\n"
            while True:
                try:
                    event = await asyncio.wait_for(queue.get(), KEEP_ALIVE)
                except TimeoutError:
                    event = ": still here\n\n"
                if event is None:
                    return
                yield event
        finally:
            self._listeners.discard(queue)

    async def _keep_looking(self) -> None:
        while self._listeners:
            await asyncio.sleep(EVERY)
            try:
                events = await self._look()
            except RuntimeError:  # the server ends
                break
            for queue in list(self._listeners):
                try:
                    for event in events:
                        queue.put_nowait(event)
                except asyncio.QueueFull:
                    self._listeners.discard(queue)
                    _end(queue)
        for queue in list(self._listeners):
            _end(queue)

    async def _look(self) -> list[str]:
        return await self.page.work.read(self.changes)

    def changes(self) -> list[str]:
        """The events since the last call."""
        try:
            runs = self.page.runs.all()
        except OSError:
            return []
        events = [_event("gone", {"name": name}) for name in self._states if name not in runs]
        for name in [*self._states]:
            if name not in runs:
                self._states.pop(name, None)
                self._seen.pop(name, None)
        for name, path in runs.items():
            seen = _seen(path)
            if self._seen.get(name) == seen:
                continue
            self._seen[name] = seen
            state = self._state(name, path)
            if state != self._states.get(name):
                self._states[name] = state
                events.append(_event("run", state))
        return events

    def _state(self, name: str, path: Path) -> dict[str, Any]:
        """{name, state, images, total, rate, left, health, record, sheet, model} of a run, as it is now; rate, left and
        health are None while they are measured."""
        try:
            records = self.records.of(path)
        except GansmithError:
            records = []
        newest, sheet = _newest(records), newest_sheet(path)
        (total, time), state = self._length(path), state_of(path)
        training = state == "training"
        images = images_drawn(path, records[-1] if records else {}, sheet, training=training) or trained_on(path)
        return {
            "name": name,
            "state": state,
            "images": images,
            "total": total,
            "rate": steady_rate(records) if training else number_of(newest.get("images_per_second")),
            "left": seconds_left(records, images, total=total, time=time) if training else None,
            "health": printable(health_of(records) or "") or None,
            "record": plain(newest),
            "sheet": sheet,
            "model": _changed(path / "model"),
        }

    def _length(self, path: Path) -> tuple[int | None, float | None]:
        """`length_of` the run, read again where its files changed."""
        changed = (_changed(path / "experiment.yaml"), _changed(path / "checkpoints"))
        if path not in self._lengths or self._lengths[path][0] != changed:
            self._lengths[path] = (changed, *length_of(path))
        return self._lengths[path][1:]


def _newest(records: list[Record]) -> Record:
    return next((record for record in reversed(records) if "seconds" in record), {})


def _seen(path: Path) -> tuple[Any, ...]:
    """What a change of the run changes: times and sizes of its files, and whether somebody works on it."""
    parts = ("events.jsonl", "samples", "model", "checkpoints", "experiment.yaml", "audit/audit.json", "stars.json")
    return (is_locked(path), *(_changed(path / part) for part in parts), _size(path / "events.jsonl"))


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except (OSError, ValueError):
        return 0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except (OSError, ValueError):
        return 0


def _event(kind: str, data: dict[str, Any]) -> str:
    return f"event: {kind}\ndata: {json.dumps(data, allow_nan=False)}\n\n"


def _end(queue: asyncio.Queue[str | None]) -> None:
    while not queue.empty():
        queue.get_nowait()
    queue.put_nowait(None)
