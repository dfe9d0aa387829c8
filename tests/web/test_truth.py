"""What the page says of a run's truth: nearest training images, the map, the audit's files, the blind test."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from opened_page import refusal
from PIL import Image

from gansmith.evaluation.blind.code import Sitting, encode
from gansmith.evaluation.types import Extractor
from gansmith.judge import nearest
from gansmith.judge.chosen_extractors import choose
from gansmith.judge.training_images import training_images
from gansmith.runs.run import Run


def test_the_nearest_training_image(client: httpx.Client, runs: Path) -> None:
    said = client.get("/api/runs/toy/nearest?seed=5").json()
    run = Run(runs / "toy")
    known = nearest(run, run.sample([5], device="cpu"), features="none", device="cpu", count=1)
    index = int(known.by[0].indices[0, 0])
    assert said["distance"] == pytest.approx(float(known.by[0].distances[0, 0]), rel=1e-5)
    assert (said["verdict"], said["index"]) == (known.words[0], index)
    assert said["copy"] is (known.words[0] in ("the same image", "a copy"))
    assert said["audit"] is None
    near, beside = float(known.nearness[0]), known.control
    nearer = np.linspace(0, 2 * near, 4001)  # from where on is it a copy?
    limit = said["distance"] / near * nearer[(beside.chances(nearer) <= 0.05) & (nearer <= beside.limit)].max(initial=0)
    assert (said["limit"] or 0) == pytest.approx(limit, abs=2 * said["distance"] / 2000)
    picture = client.get(said["image"])
    pixels = np.asarray(Image.open(io.BytesIO(picture.content)))
    np.testing.assert_array_equal(pixels, training_images(run, (8, 8, 1)).images[index, :, :, 0])
    assert client.post("/api/runs/toy/nearest", json={"of": {"seed": 5}}).json() == said
    assert "gansmith nearest" in said["command"]


@pytest.mark.parametrize("path", ["real/train/99999", "real/train/-1", "real/held_out/99999"])
def test_images_that_are_not_there(client: httpx.Client, path: str) -> None:
    refusal(client.get(f"/api/runs/toy/{path}"), 404)


def test_what_is_no_side_or_seed(client: httpx.Client) -> None:
    refusal(client.get("/api/runs/toy/real/etc/1"), 422)
    refusal(client.get("/api/runs/toy/nearest?seed=-1"), 422)
    refusal(client.post("/api/runs/toy/nearest", json={"of": {"latent": "none"}}), 404)


def test_the_map(client: httpx.Client) -> None:
    said = client.get("/api/runs/toy/map?count=60").json()
    kinds = [point["kind"] for point in said["points"]]
    assert set(kinds) == {"real", "held_out", "sample"}
    assert len(kinds) == 60
    samples = [point for point in said["points"] if point["kind"] == "sample"]
    assert said["precision"] == pytest.approx(np.mean([point["neighbour"] for point in samples]))
    for kind in ("real", "held_out", "sample"):
        point = next(point for point in said["points"] if point["kind"] == kind)
        assert client.get(point["image"]).headers["content-type"] == "image/png"
    assert said["notes"]
    refusal(client.get("/api/runs/toy/map?count=5001"), 422)
    refusal(client.get("/api/runs/toy/map?method=tsne"), 422)


def test_the_map_is_made_anew_once_weights_are_here(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def counted(*arguments: Any, **more: Any) -> Extractor:
        made.append(arguments)
        return choose(*arguments, **more)

    monkeypatch.setattr("gansmith.judge.image_map.choose", counted)
    for here in ((), (), ("mobilenet",)):
        monkeypatch.setattr("gansmith.web.routes.map.here", lambda here=here: here)
        assert client.get("/api/runs/toy/map?count=61").json()["features"].startswith("pixels@")
    assert len(made) == 2


def test_umap_that_is_not_installed(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "umap", None)
    assert "umap-learn" in refusal(client.get("/api/runs/toy/map?count=60&method=umap"), 400)


# ---- the audit's files -----------------------------------------------------------------------------------------------


def test_no_audit_yet(client: httpx.Client) -> None:
    refusal(client.get("/api/runs/toy/audit"), 404)
    refusal(client.get("/api/runs/toy/report/report.html"), 404)


def test_a_report_is_sandboxed_and_nothing_else_is_sent(own_client: httpx.Client, own_runs: Path) -> None:
    audit = own_runs / "toy/audit"
    audit.mkdir()
    (audit / "audit.json").write_text('{"format": 1, "value": NaN}')
    (audit / "report.html").write_text("<script>fetch('/api/runs')</script>")
    (audit / "history.jsonl").write_text("{}")
    assert own_client.get("/api/runs/toy/audit").json() == {"format": 1, "value": None}
    answer = own_client.get("/api/runs/toy/report/report.html")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "script" not in policy
    assert "frame-ancestors 'self'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    for name in ("history.jsonl", "../experiment.yaml", "..%2fexperiment.yaml", "%2e%2e%2fexperiment.yaml"):
        refusal(own_client.get(f"/api/runs/toy/report/{name}"), 404)


@pytest.mark.parametrize("content", ["", "[1]", "{", "[" * 200_000, "\x00"])
def test_a_damaged_audit(own_client: httpx.Client, own_runs: Path, content: str) -> None:
    (own_runs / "toy/audit").mkdir()
    (own_runs / "toy/audit/audit.json").write_text(content)
    assert "evaluate" in refusal(own_client.get("/api/runs/toy/audit"), 400)
    said = own_client.get("/api/runs/toy/nearest?seed=1").json()  # goes on without the audit's word
    assert said["audit"] is None


def test_a_report_that_leads_out(own_client: httpx.Client, own_runs: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/report.html").write_text("secret")
    (own_runs / "toy/audit").symlink_to(tmp_path / "secret")
    refusal(own_client.get("/api/runs/toy/audit"), 404)
    refusal(own_client.get("/api/runs/toy/report/report.html"), 404)


# ---- the blind test --------------------------------------------------------------------------------------------------


def test_the_blind_test_is_a_page_of_its_own(client: httpx.Client) -> None:
    answer = client.get("/api/runs/toy/blindtest?looks=10&seed=3")
    assert answer.status_code == 200, answer.text
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts; default-src 'none'")
    assert "allow-same-origin" not in policy
    assert "connect-src" not in policy
    assert answer.text.count("data:image/") >= 1 or "base64" in answer.text
    assert client.get("/api/runs/toy/blindtest?looks=10&seed=3").content == answer.content
    refusal(client.get("/api/runs/toy/blindtest?looks=100000"), 422)
    refusal(client.get("/api/runs/toy/blindtest?beside=nowhere"), 404)


def test_codes_add_up(client: httpx.Client) -> None:
    code = encode(Sitting("real or made", "00000001", 7, (True,) * 10, (False,) * 10))
    lines = client.post("/api/blindtest", json={"codes": [code]}).json()["lines"]
    assert any("1 person" in line for line in lines)
    refusal(client.post("/api/blindtest", json={"codes": ["<script>"]}), 400)
    refusal(client.post("/api/blindtest", json={"codes": []}), 422)
    assert json.dumps(lines)
