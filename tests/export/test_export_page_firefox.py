"""The page with a generator inside, from disk, in Firefox."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import firefox as firefoxes
from exporting import Exported
from firefox import Firefox
from gansmith import zoo
from gansmith.export.write import export
from gansmith.records.images import to_uint8
from gansmith.runs.run import Run

pytestmark = pytest.mark.prove

RUNTIME = os.environ.get("TEST_WEB_RUNTIME")  # the unpacked npm package
STATE = "({...document.documentElement.dataset})"
ENDED = "['ready', 'failed'].includes(document.documentElement.dataset.state)"
FIRST = "document.querySelector('#samples canvas')"
LEVELS = f"[...{FIRST}.getContext('2d').getImageData(0, 0, {FIRST}.width, {FIRST}.height).data]"
FOREIGN = """(() => {
  const image = document.createElement("img");
  image.src = "data:image/gif;base64,R0lGODlhAQABAAAAACw=";
  document.body.append(image);
})()"""


@pytest.fixture(scope="module")
def firefox() -> Iterator[Firefox]:
    with firefoxes.started() as one:
        yield one


@pytest.mark.skipif(RUNTIME is None, reason="TEST_WEB_RUNTIME does not name the npm package onnxruntime-web")
def test_it_makes_the_images_of_pytorch_in_firefox(exported: Exported, firefox: Firefox, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    for number, run in enumerate((exported.run, Run(zoo.folder("hand_signs") or ""))):
        page = tmp_path / f"{number}.html"
        export(run, "html", page, runtime=RUNTIME)
        firefox.open(page.as_uri())
        firefox.wait(ENDED)
        state = firefox.ask(STATE)
        assert state["state"] == "ready", (state, firefox.complaints)
        assert int(state["level"]) <= 1  # of 255: a sum between two levels, rounded otherwise
        assert float(state["latent"]) < 2e-6
        image = to_uint8(run.sample([0], device="cpu").images)[0].astype(int)
        firefox.wait(f"{LEVELS}.some((level, at) => at % 4 < 3 && level > 0)")
        theirs = np.array(firefox.ask(LEVELS)).reshape(*image.shape[:2], 4)
        assert int(abs(theirs[..., :3] - image).max()) <= 1
        assert firefox.ask("window.violations") == []
    assert firefox.complaints == []


def test_without_a_runtime_it_says_so_and_keeps_its_policy(exported: Exported, firefox: Firefox) -> None:
    """A page whose runtime runs nothing: it opens, fails in words, shows nothing, and breaks no rule of its policy; an
    image that is put into it does."""
    if "html" not in exported.files:
        pytest.skip("onnx, onnxruntime or onnxscript is not installed")
    firefox.complaints.clear()
    firefox.open(exported.files["html"].as_uri())
    firefox.wait(ENDED)
    assert firefox.ask(STATE)["state"] == "failed"
    assert firefox.ask("document.getElementById('parts').hidden")
    assert firefox.ask("window.violations") == []
    firefox.ask(FOREIGN)
    assert firefox.wait("window.violations.length && window.violations") == ["img-src"]
