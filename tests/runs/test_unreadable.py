"""Files that the user may not read: said in the system's words, never called damaged, and nothing is written."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from forked import fork
from small import files

# root reads every file: give up the two capabilities by which it does (Linux: capget, capset of capabilities(7))
AS_OTHERS = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
header, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
assert libc.capget(header, data) == 0
data[0] &= ~0b110  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
assert libc.capset(header, data) == 0
"""


@pytest.mark.skipif(sys.platform != "linux", reason="drops capabilities of Linux")
@pytest.mark.parametrize(
    ("path", "command"),
    [
        ("checkpoints/latest.pt", "resume"),
        ("checkpoints", "resume"),
        ("experiment.yaml", "resume"),
        ("events.jsonl", "resume"),
        (".", "resume"),
        ("model/generator.safetensors", "sample"),
        ("model", "sample"),
    ],
)
def test_a_file_of_a_run_that_may_not_be_read(path: str, command: str, run: Path, tmp_path: Path) -> None:
    before, closed = files(run), run / path
    mode = closed.stat().st_mode
    options = ("--images", 400) if command == "resume" else ("--out", tmp_path / "sheet.png")
    closed.chmod(0)
    try:
        with fork(command, run, *options, before=AS_OTHERS) as process:
            _, said = process.communicate()
    finally:
        closed.chmod(mode)
    assert process.returncode == 1
    assert "Permission denied" in said
    assert str(closed) in said
    assert "damaged" not in said
    assert "Traceback" not in said
    assert files(run) == before
    assert not (tmp_path / "sheet.png").exists()
