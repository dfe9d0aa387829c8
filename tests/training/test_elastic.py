"""Elastic averaging against its equations in plain PyTorch, and the state of its workers."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from elastic_players import BATCH, MOVES, build, plainly, players, same, tensors
from torch import Tensor

from gansmith.system import sharing
from gansmith.training.elastic import Worker
from gansmith.training.engine import Events, play_until
from processes import together

STEPS = 20
CASES = [(name, *rates) for name in MOVES for rates in ((0.9, 1), (0.9, 3), (0.3, 10))]


def near(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> None:
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        torch.testing.assert_close(ours[name], value, rtol=1e-11, atol=1e-13, msg=lambda text, n=name: f"{n}: {text}")


def whole(name: str, beta: float, tau: int) -> tuple[dict[str, Tensor], list[Worker], list[dict[str, float]]]:
    """The centre here, the state of all workers at rank 0, and the losses of each step."""
    engine, networks, elastic = build(name, moving_rate=beta, period=tau)
    assert elastic is not None
    recorded: list[dict[str, float]] = []
    engine.add_event_handler(
        Events.ITERATION_COMPLETED,
        lambda e: recorded.append({player: float(terms["loss"]) for player, terms in e.state.output}),
    )
    play_until(engine, STEPS * BATCH)
    if sharing.share().rank:
        elastic.serve()
        return tensors(networks), [], recorded
    workers = elastic.workers()
    elastic.go_on()
    return tensors(networks), workers, recorded


def all_cases() -> list[tuple[dict[str, Tensor], list[Worker], list[dict[str, float]]]]:
    return [whole(*case) for case in CASES]


@pytest.mark.parametrize("world", [2, 4])
def test_the_equations(world: int) -> None:
    """Float64, uneven rows, a pull in each step or in some: the centre and every worker after twenty steps."""
    ranks = together(all_cases, world=world, limit=300)
    for number, (name, beta, tau) in enumerate(CASES):
        centre, workers, recorded = plainly(name, world, STEPS, beta=beta, tau=tau)
        near(ranks[0][number][0], centre)
        for state, expected in zip(ranks[0][number][1], workers, strict=True):
            near({f"{key}.{n}": v for key, player in state["players"].items() for n, v in player.items()}, expected)
        assert not same(workers[0], workers[1])
        for rank in ranks:
            assert same(rank[number][0], ranks[0][number][0])
            assert [[*step.values()] for step in rank[number][2]] == [
                pytest.approx([*step.values()], rel=1e-11) for step in recorded
            ]


def test_one_process_is_one_worker_and_a_centre() -> None:
    """Also alone the equations hold; the worker is plain training, to the bit, for as long as nothing has pulled it."""
    for name, beta, tau in CASES:
        centre, workers, _ = plainly(name, 1, STEPS, beta=beta, tau=tau)
        ours, (state,), _ = whole(name, beta, tau)
        near(ours, centre)
        near({f"{key}.{n}": v for key, player in state["players"].items() for n, v in player.items()}, workers[0])
    engine, networks, _ = build("adam", apart=False)
    play_until(engine, STEPS * BATCH)
    ours, (state,), _ = whole("adam", 0.9, STEPS)
    assert same(state["players"], {key: network.state_dict() for key, network in networks.items()})
    assert same(ours, tensors(players()))


def interrupted(first: int) -> bool:
    """Is a training that goes on from the state of all workers, on each rank, that which was never interrupted?"""
    ends = []
    for stops in ((STEPS,), (first, STEPS)):
        workers: list[Worker] = []
        centre: dict[str, dict[str, Tensor]] = {}
        step = 0
        for stop in stops:
            engine, networks, elastic = build("adam", moving_rate=0.9, period=3)
            assert elastic is not None
            stream: Any = engine._process_function.__self__.stream  # type: ignore[attr-defined]
            stream.drawn = step * BATCH
            for key, values in centre.items():
                networks[key].load_state_dict(values)
            elastic.load(workers)
            if sharing.share().rank == 0:
                assert elastic.workers() == workers  # of those that were loaded nobody is asked
            play_until(engine, stop * BATCH, step=step)
            step = stop
            told: list[Any] = [None]
            if sharing.share().rank == 0:
                told = [elastic.workers()]
                elastic.go_on()
            else:
                elastic.serve()
            torch.distributed.broadcast_object_list(told)
            workers = told[0]
            centre = {key: network.state_dict() for key, network in networks.items()}
        ends.append((workers, centre))
    return same(*ends) and len(ends[0][0]) == sharing.share().world


def test_resume_is_exact() -> None:
    """Also between two pulls, and at one."""
    for first in (7, 9):
        assert together(interrupted, first, world=2, limit=300) == [True, True]
