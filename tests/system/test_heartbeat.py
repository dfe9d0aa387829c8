"""Heartbeat: who has failed, ended or fallen silent is known to all within seconds, and nobody else is lost."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from gansmith.system import heartbeat
from gansmith.system.heartbeat import Heartbeat, Loss

SILENCE = 6.0


@contextmanager
def beating(world: int = 3) -> Iterator[tuple[list[Heartbeat], list[list[Loss]]]]:
    """The heartbeats of so many ranks in one process, and the losses that each was told of."""
    told: list[list[Loss]] = [[] for _ in range(world)]
    first = heartbeat.listen(told[0].append, host="127.0.0.1", silence=SILENCE)
    others = [
        heartbeat.join(rank, "127.0.0.1", first.port, first.secret, told[rank].append, silence=SILENCE)
        for rank in range(1, world)
    ]
    try:
        yield [first, *others], told
    finally:
        for one in (*others, first):
            one.close()


def known(first: Heartbeat, count: int) -> None:
    """Wait until rank 0 knows so many others by name."""
    deadline = time.monotonic() + 240
    while sum(peer.rank is not None for peer in first._peers) < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_rank_that_fails_tells_all_others_why() -> None:
    with beating() as (ranks, told):
        known(ranks[0], 2)
        ranks[2].fail("no memory")
        assert ranks[0].loss(wait=60) == ranks[1].loss(wait=60) == Loss(2, "no memory", "failed")
        assert told == [[Loss(2, "no memory", "failed")], [Loss(2, "no memory", "failed")], []]


def test_a_connection_that_is_cut_is_an_end_without_a_word() -> None:
    with beating() as (ranks, _):
        known(ranks[0], 2)
        ranks[1]._peers[0].connection.shutdown(socket.SHUT_RDWR)  # as the system does of a process that was killed
        loss = ranks[2].loss(wait=60)
        assert (loss or Loss(-1, "none"))[::2] == (1, "ended")  # not "silent", which takes its time


def test_a_good_end_is_no_loss() -> None:
    with beating() as (ranks, told):
        known(ranks[0], 2)
        for one in (ranks[2], ranks[1], ranks[0]):
            one.close()
        assert told == [[], [], []]
        assert all(one.loss() is None for one in ranks)


def test_rank_0_that_ends_is_lost_to_all() -> None:
    with beating() as (ranks, _):
        known(ranks[0], 2)
        with ranks[0]._lock:  # all at once: a process that ends has no time to tell rank 2 of rank 1's connection
            for peer in ranks[0]._peers:
                peer.connection.shutdown(socket.SHUT_RDWR)
        assert [getattr(one.loss(wait=60), "rank", None) for one in ranks[1:]] == [0, 0]


def test_who_is_silent_who_was_suspended_and_who_is_a_stranger() -> None:
    """Three pairs at once, for it takes its time: a silent rank is lost after it and no earlier; a process that was
    suspended does not count the time it slept; one who does not know the secret ends nothing."""
    with beating(2) as (silent, _), beating(2) as (suspended, told), beating(2) as (bothered, heard):
        for ranks in (silent, suspended, bothered):
            known(ranks[0], 1)
        silent[1]._lock.acquire()  # its thread sends no more: a machine whose link is down
        begun = time.monotonic()
        stranger = socket.create_connection(("127.0.0.1", bothered[0].port))
        stranger.sendall(b'hello [1, "here", "guess"]\nfailed "ha"\nlost [1, "ha", "ended"]\nrubbish\n\xff\n')
        with suspended[0]._lock, suspended[1]._lock:  # neither thread goes on, as after Ctrl-Z
            loss = silent[0].loss(wait=SILENCE + 60)
            assert (loss or Loss(-1, "none"))[::2] == (1, "silent")
            assert time.monotonic() - begun > SILENCE - 2
            stranger.close()
            time.sleep(2)
        silent[1]._lock.release()
        time.sleep(2)
        assert told == heard == [[], []]
