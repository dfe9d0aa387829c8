"""Every statistic of a batch is that of one process's, and a reduction that is left out is seen in its row."""

from __future__ import annotations

import pytest
import torch
from statistics_rows import COUNT, SLOW, TABLE, Results
from torch import Tensor

from gansmith import adversarial
from gansmith.system import sharing
from processes import together


def everything() -> dict[str, list[Results]]:
    """Of one rank: each row as it is, and without its reduction."""
    results = {}
    for name, row in TABLE.items():
        with sharing.part_of(COUNT):
            torch.manual_seed(5)
            results[name] = [row.play()]
            kept = [(module, key, getattr(module, key)) for module, key, _ in row.without]
            for module, key, instead in row.without:
                setattr(module, key, instead)
            torch.manual_seed(5)
            results[name].append(row.play())
            for module, key, value in kept:
                setattr(module, key, value)
    return results


@pytest.fixture(scope="module", params=[2, 3])
def ranks(request: pytest.FixtureRequest) -> list[dict[str, list[Results]]]:
    return together(everything, world=request.param, limit=SLOW)


def differences(of_ranks: list[Results], expected: Results) -> list[str]:
    """What differs from one process by more than rounding."""
    wrong = []
    for key, value in expected.items():
        parts = [results[key] for results in of_ranks]
        if key.startswith("same") and not all(torch.equal(part, parts[0]) for part in parts):
            wrong.append(f"{key} differs between ranks")
        ours = _whole(key, parts)
        if ours.shape != value.shape or not torch.allclose(ours.double(), value.double(), rtol=1e-12, atol=1e-13):
            wrong.append(f"{key}: {ours} and not {value}")
    return wrong


def _whole(key: str, parts: list[Tensor]) -> Tensor:
    if key.startswith("rows"):
        return torch.cat(parts)
    return torch.stack(parts).sum(0) if key.startswith("sum") else parts[0]


@pytest.mark.parametrize("name", TABLE)
def test_several_processes_compute_the_statistic_of_one(name: str, ranks: list[dict[str, list[Results]]]) -> None:
    torch.manual_seed(5)
    expected = TABLE[name].play()
    assert expected
    assert differences([rank[name][0] for rank in ranks], expected) == []


@pytest.mark.parametrize("name", TABLE)
def test_a_reduction_left_out_is_seen(name: str, ranks: list[dict[str, list[Results]]]) -> None:
    torch.manual_seed(5)
    assert differences([rank[name][1] for rank in ranks], TABLE[name].play()) != []


def shares_of_scores() -> list[Tensor]:
    """held_real of 1 to 10 of 10 images that score above 0, in float32."""
    with sharing.part_of(10):
        rows = sharing.rows_of(torch.arange(10.0))
        return [adversarial.seen_of(number - rows, rows, 0.0)["held_real"] for number in range(1, 11)]


def test_what_is_compared_with_a_target_is_that_of_one_process_to_the_bit() -> None:
    """A probability that adapts would else depend on rounding where the share is the target."""
    with sharing.joined_as(sharing.Share()):
        expected = shares_of_scores()
    for rank in together(shares_of_scores, world=3, limit=SLOW):
        assert torch.equal(torch.stack(rank), torch.stack(expected))
