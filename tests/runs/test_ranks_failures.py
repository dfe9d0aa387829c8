"""What fails on one of two processes in the middle of a training ends both within seconds, by one line that says
why: a run folder that vanishes or cannot be written, a feature extractor that raises, at either rank."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
from test_ranks import AWAKE, SLOW, wait_for_a_record

from forked import Forked
from gansmith.runs.run import Run
from gansmith.system.launcher import LOST
from ranks import WITHIN, ranks
from small import OPTIONS

SETTINGS = ["metrics.names=kid,precision_recall", "metrics.features=pixels", "metrics.every=32", "metrics.samples=200"]
METRICS = [word for setting in SETTINGS for word in ("--set", setting)]
ELASTIC = [word for setting in ("engine=elastic", "batch_statistics=local") for word in ("--set", setting)]


def ends_of(processes: list[Forked]) -> tuple[list[int | None], list[str]]:
    """Exit statuses, and what each said, of two that end one after the other, within WITHIN seconds."""
    deadline = time.monotonic() + 240
    while not any(process.poll() is not None for process in processes):
        assert time.monotonic() < deadline, "neither has ended"
        time.sleep(0.05)
    begun = time.monotonic()
    for process in processes:
        process.process.join(WITHIN)
    assert time.monotonic() - begun < WITHIN
    said = [process.communicate()[1] for process in processes]
    return [process.returncode for process in processes], said


def fault(rank: int, kind: str, count: int) -> str:
    """Code that makes the extractor of one rank raise when it is called for the count-th time."""
    return f"""
import os
if os.environ["RANK"] == "{rank}":
    import gansmith.runs.measured_sides as sides, gansmith.runs.team as team
    team._VERDICT = 0.2  # seconds in which it would be told that it is another one that failed
    from gansmith.errors import DataError
    of, calls = sides.side_of, iter(range(1, 1000))
    def broken(*arguments, **options):
        if next(calls) == {count}:
            raise {kind}("no such features")
        return of(*arguments, **options)
    sides.side_of = broken
"""


@pytest.mark.parametrize(
    ("rank", "kind", "count"),
    [(0, "DataError", 3), (1, "DataError", 3), (1, "RuntimeError", 1), (1, "RuntimeError", 2)],
)
def test_an_extractor_that_raises(rank: int, kind: str, count: int, tmp_path: Path) -> None:
    """Of real images, of the first samples, and of later ones; the other rank waits for its part then."""
    arguments = ["train", *OPTIONS, *METRICS, "--no-ruler", "--out", tmp_path / "run"]
    with ranks(2, *arguments, before=fault(rank, kind, count)) as processes:
        statuses, (said, other) = ends_of(processes)
    assert statuses == ([1, LOST] if rank == 0 else [1, 1])
    assert said.count("error: ") == 1, said
    assert "no such features" in said
    assert ("error: rank 1: " in said) == (rank == 1)
    assert "Traceback" not in said
    assert other.count("Traceback") == (1 if kind == "RuntimeError" else 0)
    assert other.count("error: ") == 0


@pytest.mark.parametrize("more", [[], ELASTIC], ids=["all_reduce", "elastic"])
def test_a_run_folder_that_is_removed_while_it_is_trained(more: list[str], tmp_path: Path) -> None:
    """Rank 0 sees it before or after a measurement, and saves everything elsewhere; the other has gone on to that."""
    out, kept = tmp_path / "run", tmp_path / "run-saved"
    with ranks(2, "train", *OPTIONS, *METRICS, *SLOW, *more, "--no-ruler", "--out", out) as processes:
        wait_for_a_record(out, processes)
        while out.exists():
            shutil.rmtree(out, ignore_errors=True)  # something may just be written
        statuses, (said, other) = ends_of(processes)
    assert (statuses, other) == ([1, LOST], "")
    assert said.count("error: ") == 1, said
    assert f"{out} was removed while it was trained" in said
    assert 32 <= Run(kept, trust=True).checkpoint()["images"] < 320
    with ranks(2, "resume", kept, "--trust", "--no-ruler", before=AWAKE) as processes:
        said = processes[0].communicate(timeout=240)[1]
    assert processes[0].returncode == 0, said


REMOVED = """
import os, shutil
if os.environ["RANK"] == "0":
    import {module}
    owner = {owner}
    of, calls = owner.{name}, iter(range(1, 1000))
    def removing(*arguments, **options):
        if next(calls) == {count}:
            shutil.rmtree({out!r})
        return of(*arguments, **options)
    owner.{name} = removing
"""
MOMENTS = {
    "before a measurement": ("gansmith.training.averaging.Averaging", "update", 4, 64),
    "in a sheet": ("gansmith.runs.sample_sheets", "draw_sheet", 2, 160),
    "in a measurement": ("gansmith.runs.measured_sides", "side_of", 3, 64),
    "in the last sheet": ("gansmith.runs.sample_sheets", "draw_sheet", 3, 320),
    "in the closing measurement": ("gansmith.runs.measured_sides", "side_of", 12, 320),
}


@pytest.mark.parametrize(
    ("moment", "more"),  # in a sheet or a measurement the other rank waits in the same way, whichever engine it is
    [*((moment, []) for moment in MOMENTS), ("before a measurement", ELASTIC), ("in the closing measurement", ELASTIC)],
)
def test_a_run_folder_that_is_removed(moment: str, more: list[str], tmp_path: Path) -> None:
    out, kept = tmp_path / "run", tmp_path / "run-saved"
    owner, name, count, images = MOMENTS[moment]
    module = owner.removesuffix(".Averaging")
    before = REMOVED.format(module=module, owner=owner, name=name, count=count, out=str(out))
    with ranks(2, "train", *OPTIONS, *METRICS, *more, "--no-ruler", "--out", out, before=before) as processes:
        statuses, (said, other) = ends_of(processes)
    assert (statuses, other) == ([1, LOST], ""), said
    assert said.count("error: ") == 1, said
    assert f"{out} was removed while it was trained" in said
    assert Run(kept).checkpoint()["images"] == images


def test_a_sheet_that_cannot_be_written(tmp_path: Path) -> None:
    """A file stands where the folder of sheets was; the other rank waits in a measurement."""
    out = tmp_path / "run"
    block = REMOVED.replace(
        "shutil.rmtree({out!r})", "shutil.rmtree({out!r} + '/samples'); open({out!r} + '/samples', 'w')"
    )
    before = block.format(
        module="gansmith.runs.sample_sheets",
        owner="gansmith.runs.sample_sheets",
        name="draw_sheet",
        count=2,
        out=str(out),
    )
    with ranks(2, "train", *OPTIONS, *METRICS, "--no-ruler", "--out", out, before=before) as processes:
        statuses, (said, other) = ends_of(processes)
    assert (statuses, other) == ([1, LOST], ""), said
    assert said.count("error: ") == 1, said
    assert "samples" in said


def test_a_failure_without_a_name_of_ours_on_rank_0(tmp_path: Path) -> None:
    with ranks(
        2, "train", *OPTIONS, *METRICS, "--no-ruler", "--out", tmp_path / "run", before=fault(0, "RuntimeError", 2)
    ) as processes:
        statuses, (said, other) = ends_of(processes)
    assert (statuses, other) == ([1, LOST], "")
    assert said.count("RuntimeError: no such features") == 1
