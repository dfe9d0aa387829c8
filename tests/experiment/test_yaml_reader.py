"""YAML of settings: what is refused beyond YAML's grammar, in which line, and at which cost."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml

from gansmith.errors import ExperimentError
from gansmith.experiment.sources import from_assignments, from_file, parse_value
from gansmith.experiment.yaml_reader import BYTES, DEPTH, Refused, read_text

NINE = 9
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * NINE)}]\n" for level in range(1, NINE)
)


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("batch: 1\nseed: 2\nbatch: 3", ["'batch'", "line 1", "line 3"]),
        ("data: {size: 8, size: 9}", ["'size'", "line 1"]),
        ("data:\n  size: 8\n  flip: true\n  size: 9", ["'size'", "line 2", "line 4"]),
        (BOMB, ["100,000", "line 6"]),
        ("[" * 100_000, [str(DEPTH), "line 1"]),
        ("{a: " * 5000, [str(DEPTH)]),
        ("a: &x [1, *x]", ["*x", "line 1"]),
        ("a: &x {b: *x}", ["*x", "line 1"]),
        ("a: 1\nb: !!binary /w==", ["binary", "line 2"]),
    ],
)
def test_what_only_harms_is_refused_at_once(text: str, facts: list[str], tmp_path: Path) -> None:
    begun = time.process_time()
    with pytest.raises(Refused) as raised:
        read_text(text)
    assert time.process_time() - begun < 5
    assert all(fact in str(raised.value) for fact in facts)
    path = tmp_path / "own.yaml"
    path.write_text(text)
    with pytest.raises(ExperimentError) as told:
        from_file(path)
    assert "\n" not in str(told.value)
    assert all(fact in str(told.value) for fact in [str(path), *facts])


@pytest.mark.parametrize("text", ["2024-13-01", "1" * 5000, "!!int abc", "!!float x", "!!timestamp x", "0x_"])
def test_scalars_that_cannot_be_read(text: str) -> None:
    with pytest.raises(yaml.YAMLError, match="line 1"):
        read_text(f"a: {text}")
    assert parse_value(text, "out") == text  # on the command line a word is a word


def test_a_mapping_on_the_command_line_is_refused_alike() -> None:
    for text in ("{weight: 1, weight: 2}", "[" * 60 + "]" * 60):
        with pytest.raises(ExperimentError, match=r"penalties\.r1"):
            from_assignments([f"penalties.r1={text}"])


def test_anchors_and_merges_that_people_write_are_read() -> None:
    text = "a: &x {b: 1, c: 2}\nd: {<<: *x, b: 3}\ne: [*x, *x]\n"
    assert read_text(text)["d"] == {"b": 3, "c": 2}
    assert read_text(text)["e"] == [{"b": 1, "c": 2}] * 2
    assert read_text("[" * DEPTH + "]" * DEPTH) is not None


def test_a_file_of_any_size_is_read_no_further_than_the_bound(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(ExperimentError, match=f"{BYTES:,}"):
        from_file(path)
    with pytest.raises(ExperimentError, match="could not read"):
        from_file(tmp_path / ("x" * 300))
    with pytest.raises(ExperimentError, match="could not read"):
        from_file(Path("a\0b"))
