"""The last lines of a training: how good its samples are and the one next step. Nothing here changes how it ended.

Ctrl-C while it is measured leaves that out, and the exit status stays 0: the model is on disk.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

from gansmith.cli.arguments import echo, next_steps
from gansmith.system.console import say


def print_end(folder: Path, *, ruler: bool) -> None:
    """Where the files of a finished run are; with `ruler`, how good it is and what to do next; what else to try."""
    done, commands = next_steps(folder)
    echo(done)
    said = _say_how_good(folder) if ruler else False
    for place, command in enumerate(commands):
        word = "also: " if said else "next: "
        echo(f"{'      ' if place else word}{command}")


def _say_how_good(folder: Path) -> bool:
    """Whether a next step was said."""
    try:
        with _only_interrupted():
            from gansmith.judge.end_of_training import end_of_training

            lines = end_of_training(folder)
            for line in lines:
                echo(line)
            return bool(lines)
    except KeyboardInterrupt:
        say("how good it is was not measured to its end; the run is whole")
    except Exception as error:  # a run that has ended well stays so, whatever its measurement meets
        say(f"how good it is could not be measured: {error}")
    return False


@contextmanager
def _only_interrupted() -> Iterator[None]:
    """Inside, Ctrl-C raises KeyboardInterrupt and does no more; the handler of before is put back at the end."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        yield
        return

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
