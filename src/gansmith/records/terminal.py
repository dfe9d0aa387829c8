"""The training on the terminal: a bar with rate and time left, and the terms that matter beside it."""

from __future__ import annotations

from contextlib import ExitStack

from gansmith.records.recorder import Record
from gansmith.system.progress import bar


class Terminal:
    """Moves the bar at every step, its note at every record."""

    def __init__(self, *, images: int, done: int = 0) -> None:
        self._stack = ExitStack()
        self._advance = self._stack.enter_context(bar("training", images, done=done))

    def step(self, drawn: int) -> None:
        self._advance(drawn)

    def record(self, record: Record) -> None:
        self._advance(0, note(record))

    def close(self) -> None:
        self._stack.close()


def note(record: Record) -> str:
    """`balanced  D 1.21  G 0.86  accuracy 0.63`: the health, each turn's loss by its initial, and what else is worth a
    glance; `kid 0.0213` for a look."""
    words = [record["health"]] if record.get("health") else []
    words += [f"{name.removeprefix('metric/')} {record[name]:.4g}" for name in record if name.count("/") == 1
              and name.startswith("metric/")]  # fmt: skip
    words += [f"{name[0].upper()}{_domain(name)} {record[name]:.2f}" for name in record if name.endswith("/loss")]
    words += [f"accuracy{_domain(name)} {value:.2f}" for name, value in record.items() if name.endswith("/accuracy")]
    return "  ".join(words)


def _domain(name: str) -> str:
    """`_a` of `discriminator_a/loss`, where a game has several of a kind."""
    turn = name.partition("/")[0]
    return "_" + turn.rpartition("_")[2] if "_" in turn else ""
