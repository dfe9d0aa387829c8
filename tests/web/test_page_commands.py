"""What the page makes of class, truncation, films and dropped files, each with the command that makes the same bytes;
and directions, found and named there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import torch
from opened_page import refusal
from pages import TOKEN, client_of
from PIL import Image
from repeating import repeated, run_words
from test_kinds_of_runs import zoo  # noqa: F401  (a fixture)

from gansmith.errors import UnknownNameError
from gansmith.runs.run import Run
from gansmith.web.settings import Settings

SEED = {"seed": 3}


@pytest.fixture
def directed(own_runs: Path) -> Path:
    run_words(["directions", str(own_runs / "toy"), "--method", "svd", "--count", "2"])
    return own_runs / "toy"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("edit", {"from": SEED, "along": {"svd-1": 2.0}, "truncation": 0.7}),
        ("edit", {"from": SEED, "along": {}, "truncation": 0.7}),
        ("edit", {"from": SEED, "along": {"svd-1": 2.0}, "film": "webp", "steps": 5}),
        ("edit", {"from": SEED, "along": {"svd-1": -2.0, "2": 1}, "film": "gif", "steps": 4, "truncation": 0.7}),
        ("mix", {"plus": [[SEED, {"seed": 4}]], "minus": [[{"seed": 5}]], "truncation": 0.7}),
        ("interpolate", {"through": [SEED, {"seed": 4}], "steps": 3, "truncation": 0.7}),
    ],
)
def test_truncation_and_films_have_commands(
    own_client: httpx.Client, directed: Path, tmp_path: Path, path: str, body: dict[str, Any]
) -> None:
    answer = own_client.post(f"/api/runs/toy/{path}", json=body)
    assert answer.content == repeated(answer, tmp_path)
    without = {name: value for name, value in body.items() if name != "truncation"}
    if "truncation" in body:
        assert own_client.post(f"/api/runs/toy/{path}", json=without).content != answer.content


@pytest.fixture(scope="module")
def page(zoo: Path) -> Iterator[httpx.Client]:  # noqa: F811  (the fixture)
    for name in ("classes", "styles"):
        run_words(["directions", str(zoo / name), "--method", "svd", "--count", "2", "--device", "cpu"])
    with client_of(Settings(zoo, token=TOKEN)) as client:
        yield client


@pytest.mark.parametrize(
    ("run", "how"),
    [("classes", {"label": "cat"}), ("classes", {"label": 1, "truncation": 0.6}), ("styles", {"truncation": 0.3})],
)
def test_class_and_truncation_reach_every_image(
    page: httpx.Client, tmp_path: Path, run: str, how: dict[str, Any]
) -> None:
    bodies = {
        "edit": {"from": SEED, "along": {"svd-1": 3.0}},
        "mix": {"plus": [[SEED, {"seed": 4}]], "minus": []},
        "interpolate": {"through": [SEED, {"seed": 4}], "steps": 2},
    }
    for path, body in bodies.items():
        answer = page.post(f"/api/runs/{run}/{path}", json={**body, **how})
        assert answer.content == repeated(answer, tmp_path / path), path
        assert answer.content != page.post(f"/api/runs/{run}/{path}", json=body).content, path
    still = page.post(f"/api/runs/{run}/edit", json={"from": SEED, "along": {"svd-1": 0.0}, **how})
    shown = page.get(f"/api/runs/{run}/image", params={"seed": 3, **how})
    np.testing.assert_array_equal(*(np.asarray(Image.open(BytesIO(one.content))) for one in (still, shown)))


def test_a_dropped_file_has_a_command_that_makes_its_image(
    own_client: httpx.Client, directed: Path, tmp_path: Path
) -> None:
    mixed = own_client.post("/api/runs/toy/mix", json={"plus": [[SEED, {"seed": 4}]], "minus": [[{"seed": 9}]]})
    said = own_client.post("/api/show", content=mixed.content).json()
    assert said["command"].split()[1:] == f"arithmetic {directed} --plus 3,4 --minus 9 --only result".split()
    edited = own_client.post("/api/runs/toy/edit", json={"from": SEED, "along": {"svd-1": 2.0}})
    said = own_client.post("/api/show", content=edited.content).json()
    (latent,) = said["latents"]
    kept = directed / "latents" / f"{latent['latent']}.safetensors"
    assert said["command"] == f"gansmith sample {directed} --seeds {kept}"
    bodies = {
        "render": {"of": latent},
        "mix": {"plus": [[latent, SEED]], "minus": [[{"seed": 9}]]},
        "edit": {"from": latent, "along": {"svd-1": -1.5}},
        "interpolate": {"through": [latent, SEED], "steps": 2},
    }
    for path, body in bodies.items():
        answer = own_client.post(f"/api/runs/toy/{path}", json=body)
        assert answer.content == repeated(answer, tmp_path / path), path
    way_back = own_client.post("/api/runs/toy/edit", json={"from": latent, "along": {"svd-1": -2.0}})
    pixels = [np.asarray(Image.open(BytesIO(data))).astype(int) for data in (way_back.content, _image(own_client))]
    assert abs(pixels[0] - pixels[1]).max() <= 1


def _image(client: httpx.Client) -> bytes:
    return client.get("/api/runs/toy/image?seed=3").content


def test_directions_are_found_with_progress(own_client: httpx.Client, own_runs: Path, tmp_path: Path) -> None:
    address, headers = "/api/runs/toy/directions", {"Accept": "text/event-stream"}
    with own_client.stream("POST", address, json={"method": "pca"}, headers=headers) as answer:
        blocks = answer.read().decode().strip().split("\n\n")
    events = [
        (name.removeprefix("event: "), json.loads(data)) for name, data in (one.split("\ndata: ") for one in blocks)
    ]
    assert [name for name, _ in events[:1] + events[-1:]] == ["progress", "done"]
    shares = [data["share"] for name, data in events if name == "progress"]
    assert shares == sorted(shares)
    assert all(0 <= share <= 1 for share in shares)
    names = [one["name"] for one in events[-1][1]["directions"]]
    assert names[0] == "pca-1"
    page_made = Run(own_runs / "toy").directions
    file = own_runs / "toy" / "directions" / "directions.safetensors"
    before = file.read_bytes()
    assert (file.parent / "pca.png").is_file()
    run_words(["directions", str(own_runs / "toy"), "--method", "pca", "--replace", "--device", "cpu"])
    own = Run(own_runs / "toy").directions
    assert [(d.name, d.change, d.purity) for d in own] == [(d.name, d.change, d.purity) for d in page_made]
    assert file.read_bytes() == before


def test_directions_are_named(own_client: httpx.Client, directed: Path) -> None:
    vectors = [d.vector for d in Run(directed).directions]
    said = own_client.post("/api/runs/toy/directions/names", json={"names": {"svd-2": "wider"}}).json()
    assert [one["name"] for one in said["directions"]] == ["svd-1", "wider"]
    assert [d.name for d in Run(directed).directions] == ["svd-1", "wider"]
    assert all(torch.equal(d.vector, v) for d, v in zip(Run(directed).directions, vectors, strict=True))
    edited = own_client.post("/api/runs/toy/edit", json={"from": SEED, "along": {"wider": 1.0}})
    assert edited.status_code == 200
    for names, fact in (({"wider": "svd-1"}, "svd-1"), ({"nothing": "x"}, "nothing"), ({"wider": "a=b"}, "a=b")):
        assert fact in refusal(own_client.post("/api/runs/toy/directions/names", json={"names": names}), 400)
    lost = refusal(own_client.post("/api/runs/toy/directions", json={"method": "svd"}), 400)
    assert "wider" in lost
    with pytest.raises(UnknownNameError):
        Run(directed).directions.find("svd-2")


def test_a_read_only_page_names_nothing(own_runs: Path, directed: Path) -> None:
    with client_of(Settings(own_runs, token=TOKEN, read_only=True)) as client:
        said = refusal(client.post("/api/runs/toy/directions/names", json={"names": {"1": "wider"}}), 403)
    assert "read-only" in said
    assert Run(directed).directions[0].name == "svd-1"
