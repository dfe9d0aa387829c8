"""Joining the processes that torchrun started."""

from __future__ import annotations

import os
import sys

import pytest
import torch
from torch import distributed

from gansmith.errors import ExperimentError
from gansmith.system import sharing
from gansmith.system.launcher import free_port
from gansmith.system.sharing import Share
from gansmith.training import processes
from processes import together

PLACE = ("RANK", "WORLD_SIZE", "LOCAL_RANK")


@pytest.mark.parametrize("missing", PLACE)
def test_a_place_is_complete(missing: str) -> None:
    environment = {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "0"}
    assert processes.place(environment) == (Share(1, 2), 0)
    for value in ("", "one"):
        with pytest.raises(ExperimentError, match=rf"^{missing} of.*torchrun"):
            processes.place(environment | {missing: value})


def test_alone_nothing_is_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PLACE:
        monkeypatch.delenv(name, raising=False)
    assert processes.join() == (0, 1)
    for name, value in zip(PLACE, "010", strict=True):  # torchrun with one process
        monkeypatch.setenv(name, value)
    assert processes.join() == (0, 1)
    assert not distributed.is_initialized()
    processes.leave()


def joining(port: int) -> tuple[Share, float, Share]:
    own = sharing.share()
    distributed.destroy_process_group()  # the harness's own
    os.environ.update(zip(PLACE, map(str, (*own, own.rank)), strict=True))
    os.environ.update(MASTER_ADDR="localhost", MASTER_PORT=str(port))
    joined = processes.join()
    assert joined == own == sharing.share()
    total = torch.full((), float(own.rank + 1))
    distributed.all_reduce(total)
    processes.leave()
    assert not distributed.is_initialized()
    return joined, total.item(), sharing.share()


def test_processes_join_by_their_environment() -> None:
    results = together(joining, free_port(), world=3)
    assert results == [(Share(rank, 3), 6.0, Share()) for rank in range(3)]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells which cores a process may use")
@pytest.mark.parametrize(
    ("mine", "here", "kept"),
    [
        ({0, 1, 2, 3}, "2", [{2, 3}, {0, 1, 2, 3}]),  # its own, and all again
        ({0, 1, 2, 3}, "5", [{0, 1, 2, 3}, {0, 1, 2, 3}]),  # too few
        ({2, 3}, "2", []),  # somebody has chosen
    ],
    ids=["own", "too few", "chosen"],
)
def test_each_process_keeps_to_its_own_cores_until_it_leaves(
    mine: set[int], here: str, kept: list[set[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[set[int]] = []
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: mine)
    monkeypatch.setattr(os, "sched_setaffinity", lambda _, cores: asked.append(set(cores)))
    monkeypatch.setattr(distributed, "init_process_group", lambda *_, **__: None)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for name, value in zip((*PLACE, "LOCAL_WORLD_SIZE"), ("1", "8", "1", here), strict=True):
        monkeypatch.setenv(name, value)
    processes.join()
    processes.leave()
    assert asked == kept
