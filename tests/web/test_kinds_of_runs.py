"""The page on other runs than a DCGAN's: conditional, with a space W, of two domains."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from pages import TOKEN, client_of
from PIL import Image
from typer.testing import CliRunner

from gansmith.adversarial import Dimensions
from gansmith.cli.main import app
from gansmith.data.prior import Prior
from gansmith.models import saved
from gansmith.models.saved import Card
from gansmith.system.seeding import seeded
from gansmith.web.settings import Settings

CLASSES = ("cat", "7", "dög & <b>")


def save(folder: Path, players: str, role: str, model: str, options: dict[str, Any], dimensions: Dimensions) -> None:
    classes = dimensions.classes
    files = {}
    for player in players.split():
        prior = Prior(size=dimensions.latent, classes=classes)
        card = Card(player, role, model, options, dimensions, prior, CLASSES[:classes])
        with seeded("page", player):
            files[player] = (card, card.build().state_dict())
    saved.save(folder, files)


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Untrained models of the kinds that there are."""
    folder = tmp_path_factory.mktemp("kinds")
    conditional, size = {"width": 4, "conditional": True}, Dimensions(3, 8, 8, 6)
    save(folder / "classes", "generator", "generator", "dcgan", conditional, size._replace(classes=3))
    save(folder / "styles", "generator", "generator", "stylegan2", {"width": 8, "styles": 8}, size)
    save(folder / "pair", "to_a to_b", "translator", "cyclegan", {"width": 2, "blocks": 1}, Dimensions(3, 16, 16, 4))
    several = {"width": 2, "blocks": 1, "style_downsamplings": 2, "mlp_width": 4}
    save(folder / "several", "a b", "autoencoder", "munit", several, Dimensions(3, 16, 16, 4))
    return folder


@pytest.fixture(scope="module")
def page(zoo: Path) -> Iterator[httpx.Client]:
    with client_of(Settings(zoo, token=TOKEN)) as client:
        yield client


def written(out: Path, *words: object) -> bytes:
    result = CliRunner().invoke(app, [*map(str, words)])
    assert result.exit_code == 0, result.output
    (file,) = out.rglob("*.png") if out.is_dir() else [out]
    return file.read_bytes()


@pytest.mark.parametrize("label", ["cat", "1", "7", "2", "dög & <b>"])
def test_a_class_by_name_or_number(page: httpx.Client, zoo: Path, tmp_path: Path, label: str) -> None:
    words = ["sample", zoo / "classes", "--seeds", "4", "--label", label, "--out", f"{tmp_path}/out/", "--scale", "1"]
    answer = page.get("/api/runs/classes/image", params={"seed": 4, "label": label})
    assert answer.content == written(tmp_path / "out", *words)


def test_an_unknown_class_is_an_error(page: httpx.Client) -> None:
    answer = page.get("/api/runs/classes/image?seed=4&label=horse")
    assert answer.status_code == 400
    assert "horse" in answer.json()["error"]
    assert page.get("/api/runs/classes").json()["classes"] == list(CLASSES)


def test_truncation_is_in_w_where_there_is_one(page: httpx.Client, zoo: Path, tmp_path: Path) -> None:
    words = [
        "sample",
        zoo / "styles",
        "--seeds",
        "4",
        "--truncation",
        "0.3",
        "--out",
        f"{tmp_path}/out/",
        "--scale",
        "1",
    ]
    answer = page.get("/api/runs/styles/image?seed=4&truncation=0.3")
    assert answer.content == written(tmp_path / "out", *words)
    assert answer.content != page.get("/api/runs/styles/image?seed=4").content
    assert page.get("/api/runs/styles/image?seed=4&truncation=1.5").status_code == 400
    assert page.get("/api/runs/styles").json()["spaces"] == ["z", "w"]


@pytest.mark.parametrize("more", [{}, {"fit": "true"}])
def test_translation_is_the_command_lines_file(
    page: httpx.Client, zoo: Path, tmp_path: Path, more: dict[str, str]
) -> None:
    image = tmp_path / "in.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (18, 21, 3), np.uint8)).save(image)
    words = ["translate", zoo / "pair", image, tmp_path / "out.png", "--to", "b", "--scale", "1"]
    words += ["--size", "fit"] if more else []
    answer = page.post("/api/runs/pair/translate", params={"to": "b", **more}, content=image.read_bytes())
    assert answer.content == written(tmp_path / "out.png", *words)
    assert page.get("/api/runs/pair").json()["domains"] == ["a", "b"]


def test_a_style_is_the_command_lines(page: httpx.Client, zoo: Path, tmp_path: Path) -> None:
    image = tmp_path / "in.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (16, 16, 3), np.uint8)).save(image)
    written(
        image, "translate", zoo / "several", image, f"{tmp_path}/out/", "--to", "a", "--styles", "3", "--scale", "1"
    )
    for style in (0, 2):
        answer = page.post(f"/api/runs/several/translate?to=a&style={style}", content=image.read_bytes())
        assert answer.content == (tmp_path / "out" / f"in_{style}.png").read_bytes(), style


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("pair/translate", "--to a or --to b"),
        ("pair/translate?to=b&style=1", "styles"),
        ("classes/translate?to=b", "does not translate"),
        ("pair/invert", "translates images"),
        ("pair/translate?to=c", "to"),
    ],
)
def test_what_a_run_cannot_do_is_said(page: httpx.Client, path: str, words: str) -> None:
    file = BytesIO()
    Image.new("RGB", (16, 16)).save(file, "PNG")
    answer = page.post(f"/api/runs/{path}", content=file.getvalue())
    assert answer.status_code in (400, 422)
    assert words in answer.json()["error"]
    assert page.get("/api/runs/pair/image?seed=1").status_code == 400
