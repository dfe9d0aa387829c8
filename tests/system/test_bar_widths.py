"""The bar of a training at terminal widths: what has no room is left out whole, the least important first."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest

from gansmith.records.terminal import terms
from gansmith.system.progress import bar_line

RECORD = {
    "step": 9, "images": 2560, "health": "discriminator winning, memorising", "discriminator/loss": 1.213,
    "generator/loss": 0.861, "discriminator/accuracy": 0.634,
}  # fmt: skip
COUNTS = [(2_560, 2_500, 740.0), (128, 1_000_000, 5.31), (12_345_678, 25_000_000, 12_345.0), (0, 64, 0.0)]
PROGRAM = """
import time
from gansmith.records.terminal import Terminal
terminal = Terminal(images=1_000_000)
terminal.step(128)
terminal.record({record})
time.sleep(0.6)
terminal.close()
"""


def whole(count: int, total: int) -> set[str]:
    """Every term that a line may hold; one that was cut is none of them."""
    return {"training", f"{count:,}/{total:,}", "images", *terms(RECORD)}


@pytest.mark.parametrize(("count", "total", "rate"), COUNTS)
def test_nothing_is_cut_and_nothing_wraps(count: int, total: int, rate: float) -> None:
    for width in range(8, 161):
        line = bar_line(width, "training", count, total, unit="images", rate=rate, terms=terms(RECORD))
        assert len(line) <= width
        rest = line
        for term in sorted(whole(count, total), key=len, reverse=True):
            rest = rest.replace(term, "", 1)
        rest = re.sub(r"[━─]{8}|(?<![^ ])[\d,]+(\.\d)?/s(?![^ ])|(?<![^ ])[\d:]+ left(?![^ ])", "", rest)
        assert rest.strip() == "", width


@pytest.mark.parametrize(
    ("width", "there", "absent"),
    [
        (39, ["128/1,000,000", "5.3/s", "left"], ["images", "memorising"]),
        (79, ["training", "━", "128/1,000,000", "5.3/s", "left", "discriminator winning"], ["images", "G 0.86"]),
        (119, ["training", "━", "images", "discriminator winning", "D 1.21", "G 0.86"], []),
    ],
)
def test_the_least_important_goes_first(width: int, there: list[str], absent: list[str]) -> None:
    line = bar_line(width, "training", 128, 1_000_000, unit="images", rate=5.31, terms=terms(RECORD)).replace("─", "━")
    assert [term for term in there if term not in line] == []
    assert [term for term in absent if term in line] == []


def test_a_short_training_keeps_its_bar_and_losses_at_80_columns() -> None:
    calm = terms({**RECORD, "health": "balanced"})
    assert bar_line(79, "training", 2_560, 2_500, unit="images", rate=740, terms=calm) == (
        "training ━━━━━━━━ 2,560/2,500  740/s  0:00 left  balanced  D 1.21  G 0.86"
    )
    assert (
        bar_line(39, "training", 1_250, 2_500, unit="images", rate=740, terms=calm)
        == "━━━━──── 1,250/2,500  740/s  0:02 left"
    )


def on_a_terminal(columns: int) -> list[str]:
    """The lines that a real terminal of that width gets from a training's bar."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    program = [sys.executable, "-c", PROGRAM.format(record=RECORD)]
    with subprocess.Popen(program, stdout=theirs, stderr=theirs, env={**environment, "TERM": "xterm"}) as process:
        os.close(theirs)
        written = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # the terminal's other end is closed
                break
            if not piece:
                break
            written += piece
    os.close(ours)
    assert process.returncode == 0, written
    plain = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", written).decode()
    return [line.rstrip() for line in re.split(r"[\r\n]+", plain) if line.strip()]


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_on_a_real_terminal(columns: int) -> None:
    lines = on_a_terminal(columns)
    assert lines
    assert max(map(len, lines)) < columns
    assert not any("…" in line for line in lines)
    assert "128/1,000,000" in lines[-1]
    assert lines[-1].endswith("left") or any(lines[-1].endswith(term) for term in terms(RECORD))
    assert ("━" in lines[-1] or "─" in lines[-1]) == (columns >= 80)
