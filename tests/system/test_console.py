"""Standard streams that cannot be written to."""

from __future__ import annotations

import errno
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gansmith.system import console
from gansmith.system.progress import bar, track


class Failing(io.StringIO):
    """A stream on a full disk, on a terminal that was closed, or closed itself."""

    def __init__(self, error: Exception, *, terminal: bool) -> None:
        super().__init__()
        self.error, self.terminal = error, terminal

    def write(self, text: str) -> int:
        raise self.error

    def flush(self) -> None:
        raise self.error

    def isatty(self) -> bool:
        return self.terminal


ERRORS = [
    OSError(errno.ENOSPC, "No space left on device"),
    OSError(errno.EIO, "Input/output error"),
    BrokenPipeError(errno.EPIPE, "Broken pipe"),
    RuntimeError("reentrant call inside <_io.BufferedWriter name='<stderr>'>"),
    ValueError("I/O operation on closed file."),
    UnicodeEncodeError("ascii", "…", 0, 1, "ordinal not in range(128)"),
]


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_no_line_of_progress_is_raised(error: Exception, terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Failing(error, terminal=terminal))
    monkeypatch.setattr("gansmith.system.progress._PLAIN_EVERY", 0.0)
    console.say("a line")
    with bar("training", 2) as advance:
        advance(1, "D 1.2")
    assert list(track([1, 2], "reading", 2)) == [1, 2]


@pytest.mark.parametrize("stream", [None, "closed"])
def test_a_stream_that_is_not_there(stream: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    if stream == "closed":
        stream = io.StringIO()
        stream.close()
    monkeypatch.setattr(sys, "stderr", stream)
    console.say("a line")
    with bar("training", 2) as advance:
        advance(2)
    assert capsys.readouterr().out == ""  # print(file=None) would write to standard output


def said_by(code: str, redirect: str) -> subprocess.CompletedProcess[str]:
    """A Python process with its streams as a shell redirects them, after `keep_streams`."""
    code = f"import sys\nfrom gansmith.system.console import keep_streams, output_failure\nkeep_streams()\n{code}"
    return subprocess.run(
        ["sh", "-c", f'"$0" -c "$1" {redirect}', sys.executable, code], capture_output=True, text=True, check=False
    )


def test_closed_streams_become_the_null_device() -> None:
    """Otherwise the first file that is opened has number 1 or 2, and what prints to these writes into it."""
    code = "print('one'); print('two', file=sys.stderr); file = open('/dev/zero'); sys.exit(file.fileno())"
    assert said_by(code, "<&- >&- 2>&-").returncode >= 3
    done = said_by("print('one'); print('two', file=sys.stderr)", ">&-")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "two\n")
    done = said_by("print('one'); print('two', file=sys.stderr)", "2>&-")
    assert (done.returncode, done.stdout, done.stderr) == (0, "one\n", "")


def test_what_could_not_be_written_is_known() -> None:
    code = "print('x' * 100_000); sys.stdout.flush(); print(output_failure(), file=sys.stderr)"
    assert said_by(code, ">/dev/full").stderr == "No space left on device\n"
    assert said_by(code, ">/dev/null").stderr == "None\n"
    assert said_by(code, ">&-").stderr == "None\n"  # so it was asked


def test_the_streams_keep_their_encoding_and_escape_what_it_cannot_say() -> None:
    code = "print('caf\\u00e9 \\u2713 \\udcff')"
    done = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-c", f"from gansmith.system.console import keep_streams as k; k(); {code}"],
        capture_output=True,
        env={"PYTHONIOENCODING": "latin-1"},
        check=False,
    )
    assert done.stdout == b"caf\xe9 \\u2713 \\udcff\n", done.stderr


def test_everything_that_is_said_on_standard_error_is_said_by_say() -> None:
    """A line that is printed there in another way can stop a training."""
    package = Path(console.__file__).parents[1]
    others = [path for path in package.rglob("*.py") if path.name != "console.py" and "sys.stderr" in path.read_text()]
    assert others == []
