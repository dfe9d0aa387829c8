"""The page with a generator inside: what stands in it, and in a browser what it does."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import time
import zlib
from html import unescape
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from exporting import Exported, packed, runtime_like
from gansmith import zoo
from gansmith.adversarial import Dimensions
from gansmith.data.prior import Prior
from gansmith.errors import MissingExtraError, OptionError
from gansmith.export.onnx_file import onnx_bytes
from gansmith.export.portable import Portable, portable
from gansmith.export.slider_directions import slider_directions
from gansmith.export.web_runtime import web_runtime
from gansmith.export.write import export, write
from gansmith.latent.interpolation import slerp
from gansmith.latent.renderer import Renderer
from gansmith.models.saved import Card
from gansmith.records.images import to_uint8
from gansmith.runs.run import Run
from refusals import refused

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver

RUNTIME = os.environ.get("TEST_WEB_RUNTIME")  # the unpacked npm package
with_runtime = pytest.mark.skipif(
    RUNTIME is None, reason="TEST_WEB_RUNTIME does not name the unpacked npm package onnxruntime-web"
)


ENDED = "return ['ready', 'failed'].includes(document.documentElement.dataset.state)"


def opened(browser: WebDriver, page: Path) -> dict[str, str]:
    """What the page says of itself once it has made its stored images, or has failed."""
    from selenium.webdriver.support.wait import WebDriverWait

    browser.get(page.as_uri())
    WebDriverWait(browser, 120).until(lambda driver: driver.execute_script(ENDED))
    state: dict[str, str] = browser.execute_script("return {...document.documentElement.dataset}")
    return state


@pytest.fixture(scope="module")
def text(exported: Exported) -> str:
    if "html" not in exported.files:
        pytest.skip("onnx, onnxruntime or onnxscript is not installed")
    return exported.files["html"].read_text()


def test_its_policy_allows_its_own_scripts_and_no_address(text: str) -> None:
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    rules = dict(rule.strip().split(" ", 1) for rule in unescape(policy[1]).split(";"))
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    styles = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digests = [
        [f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'" for one in kind]
        for kind in (scripts, styles)
    ]
    assert rules.pop("default-src") == "'none'"
    assert rules.pop("script-src").split() == [*digests[0], "'wasm-unsafe-eval'", "blob:"]
    assert rules.pop("style-src").split() == digests[1]
    assert rules == {"base-uri": "'none'", "form-action": "'none'"}
    assert re.findall(r"""(?:src|href)\s*=\s*["'](?!#)""", text) == []
    assert "http://" not in text
    assert "https://" not in text


def test_the_model_in_it_is_the_one_that_was_compared(text: str, exported: Exported) -> None:
    assert packed(text, "model") == onnx_bytes(portable(exported.run))[0]
    assert packed(text, "runtime-wasm").startswith(b"\0asm")
    assert b"sourceMappingURL" not in packed(text, "runtime-script")
    assert text.index("copies of training images") < text.index('id="samples"')
    assert re.findall(r'<option value="\d+">(\w+)<', text) == ["beach", "harbour"]


def test_the_runtime_is_asked_for_with_the_command_that_gets_it(tmp_path: Path) -> None:
    with refused("npm pack onnxruntime-web@1.30.0", "--runtime", error=MissingExtraError):
        web_runtime(None)
    folder = runtime_like(tmp_path / "package")
    assert web_runtime(folder) == web_runtime(folder / "dist")
    (folder / "dist" / "ort-wasm-simd-threaded.wasm").write_bytes(b"<html>")
    with refused("ort-wasm-simd-threaded.wasm", error=OptionError):
        web_runtime(folder)
    (folder / "dist" / "ort-wasm-simd-threaded.wasm").unlink()
    with refused("ort-wasm-simd-threaded.wasm", "npm pack onnxruntime-web@1.30.0", error=OptionError):
        web_runtime(folder)


def test_the_size_is_told_before(exported: Exported, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    path, told = tmp_path / "a.html", []

    def announce(text: str) -> None:
        assert not path.exists()
        told.append(float(re.search(r"([\d.]+) MB", text)[1]))  # type: ignore[index]

    runtime = runtime_like(tmp_path / "package")
    noise = torch.randint(256, (2_000_000,), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    (runtime / "dist" / "ort-wasm-simd-threaded.wasm").write_bytes(b"\0asm" + noise.numpy().tobytes())
    write(exported.run, "html", path, runtime=runtime, announce=announce)
    assert told == [pytest.approx(path.stat().st_size / 1e6, rel=0.1)]


def test_directions_are_the_singular_vectors_of_a_linear_generator() -> None:
    class Linear(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            weights = torch.randn(6, 16, generator=torch.Generator().manual_seed(0))
            self.weights = nn.Parameter(weights * torch.tensor([3.0, 1, 8, 0.1, 2, 5])[:, None])

        def forward(self, *, latent: Tensor) -> Tensor:
            return (latent @ self.weights + 0.5).view(-1, 1, 4, 4)

    generator, prior = Linear(), Prior(size=6)
    card = Card("generator", "generator", "dcgan", {}, Dimensions(1, 4, 4, 6), prior)
    network = Portable("generator", generator, Renderer(nn.Identity(), prior), {"generator": card}, ("latent",))
    directions = slider_directions(network, 3)
    left = torch.linalg.svd(generator.weights.detach().double()).U.t()[:3].float()
    torch.testing.assert_close((directions * left).sum(1).abs(), torch.ones(3), rtol=0, atol=1e-4)
    assert bool(((directions @ generator.weights.detach()).sum(1) > 0).all())


PRIORS = [
    *(Prior(size=size) for size in (1, 5, 15, 16, 20, 64)),
    Prior("uniform", 7),
    Prior("sphere", 33),
]


@pytest.mark.prove
def test_the_latents_of_seeds_are_torchs(browser: WebDriver) -> None:
    seeds = [0, 7, 2**32 + 1, 2**53 - 1]
    draws = files("gansmith.export").joinpath("page_draws.js").read_text()
    word = str(4294967296 | zlib.crc32(b"latent"))
    asked = [[{"kind": prior.kind, "size": prior.size}, seed] for prior in PRIORS for seed in seeds]
    code = f"{draws}\nreturn arguments[0].map(([p, s]) => [...latentOf(s, p, '{word}')]);"
    answer = browser.execute_script(code, asked)
    for (prior, seed), theirs in zip([(p, s) for p in PRIORS for s in seeds], answer, strict=True):
        ours = Renderer(nn.Identity(), prior).latents([seed])[0]
        torch.testing.assert_close(torch.tensor(theirs), ours, rtol=0, atol=2e-6)


@pytest.mark.prove
@with_runtime
def test_it_makes_the_images_of_pytorch_in_a_browser(exported: Exported, browser: WebDriver, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    for number, run in enumerate((exported.run, Run(zoo.folder("hand_signs") or ""))):
        page = tmp_path / f"{number}.html"
        export(run, "html", page, runtime=RUNTIME)
        state = opened(browser, page)
        assert state["state"] == "ready"
        assert int(state["level"]) <= 1  # of 255: a sum between two levels, rounded otherwise
        assert float(state["latent"]) < 2e-6


ACT = """
const set = (element, value) => { element.value = value; element.dispatchEvent(new Event("input")); };
document.querySelectorAll("#samples button")[5].click();
set(document.querySelectorAll("#sliders input")[1], 2);
set(document.getElementById("label"), 1);
set(document.getElementById("mix"), 0.25);
"""
DRAWN = """
const levels = (canvas) => [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data];
const mixed = levels(document.querySelectorAll("#mixed canvas")[4]);
const sample = levels(document.querySelectorAll("#samples canvas")[5]);
return { one: levels(document.getElementById("one")), mixed, sample };
"""


@pytest.mark.prove
@with_runtime
def test_sliders_classes_and_mixing_make_the_images_of_their_latents(
    exported: Exported, browser: WebDriver, tmp_path: Path
) -> None:
    pytest.importorskip("onnxscript")
    page = tmp_path / "a.html"
    export(exported.run, "html", page, runtime=RUNTIME)
    opened(browser, page)
    browser.execute_script(ACT)
    facts = re.search(r'id="facts">(.*?)</script>', page.read_text(), re.DOTALL)
    assert facts
    direction = torch.tensor(json.loads(facts[1])["directions"][1])
    renderer = exported.run.renderer(device="cpu")
    first, second, chosen = renderer.latents([0, 1, 5]).split(1)
    label = torch.tensor([1])
    wanted = {"one": chosen + 2 * direction, "mixed": slerp(first[0], second[0], 0.25)[None], "sample": chosen}
    ours = {name: to_uint8(renderer.render(latent, label))[0].astype(int) for name, latent in wanted.items()}

    def differences(drawn: dict[str, list[int]]) -> dict[str, int]:
        theirs = {name: np.array(drawn[name]).reshape(*image.shape[:2], 4) for name, image in ours.items()}
        return {
            name: int(max(abs(theirs[name][..., :3] - image).max(), 255 - theirs[name][..., 3].min()))
            for name, image in ours.items()
        }

    for _ in range(100):  # drawn one after the other, in the background
        drawn: dict[str, Any] = browser.execute_script(DRAWN)
        if max(differences(drawn).values()) <= 1:
            break
        time.sleep(0.2)
    assert max(differences(drawn).values()) <= 1, differences(drawn)
    assert drawn["one"] != drawn["sample"]


@pytest.mark.prove
@with_runtime
def test_it_shows_nothing_where_the_images_are_others(exported: Exported, browser: WebDriver, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    page = tmp_path / "a.html"
    export(exported.run, "html", page, runtime=RUNTIME)
    text = page.read_text()
    stored = re.search(r'id="stored">([^<]*)<', text)
    assert stored
    levels = bytearray(base64.b64decode(stored[1]))
    levels[100] ^= 64
    page.write_text(text.replace(stored[1], base64.b64encode(levels).decode()))
    state = opened(browser, page)
    assert (state["state"], state["level"]) == ("failed", "64")
    assert browser.execute_script("return document.getElementById('parts').hidden")
