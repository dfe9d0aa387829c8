"""What ranks tell each other: decisions, states, samples, wishes to stop; and what they must have in common."""

from __future__ import annotations

import signal
from typing import Any

import numpy as np
import pytest
import torch

from gansmith.errors import DataError, GansmithError, LostRankError, RunError
from gansmith.runs import follower
from gansmith.runs import team as team_module
from gansmith.runs.follower import meet, require_same_data
from gansmith.runs.measured_sides import gathered, own_share
from gansmith.runs.team import Team
from gansmith.runs.training_state import versions
from gansmith.runs.wishes import Wishes
from gansmith.system.heartbeat import Loss
from gansmith.system.sharing import Share, share
from processes import together


def _talk() -> dict[str, Any]:
    """Everything that ranks tell each other, as each of them hears it."""
    team = Team(share())
    rank, heard = team.rank, dict[str, Any]()
    heard["agreed"] = [team.agreed({"end": None, "p": 0.25} if rank == 0 else "not asked"), team.agreed(rank)]
    heard["everyone"] = team.everyone([rank, "é" * rank])
    state = {"a": torch.arange(3.0) + rank, "b": {"step": 7 + rank}}
    told = team.agreed_state(state if rank == 0 else None)
    heard["state"] = (told["a"].tolist(), told["b"])
    seeds = own_share(range(200), team)
    rows = np.array([[seed] for seed in seeds], dtype=np.float32)
    features = gathered(rows if len(seeds) else None, team)
    heard["seeds"], heard["features"] = len(seeds), None if features is None else features[:, 0].tolist()
    heard["nothing"] = gathered(None, team)
    heard["meet"] = meet(team, {"folder": "run"} if rank == 0 else None)
    require_same_data(team, "one digest")
    heard["data"] = _refusal(lambda: require_same_data(team, f"digest {rank // 2}"))
    follower.versions = lambda: {**versions(), "torch": "2.0" if rank == 1 else "2.1"}
    heard["versions"] = _refusal(lambda: meet(team, None))
    return heard


def _refusal(act: Any) -> str:
    try:
        act()
    except GansmithError as error:
        return f"{type(error).__name__}: {error}"
    return "none"


def test_what_ranks_tell_each_other() -> None:
    heard = together(_talk, world=3)
    for rank, one in enumerate(heard):
        assert one["agreed"] == [{"end": None, "p": 0.25}, 0]
        assert one["everyone"] == [[0, ""], [1, "é"], [2, "éé"]]
        assert one["state"] == ([0.0, 1.0, 2.0], {"step": 7})
        assert one["meet"] == {"folder": "run"}
        assert one["data"].startswith(f"{DataError.__name__}: rank 2 ")
        assert all(word in one["data"] for word in ("digest 0", "digest 1"))
        assert one["versions"].startswith(f"{RunError.__name__}: rank 1 ")
        assert all(word in one["versions"] for word in ("torch 2.0", "2.1"))
        assert (one["features"] is None) == (rank > 0)
        assert one["nothing"] is None
    assert heard[0]["features"] == [float(seed) for seed in range(200)]
    assert [one["seeds"] for one in heard] == [64, 64, 72]


@pytest.mark.parametrize(("count", "world"), [(1000, 3), (64, 2), (65, 2), (1, 4), (200, 3), (10_000, 7)])
def test_shares_of_samples_are_all_of_them_in_whole_parts(count: int, world: int) -> None:
    shares = [own_share(range(count), Team(Share(rank, world))) for rank in range(world)]
    assert [seed for one in shares for seed in one] == list(range(count))
    assert all(one.start % 64 == 0 for one in shares if one)
    parts = (count + 63) // 64
    assert max(map(len, shares)) <= 64 * ((parts + world - 1) // world)


def test_a_wish_to_stop_stands_in_the_sum_and_sigterm_comes_first() -> None:
    ranks = [Wishes(Team(Share(rank, 3))) for rank in range(3)]
    ranks[1].wish(signal.SIGINT)
    ranks[2].wish(signal.SIGTERM)
    total = torch.stack([one.vector().clone() for one in ranks]).sum(0)
    for one in ranks:
        one.vector().copy_(total)
        assert one.heard() == signal.SIGTERM
    calm = Wishes(Team(Share(0, 2)))
    calm.vector()
    assert calm.heard() is None


def test_a_slow_rank_is_recorded_and_said_once() -> None:
    wishes = Wishes(Team(Share(0, 3)))
    for _ in range(10):
        wishes.vector()[-3:] = torch.tensor([1.0, 3.0, 2.0])
        wishes.heard()
    values = wishes.record()
    assert values == {"ranks/slowest": 1.0, "ranks/slowest_times": 2.0}
    line = wishes.said(values)
    assert line is not None
    assert "rank 1" in line
    assert "2.0 times" in line
    assert wishes.said(values) is None
    assert Wishes(Team()).record() == {}


def test_a_rank_that_is_a_little_slower_is_no_news() -> None:
    wishes = Wishes(Team(Share(0, 2)))
    for _ in range(10):
        wishes.vector()[-2:] = torch.tensor([1.0, 1.2])
        wishes.heard()
    assert wishes.said(wishes.record()) is None


@pytest.mark.parametrize(
    ("machine", "local", "rank", "how", "speaks"),
    [
        (0, 0, 0, "failed", True),
        (0, 1, 1, "failed", False),
        (1, 0, 2, "failed", True),
        (1, 1, 3, "failed", False),
        (0, 1, 1, "silent", True),
        (1, 0, 2, "silent", True),
    ],
)
def test_one_process_of_each_machine_says_what_ended_them(
    machine: int, local: int, rank: int, how: str, speaks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of rank 1's end on rank 0's machine rank 0 speaks; of rank 0's silence another one, for rank 0 cannot."""
    monkeypatch.setenv("GROUP_RANK", str(machine))
    monkeypatch.setenv("LOCAL_RANK", str(local))
    lost = 1 if how == "failed" else 0
    ending = team_module._ending(Loss(lost, "no such features", how), rank)
    assert isinstance(ending, LostRankError) == speaks
    if speaks:
        assert str(ending).startswith(f"rank {lost}: no such features")
        assert ("last checkpoint" in str(ending)) == (how == "silent")


@pytest.mark.parametrize("by_itself", [False, True])
def test_what_ended_them_is_said_once(
    by_itself: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A main thread that has noticed, and is ending, says it; it is given as long again for that."""
    left: list[int] = []
    slept: list[float] = []
    monkeypatch.setattr(team_module.time, "sleep", slept.append)
    monkeypatch.setattr(team_module._Ends, "by_itself", by_itself)

    class Left(Exception):  # noqa: N818
        pass

    def leave(status: int) -> None:
        left.append(status)
        raise Left

    monkeypatch.setattr(team_module.os, "_exit", leave)
    with pytest.raises(Left):
        team_module._end_at_once(Loss(1, "no memory", "failed"), 0)
    assert left == [1]
    assert slept == ([team_module.GRACE] if by_itself else [])
    assert capsys.readouterr().err.count("error: rank 1: no memory") == (0 if by_itself else 1)
