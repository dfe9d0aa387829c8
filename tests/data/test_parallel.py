"""Worker processes: the same items in the same order, errors where they arise, and an end in every case."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest
import torch
from counted_dataset import IMAGES, LABELS, noise
from numpy.testing import assert_array_equal

from gansmith.data.dataset import Arrays, Dataset, Listed
from gansmith.errors import DataError, OptionError, UnreadableImageError
from living import living_children

# ---------------------------------------------------------------- parallel


class Fragile(Dataset):
    """Twelve arrays; number 5 cannot be read. Says which process made it."""

    def __len__(self) -> int:
        return 12

    def one(self, index: int) -> dict[str, Any]:
        if index == 5:
            raise UnreadableImageError("five.png cannot be decoded")
        return {"value": np.full(3, index, np.uint8), "process": os.getpid()}


class Fatal(Dataset):
    def __len__(self) -> int:
        return 4

    def one(self, index: int) -> int:
        if index == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return index


def test_two_workers_give_what_none_gives_in_order() -> None:
    data = Arrays(IMAGES, LABELS).augment(noise, seed=4, field="label").batch(size=3)
    alone, together = list(data.parallel(workers=0)), list(data.parallel(workers=2))
    assert len(alone) == len(together) == len(data.parallel(workers=2)) == 4
    for a, b in zip(alone, together, strict=True):
        assert type(b.image) is np.ndarray
        assert_array_equal(a.image, b.image)
        assert_array_equal(a.label, b.label)


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_arrives_as_it_was_raised_at_its_item(workers: int) -> None:
    seen: list[int] = []
    values = (seen.append(int(item["value"][0])) for item in Fragile().parallel(workers=workers, start=2))
    with pytest.raises(UnreadableImageError) as caught:
        list(values)
    assert str(caught.value) == "five.png cannot be decoded"
    assert seen == [2, 3, 4]
    assert caught.type is UnreadableImageError
    assert not living_children()


def test_the_items_are_really_made_elsewhere_and_workers_end_when_dropped() -> None:
    iterator = iter(Fragile().parallel(workers=2, start=6))
    processes = {next(iterator)["process"] for _ in range(6)}
    assert len(processes) == 2
    assert os.getpid() not in processes
    iterator = iter(Fragile().parallel(workers=2))
    next(iterator)
    assert len(living_children()) >= 2
    del iterator
    deadline = time.monotonic() + 240
    while living_children() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not living_children()


def test_workers_leave_the_global_random_numbers_alone() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    assert list(Listed([1, 2]).parallel(workers=1)) == [1, 2]
    torch.testing.assert_close(torch.get_rng_state(), before)


def test_a_signal_to_the_group_does_not_end_the_workers() -> None:
    iterator = iter(Listed(list(range(40))).parallel(workers=1))
    assert next(iterator) == 0
    for child in living_children():
        child.send_signal(signal.SIGINT)
        child.send_signal(signal.SIGTERM)
    assert list(iterator) == list(range(1, 40))


def test_a_program_that_ends_early_does_not_wait_for_its_workers() -> None:
    program = (
        "from gansmith.data.dataset import Listed\n"
        "items = iter(Listed(list(range(1000))).parallel(workers=2))\n"
        "print(next(items))\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=240, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "0\n", "")


def test_a_killed_worker_is_explained() -> None:
    with pytest.raises(DataError, match=r"worker process .* killed.*fewer workers"):
        list(Fatal().parallel(workers=1))


def test_by_index_it_is_a_dataset_like_the_others() -> None:
    items = Listed(list(range(10))).parallel(workers=2, start=3)
    assert (len(items), items[0], items[-1], items[[0, 2]].tolist(), items[1:3].tolist()) == (7, 3, 9, [3, 5], [4, 5])
    with pytest.raises(IndexError, match="index 7 is outside a dataset of 7"):
        items[7]
    with pytest.raises(AttributeError, match="no operator 'suffle'"):
        items.suffle(seed=0)


def test_what_is_put_round_it_is_done_by_the_workers() -> None:
    items = Listed(list(range(10))).parallel(workers=2, start=1).load(lambda n: (n, os.getpid()))
    assert [item[0] for item in items] == list(range(1, 10))
    assert len({item[1] for item in items} - {os.getpid()}) == 2
    assert [batch.tolist() for batch in Listed(list(range(5))).parallel(workers=2).batch(size=2)] == [
        [0, 1],
        [2, 3],
        [4],
    ]
    halves = Listed(list(range(6))).parallel(workers=1).split(shares={"a": 0.5, "b": 0.5}, seed=0)
    assert sorted([*halves["a"], *halves["b"]]) == list(range(6))
    again = Listed([1, 2]).parallel(workers=1).parallel(workers=0)
    assert list(again) == [1, 2]


def test_parallel_options() -> None:
    numbers = Listed([1, 2, 3])
    assert list(numbers.parallel(workers=0, start=3)) == []
    assert list(numbers.parallel(workers=1, start=3)) == []
    for options, message in [
        ({"workers": -1}, r"workers .*0.*512.*-1"),
        ({"workers": 10**9}, r"workers .*0.*512.*1000000000"),
        ({"workers": 1, "start": 4}, "cannot start at item 4 of 3"),
        ({"workers": 1, "ahead": 0}, r"ahead .*1.*1,000.*0"),
    ]:
        with pytest.raises(OptionError, match=message):
            numbers.parallel(**options)


def test_more_workers_than_cores_are_no_warning_of_torch() -> None:
    workers = len(os.sched_getaffinity(0)) + 1
    assert len(list(Arrays(IMAGES, LABELS).parallel(workers=workers))) == len(IMAGES)
