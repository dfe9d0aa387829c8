"""A few cells of the table of `endings.py`, in real processes; the whole table: `python tests/endings.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from endings import COMMANDS, Material, ending, material, must_be


@pytest.fixture(scope="module")
def it(tmp_path_factory: pytest.TempPathFactory) -> Material:
    return material(tmp_path_factory.mktemp("material"))


@pytest.mark.parametrize(
    ("command", "case"),
    [
        ("train", "terminal gone"),
        ("train", "\\| head -3"),
        pytest.param("train", "all three closed", marks=pytest.mark.prove),
        pytest.param("evaluate", "stderr closed", marks=pytest.mark.prove),
        ("sample", "both /dev/full"),
        ("data pack", "SIGHUP"),
    ],
)
def test_nothing_is_lost_where_a_terminal_or_a_reader_goes_away(
    command: str, case: str, it: Material, tmp_path: Path
) -> None:
    status, left = ending(command, case, it, tmp_path / "out")
    assert status == must_be(case)
    done = {"train": "checkpoint", "evaluate": "the report", "sample": "the sheet", "data pack": "no file"}
    assert done.keys() == COMMANDS.keys()
    assert left.startswith(done[command])
