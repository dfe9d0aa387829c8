"""YAML of settings, read with bounds: what a person writes by hand is accepted, what only harms is refused.

Refused beyond YAML's own errors: a key twice in one mapping (YAML 1.2, section 3.2.1.3: keys are unique), more than
`DEPTH` levels, aliases that unfold to more than `NODES` values or contain themselves, more than `BYTES` bytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from gansmith.errors import ExperimentError

BYTES = 1 << 20  # of a file of settings
NODES = 100_000  # values, aliases unfolded
DEPTH = 50  # levels of nesting


class Refused(yaml.YAMLError):
    """YAML by its grammar, refused by the bounds of this module."""


def read_file(path: Path) -> Any:
    """The value in a file. Raises ExperimentError when it is absent, too large or not YAML; it says in which line."""
    try:
        given = path.parent in (Path("/dev"), Path("/dev/fd")) or path.parts[:2] == ("/", "proc")  # <(command), stdin
        if path.is_fifo() and not given:
            raise ExperimentError(f"{path} is a pipe and no file")
        with path.open("rb") as file:
            content = file.read(BYTES + 1)
    except OSError as error:
        raise ExperimentError(f"could not read {path}: {error.strerror or error}") from error
    except (RuntimeError, ValueError) as error:  # a NUL in the name
        raise ExperimentError(f"could not read {str(path)!r}: {error}") from error
    if len(content) > BYTES:
        raise ExperimentError(f"{path} has more than {BYTES:,} bytes: it is no file of settings")
    try:
        return read_text(content.decode())
    except Refused as error:
        raise ExperimentError(f"{path} is refused: {error}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ExperimentError(f"{path} is not YAML: {' '.join(str(error).split())}") from error


def read_text(text: str) -> Any:
    """The value that `text` stands for. Raises yaml.YAMLError, `Refused` among them.

    >>> read_text("{batch: 8, data: {size: 48x64}}")
    {'batch': 8, 'data': {'size': '48x64'}}
    """
    loader = _Loader(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


class _Loader(yaml.SafeLoader):
    """Safe loader with the bounds of this module."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        self._unfolded: dict[int, int] = {}  # id of a node that is composed -> values in it, aliases unfolded

    def compose_node(self, parent: Any, index: Any) -> Any:
        self._depth += 1
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if self._depth > DEPTH:
            raise _problem(f"more than {DEPTH} levels of nesting", event.start_mark)
        node: Any = super().compose_node(parent, index)
        self._depth -= 1
        if id(node) not in self._unfolded:
            if isinstance(event, yaml.AliasEvent):  # of a node that is not composed yet
                raise _problem(f"the alias *{event.anchor} stands inside what it stands for", event.start_mark)
            self._unfolded[id(node)] = 1 + sum(self._unfolded[id(part)] for part in _parts(node))
        if self._unfolded[id(node)] > NODES:
            raise _problem(f"aliases that unfold to more than {NODES:,} values", event.start_mark)
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: dict[Any, int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
                continue
            value, line = self.construct_object(key, deep=True), key.start_mark.line + 1
            if value in seen:
                raise _problem(f"the key {key.value!r} twice: in line {seen[value]} and in line {line}", key.start_mark)
            seen[value] = line
        return super().construct_mapping(node, deep=deep)

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        try:
            value = super().construct_object(node, deep=deep)
            if isinstance(value, bytes):
                raise _problem("binary data, which no setting is", node.start_mark)
            return value
        except (ValueError, OverflowError, TypeError, AttributeError, LookupError) as error:
            # a date that is none (2024-13-01), a number of 5,000 digits, !!int of a word
            shown = f"{str(node.value)[:20]!r}" if isinstance(node, yaml.ScalarNode) else "a value"
            kind, line = node.tag.rpartition(":")[2], node.start_mark.line + 1
            raise yaml.YAMLError(f"{shown} cannot be read as {kind}: {error} (line {line})") from None


def _parts(node: Any) -> list[Any]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _problem(problem: str, mark: Any) -> Refused:
    return Refused(f"it has {problem} (line {mark.line + 1})")
