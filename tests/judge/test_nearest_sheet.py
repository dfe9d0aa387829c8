"""A sheet of samples, each beside its nearest training image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import gansmith
from gansmith.data.stream import normalised
from gansmith.errors import DataError, RunError
from gansmith.judge.nearest_sheet import with_nearest
from gansmith.latent.image_series import ImageSeries
from gansmith.records.images import to_uint8
from gansmith.runs.run import Run
from small import SMALL


def test_the_nearest_training_image_stands_beside_each_sample(tmp_path: Path) -> None:
    """Copies, the second of them mirrored: at distance 0, and shown mirrored."""
    real = np.random.default_rng(0).integers(0, 256, (80, 8, 8, 1), dtype=np.uint8)
    np.save(tmp_path / "real.npy", real)
    settings = {**SMALL, "path": str(tmp_path / "real.npy"), "fraction": 1.0, "holdout": 0, "images": 16}
    run = gansmith.train(**settings, out=str(tmp_path / "run"))
    copies = np.stack([real[7], real[30][:, ::-1]])
    pairs = with_nearest(run, ImageSeries(normalised(torch.from_numpy(copies)), labels=("4", "9")))
    assert pairs.labels[::2] == ("4", "9")
    assert [float(label) for label in pairs.labels[1::2]] == [0, 0]
    np.testing.assert_array_equal(to_uint8(pairs.images), copies.repeat(2, axis=0))
    sheet = with_nearest(run, run.sample(range(6)))
    assert len(sheet) == 12
    assert sheet.columns is not None
    assert sheet.columns % 2 == 0
    known = {image.tobytes() for image in (*real, *real[:, :, ::-1])}
    assert all(image.tobytes() in known for image in to_uint8(sheet.images)[1::2])
    (tmp_path / "real.npy").unlink()
    with pytest.raises(DataError, match=r"training images.*real\.npy"):
        with_nearest(run, run.sample([0]))
    with pytest.raises(RunError, match="model without its run"):
        with_nearest(Run(run.path / "model"), run.sample([0]))
