"""Processes that train one game together, as torchrun starts them: how this one joins the group, and leaves it.

torchrun tells each process its place in the environment (RANK, WORLD_SIZE, LOCAL_RANK) and where the others are
(MASTER_ADDR, MASTER_PORT). Collectives run by gloo on processors and by NCCL on GPUs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from datetime import timedelta

import torch
import torch.distributed as dist

from gansmith.errors import ExperimentError
from gansmith.system.device import choose_device
from gansmith.system.sharing import Share, set_share

_PLACE = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
_left: set[int] = set()  # cores that this process could use before it kept to its own
_PATIENCE = timedelta(days=7)  # a process may be busy for long; the dead are found by other means


def started_together(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether torchrun, or a launcher like it, started this process as one of several, or as the only one.

    >>> started_together({"RANK": "0", "WORLD_SIZE": "2", "LOCAL_RANK": "0"}), started_together({})
    (True, False)
    """
    return "RANK" in environment and "WORLD_SIZE" in environment


def place(environment: Mapping[str, str] = os.environ) -> tuple[Share, int]:
    """This process's share, and its number among those on this machine. Raises ExperimentError for an environment that
    lacks one of them.

    >>> place({"RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1"})
    (Share(rank=5, world=8), 1)
    """
    missing = [name for name in _PLACE if not environment.get(name, "").isdecimal()]
    if missing:
        raise ExperimentError(
            f"{' and '.join(missing)} of the environment must be set to numbers where several processes train "
            f"together: start them by torchrun -m gansmith train, or by gansmith train --processes N"
        )
    return Share(int(environment["RANK"]), int(environment["WORLD_SIZE"])), int(environment["LOCAL_RANK"])


def require_device(name: str, environment: Mapping[str, str] = os.environ) -> None:
    """Raises ExperimentError where the processes of this machine cannot have a device `name` each.

    >>> require_device("cpu")
    """
    device, here = choose_device(name), int(environment.get("LOCAL_WORLD_SIZE", "1"))
    if device.type == "cpu":
        return
    if device.type != "cuda":
        raise ExperimentError(f"several processes train on cpu or cuda, not on {device.type}: choose --device cpu")
    if here > 1 and device.index is not None:
        raise ExperimentError(
            f"device {name} is one GPU, and {here} processes are to train on this machine: --device cuda gives each one"
        )
    if here > torch.cuda.device_count():
        raise ExperimentError(
            f"{here} processes are to train on this machine, which has {torch.cuda.device_count()} GPUs: "
            f"start at most so many, or choose --device cpu"
        )


def join(*, timeout: timedelta = _PATIENCE) -> Share:
    """Become one of the processes that the environment describes, with a share of every batch from now on; alone where
    it describes none, or one. Collectives wait for `timeout` at most."""
    if not started_together():
        return Share()
    own, local = place()
    if own.world > 1:
        gpus = torch.cuda.is_available() and dist.is_nccl_available()
        if gpus:
            torch.cuda.set_device(local % torch.cuda.device_count())
        else:
            _keep_to_own_cores(local, int(os.environ.get("LOCAL_WORLD_SIZE", "1")))
        dist.init_process_group("cpu:gloo,cuda:nccl" if gpus else "gloo", timeout=timeout)
        set_share(own)
    return own


def own_cores(local: int, here: int, cores: Iterable[int]) -> list[int]:
    """An equal part of the cores for process `local` of `here` on this machine; all where there are too few.

    >>> own_cores(1, 2, [0, 1, 2, 3, 4]), own_cores(1, 3, [0, 1])
    ([2, 3], [0, 1])
    """
    all_of_them = sorted(cores)
    each = len(all_of_them) // here
    return all_of_them[local * each : (local + 1) * each] or all_of_them


def _keep_to_own_cores(local: int, here: int) -> None:
    """This process and the threads that it begins later, unless somebody has chosen cores for it.

    A collective wakes threads of several processes at once: on any core, two that compute may share one until the
    system moves them.
    """
    if sys.platform == "linux":
        cores = os.sched_getaffinity(0)
        if len(cores) == os.cpu_count():
            os.sched_setaffinity(0, own_cores(local, here, cores))
            _left.update(cores)


def _use_all_cores_again() -> None:
    if sys.platform == "linux" and _left:
        os.sched_setaffinity(0, _left)
        _left.clear()


def leave() -> None:
    """Be a process of its own again."""
    _use_all_cores_again()
    set_share(Share())
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()
