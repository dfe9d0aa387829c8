"""The processes of one training: they join, tell each other what only one of them knows, and part.

Rank 0 alone reads what is asked for and touches the run folder; what it decides, all do (`agreed`). A rank that fails
tells why before it ends; of one that is gone the heartbeat tells. Either ends all others, and rank 0 says it once: one
line that names the rank. Between two steps rank 0 works as a process of its own (`alone`), while the others wait.

`torchrun`'s environment says who takes part (`RANK`, `WORLD_SIZE` ...), whoever made it: torchrun or `--processes`.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch import Tensor, distributed

from gansmith.errors import GansmithError, LostRankError
from gansmith.experiment.schema import Experiment
from gansmith.system import heartbeat, packets
from gansmith.system.console import quiet, say
from gansmith.system.heartbeat import Heartbeat, Loss
from gansmith.system.launcher import LOST, launched, ready
from gansmith.system.sharing import Share, bounds, joined_as, set_share
from gansmith.training import processes
from gansmith.training.checkpoint import State
from gansmith.training.forecast import Crowd

GRACE = 4.0  # seconds that a process has to end by itself after another one was lost
_VERDICT = 5.0  # seconds in which the heartbeat says which one it was, after a collective has failed


def rank_and_world() -> Share:
    """What the environment says of this process: rank 0 of 1 where nobody started several.

    >>> rank_and_world()
    Share(rank=0, world=1)
    """
    return processes.place()[0] if processes.started_together() else Share()


def follows() -> bool:
    """Is this process one that does what rank 0 tells it?"""
    return rank_and_world().rank > 0


def crowd() -> Crowd:
    """The processes that train, by the environment."""
    world = rank_and_world().world
    return Crowd(world, min(int(os.environ.get("LOCAL_WORLD_SIZE", "1")), world))


def require_share(experiment: Experiment, planned: Crowd | None = None) -> None:
    """Raises ExperimentError where there are more processes than images to play at a time, or than devices.

    planned: of processes that have not begun."""
    world, here = crowd() if planned is None else planned
    with joined_as(Share(0, world)):
        bounds(max(1, experiment.batch // experiment.accumulate))  # unequal parts are refused where they are drawn
    if world > 1:
        processes.require_device(experiment.device, {"LOCAL_WORLD_SIZE": str(here)})


class Team:
    """Those that train together; a team of one where nothing else is said.

    >>> Team().agreed({"end": True}), Team().everyone(3)
    ({'end': True}, [3])
    """

    def __init__(self, own: Share | None = None, beat: Heartbeat | None = None) -> None:
        self.rank, self.world = own or Share()
        self._beat = beat

    def alone(self) -> AbstractContextManager[None]:
        """Inside, this process is one of its own."""
        return joined_as(Share())

    def agreed(self, value: Any = None) -> Any:
        """Rank 0's value, plain as JSON has it, on every rank."""
        if self.world == 1:
            return value
        return json.loads(packets.from_rank(0, json.dumps(value).encode() if self.rank == 0 else b""))

    def everyone(self, value: Any) -> list[Any]:
        """The values of all ranks, plain as JSON has them, on every rank."""
        if self.world == 1:
            return [value]
        mine = json.dumps(value).encode()
        return [json.loads(packets.from_rank(rank, mine)) for rank in range(self.world)]

    def agreed_state(self, state: State | None = None) -> State:
        """Rank 0's state on every rank: no disk needs to be shared."""
        if self.world == 1:
            assert state is not None
            return state
        packet = packets.state_from_rank(0, packets.packed(state) if self.rank == 0 else None)
        mine: State = packets.unpacked(packet) if state is None else state
        return mine

    def gathered(self, own: Tensor | None) -> list[Tensor]:
        """The tensors of all ranks at rank 0, in their order, but for those that are None; elsewhere none."""
        if self.rank > 0:
            packets.send(packets.packed(own), 0)
            return []
        others = [packets.unpacked(packets.receive(rank)) for rank in range(1, self.world)]
        return [tensor for tensor in (own, *others) if tensor is not None]

    def wait(self) -> None:
        """Wait until every rank is here."""
        if self.world > 1:
            distributed.all_reduce(torch.zeros(1))

    def part(self) -> None:
        """A good end, when every rank is here: from now on each is a process of its own."""
        if self.world == 1:
            return
        self.wait()
        if self._beat is not None:
            self._beat.close()
        self._alone()
        processes.leave()

    def fail(self, why: str) -> None:
        """An end by what went wrong here, which the others are told. The group is not left: that may wait for them."""
        if self._beat is not None:
            self._beat.fail(why)
            self._alone()

    def loss(self, wait: float) -> Loss | None:
        """The rank that was lost, if one was."""
        return None if self._beat is None else self._beat.loss(wait)

    def _alone(self) -> None:
        self._beat, self.rank, self.world = None, 0, 1
        set_share(Share())


@contextmanager
def joined() -> Iterator[Team]:
    """Inside, this process is one of those that the environment names; to be left by `part` on every rank.

    Raises LostRankError, or SystemExit where another process says it, when one is lost; what is raised inside ends the
    other processes.
    """
    own = rank_and_world()
    if own.world == 1:
        yield Team()
        return
    ready()
    _Ends.by_itself = False
    try:
        processes.join()
        team = Team(own, _heartbeat(own))
    except (OSError, RuntimeError, ValueError) as error:  # ValueError: MASTER_ADDR is not set
        quiet(False)
        raise LostRankError(f"rank {own.rank} could not join the others: {error}") from error
    try:
        yield team
    except Exception as error:
        loss = team.loss(_VERDICT if isinstance(error, RuntimeError) else 0.0)
        _Ends.by_itself = True
        if loss is not None:
            raise _ending(loss, own.rank) from None
        team.fail(str(error) if isinstance(error, GansmithError) else f"{type(error).__name__}: {error}")
        if own.rank == 0:
            raise
        if not isinstance(error, GansmithError):
            traceback.print_exc()
        raise SystemExit(1) from None  # rank 0 says it
    finally:
        team.fail("it has stopped")


def _heartbeat(own: Share) -> Heartbeat:
    host = os.environ.get("MASTER_ADDR", "")

    def end(loss: Loss) -> None:
        timer = threading.Timer(GRACE, _end_at_once, [loss, own.rank])
        timer.daemon = True
        timer.start()

    if own.rank == 0:
        first = heartbeat.listen(end, host=host if host in ("127.0.0.1", "localhost") else "")
        packets.from_rank(0, json.dumps([first.port, first.secret]).encode())
        return first
    port, secret = json.loads(packets.from_rank(0))
    return heartbeat.join(own.rank, host, port, secret, end)


class _Ends:
    by_itself = False  # has the main thread noticed, and says what there is to say?


def _end_at_once(loss: Loss, rank: int) -> None:
    """End a process whose main thread waits for one that does not come."""
    if _Ends.by_itself:
        time.sleep(GRACE)
        os._exit(LOST if rank else 1)
    ending = _ending(loss, rank)
    if isinstance(ending, LostRankError):
        say(f"error: {ending}")
        os._exit(ending.exit_code)
    os._exit(LOST)


def _ending(loss: Loss, rank: int) -> BaseException:
    """What ends this process: with words at the one that is to say them."""
    if loss.how == "ended" and launched():  # which the launcher says, who knows by what
        return SystemExit(LOST)
    elsewhere = _first_of_its_machine() and os.environ.get("GROUP_RANK", "0") != "0"  # with a log of its own
    speaks = (
        rank == 0 or elsewhere or (loss.rank == 0 and loss.how != "failed" and (rank == 1 or _first_of_its_machine()))
    )
    if not speaks:
        return SystemExit(LOST)
    quiet(False)
    after = "" if loss.how == "failed" else (
        ". What came after the last checkpoint is lost; the same command, or gansmith resume, goes on from it"
    )  # fmt: skip
    return LostRankError(f"{loss}{after}")


def _first_of_its_machine() -> bool:
    return os.environ.get("LOCAL_RANK") == "0"


def local_rank() -> int:
    """The number of this process among those of its machine."""
    return int(os.environ.get("LOCAL_RANK", "0"))


def place() -> str:
    """The machine of this process, for a message."""
    return socket.gethostname()
