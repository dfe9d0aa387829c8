"""An image of the user's, inverted by a run: from a file, or as a tensor."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import gansmith
from gansmith.errors import DataError
from gansmith.runs.run import Run
from small import SMALL


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return gansmith.train(**SMALL, out=str(tmp_path_factory.mktemp("own") / "run"))


def test_a_file_and_its_tensor_have_the_same_latent(run: Run, tmp_path: Path) -> None:
    run.sample([5]).save(tmp_path / "one", metadata=False)  # a file each: exact pixels
    (tmp_path / "one" / "5.png").rename(tmp_path / "mine.png")
    seed = run.sample([5]).images
    by_file, by_tensor = (run.invert(one, restarts=2, steps=20) for one in (tmp_path / "mine.png", seed))
    assert by_file.latent.name == "mine"
    assert by_file.image.shape == seed.shape[1:]
    torch.testing.assert_close(by_file.latent.values, by_tensor.latent.values, atol=0.2, rtol=0)
    assert by_tensor.better


def test_a_file_that_is_no_image(run: Run, tmp_path: Path) -> None:
    (tmp_path / "no.png").write_text("no")
    with pytest.raises(DataError, match=r"no\.png"):
        run.invert(tmp_path / "no.png")
