"""The comparison before an exported file gets its name: it notices what is wrong, and passes what is right."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from gansmith import zoo
from gansmith.errors import ExportError, OptionError, RunError
from gansmith.export import onnx_file
from gansmith.export import program as program_file
from gansmith.export.comparison import require_equal
from gansmith.export.portable import Inputs, Portable, portable
from gansmith.export.write import export
from gansmith.runs.run import Run
from refusals import refused


@pytest.fixture(scope="module")
def run() -> Run:
    place = zoo.folder("hand_signs")
    assert place is not None
    return Run(place)


@pytest.fixture(scope="module")
def network(run: Run) -> Portable:
    return portable(run)


def one_pixel(images: Tensor, by: float) -> Tensor:
    """The images with a pixel of the single image of the first batch changed."""
    images = images.clone()
    if len(images) == 1:
        images[0, 1, 2, 3] += by
    return images


WRONG: dict[str, Callable[[Tensor], Tensor]] = {
    "the sign": lambda images: -images,
    "one pixel of one image": lambda images: one_pixel(images, 1.1e-4),
    "everything a little": lambda images: images + 1.1e-6,
    "an image that is not a number": lambda images: one_pixel(images, float("nan")),
    "the order of the batch": lambda images: images.roll(1, 0),
    "mirrored": lambda images: images.flip(3),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_difference_is_an_error(network: Portable, case: str) -> None:
    def spoiled(inputs: Inputs) -> Tensor:
        return WRONG[case](network.images(inputs))

    with refused("0.0001", "1e-06", "64", error=ExportError):
        require_equal(network, spoiled)


def test_another_shape_is_an_error(network: Portable) -> None:
    with refused("32, 16", error=ExportError):
        require_equal(network, lambda inputs: network.images(inputs)[..., :16])


def test_rounding_is_none(network: Portable) -> None:
    def rounded(inputs: Inputs) -> Tensor:
        return one_pixel(network.images(inputs), 0.9e-4)

    difference = require_equal(network, rounded)
    assert difference.largest == pytest.approx(0.9e-4, rel=1e-2)
    assert difference.mean == pytest.approx(0.9e-4 / (64 * 3 * 32 * 32), rel=1e-2)
    assert difference.count == 64
    exact = require_equal(network, network.images)
    assert (exact.largest, exact.mean) == (0, 0)


def test_it_is_compared_on_the_latents_of_seeds_0_to_63(network: Portable, run: Run) -> None:
    seen: list[Tensor] = []

    def watched(inputs: Inputs) -> Tensor:
        seen.append(inputs["latent"])
        return network.images(inputs)

    require_equal(network, watched)
    torch.testing.assert_close(torch.cat(seen), run.renderer(device="cpu").latents(range(64)), rtol=0, atol=0)
    assert {1, 7} < {len(batch) for batch in seen}


@pytest.mark.parametrize("to", ["onnx", "program"])
def test_what_differs_gets_no_name(to: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if to == "onnx":
        pytest.importorskip("onnxscript")
        pytest.importorskip("onnxruntime")

    module: Any = {"onnx": onnx_file, "program": program_file}[to]
    traced = module.program

    def stale(network: Portable) -> object:
        """The program of other weights than the network's."""
        other = copy.deepcopy(network.network)
        with torch.no_grad():
            for weights in other.parameters():
                weights.mul_(1.01)
        return traced(replace(network, network=other))

    monkeypatch.setattr(module, "program", stale)
    with pytest.raises(ExportError, match="differ"):
        export(run, to, tmp_path / "generator.file")
    assert [*tmp_path.iterdir()] == []


def test_what_makes_no_images_is_refused(run: Run, tmp_path: Path) -> None:
    only = Run(run.path / "model" / "discriminator.safetensors")
    with refused("discriminator", error=RunError):
        export(only, "program", tmp_path / "a.pt2")
    with refused("--direction", error=OptionError):
        export(run, "program", tmp_path / "a.pt2", direction="b")
    with pytest.raises(OptionError, match=r"'onx'.*Did you mean 'onnx'"):
        export(run, "onx", tmp_path / "a.onnx")
    assert [*tmp_path.iterdir()] == []
