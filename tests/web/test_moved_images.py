"""Images that a run was trained on and that moved: known by their content in the folder that the page was opened with,
else asked for in one message."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from opened_page import refusal
from pages import TOKEN, client_of
from PIL import Image

import gansmith
from gansmith import zoo
from gansmith.web.settings import Settings
from small import SMALL


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """PARENT/runs/mine, trained on a folder that lies at PARENT/there now, and other images at PARENT/others."""
    parent = tmp_path_factory.mktemp("moved")
    for name, seed in (("photos", 0), ("others", 1)):
        (parent / name).mkdir()
        areas = np.random.default_rng(seed).integers(0, 256, (60, 4, 4), dtype=np.uint8)
        for number, area in enumerate(areas):
            Image.fromarray(area.repeat(2, 0).repeat(2, 1)).save(parent / name / f"{number:02}.png")
    options: dict[str, Any] = {**SMALL, "path": str(parent / "photos"), "fraction": 1.0, "images": 64}
    gansmith.train(**options, recipe="dcgan", holdout=0.2, out=str(parent / "runs" / "mine"))
    (parent / "photos").rename(parent / "there")
    return parent


def asked(client: httpx.Client, run: str) -> list[httpx.Response]:
    base = f"/api/runs/{run}"
    paths = ("nearest?seed=0", "real/train/0", "map?count=50", "blindtest?looks=10")
    return [client.get(f"{base}/{path}") for path in paths]


def test_the_same_images_at_another_path(moved: Path) -> None:
    with client_of(Settings(moved / "runs", token=TOKEN, images=moved / "there")) as client:
        near, real, plane, blind = asked(client, "mine")
        assert near.status_code == real.status_code == plane.status_code == blind.status_code == 200, near.text
        with Image.open(moved / "there" / near.json()["name"]) as stored:
            shown = client.get(near.json()["image"])
            (moved / "shown.png").write_bytes(shown.content)
            with Image.open(moved / "shown.png") as seen:
                np.testing.assert_array_equal(np.asarray(seen), np.asarray(stored))
        kinds = [point["kind"] for point in plane.json()["points"]]
        assert kinds.count("held_out") == 10  # the run's own split


@pytest.mark.parametrize("images", [None, "others"])
def test_one_message_says_how_to_open_the_page_with_them(moved: Path, images: str | None) -> None:
    offered = None if images is None else moved / images
    with client_of(Settings(moved / "runs", token=TOKEN, images=offered)) as client:
        said = {refusal(answer, 400) for answer in asked(client, "mine")}
        said.add(refusal(client.post("/api/jobs", json={"what": "evaluate", "run": "mine"}), 400))
    (words,) = said
    assert f"gansmith explore {moved / 'runs'} --images FOLDER" in words
    assert "photos" in words
    assert ("others" in words) == (images is not None)


def test_images_that_changed_at_their_own_path(moved: Path, tmp_path: Path) -> None:
    """Those that are offered are the run's; those at its path are others."""
    shutil.copytree(moved / "others", moved / "photos")
    try:
        with client_of(Settings(moved / "runs", token=TOKEN, images=moved / "there")) as client:
            near = client.get("/api/runs/mine/nearest?seed=0").json()
            shown = client.get(near["image"]).content
        with client_of(Settings(moved / "runs", token=TOKEN)) as client:
            near = client.get("/api/runs/mine/nearest?seed=0").json()
            assert client.get(near["image"]).content != shown  # as before: what lies there
    finally:
        shutil.rmtree(moved / "photos")


def test_an_evaluation_is_told_where_they_are(moved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gansmith.web import jobs

    told: list[Any] = []

    def start(self: jobs.Jobs, what: str, run: str, arguments: list[str]) -> dict[str, Any]:
        told.extend(arguments)
        return {}

    monkeypatch.setattr(jobs.Jobs, "start", start)
    with client_of(Settings(moved / "runs", token=TOKEN, images=moved / "there")) as client:
        assert client.post("/api/jobs", json={"what": "evaluate", "run": "mine"}).status_code == 200
    assert told == ["evaluate", str(moved / "runs/mine"), "--against", str(moved / "there")]


@pytest.mark.parametrize("name", ["hand_signs", "emoji"])
def test_a_model_of_the_zoo_knows_its_images_by_their_classes(name: str) -> None:
    data = Path(os.environ.get("GANSMITH_TEST_DATA", "/nowhere"))
    files = {"hand_signs": "signdigits100_jpg.zip", "emoji": "emoji_google.zip"}
    if not all((data / file).is_file() for file in files.values()):
        pytest.skip("GANSMITH_TEST_DATA names no folder with the archives")
    folder = zoo.folder(name)
    assert folder is not None
    common: dict[str, Any] = {"token": TOKEN, "read_only": True, "zoo": name}
    with client_of(Settings(folder, images=data / files[name], **common)) as client:
        near = client.get(f"/api/runs/{name}/nearest?seed=0")
        assert near.status_code == 200, near.text
        assert client.get(near.json()["image"]).status_code == 200
    (other,) = set(files) - {name}
    with client_of(Settings(folder, images=data / files[other], **common)) as client:
        words = refusal(client.get(f"/api/runs/{name}/nearest?seed=0"), 400)
        assert f"gansmith explore {name} --images FOLDER" in words
        assert files[other] in words
        assert "model of the zoo" in refusal(client.post("/api/jobs", json={"what": "evaluate", "run": name}), 403)
