"""Mix, edit, interpolate and render answer the bytes of the command line's files."""

from __future__ import annotations

import base64
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from opened_page import refusal
from PIL import Image
from repeating import repeated, run_words


@pytest.fixture
def directed(own_runs: Path) -> Path:
    run_words(["directions", str(own_runs / "toy"), "--method", "svd", "--count", "2"])
    return own_runs / "toy"


def test_render(client: httpx.Client, tmp_path: Path) -> None:
    answer = client.post("/api/runs/toy/render", json={"of": {"seed": 3}, "truncation": 0.7})
    assert answer.content == repeated(answer, tmp_path)
    assert answer.content == client.get("/api/runs/toy/image?seed=3&truncation=0.7").content
    assert answer.content != client.get("/api/runs/toy/image?seed=3").content


def test_edit(own_client: httpx.Client, directed: Path, tmp_path: Path) -> None:
    body = {"from": {"seed": 3}, "along": {"svd-1": 2, "2": -1.5}}
    answer = own_client.post("/api/runs/toy/edit", json=body)
    assert answer.content == repeated(answer, tmp_path)
    assert Image.open(BytesIO(answer.content)).size == (8, 8)
    still = own_client.post("/api/runs/toy/edit", json={"from": {"seed": 3}, "along": {}})
    assert still.content == own_client.get("/api/runs/toy/image?seed=3").content
    assert len(own_client.get("/api/runs/toy").json()["directions"]) == 2


def test_an_unknown_direction_is_named(own_client: httpx.Client, directed: Path) -> None:
    answer = own_client.post("/api/runs/toy/edit", json={"from": {"seed": 3}, "along": {"svd-9": 1}})
    assert answer.status_code == 400
    assert "svd-9" in answer.json()["error"]
    assert "svd-1" in answer.json()["error"]


@pytest.mark.parametrize(
    "more", [{}, {"loop": True, "path": "spline"}, {"film": "webp"}, {"film": "gif", "loop": True}]
)
def test_interpolate(client: httpx.Client, tmp_path: Path, more: dict[str, Any]) -> None:
    body = {"through": [{"seed": 3}, {"seed": 8}, {"seed": 12}], "steps": 4, **more}
    answer = client.post("/api/runs/toy/interpolate", json=body)
    assert answer.content == repeated(answer, tmp_path)


def test_mix_is_the_last_image_of_the_arithmetic(client: httpx.Client, runs: Path, tmp_path: Path) -> None:
    body = {"plus": [[{"seed": 1}, {"seed": 4}], [{"seed": 7}]], "minus": [[{"seed": 2}]]}
    answer = client.post("/api/runs/toy/mix", json=body)
    out = tmp_path / "sheet.png"
    line = f"arithmetic {runs / 'toy'} --plus 1,4 --plus 7 --minus 2 --out {out} --scale 1"
    run_words(line.split())
    assert answer.content == repeated(answer, tmp_path)
    alone = np.asarray(Image.open(BytesIO(answer.content)))
    sheet = np.asarray(Image.open(out))
    assert alone.shape == (8, 8)
    assert sheet.shape != alone.shape
    mean = client.post("/api/runs/toy/mix", json={"plus": [[{"seed": 4}]], "minus": []})
    one = client.get("/api/runs/toy/image?seed=4")
    assert np.array_equal(np.asarray(Image.open(BytesIO(mean.content))), np.asarray(Image.open(BytesIO(one.content))))


def photograph(seed: int = 0) -> bytes:
    file = BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (20, 16, 3), np.uint8)).save(file, "PNG")
    return file.getvalue()


def test_a_photograph_is_kept_as_a_latent_file(own_client: httpx.Client, own_runs: Path, tmp_path: Path) -> None:
    answer = own_client.post("/api/runs/toy/invert?steps=3&restarts=2&name=my hand.jpg", content=photograph())
    assert answer.status_code == 200, answer.text
    said = answer.json()
    path = own_runs / "toy" / "latents" / f"{said['latent']}.safetensors"
    assert path.is_file()
    assert said["distance"] > 0
    assert Image.open(BytesIO(base64.b64decode(said["image"]))).size == (8, 8)
    shown = own_client.post("/api/runs/toy/render", json={"of": {"latent": said["latent"]}})
    assert shown.content == repeated(shown, tmp_path)
    assert [one["id"] for one in own_client.get("/api/runs/toy").json()["latents"]] == [said["latent"]]
    kept = own_client.get("/api/runs/toy").json()["latents"][0]
    assert (kept["from"], kept["photograph"]) == ("my hand.jpg", True)
    assert own_client.get(f"/api/runs/toy/latents/{said['latent']}/photograph").content == base64.b64decode(
        said["image"]
    )
    refusal(own_client.get("/api/runs/toy/latents/none/photograph"), 404)
    again = own_client.post("/api/runs/toy/invert?steps=3&restarts=2&name=b.jpg", content=photograph()).json()
    assert (again["latent"], again["from"]) == (said["latent"], "b.jpg")  # the file's newer name
    (tmp_path / "photo.png").write_bytes(photograph())
    out = tmp_path / "own.safetensors"
    words = ["invert", str(own_runs / "toy"), str(tmp_path / "photo.png")]
    run_words([*words, "--steps", "3", "--restarts", "2", "--out", str(out)])
    assert out.read_bytes() == path.read_bytes()


def test_what_is_no_image_is_refused_by_its_name(own_client: httpx.Client) -> None:
    answer = own_client.post("/api/runs/toy/invert?name=notes.txt", content=b"dear diary")
    assert refusal(answer, 400).startswith("notes.txt is not an image")
    assert "the image" in refusal(own_client.post("/api/runs/toy/invert", content=b"dear diary"), 400)


def test_of_a_photograph_the_run_keeps_no_more_than_the_model_sees(own_client: httpx.Client, own_runs: Path) -> None:
    """Not the file, not its size, none of the text in it: a person's photograph stays where it was."""
    file = BytesIO()
    image = Image.open(BytesIO(photograph(2))).resize((400, 300))
    exif = Image.Exif()
    exif[0x010F] = "maker of the camera"
    image.save(file, "JPEG", exif=exif)
    before = {path for path in own_runs.rglob("*") if path.is_file()}
    said = own_client.post("/api/runs/toy/invert?steps=1&restarts=1", content=file.getvalue()).json()
    new = {path for path in own_runs.rglob("*") if path.is_file()} - before
    ends = (".safetensors", ".json", ".png", ".target.png")
    assert {path.name for path in new} == {said["latent"] + end for end in ends}
    for path in new:
        assert b"maker of the camera" not in path.read_bytes()
        assert file.getvalue()[:200] not in path.read_bytes()
    (target,) = (path for path in new if path.name.endswith(".target.png"))
    assert Image.open(BytesIO(target.read_bytes())).size == (8, 8)


def test_an_inversion_shows_its_way(own_client: httpx.Client) -> None:
    address, headers = "/api/runs/toy/invert?steps=30&restarts=2", {"Accept": "text/event-stream"}
    with own_client.stream("POST", address, content=photograph(1), headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = [block.split("\ndata: ") for block in answer.read().decode().strip().split("\n\n")]
    names = [name for name, _ in events]
    assert names[-1] == "event: done"
    assert "event: preview" in names
    preview = json.loads(events[0][1])
    assert preview.keys() == {"image", "step", "of", "distance"}
    assert preview["of"] == 60
