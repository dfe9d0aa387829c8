"""The experiments of runs that the page lists are read once for each state of their files."""

from __future__ import annotations

from pathlib import Path

import pytest

from gansmith.errors import GansmithError
from gansmith.experiment.schema import Experiment
from gansmith.runs import folder
from gansmith.web.known_experiments import experiment_of


def test_an_experiment_is_read_anew_when_its_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    monkeypatch.setattr(folder, "experiment_of", lambda path: read.append(path) or Experiment())
    file = tmp_path / "experiment.yaml"
    file.write_text("images: 320\n")
    assert experiment_of(tmp_path) is experiment_of(tmp_path)
    assert len(read) == 1
    file.write_text("images: 50000\n")
    experiment_of(tmp_path)
    assert len(read) == 2


def test_one_without_its_file_is_asked_for_each_time(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(GansmithError):
            experiment_of(tmp_path)
