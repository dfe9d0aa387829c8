"""How commands end when their terminal or the reader of what they print goes away: real processes, real terminals.

    python tests/endings.py     the whole table, in Markdown: some minutes; status 1 where a cell is not as it must be

Each command works long enough to be in the midst of it when a signal comes. What it leaves must be whole: a checkpoint
that loads, a report, an image, a packed file; or nothing at all.
"""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

SIGNALS = ("SIGHUP", "terminal gone")
STREAMS = {
    "stdout closed": ">&-",
    "stderr closed": "2>&-",
    "both closed": ">&- 2>&-",
    "all three closed": "<&- >&- 2>&-",
    "stdout /dev/full": ">/dev/full",
    "stderr /dev/full": "2>/dev/full",
    "both /dev/full": ">/dev/full 2>/dev/full",
    "\\| head -3": "2>&1 | head -3",
}
CASES = (*SIGNALS, *STREAMS)
_ON_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)


@dataclass(frozen=True)
class Material:
    """What the commands work on: a finished run, and a folder of images."""

    run: Path
    images: Path


@dataclass(frozen=True)
class Command:
    """The words of a command, of long work and of short; what it says when it is in the midst of it; what it left, in
    words. The last raises AssertionError where that is not whole."""

    words: Callable[[Material, Path, bool], list[object]]
    midst: str
    left: Callable[[Path, int], str]


def material(folder: Path) -> Material:
    """Make it in `folder`."""
    import gansmith
    from small import SMALL

    images = folder / "images"
    images.mkdir(parents=True)
    noise = np.random.default_rng(0)
    for number in range(800):
        Image.fromarray(noise.integers(0, 256, (96, 96, 3), dtype=np.uint8)).save(images / f"{number}.png")
    return Material(gansmith.train(**{**SMALL, "fraction": 1.0}, out=str(folder / "finished")).path, images)


def _train(it: Material, out: Path, long: bool) -> list[object]:
    from small import OPTIONS

    return ["train", *OPTIONS, *(["--images", "10M"] if long else []), "--out", out / "run"]


def _trained(out: Path, status: int) -> str:
    from gansmith.runs.run import Run

    run = Run(out / "run")
    images = run.checkpoint()["images"]
    assert [json.loads(line)["images"] for line in (run.path / "events.jsonl").read_text().splitlines()][-1] == images
    assert (run.path / f"samples/{images:09}.png").is_file()
    assert status == 129 or images == 320
    return f"checkpoint, model and sheet at {images} images"


def _evaluate(it: Material, out: Path, long: bool) -> list[object]:
    many = ["--samples", "20000"] if long else ["--samples", "40", "--repeats", "1"]
    return ["evaluate", it.run, "--features", "pixels", "--real", "200", *many, "--out", out / "audit"]


def _evaluated(out: Path, status: int) -> str:
    if not (out / "audit").exists():
        return "no report"
    assert json.loads((out / "audit/audit.json").read_text())["facts"]
    assert (out / "audit/report.html").read_text().rstrip().endswith("</html>")
    return "the report"


def _sample(it: Material, out: Path, long: bool) -> list[object]:
    return ["sample", it.run, "--seeds", "0-99999" if long else "0-63", "--out", out / "sheet.png"]


def _sampled(out: Path, status: int) -> str:
    if not (out / "sheet.png").exists():
        return "no sheet"
    Image.open(out / "sheet.png").load()
    return "the sheet"


def _pack(it: Material, out: Path, long: bool) -> list[object]:
    return ["data", "pack", it.images, out / "packed.npy", "--size", "1024" if long else "16"]


def _packed(out: Path, status: int) -> str:
    if not (out / "packed.npy").exists():
        return "no file"
    assert np.load(out / "packed.npy").shape == (800, 16, 16, 3)
    return "the packed file"


COMMANDS = {
    "train": Command(_train, "D 1.", _trained),
    "evaluate": Command(_evaluate, "generating samples", _evaluated),
    "sample": Command(_sample, "weights after", _sampled),
    "data pack": Command(_pack, "decoding", _packed),
}


def must_be(case: str) -> int:
    """The exit status: of the signal, 1 where what was to be printed is lost to a full disk, else 0."""
    return 129 if case in SIGNALS else 1 if case in ("stdout /dev/full", "both /dev/full") else 0


def ending(name: str, case: str, it: Material, out: Path) -> tuple[int, str]:
    """(exit status, what was left). Raises AssertionError for what is not whole, TimeoutExpired for what hangs."""
    command = COMMANDS[name]
    out.mkdir(parents=True)
    before = {path: path.stat().st_mtime_ns for path in it.run.rglob("*")}
    words = list(map(str, [sys.executable, "-m", "gansmith", *command.words(it, out, case in SIGNALS)]))
    environment = {**os.environ, "GANSMITH_CACHE": str(out / "cache"), "OMP_NUM_THREADS": "1", "COLUMNS": "120"}
    status = (
        _on_terminal(words, case, command.midst, environment) if case in SIGNALS else _piped(words, case, environment)
    )
    halves = [path for folder in (out, it.run) for path in folder.rglob("*.tmp")]
    assert not halves, halves
    assert {path: path.stat().st_mtime_ns for path in it.run.rglob("*")} == before
    return status, command.left(out, status)


def _piped(words: list[str], case: str, environment: dict[str, str]) -> int:
    script = f'"$@" {STREAMS[case]}; exit ${{PIPESTATUS[0]}}'
    return subprocess.run(
        ["bash", "-c", script, "bash", *words],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=300,
        check=False,
    ).returncode


def _on_terminal(words: list[str], case: str, midst: str, environment: dict[str, str]) -> int:
    """In a session of its own on a terminal, which is closed, or goes on while SIGHUP comes, once `midst` is said."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", _ON_TERMINAL, *words],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment,
        start_new_session=True,
    )
    os.close(slave)
    try:
        assert midst in _said(master, 300, until=midst), f"it never said {midst!r}"
        if case == "SIGHUP":
            process.send_signal(signal.SIGHUP)
            said = _said(master, 300)
            assert "Traceback" not in said, said
        else:
            os.close(master)
        return process.wait(timeout=300)
    finally:
        process.kill()
        process.wait()
        with suppress(OSError):
            os.close(master)


def _said(terminal: int, seconds: float, until: str | None = None) -> str:
    """What comes from a terminal, to its end or `until` it holds this."""
    said, deadline = "", time.monotonic() + seconds
    while time.monotonic() < deadline and (until is None or until not in said):
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                said += os.read(terminal, 1 << 16).decode(errors="replace")
            except OSError:  # nobody has the other side open
                break
    return said


def main() -> int:
    failed = False
    print(f"| | {' | '.join(COMMANDS)} |\n|---|{'---|' * len(COMMANDS)}")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["GANSMITH_CACHE"] = f"{folder}/cache"
        it = material(Path(folder))
        for row, case in enumerate(CASES):
            cells = []
            for column, name in enumerate(COMMANDS):
                try:
                    status, left = ending(name, case, it, Path(folder) / f"{row}-{column}")
                    wrong = "" if status == must_be(case) else f"**not {must_be(case)}** "
                except (AssertionError, OSError, ValueError, KeyError, subprocess.TimeoutExpired) as error:
                    status, left, wrong = -1, repr(error), "**fault** "
                failed = failed or bool(wrong)
                cells.append(f"{wrong}{status}: {left}")
            print(f"| {case} | {' | '.join(cells)} |", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    sys.exit(main())
