"""Settings that no memory holds are refused before anything is allocated, and leave no folder behind."""

from __future__ import annotations

import resource
import time
from pathlib import Path
from typing import Any

import pytest

import gansmith
from gansmith.errors import GansmithError
from gansmith.experiment.assemble import assemble
from gansmith.experiment.with_data import with_data
from gansmith.runs.dry_run import dry_run_report
from gansmith.runs.train import experiment_from
from gansmith.system import allocation, memory
from gansmith.training import out_of_memory
from gansmith.training.forecast import FEW

SMALL: dict[str, Any] = {"images": 64, "batch": 16, "generator": {"width": 4}, "discriminator": {"width": 4}}

HUGE: list[tuple[list[str], str]] = [
    (["workers=99999999999999999999"], "from 0 to 512"),
    (["workers=9999"], "from 0 to 512"),
    (["threads=99999999999999999999"], "from 1 to 1,024"),
    (["threads=1000000"], "from 1 to 1,024"),
    (["batch=99999999999999999999"], "from 1 to 1,000,000"),
    (["batch=2147483647"], "from 1 to 1,000,000"),
    (["batch=1000000"], r"GiB.*--batch"),
    (["batch=1000000", "accumulate=1000000", "data.size=4096"], r"1,000,000 images, 4096x4096.*GiB.*--batch"),
    (["accumulate=1000000000"], "1000000000"),
    (["sheet=1000000000"], "from 1 to 10,000"),
    (["sheet=10000", "data.size=2048"], r"10,000 images, 2048x2048.*GiB.*sheet"),
    (["data.size=99999999"], "from 1 to 65,535"),
    (["data.size=65535"], "128 million"),
    (["data.size=11000", "batch=1000"], r"11000x11000.*GiB.*--size"),
    (["prior.size=99999999999999999999"], "from 1 to"),
    (["prior.size=1000000000"], r"1,000,000,000 numbers.*GiB.*prior.size"),
    (["metrics.names=kid", "metrics.samples=2000000000"], r"2,000,000,000 images.*GiB.*metrics.samples"),
    (["images=1e30"], "from 1 to"),
    (["record_every=1e30"], "from 1 to"),
    (["samples_every=1e30"], "1e30|from"),
    (["checkpoint_every=1e30"], "from 1 to"),
    (["keep_every=1e30"], "from 0 to"),
    (["metrics.every=1e30"], "from 1 to"),
    (["stop.patience=1e30"], "from 1 to"),
    (["generator=dcgan", "generator.extra_layers=99999999"], "from 0 to 1,000"),
    (["generator=mlp", "generator.depth=1000000000"], "from 1 to 1,000"),
    (["generator.width=99999999999999999999"], "from 1 to"),
    (["recipe=dcgan_fast", "generator.width=100000000"], r"width=100000000.*GiB"),
]


def set_free_memory(monkeypatch: pytest.MonkeyPatch, gibibytes: float) -> None:
    """As much is free as the test says, whatever the machine has and other processes take."""
    for module in (memory, allocation, out_of_memory):
        monkeypatch.setattr(module, "available", lambda: int(gibibytes * 2**30))


@pytest.fixture(autouse=True)
def free_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    set_free_memory(monkeypatch, 10)


@pytest.mark.parametrize(("assignments", "facts"), HUGE)
def test_huge_settings(assignments: list[str], facts: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path / "cache"))
    before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    with pytest.raises(GansmithError, match=facts) as raised:
        gansmith.train("digits", **SMALL, assignments=assignments, out="new")
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "new").exists()
    assert time.process_time() - begun < 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500 << 10


def test_a_dry_run_refuses_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    experiment, sources = experiment_from("digits", environment={}, **{**SMALL, "batch": 1_000_000})
    with pytest.raises(GansmithError, match=r"1,000,000 images.*GiB.*--batch"):  # the images alone need 12.4 GiB
        dry_run_report(experiment, sources)
    set_free_memory(monkeypatch, 13)  # room for the images, and not for the networks' passes
    said = dry_run_report(experiment, sources)
    assert "13.0 GiB are free" in said
    assert "--batch" in said


def test_a_few_images_do_not_move_the_stream() -> None:
    experiment, _ = experiment_from("digits", environment={}, **SMALL)
    parts = assemble(*with_data(experiment))
    few = parts.few_images(FEW)
    assert len(few["real"].image) == FEW
    assert parts.stream.drawn == 0
    assert parts.first_batch()["real"].image.shape[0] == 16
