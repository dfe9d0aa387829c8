"""What a blind test shows of a run, or of two."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from gansmith.data.prepare import prepare
from gansmith.errors import DataError, OptionError, RunError
from gansmith.evaluation.generated_images import generated_images
from gansmith.judge.blind_test import blind_test
from gansmith.judge.opened import open_for_judging
from gansmith.runs.run import Run
from gansmith.runs.train import train
from small import SMALL


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("runs")
    for name, seed in (("one", 0), ("two", 1)):
        train(**{**SMALL, "holdout": 0.17, "images": 64}, seed=seed, out=str(folder / name))
    return folder / "one", folder / "two"


def rows(images: NDArray[np.uint8]) -> set[bytes]:
    return {image.tobytes() for image in images}


def held_out(run: Path) -> tuple[set[bytes], set[bytes]]:
    prepared = prepare(Run(run).experiment.data)
    assert prepared.holdout is not None
    return (
        rows(np.asarray(prepared.train[np.arange(len(prepared.train))].image)),
        rows(np.asarray(prepared.holdout[np.arange(len(prepared.holdout))].image)),
    )


def test_real_ones_are_held_out_images_and_made_ones_are_samples(runs: tuple[Path, Path]) -> None:
    test = blind_test([runs[0]], device="cpu")
    truth = np.array(test.truth)
    train_rows, held = held_out(runs[0])
    real, made = rows(test.shown[~truth, 0]), rows(test.shown[truth, 0])
    assert real <= held
    assert len(real) == (~truth).sum()
    assert not made & (held | train_rows)
    assert len(made) == truth.sum()
    assert test.shown.shape == (40, 1, 8, 8, 1)
    assert 8 < truth.sum() < 32
    assert "held out" in test.reals


def test_the_seed_decides_everything(runs: tuple[Path, Path]) -> None:
    one, again, other = (blind_test([runs[0]], device="cpu", seed=seed) for seed in (0, 0, 1))
    assert (one.test, one.truth) == (again.test, again.truth)
    assert one.truth != other.truth
    assert not rows(one.shown[np.array(one.truth), 0]) & rows(other.shown[np.array(other.truth), 0])


def test_the_coins_are_fair_and_free_of_what_was_before(runs: tuple[Path, Path]) -> None:
    truths = np.array([blind_test(runs, device="cpu", looks=10, seed=seed).truth for seed in range(40)])
    assert 160 < truths.sum() < 240
    assert 140 < (truths[:, 1:] == truths[:, :-1]).sum() < 220


def test_too_few_held_out_images_are_replaced_by_training_images_and_it_is_said(runs: tuple[Path, Path]) -> None:
    test = blind_test([runs[0]], looks=200, device="cpu")
    train_rows, held = held_out(runs[0])
    real = rows(test.shown[~np.array(test.truth), 0])
    assert real <= train_rows
    assert not real & held
    assert "training images" in test.reals
    assert f"held out {len(held)}" in test.reals


def test_of_two_runs_the_left_image_is_of_the_run_that_the_truth_says(runs: tuple[Path, Path]) -> None:
    test = blind_test(runs, device="cpu", looks=12, seed=3)
    assert (test.kind, test.names, test.reals) == ("a or b", ("one", "two"), "")
    first = np.array([pair[0 if left else 1] for pair, left in zip(test.shown, test.truth, strict=True)])
    swapped = blind_test([runs[1], runs[0]], device="cpu", looks=12, seed=3)
    other_first = np.array([pair[0 if left else 1] for pair, left in zip(swapped.shown, swapped.truth, strict=True)])
    assert not (first == other_first).all(axis=(1, 2, 3)).any()
    renderer = open_for_judging(Run(runs[0]), "generator", device="cpu").renderer()
    of_first = generated_images(renderer, range(64)).mean(axis=0)
    of_second = generated_images(open_for_judging(Run(runs[1]), "generator", device="cpu").renderer(), range(64)).mean(
        axis=0
    )
    nearer = np.abs(first - of_first).sum((1, 2, 3)) < np.abs(first - of_second).sum((1, 2, 3))
    assert nearer.all()


def test_checkpoints_and_names_that_are_alike(runs: tuple[Path, Path]) -> None:
    test = blind_test([f"{runs[0]}@latest", runs[0]], device="cpu", looks=10)
    assert test.names == ("one@latest", "one")


def test_other_real_images(runs: tuple[Path, Path]) -> None:
    np.save(runs[0].parent / "flat.npy", np.full((30, 8, 8, 1), 7, np.uint8))
    test = blind_test([runs[0]], against=str(runs[0].parent / "flat.npy"), looks=20, device="cpu")
    assert (test.shown[~np.array(test.truth), 0] == 7).all()
    assert "drawn from flat" in test.reals
    with pytest.raises(DataError, match=r"30 real images.*--looks"):
        blind_test([runs[0]], against=str(runs[0].parent / "flat.npy"), looks=200, device="cpu")


def test_models_without_their_run_need_real_images(runs: tuple[Path, Path]) -> None:
    with pytest.raises(OptionError, match="--against"):
        blind_test([runs[0] / "model"], device="cpu")
    assert blind_test([runs[0] / "model"], against="digits", device="cpu").reals.startswith("drawn from digits")


def test_what_cannot_be_tested_is_refused(runs: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="3 runs"):
        blind_test([*runs, runs[0]], device="cpu")
    with pytest.raises(OptionError, match="twice"):
        blind_test([runs[0], runs[0]], device="cpu")
    with pytest.raises(OptionError, match="looks = 5"):
        blind_test([runs[0]], looks=5, device="cpu")
    with pytest.raises(OptionError, match="--against"):
        blind_test(runs, against="digits", device="cpu")
    with pytest.raises(RunError):
        blind_test([tmp_path / "nothing"], device="cpu")
    wide = train(**{**SMALL, "size": 16, "images": 16}, out=str(tmp_path / "wide"))
    with pytest.raises(DataError, match=r"8x8x1.*16x16x1"):
        blind_test([runs[0], wide.path], device="cpu")
