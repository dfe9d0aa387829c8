"""Looking inside a run's networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import gansmith
from gansmith.adversarial import Dimensions
from gansmith.data.prior import Prior
from gansmith.errors import DataError, OptionError, OutputError, RunError, UnknownNameError
from gansmith.judge import look_inside
from gansmith.judge.inside_rows import maps_rows, off_rows, unit_rows
from gansmith.judge.insides import insides
from gansmith.latent.inside.layers import layer_named
from gansmith.latent.latents import Latent
from gansmith.models import saved
from gansmith.models.saved import Card
from gansmith.records.images import to_uint8
from gansmith.runs.run import Run
from small import SMALL

G, D = "generator.layers.2", "discriminator.layers.4"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("inside")
    wide = {"name": "dcgan", "width": 8}
    settings = {**SMALL, "size": 16, "images": 64, "generator": wide, "discriminator": wide}
    return gansmith.train(**settings, out=str(folder / "run"))


def test_the_sheets(run: Run, tmp_path: Path) -> None:
    sheets = look_inside(run, range(3), channels=2, images=20, steps=3, device="cpu")
    assert list(sheets.images) == ["maps.png", "switched_off.png", "units.png"]
    assert sheets.notes == ()
    assert all(np.asarray(sheet).std() > 5 for sheet in sheets.images.values())
    sheets.save(tmp_path / "inside")
    with pytest.raises(OutputError, match=r"units\.png"):
        sheets.save(tmp_path / "inside")


def test_a_map_is_the_layers_output_for_the_first_sample(run: Run) -> None:
    inside = insides(run, [5, 6], device="cpu")
    rows = maps_rows(inside, inside.chosen([G]), channels=3)
    network = inside.renderer.generator
    np.testing.assert_array_equal(rows[0].groups[0][0].image, to_uint8(run.sample([5], device="cpu").images)[0])
    maps = network.layers[:3](inside.renderer.latents([5])[:, :, None, None])[0]
    strong = maps.square().mean((1, 2)).argsort(descending=True)[:3].tolist()
    cells = rows[1].groups[0]
    assert [cell.caption for cell in cells] == [str(channel) for channel in strong]
    wanted = 128 + 127 * maps[strong[0]] / maps[strong[0]].abs().max()
    np.testing.assert_allclose(cells[0].image[:, :, 0], wanted.numpy(), atol=0.51)
    assert G in rows[1].title


def test_the_samples_without_a_channel(run: Run) -> None:
    inside = insides(run, [5, 6, 7], device="cpu")
    rows = off_rows(inside, layer_named(inside.generator_layers, "layers.2"), channels=2)
    assert len(rows) == 3
    plain = [cell.image for cell in rows[0].groups[0]]
    np.testing.assert_array_equal(np.stack(plain), to_uint8(run.sample([5, 6, 7], device="cpu").images))
    channel = int(rows[1].title.split()[1])
    network = inside.renderer.generator
    with torch.no_grad():
        maps = network.layers[:3](inside.latents[:, :, None, None])
        maps[:, channel] = 0
        changed = to_uint8(network.layers[3:](maps))
    np.testing.assert_array_equal(np.stack([cell.image for cell in rows[1].groups[0]]), changed)
    shares = [float(row.title.split(" by ")[1].split()[0]) for row in rows[1:]]
    assert shares[0] >= shares[1] > 0


def test_units_show_the_images_that_excite_them(run: Run) -> None:
    """The image with the largest value of the unit anywhere stands first, and the part of it that the unit sees."""
    inside = insides(run, [0, 1], device="cpu")
    layer = layer_named(inside.discriminator_layers, "layers.1")
    images = np.random.default_rng(0).integers(0, 256, (30, 16, 16, 1), dtype=np.uint8)
    rows = unit_rows(inside, [layer], images, units=2, steps=2)
    unit = int(rows[0].title.split("unit ")[1].split(":")[0])
    tensors = torch.from_numpy(images).permute(0, 3, 1, 2) / 127.5 - 1
    assert inside.discriminator is not None
    maps = inside.discriminator.layers[:2](tensors)[:, unit]
    best = int(maps.flatten(1).amax(1).argmax())
    parts, whole, climbed = rows[0].groups
    assert float(parts[0].caption) == pytest.approx(float(maps[best].max()), rel=0.01)
    shown = whole[0].image
    framed = (shown == (230, 40, 40)).all(2)
    assert (shown[~framed] == images[best].repeat(3, 2)[~framed]).all()
    y, x = np.argwhere(framed).min(0)
    bottom, right = np.argwhere(framed).max(0) + 1
    assert (images[best, y:bottom, x:right] == parts[0].image[:, :, :1]).all() or parts[0].image.shape[0] > bottom - y
    assert len(climbed) == 1
    alone = unit_rows(inside, [layer], None, units=2, steps=2)
    assert [len(row.groups) for row in alone] == [1, 1]


def test_without_discriminator_or_training_images(run: Run) -> None:
    bare = look_inside(Run(run.path / "model" / "generator.safetensors"), range(2), channels=1, device="cpu")
    assert list(bare.images) == ["maps.png", "switched_off.png"]
    assert "discriminator" in bare.notes[0]
    model = Run(run.path / "model")
    alone = look_inside(model, range(2), layers=[D], channels=1, steps=2, device="cpu")
    assert list(alone.images) == ["maps.png", "units.png"]
    assert "ascent alone" in alone.notes[0]
    moved = look_inside(model, range(2), layers=[D], channels=1, steps=2, against="digits", images=20, device="cpu")
    assert moved.notes == ()
    with pytest.raises(DataError, match="none"):
        look_inside(model, range(2), layers=[D], against="none", device="cpu")


def test_a_latent_of_w(tmp_path: Path) -> None:
    card = Card(
        "generator",
        "generator",
        "stylegan2",
        {"width": 8, "styles": 8, "depth": 1},
        Dimensions(1, 16, 16, 4),
        Prior(size=4),
    )
    torch.manual_seed(0)
    saved.save(tmp_path / "model", {"generator": (card, card.build().state_dict())})
    run = Run(tmp_path / "model")
    inside = insides(run, [3, Latent(torch.ones(8), "w")], device="cpu")
    plain = run.renderer(device="cpu").images([3, Latent(torch.ones(8), "w")]).images
    torch.testing.assert_close(inside.render(), plain)
    assert [layer.height for layer in inside.chosen([])["generator"]] == [4, 8, 16]


def test_what_is_refused(run: Run, tmp_path: Path) -> None:
    for layers, error, fact in (
        (["layers.2"], OptionError, "generator.layers.0"),
        (["generator.layers.99"], UnknownNameError, "layers.9"),
        (["classifier.layers.2"], OptionError, "--layers"),
    ):
        with pytest.raises(error, match=fact):
            look_inside(run, layers=layers, device="cpu")
    with pytest.raises(RunError, match="no discriminator"):
        look_inside(Run(run.path / "model" / "generator.safetensors"), layers=[D], device="cpu")
    with pytest.raises(OptionError, match="two images"):
        look_inside(run, [0], layers=[G], device="cpu")
    points = Card("generator", "generator", "mlp", {"width": 8}, Dimensions(2, 1, 1, 4), Prior(size=4))
    saved.save(tmp_path / "points", {"generator": (points, points.build().state_dict())})
    with pytest.raises(RunError, match="feature maps"):
        look_inside(Run(tmp_path / "points"), device="cpu")
