"""`--processes N` of a command that trains: the same command, in so many processes on this machine."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from gansmith.errors import OptionError, TrainingInterrupted
from gansmith.system.launcher import STOPPED, launch

MOST = 1024  # processes
ARGUMENTS = "gansmith.arguments"  # of the command line, in click's `meta`

Processes = Annotated[
    int | None,
    typer.Option(min=1, max=MOST, metavar="<int>", help="train on so many cores or GPUs: they share each batch"),
]
Restarts = Annotated[
    int,
    typer.Option(min=0, max=1000, metavar="<int>", help="with --processes: go on after a process was killed, so often"),
]


def in_several(context: typer.Context, processes: int | None, restarts: int) -> bool:
    """Run the command in several processes and end as they did, where that is asked for. Returns whether this process
    is one of them that has followed rank 0, and has nothing more to do.

    Raises OptionError where somebody else (torchrun) has started another number of them.
    """
    rank, world = _place(processes, restarts)
    if world == 1 and processes is not None and processes > 1:
        status = launch(context.meta[ARGUMENTS], processes, restarts=restarts)
        if status in STOPPED:
            raise TrainingInterrupted("stopped", signal=status - 128)  # rank 0 has said so
        sys.exit(status)
    if world == 1 or rank == 0:
        return False
    from gansmith.runs.follower import follow

    follow()
    return True


def planned(processes: int | None, restarts: int) -> tuple[int, int] | None:
    """For a dry run: how many processes would train, and how many of them on this machine; None where this process is
    one of several (by torchrun) that has nothing to say. Raises OptionError as `in_several` does."""
    rank, world = _place(processes, restarts)
    if rank > 0:
        return None
    if world > 1:
        return world, _number("LOCAL_WORLD_SIZE", world)
    return processes or 1, processes or 1


def _place(processes: int | None, restarts: int) -> tuple[int, int]:
    """Rank and number of the processes that are started already."""
    rank, world = (_number(name, default) for name, default in (("RANK", 0), ("WORLD_SIZE", 1)))
    if restarts and not (processes or 1) > 1:
        raise OptionError("--max-restarts does nothing without --processes; torchrun has an option of that name")
    if world > 1 and processes not in (None, world):
        raise OptionError(
            f"--processes {processes}, and {world} are started already (by torchrun): leave --processes out"
        )
    return rank, world


def _number(name: str, default: int) -> int:
    """Of a variable that torchrun sets; what is no number, or stands there alone, is refused where it is used."""
    word = os.environ.get(name, "")
    return int(word) if word.isdecimal() and "RANK" in os.environ else default
