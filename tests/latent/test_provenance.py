"""PNG files that know themselves: the images they stand for come back to the bit, and a forged text is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from gansmith.adversarial import Dimensions
from gansmith.data.prior import Prior
from gansmith.errors import OptionError
from gansmith.latent.arithmetic import Term, latent_arithmetic
from gansmith.latent.image_series import ImageSeries
from gansmith.latent.latents import Latent
from gansmith.latent.path_images import interpolate
from gansmith.latent.provenance import read_provenance
from gansmith.latent.renderer import Renderer
from gansmith.latent.sources import read_sources
from gansmith.models import dcgan, stylegan2
from gansmith.records.images import save_image
from gansmith.records.png_text import MOST
from gansmith.system.seeding import seeded
from refusals import refused


def convolutional(conditional: bool = False) -> Renderer:
    classes = 3 if conditional else 0
    with seeded("test"):
        network = dcgan.generator(Dimensions(3, 16, 16, 6, classes), width=4, conditional=conditional)
    return Renderer(network, Prior(size=6, classes=classes), classes=("a/b", "c", "d")[:classes], images=500)


def styled() -> Renderer:
    with seeded("test"):
        network = stylegan2.generator(Dimensions(3, 8, 8, 6), width=8, styles=5, depth=2)
        network.w_mean.normal_()
    return Renderer(network, Prior(size=6))


MINE = Latent(torch.linspace(-1, 1, 6), label=1, name="mine")
IMAGES: dict[str, tuple[Callable[[], Renderer], Callable[[Renderer], ImageSeries], slice]] = {
    "seeds": (convolutional, lambda made: made.images([3, 8, 10**30]), slice(None)),
    "a latent": (convolutional, lambda made: made.images([3, MINE]), slice(None)),
    "truncated": (convolutional, lambda made: made.images([3, 8], truncation=0.3), slice(None)),
    "a canvas": (convolutional, lambda made: made.images([3], grid=(2, 3)), slice(None)),
    "classes": (lambda: convolutional(True), lambda made: made.images([3, 8, MINE]), slice(None)),
    "a class": (lambda: convolutional(True), lambda made: made.images([3, 8], label="c"), slice(None)),
    "a way": (convolutional, lambda made: interpolate(made, [3, MINE, 5], steps=3), slice(None)),
    "rows": (convolutional, lambda made: interpolate(made, [3, 4, 5], steps=2, rows=True, kind="linear"), slice(None)),
    "a way in a class": (lambda: convolutional(True), lambda made: interpolate(made, [3, 8], steps=3), slice(None)),
    "a sum": (convolutional, lambda made: latent_arithmetic(made, [Term(1, (3, 4)), Term(-1, (5,))]), slice(-1, None)),
    "truncated in w": (styled, lambda made: made.images([3, 8], truncation=0.3), slice(None)),
    "w": (styled, lambda made: made.images([3, Latent(torch.ones(5), "w")]), slice(None)),
    "a way in w": (styled, lambda made: interpolate(made, [3, Latent(torch.ones(5), "w")], steps=3), slice(None)),
    "a spline of truncation": (convolutional, lambda made: interpolate(made, [3, 8, 5], steps=3, kind="spline",
        truncation=[0.3, 1.0], loop=True), slice(None)),
    "psi on its way": (styled, lambda made: interpolate(made, [3, 8], steps=3, truncation=[0.3, 1.0]), slice(None)),
    "a way through w": (styled, lambda made: interpolate(made, [3, 8, 5], steps=3, space="w"), slice(None)),
    "a way of canvases": (convolutional, lambda made: interpolate(made, [3, 8], steps=3, grid=(1, 2)), slice(None)),
}  # fmt: skip


@pytest.mark.parametrize("name", IMAGES)
def test_its_images_come_back_to_the_bit(tmp_path: Path, name: str) -> None:
    build, draw, shown = IMAGES[name]
    renderer = build()
    series = draw(renderer)
    (path,) = series.save(tmp_path / "a.png", scale=1)
    sources = read_sources(str(path))
    again = renderer.images(sources.seeds(renderer))
    assert again.images.equal(series.images[shown])
    assert again.labels == sources.names
    assert sources.warnings(renderer) == []
    assert read_provenance(path).origin.images == renderer.trained_images


def test_a_blend_of_classes_has_no_class(tmp_path: Path) -> None:
    """Its ends have; what is between is of none, and of the one that is said."""
    renderer = convolutional(True)
    (path,) = interpolate(renderer, [3], labels=["d", "a/b"], steps=2).save(tmp_path / "a.png")
    seeds = read_sources(str(path)).seeds(renderer)
    assert [seed.label for seed in seeds if isinstance(seed, Latent)] == [2, None, 0]
    with refused("a-1", "--label", error=OptionError):
        renderer.images(seeds)
    assert len(renderer.images(seeds, label=1)) == 3


def test_a_sheet_is_its_seeds_and_a_file_each_is_one(tmp_path: Path) -> None:
    renderer = convolutional()
    renderer.images([3, 4, 9]).save(tmp_path / "a.png")
    assert read_sources(str(tmp_path / "a.png")).seeds(renderer) == [3, 4, 9]
    renderer.images([3, 4]).save(tmp_path / "each")
    assert read_sources(str(tmp_path / "each" / "4.png")).seeds(renderer) == [4]
    assert read_sources(f"1,{tmp_path}/a.png", "7-8").names == ("1", "3", "4", "9", "7", "8")


def test_no_name_is_in_it(tmp_path: Path) -> None:
    """Of no class, no latent, no file."""
    secret = Latent(torch.ones(6), label=1, name="/home/x")
    (path,) = convolutional(True).images([3, secret], label="a/b").save(tmp_path / "secret.png")
    text = read_provenance(path).text()
    assert text is not None
    assert not any(word in text for word in ("home", "a/b", "secret"))
    assert json.loads(text)["label"] == 0


def test_without_metadata_there_is_none(tmp_path: Path) -> None:
    (path,) = convolutional().images([3]).save(tmp_path / "a.png", metadata=False)
    with Image.open(path) as image:
        assert image.info == {}
    with refused(path, "--no-metadata", error=OptionError):
        read_provenance(path)


def test_more_than_is_read_back_is_not_written(tmp_path: Path) -> None:
    long = [Latent(torch.ones(6).repeat(1, 90, 90).view(6, 90, 90) * 0 + number) for number in range(6)]
    series = ImageSeries(torch.zeros(6, 3, 8, 8), tuple("abcdef"), provenance=convolutional().images([3]).provenance)
    assert series.text() != {}
    made = convolutional().images([3]).provenance
    assert made is not None
    from gansmith.latent.provenance import Samples, points

    huge = made().model_copy(update={"request": Samples(seeds=points(long))})
    assert huge.text() is None
    assert len(huge.model_dump_json()) > MOST


def test_other_weights_are_a_warning_that_names_both(tmp_path: Path) -> None:
    renderer, other = convolutional(), convolutional()
    (path,) = renderer.images([3]).save(tmp_path / "a.png")
    with torch.no_grad():
        next(other.generator.parameters()).mul_(2)
    (warning,) = read_sources(str(path)).warnings(other)
    assert renderer.digest[:16] in warning
    assert other.digest[:16] in warning


def forged(path: Path, change: Callable[[dict[str, Any]], None] | str) -> Path:
    text = change
    if not isinstance(change, str):
        provenance = convolutional().images([3, MINE]).provenance
        assert provenance is not None
        plain = json.loads(provenance().text() or "")
        change(plain)
        text = json.dumps(plain)
    return save_image(Image.new("L", (8, 8)), path, text={"gansmith": str(text)})


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        (lambda made: made.update(path="/etc/passwd"), "path"),
        (lambda made: made.update(format=2), "format"),
        (lambda made: made.update(label="cat"), "label"),
        (lambda made: made.update(label=-1), "label"),
        (lambda made: made["origin"].update(model="0" * 63), "model"),
        (lambda made: made["origin"].update(recipe="$(reboot)"), "recipe"),
        (lambda made: made["origin"].update(recipe="x\x1b[2J"), "recipe"),
        (lambda made: made["origin"].update(version="1; rm"), "version"),
        (lambda made: made["origin"].update(images=True), "images"),
        (lambda made: made["request"].update(command="train"), "train"),
        (lambda made: made["request"].update(seeds=[]), "seeds"),
        (lambda made: made["request"].update(seeds=[-1]), "seeds"),
        (lambda made: made["request"].update(seeds=["1"]), "seeds"),
        (lambda made: made["request"].update(seeds=[1.5]), "seeds"),
        (lambda made: made["request"].update(seeds=[True]), "seeds"),
        (lambda made: made["request"].update(truncation="1"), "truncation"),
        (lambda made: made["request"].update(truncation=float("nan")), "truncation"),
        (lambda made: made["request"].update(canvas=[1]), "canvas"),
        (lambda made: made["request"].update(canvas=[0, 1]), "canvas"),
        (lambda made: made["request"]["seeds"][1].update(space="v"), "space"),
        (lambda made: made["request"]["seeds"][1].update(values="!!"), "values"),
        (lambda made: made["request"]["seeds"][1].update(shape=[]), "shape"),
    ],
)
def test_a_forged_field_is_refused(tmp_path: Path, change: Callable[[dict[str, Any]], None], fact: str) -> None:
    path = forged(tmp_path / "a.png", change)
    with refused(path, fact, error=OptionError):
        read_provenance(path)


@pytest.mark.parametrize("text", ["", "null", "[]", "{", "[" * 100_000, '{"a": 1, "a": 1}', "1" * 5000, "NaN"])
def test_text_that_is_no_provenance_is_refused(tmp_path: Path, text: str) -> None:
    with refused(tmp_path / "a.png", error=OptionError):
        read_provenance(forged(tmp_path / "a.png", text))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("shape", [5]),
        ("shape", [6, 1]),
        ("shape", [10_000, 10_000, 10_000]),
        ("values", "AAAA"),
        ("values", "AADAfwAA" * 4),
    ],
)
def test_a_forged_latent_is_refused_when_it_is_used(tmp_path: Path, field: str, value: Any) -> None:
    path = forged(tmp_path / "a.png", lambda made: made["request"]["seeds"][1].update({field: value}))
    with refused(error=OptionError):
        read_sources(str(path)).seeds(convolutional())


def test_a_forged_way_of_a_hundred_million_images_is_refused(tmp_path: Path) -> None:
    request = {"command": "interpolate", "seeds": [0] * 10_000, "steps": 10_000}
    path = forged(tmp_path / "a.png", lambda made: made.update(request=request))
    with refused(f"{9_999 * 10_000 + 1:,}", f"{100_000:,}", error=OptionError):
        read_sources(str(path))
