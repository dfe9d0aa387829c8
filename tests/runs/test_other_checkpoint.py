"""A run whose checkpoint is of another network: one line, and the model files still sample."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import gansmith
from gansmith import Run
from gansmith.errors import CheckpointError


def test_raw_weights_of_another_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for out, width in (("one", 4), ("other", 6)):
        part = {"name": "dcgan", "width": width}
        gansmith.train("digits", images=16, batch=16, generator=part, discriminator=part, out=out)
    shutil.copy("other/checkpoints/latest.pt", "one/checkpoints/latest.pt")
    with pytest.raises(CheckpointError, match=r"latest.*one.*generator") as raised:
        Run("one").renderer(raw=True)
    assert "\n" not in str(raised.value)
    assert len(Run("one").sample([1])) == 1
