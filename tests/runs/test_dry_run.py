"""What `train --dry-run` says: each value with its source, and figures that can be checked."""

from __future__ import annotations

import re
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

import gansmith
from gansmith.errors import DataError, ExperimentError, OutOfMemoryError, RunError, UnknownNameError
from gansmith.experiment.assemble import assemble
from gansmith.experiment.schema import Experiment
from gansmith.experiment.settings import Part
from gansmith.experiment.with_data import with_data
from gansmith.runs.dry_run import dry_run_report
from gansmith.runs.train import experiment_from
from gansmith.training.forecast import Forecast
from small import SMALL


def said(**fields: Any) -> str:
    return dry_run_report(*experiment_from(environment={}, **{**SMALL, **fields}), full=True)


def test_every_set_value_has_its_source_and_the_rest_none(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("discriminator: {width: 2, slope: 0.1}\noptimizer: {generator: {betas: [0, 0.9]}}\nseed: 1\n")
    recipe = tmp_path / "mine.yaml"
    recipe.write_text(
        "data: {path: digits, size: 32, channels: 1}\ngenerator: {name: dcgan, width: 32}\n"
        "images: 20k\nprior: {size: 8}\n"
    )
    experiment, sources = experiment_from(
        recipe=str(recipe),
        config=own,
        environment={"GANSMITH_DATA__SIZE": "8", "GANSMITH_THREADS": "1"},
        batch=16,
        assignments=["generator.width=4", "averaging.half_life={start: 5, decay: 1k}", "data.fraction=0.2"],
    )
    text = dry_run_report(experiment, sources, full=True)
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    noted = [line.split("  # ") for line in lines if "  # " in line]
    found = {(line.split(":")[0].strip(), source) for line, source in noted}
    assert found == {
        *((name, f"recipe {recipe}") for name in ("recipe", "path", "channels", "name", "images", "size")),
        *((name, str(own)) for name in ("width", "slope", "betas", "seed")),
        *((name, "environment") for name in ("size", "threads")),
        ("batch", "arguments"),
        *((name, "--set") for name in ("width", "half_life", "fraction")),
    }
    assert re.search(r"  size: 8x8 +# environment\n", text)
    assert re.search(r"  width: 4 +# --set\n", text)
    assert re.search(r"  width: 2 +# .*own\.yaml\n", text)
    assert re.search(r"^accumulate: 1$", text, re.MULTILINE)


def test_the_text_is_the_experiment_and_can_be_given_as_config(tmp_path: Path) -> None:
    folder = "very/" * 40 + "long"  # longer than a line of YAML would be
    text = said(out=folder, assignments=["optimizer.generator.lr={phases: {0: 1e-4, 1k: 1e-5}}"])
    plain = yaml.safe_load(text)
    assert plain["out"] == folder
    assert plain["optimizer"]["generator"]["lr"] == {"phases": {"0": 1e-4, "1000": 1e-5}}
    (tmp_path / "again.yaml").write_text(text)
    again = dry_run_report(*experiment_from(config=tmp_path / "again.yaml", environment={}), full=True)
    assert yaml.safe_load(again) == plain


def test_parameters_data_and_folder() -> None:
    text = said(out="here")
    experiment, data = with_data(experiment_from(environment={}, **SMALL)[0])
    players = assemble(experiment, data).game.players
    for name, player in players.items():
        assert f"# {name}: {sum(p.numel() for p in player.parameters()):,} parameters\n" in text
    assert "# warning: only 359 images" in text
    short = dry_run_report(*experiment_from(environment={}, **SMALL, out="here"))
    lines = short.splitlines()
    assert lines[0] == (
        "recipe    none: game two_player, generator dcgan, discriminator dcgan, objective nonsaturating"
    )
    assert lines[1] == "data      digits: 270 to train on, 89 held out, 8x8, grey"
    assert lines[2] == "training  320 images in batches of 16: 20 steps"
    assert lines[3] == "machine   cpu, float32, channels_last"
    assert re.match(
        r"forecast  about \d+:\d\d \(h:mm:ss or m:ss\), \d+\.\d{3} s, \S+ GFLOP and about \S+ GiB a step$", lines[4]
    )
    assert lines[5] == "output    here"
    assert any(line.startswith("warning: only 359 images") for line in lines[6:])
    assert lines[-1].endswith("--full")
    assert [line.removeprefix("# ") for line in text.splitlines()[:4]] == lines[:4]


def test_operations_of_fully_connected_networks_by_hand() -> None:
    """A product of B x i and i x o is 2Bio operations; so is each of its two gradients."""
    batch, latent, width = 32, 6, 10
    text = said(
        path="ring",
        generator={"name": "mlp", "width": width, "depth": 2},
        discriminator={"name": "mlp", "width": width, "depth": 1},
        prior={"size": latent},
        batch=batch,
        size=None,
        fraction=None,
    )
    generator = [2 * batch * i * o for i, o in pairwise([latent, width, width, 2])]
    discriminator = [2 * batch * i * o for i, o in pairwise([2, width, 1])]
    # real and fake forward, gradients of all weights, gradients of all inputs but the images
    first = sum(generator) + 2 * (2 * sum(discriminator) + sum(discriminator[1:]))
    # forward, the discriminator's inputs only, the generator's weights, its inputs but the latents
    second = 2 * sum(generator) + sum(generator[1:]) + 2 * sum(discriminator)
    found = re.search(r"# forecast .* (\S+) GFLOP and about (\S+) GiB a step\n", text)
    assert found
    assert float(found[1]) == pytest.approx((first + second) / 1e9, rel=5e-3)
    assert 0 < float(found[2]) < 0.01


def test_too_little_memory_is_a_warning_and_nothing_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gansmith.training.forecast.free_memory", lambda device: 2**10)
    monkeypatch.setattr("gansmith.runs.dry_run.timed", None)
    text = said()
    assert "# warning: a step needs about 0.0 GiB and 0.0 GiB are free: halve the batch (--batch), or play it" in text
    assert re.search(r"# forecast  \S+ GFLOP", text)


def test_an_allocation_that_fails_while_timing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> Forecast:
        raise MemoryError

    monkeypatch.setattr("gansmith.runs.dry_run.timed", fails)
    with pytest.raises(OutOfMemoryError, match=r"out of memory at batch 16\. Halve it"):
        said()


def test_what_would_be_taken_from_another_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="there is no run nowhere"):
        said(start_from="nowhere")
    other = gansmith.train(**{**SMALL, "images": 16}, out=str(tmp_path / "other"))
    count = len(other.checkpoint()["players"]["generator"])
    text = said(start_from=other.path)
    taken = f"# generator: {count} of {count} tensors (100% of its weights) from {other.path}"
    assert taken in text
    begun = gansmith.train(**{**SMALL, "images": 16, "start_from": str(other.path)}, out=str(tmp_path / "begun"))
    shutil.rmtree(other.path)  # a run that goes on takes nothing again
    assert taken not in said(start_from=other.path, out=str(begun.path))


def test_code_from_outside_needs_trust() -> None:
    with pytest.raises(UnknownNameError, match="add --trust"):
        dry_run_report(Experiment(game=Part(name="toys.spoiled")), {})
    assert "name: toys.spoiled" in said(game="toys.spoiled")


def test_a_time_is_about_so_many_images(tmp_path: Path) -> None:
    """As many as the steps that were timed allow; where a run has a number already, that one."""
    own = {name: value for name, value in SMALL.items() if name != "images"}
    lines = dry_run_report(*experiment_from(environment={}, **own, time="1m")).splitlines()
    found = re.match(r"training  1m: about ([\d,]+) images in batches of 16: ([\d,]+) steps$", lines[2])
    assert found, lines[2]
    images, steps = (int(number.replace(",", "")) for number in found.groups())
    assert images == 16 * steps > 16
    assert re.match(r"forecast  about 1:0\d ", lines[4]) or re.match(r"forecast  about 0:5\d ", lines[4])
    run = gansmith.train(**SMALL, out=str(tmp_path / "run"))
    seconds = run.records[-1]["seconds"] * 2
    lines = dry_run_report(*experiment_from(environment={}, **own, time=f"{seconds}s", out=str(run.path))).splitlines()
    assert re.search(r"about (63\d|64\d) images", lines[2]), lines[2]


def lines_of(processes: tuple[int, int], **fields: Any) -> list[str]:
    experiment, sources = experiment_from(environment={}, **{**SMALL, **fields})
    return dry_run_report(experiment, sources, processes=processes).splitlines()


def test_of_several_processes_it_says_what_each_has_and_the_machine() -> None:
    threads = torch.get_num_threads()
    lines = lines_of((3, 3), threads=1)
    assert lines[2] == "training  320 images in batches of 16: 20 steps"
    assert lines[3].endswith("; 3 processes, each with 1 thread and 5 or 6 of 16 images")
    found = re.search(r" about (\S+) GiB in each process \((\S+) GiB on the machine\) a step$", lines[4])
    assert found, lines[4]
    assert float(found[2]) == pytest.approx(3 * float(found[1]), rel=0.02)
    assert "wait for each other" in lines[4]
    assert any("as fast as one" in line for line in lines[6:])
    lines = lines_of((4, 2), threads=1, accumulate=2)
    assert lines[3].endswith("; 4 processes (2 on a machine), each with 1 thread and 2 of 8 images, 2 times a step")
    assert not any("process" in line for line in lines_of((1, 1), threads=1))
    torch.set_num_threads(threads)


def test_more_processes_than_images_are_refused_before_the_images_are_read(tmp_path: Path) -> None:
    nothing = {"path": str(tmp_path / "nothing")}
    with pytest.raises(ExperimentError, match="17 processes cannot share 16 images: at most 16 processes can"):
        lines_of((17, 17), **nothing)
    with pytest.raises(ExperimentError, match="9 processes cannot share 8 images"):
        lines_of((9, 9), accumulate=2, **nothing)
    with pytest.raises(DataError):
        lines_of((16, 16), **nothing)
