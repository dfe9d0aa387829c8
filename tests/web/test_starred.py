"""Stars, sheets and zips of chosen images: kept in the run, equal to the command line's bytes, refused when hostile."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest
from opened_page import refusal
from pages import TOKEN, client_of

from gansmith.latent.latent_file import save_latents
from gansmith.latent.latents import Latent
from gansmith.runs.run import Run
from gansmith.web.settings import Settings

STARS = "/api/runs/toy/stars"


def sampled(run: Path, seeds: list[int], out: Path) -> Path:
    Run(run).sample(seeds).save(out, scale=1 if out.suffix == "" else None)
    return out


def test_stars_are_kept_in_the_run(own_client: httpx.Client, own_runs: Path) -> None:
    assert own_client.get(STARS).json() == {"stars": []}
    for seed in (9, 2):
        answer = own_client.post(STARS, json={"of": {"seed": seed}, "star": True})
    assert answer.json() == {"stars": [{"seed": 9}, {"seed": 2}]} == own_client.get(STARS).json()
    assert json.loads((own_runs / "toy/stars.json").read_text()) == answer.json()
    answer = own_client.post(STARS, json={"of": {"seed": 9}, "star": False})
    assert answer.json() == {"stars": [{"seed": 2}]}


@pytest.mark.parametrize(
    "body",
    [
        {"of": {"latent": "../../secret"}, "star": True},
        {"of": {"seed": -1}, "star": True},
        {"of": {"seed": 2**60}, "star": True},
        {"of": {}, "star": True},
        {"of": {"seed": 1}, "star": "perhaps"},
        {"of": {"seed": 1}},
        {"of": {"seed": 1}, "star": True, "more": 1},
    ],
    ids=str,
)
def test_what_is_no_star_is_refused(own_client: httpx.Client, own_runs: Path, body: dict[str, object]) -> None:
    answer = own_client.post(STARS, json=body)
    refusal(answer, answer.status_code)
    assert answer.status_code in (400, 422)
    assert not (own_runs / "toy/stars.json").exists()


def test_a_read_only_page_keeps_none(own_runs: Path) -> None:
    with client_of(Settings(own_runs, token=TOKEN, read_only=True)) as client:
        assert "read-only" in refusal(client.post(STARS, json={"of": {"seed": 1}, "star": True}), 403)
        assert client.get(STARS).json() == {"stars": []}
    assert not (own_runs / "toy/stars.json").exists()


def test_a_damaged_file_is_said(own_client: httpx.Client, own_runs: Path) -> None:
    (own_runs / "toy/stars.json").write_text("{")
    assert "damaged" in refusal(own_client.get(STARS), 400)
    assert "damaged" in refusal(own_client.get("/api/runs/toy/stars.zip"), 400)


def test_a_sheet_is_that_of_the_command_line(own_client: httpx.Client, own_runs: Path, tmp_path: Path) -> None:
    answer = own_client.post("/api/runs/toy/sheet", json={"of": [{"seed": seed} for seed in (3, 4, 5, 40)]})
    assert answer.content == sampled(own_runs / "toy", [3, 4, 5, 40], tmp_path / "sheet.png").read_bytes()
    command = unquote(answer.headers["gansmith-command"])
    assert command == f"gansmith sample {own_runs / 'toy'} --seeds 3-5,40 --out sheet.png"


def test_a_zip_holds_a_png_each_and_the_command(own_client: httpx.Client, own_runs: Path, tmp_path: Path) -> None:
    """Seeds and a latent of the run; twice the same bytes."""
    run = Run(own_runs / "toy")
    renderer = run.renderer(device="cpu")
    latent = Latent(renderer.latents([7])[0])
    (own_runs / "toy/latents").mkdir()
    save_latents(own_runs / "toy/latents/cat-1.safetensors", [latent], renderer.origin)
    assert "star" in refusal(own_client.get("/api/runs/toy/stars.zip"), 404)
    for of in ({"seed": 12}, {"latent": "cat-1"}, {"seed": 3}):
        own_client.post(STARS, json={"of": of, "star": True})
    answer, again = (own_client.get("/api/runs/toy/stars.zip") for _ in range(2))
    assert answer.headers["content-type"] == "application/zip"
    assert answer.content == again.content
    assert answer.headers["content-disposition"].endswith("''stars-toy.zip")
    chosen = own_client.post("/api/runs/toy/zip", json={"of": [{"seed": 12}, {"latent": "cat-1"}, {"seed": 3}]})
    assert chosen.content == answer.content
    assert chosen.headers["content-disposition"].endswith("''images-toy.zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == ["00012.png", "cat-1.png", "00003.png", "command.txt"]
        sampled(own_runs / "toy", [3, 12], tmp_path / "each")
        assert archive.read("00012.png") == (tmp_path / "each/12.png").read_bytes()
        assert archive.read("command.txt").decode().startswith(f"gansmith sample {own_runs / 'toy'} --seeds 12,")
    own_client.post(STARS, json={"of": {"latent": "gone"}, "star": True})
    assert "gone" in refusal(own_client.get("/api/runs/toy/stars.zip"), 404)


def test_too_many_at_once(client: httpx.Client) -> None:
    many = [{"seed": seed} for seed in range(501)]
    for path in ("zip", "sheet"):
        refusal(client.post(f"/api/runs/toy/{path}", json={"of": many}), 422)
        refusal(client.post(f"/api/runs/toy/{path}", json={"of": []}), 422)
