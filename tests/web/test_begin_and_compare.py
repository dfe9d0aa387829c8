"""The offered folder before a training, and runs played against each other."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import httpx
import numpy as np
import pytest
from opened_page import refusal
from pages import TOKEN, client_of
from PIL import Image

from gansmith.judge.compare.matches import read
from gansmith.runs.gallery import shipped
from gansmith.runs.run import Run
from gansmith.web.settings import Settings


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("offered") / "my photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number, areas in enumerate(rng.integers(0, 256, (60, 4, 4, 3), dtype=np.uint8)):
        Image.fromarray(areas.repeat(4, 0).repeat(4, 1)).save(folder / f"{number:02}.png")
    return folder


def test_nothing_is_offered(client: httpx.Client) -> None:
    assert client.get("/api/begin").json() == {"offered": None}
    assert client.get("/api/begin/images").json()["folder"] is None
    refusal(client.get("/api/begin/images/0"), 404)
    refusal(client.get("/api/begin/expect/..%2fsecret"), 404)
    refusal(client.get("/api/begin/expect/nothing"), 404)


def test_the_offered_folder_is_checked_with_a_forecast_and_the_gallery(own_runs: Path, photos: Path) -> None:
    with client_of(Settings(own_runs, token=TOKEN, images=photos)) as client:
        said = client.get("/api/begin?time=1m").json()["offered"]
        assert (said["folder"], said["name"]) == ("my photos", "myphotos")
        assert (said["check"]["count"], said["check"]["stops"]) == (60, None)
        assert str(photos.parent) not in str(said["check"]["lines"])
        assert said["forecast"]["seconds"] == 60
        assert said["forecast"]["recipe"]
        assert any(line.startswith("forecast") for line in said["forecast"]["lines"])
        assert said["command"].startswith("gansmith train ")
        assert "--time 1m" in said["command"]
        assert not list(own_runs.glob("myphotos*"))  # nothing was begun
        if shipped():
            assert client.get(said["expect"]["image"]).headers["content-type"] == "image/jpeg"
            assert said["expect"]["words"]
        (own_runs / "myphotos").mkdir()
        assert client.get("/api/begin?time=1m").json()["offered"]["name"] == "myphotos-2"
        refusal(client.get("/api/begin?time=1000h"), 422)


def test_a_dozen_of_the_offered_images_are_shown_small(own_runs: Path, photos: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(photos, tmp_path / "some"))
    large = np.random.default_rng(1).integers(0, 256, (300, 480, 4), dtype=np.uint8)
    Image.fromarray(large).save(folder / "00.png")  # the first
    (folder / "59.png").write_bytes(b"no image")  # the last
    with client_of(Settings(own_runs, token=TOKEN, images=folder)) as client:
        said = client.get("/api/begin/images").json()
        assert (said["folder"], said["count"], len(said["images"])) == ("some", 60, 11)
        assert said["sizes"] == [[300, 480], *[[16, 16]] * 10]
        first, second = (Image.open(io.BytesIO(client.get(url).content)) for url in said["images"][:2])
        assert (first.size, first.mode) == ((160, 100), "RGBA")
        with Image.open(folder / "05.png") as stored:  # evenly over 60: 0, 5, 11, ...
            np.testing.assert_array_equal(np.asarray(second), np.asarray(stored))
        refusal(client.get("/api/begin/images/11"), 404)
        refusal(client.get("/api/begin/images/-1"), 404)


def test_images_that_cannot_be_read_are_named_and_left_out_where_asked(
    own_runs: Path, photos: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(photos, tmp_path / "some"))
    for number in range(4):
        (folder / f"0{number}.png").write_bytes(b"no image")
    with client_of(Settings(own_runs, token=TOKEN, images=folder)) as client:
        said = client.get("/api/begin?time=1m").json()["offered"]
        assert said["check"]["stops"]
        assert said["check"]["unreadable"] == 4
        assert "00.png" in said["check"]["broken"][0]
        assert "--skip-unreadable" not in said["command"]
        said = client.get("/api/begin?time=1m&skip_unreadable=true").json()["offered"]
        assert (said["check"]["stops"], said["check"]["unreadable"], said["check"]["count"]) == (None, 4, 56)
        assert said["forecast"]["recipe"]
        assert "--skip-unreadable" in said["command"]


def test_an_offered_folder_without_images(own_runs: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with client_of(Settings(own_runs, token=TOKEN, images=tmp_path / "empty")) as client:
        assert client.get("/api/begin").json()["offered"]["check"]["stops"]


def test_runs_play_against_each_other(own_runs: Path) -> None:
    shutil.copytree(own_runs / "toy", own_runs / "other")
    Run(own_runs / "other").resume(images=336)
    with client_of(Settings(own_runs, token=TOKEN)) as client:
        said = client.get("/api/compare/toy,other").json()
        assert (said["runs"], said["matches"]) == (["other", "toy"], [])
        assert not (own_runs / "compared").exists()  # asking changes nothing
        played = client.post("/api/compare/toy,other", json={"samples": 20}).json()
        assert len(played["matches"]) == 1
        assert played["matches"][0]["images"] == [336, 320]
        again = client.post("/api/compare/toy,other", json={"samples": 20}).json()
        assert again == played  # no model is newer
        assert read(own_runs / "compared/matches.jsonl") == played["matches"]
        assert "--watch" in played["command"]
        refusal(client.get("/api/compare/toy"), 400)
        refusal(client.get("/api/compare/toy,nowhere"), 404)
        refusal(client.get("/api/compare/toy,..%2fother"), 404)
        refusal(client.post("/api/compare/toy,other", json={"samples": 10**6}), 422)


def test_no_match_is_recorded_read_only_or_elsewhere(own_runs: Path, tmp_path: Path) -> None:
    shutil.copytree(own_runs / "toy", own_runs / "other")
    with client_of(Settings(own_runs, token=TOKEN, read_only=True)) as client:
        refusal(client.post("/api/compare/toy,other", json={}), 403)
        assert client.get("/api/compare/toy,other").status_code == 200
    (tmp_path / "elsewhere").mkdir()
    (own_runs / "compared").symlink_to(tmp_path / "elsewhere")
    with client_of(Settings(own_runs, token=TOKEN)) as client:
        refusal(client.post("/api/compare/toy,other", json={"samples": 20}), 403)
    assert not list((tmp_path / "elsewhere").iterdir())
