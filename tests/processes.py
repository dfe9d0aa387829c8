"""A function called in several processes that train together: gloo on this machine, one thread each.

    def play(length):                    # of a module, not inside a test: it is passed by name
        return collectives.summed(torch.ones(length))

    first, second = together(play, 3, world=2)

The processes are forked from one that has torch loaded and has trained nothing, so they begin at once.
"""

from __future__ import annotations

import os
import pickle
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from datetime import timedelta
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from forked import CONTEXT

LIMIT = 150.0  # seconds, from the first process to the last result, on a machine that has much to do


class RankFailedError(AssertionError):
    """A process of the group raised, or ended without a result."""


def together(function: Callable[..., Any], *arguments: Any, world: int, limit: float = LIMIT) -> list[Any]:
    """What `function(*arguments)` returns on each rank. Raises RankFailedError with the traceback of a rank that
    raised; the others are killed then, and when `limit` seconds are over."""
    with tempfile.TemporaryDirectory() as folder:
        begun = time.monotonic()
        processes, results = [], {}
        for rank in range(world):
            reading, writing = CONTEXT.Pipe(duplex=False)
            process = CONTEXT.Process(
                target=_member, args=(writing, function, arguments, rank, world, folder, dict(os.environ), limit)
            )
            process.start()
            writing.close()
            processes.append(process)
            results[reading] = rank
        done: dict[int, Any] = {}
        try:
            while len(done) < world:
                left = begun + limit - time.monotonic()
                ready = wait([reading for reading, rank in results.items() if rank not in done], max(0.0, left))
                if not ready:
                    raise RankFailedError(
                        f"ranks {sorted(set(range(world)) - done.keys())} had not ended after {limit} s"
                    )
                failed = []
                for reading in ready:
                    assert isinstance(reading, Connection)
                    rank = results[reading]
                    raised, done[rank] = _received(reading)
                    failed += [f"rank {rank}: {done[rank]}"] if raised else []
                if failed:
                    raise RankFailedError("\n".join(failed))
        except BaseException:
            for process in processes:
                process.kill()
            raise
        finally:
            for process in processes:
                process.join()
            for reading in results:
                reading.close()
    return [done[rank] for rank in range(world)]


def _received(reading: Connection) -> tuple[bool, Any]:
    """(whether it raised, the traceback or else the result)."""
    try:
        raised, value = pickle.loads(reading.recv_bytes())
    except EOFError:
        return True, "ended without a result"
    return raised, value


def _member(
    writing: Connection,
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    rank: int,
    world: int,
    folder: str,
    environment: dict[str, str],
    limit: float,
) -> None:
    os.environ.clear()
    os.environ.update(environment, GLOO_SOCKET_IFNAME="lo", OMP_NUM_THREADS="1")
    import torch
    from torch import distributed

    from gansmith.system.sharing import Share, joined_as

    torch.set_num_threads(1)
    warnings.simplefilter("error", UserWarning)
    try:
        distributed.init_process_group(
            "gloo",
            init_method=f"file://{Path(folder) / 'store'}",
            rank=rank,
            world_size=world,
            timeout=timedelta(seconds=limit),
        )
        distributed.barrier()  # else one that is done at once leaves while another still connects, which then fails
        with joined_as(Share(rank, world)):
            value = pickle.dumps((False, function(*arguments)))
        if distributed.is_initialized():
            distributed.destroy_process_group()
    except BaseException:
        value = pickle.dumps((True, traceback.format_exc()))
    writing.send_bytes(value)
    writing.close()
