"""Several processes of one command on this machine, with the environment that `torchrun` gives them.

Rank 0 begins alone: it reads what is asked for and prepares it, so that a mistake is told once, by one process, and
nobody waits. When it says that it is ready (`ready`), the others begin. Ctrl-C, SIGTERM and SIGHUP of this process are
passed to rank 0, which tells the others; so is every second one. When a process fails, the others have `GRACE` seconds
to end by themselves. A line says which one it was.

Not `torchrun` itself, whose agent gives thirty seconds to a process that saves, takes the status of a training that was
asked to stop for a failure and begins it again, and ends with a traceback. The ranks cannot tell who started them.
"""

from __future__ import annotations

import math
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from gansmith.system.children import Parent, end_with
from gansmith.system.console import say

LOST = 75  # the exit status of a rank that lost another one and does not know why (EX_TEMPFAIL, sysexits.h)
GRACE = 6.0  # seconds that the others have after one has failed
STOPPED = (128 + 1, 128 + 2, 128 + 15)  # exit statuses of a training that was asked to stop, and saved everything
_PATIENCE = 60.0  # seconds that the others have after one has stopped
_EVERY = 0.1  # seconds between two looks
_READY, _PARENT = "GANSMITH_READY", "GANSMITH_LAUNCHER"  # a file descriptor; the number of the launcher's process


class End(NamedTuple):
    """How the processes ended: the exit status of the command, and the rank that failed first, with its own."""

    status: int
    failed: tuple[int, int] | None = None

    @property
    def lost(self) -> bool:
        """Was a process lost, so that another try may go well?"""
        return self.status == LOST

    def words(self, world: int) -> str:
        """`rank 1 of 2 was ended by SIGKILL`."""
        assert self.failed is not None
        rank, status = self.failed
        how = f"ended with status {status}" if status >= 0 else f"was ended by {signal.Signals(-status).name}"
        return f"rank {rank} of {world} {how}"


def launch(arguments: Sequence[str], processes: int, *, restarts: int = 0) -> int:
    """Run `python -m gansmith ARGUMENTS` in so many processes. Returns the exit status that one process would have.

    restarts: how often all of them are begun again after one was lost.
    """
    for attempt in range(restarts + 1):
        end = _attempt(arguments, processes)
        if not end.lost:
            return end.status
        again = attempt < restarts
        then = f"begun again ({attempt + 1} of {restarts})" if again else "the same command goes on from it"
        say(f"{'warning' if again else 'error'}: {end.words(processes)}; the others were ended, and what came after "
            f"the last checkpoint is lost: {then}")  # fmt: skip
    return 1


class _State:
    """Of a process that `launch` has started."""

    launched = False
    ready: int | None = None  # the file descriptor by which rank 0 says that it is ready


def obey() -> None:
    """To be called first in a process that `launch` may have started: it ends with the launcher, whatever becomes of
    that. Its variables are taken out of the environment, so that no child takes them for its own."""
    parent, descriptor = os.environ.pop(_PARENT, None), os.environ.pop(_READY, None)
    if parent is not None:
        _State.launched, _State.ready = True, None if descriptor is None else int(descriptor)
        end_with(Parent(int(parent), direct=sys.platform != "win32", main=True))


def launched() -> bool:
    """Was this process started by `launch`?"""
    return _State.launched


def ready() -> None:
    """Let the other ranks begin: by rank 0, when everything is prepared that it prepares alone."""
    descriptor, _State.ready = _State.ready, None
    if descriptor is not None:
        with suppress(OSError):
            os.write(descriptor, b"ready\n")
            os.close(descriptor)


def environment_of(rank: int, world: int, port: int) -> dict[str, str]:
    """What `torchrun` puts into the environment of a rank on one machine.

    >>> environment_of(1, 2, 29500)["RANK"]
    '1'
    """
    names = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": world, "LOCAL_WORLD_SIZE": world, "GROUP_RANK": 0}
    words = {name: str(value) for name, value in names.items()}
    return {**words, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), _PARENT: str(os.getpid())}


def threads_of_each(processes: int) -> int:
    """Threads of each of the processes, so that together they are as many as the cores."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(cores // processes, 1)


def _attempt(arguments: Sequence[str], world: int) -> End:
    reading, writing = os.pipe()
    port = free_port()
    shared = {"OMP_NUM_THREADS": str(threads_of_each(world)), **os.environ}
    if sys.platform.startswith("linux"):
        shared.setdefault("GLOO_SOCKET_IFNAME", "lo")  # else gloo asks for the address of the host's name

    def begin(rank: int, **more: str) -> subprocess.Popen[bytes]:
        environment = {**shared, **environment_of(rank, world, port), **more}
        return _begin(arguments, environment, keep=[writing] if rank == 0 else [], ignore=rank > 0)

    ranks = [begin(0, **{_READY: str(writing)})]
    os.close(writing)
    with _passed_to(ranks[0]), os.fdopen(reading, "rb") as said:
        try:
            if said.readline():  # else it has ended
                ranks += [begin(rank) for rank in range(1, world)]
            return _watched(ranks)
        finally:
            for process in ranks:
                process.kill()
                process.wait()


def _begin(
    arguments: Sequence[str], environment: Mapping[str, str], *, keep: Sequence[int], ignore: bool
) -> subprocess.Popen[bytes]:
    """ignore: Ctrl-C and a closed terminal are for rank 0, which tells the others. Set in the new process: this one,
    which has no other threads, must not miss a signal meanwhile."""

    def deaf() -> None:
        for name in ("SIGINT", "SIGHUP"):
            if (number := getattr(signal, name, None)) is not None:
                signal.signal(number, signal.SIG_IGN)

    return subprocess.Popen(
        [sys.executable, "-m", "gansmith", *arguments],
        env=environment,
        pass_fds=keep,
        stdin=subprocess.DEVNULL if ignore else None,
        preexec_fn=deaf if ignore else None,  # noqa: PLW1509  (no other threads are here)
    )


def _watched(ranks: Sequence[subprocess.Popen[bytes]]) -> End:
    """Wait for all; once one has failed, the others have GRACE seconds, and after SIGTERM two more."""
    failed: tuple[int, int] | None = None
    deadline, asked = math.inf, False
    while None in [process.poll() for process in ranks]:
        ended = [(rank, process.returncode) for rank, process in enumerate(ranks) if process.returncode]
        own_fault = [(rank, status) for rank, status in ended if status not in (*STOPPED, LOST)]
        if own_fault and failed is None:
            failed, deadline = own_fault[0], time.monotonic() + GRACE
        elif ended and deadline == math.inf:  # rank 0 waits for one that was stopped before it joined
            deadline = time.monotonic() + _PATIENCE
        if time.monotonic() > deadline:
            for process in ranks:
                process.kill() if asked else process.terminate()
            deadline, asked = time.monotonic() + 2.0, True
        time.sleep(_EVERY)
    return _end([process.wait() for process in ranks], failed)


def _end(statuses: Sequence[int], failed: tuple[int, int] | None) -> End:
    """statuses: of all ranks. failed: the first that was seen to fail by itself; what it did to others comes later."""
    others = [(rank, status) for rank, status in enumerate(statuses) if status and status not in (*STOPPED, LOST)]
    failed = failed or (others[0] if others else None)
    first = statuses[0]
    if first == 0 or (first > 0 and first != LOST and (failed is None or failed[1] > 0)):  # rank 0 has told why
        return End(first)
    return End(LOST, failed or (0, first))


@contextmanager
def _passed_to(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Inside, SIGINT, SIGTERM and SIGHUP of this process go to `process`."""

    def pass_on(number: int, frame: Any) -> None:
        process.send_signal(number)

    numbers = [number for name in ("SIGINT", "SIGTERM", "SIGHUP") if (number := getattr(signal, name, None))]
    heard = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, pass_on) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def free_port() -> int:
    """A port of this machine for rank 0 to listen at, which the system gives to nobody else for a minute: of a
    connection that its server has closed, tcp(7) TIME_WAIT.

    >>> 0 < free_port() < 2**16
    True
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = server.getsockname()
        with socket.create_connection(place) as client:
            server.accept()[0].close()
            client.recv(1)  # the other end is closed first
        return int(place[1])
