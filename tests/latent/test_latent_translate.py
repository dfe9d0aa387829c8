"""Translating images: their own size, the right direction, styles by seed; every refusal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from gansmith.adversarial import Dimensions
from gansmith.data.prior import Prior
from gansmith.errors import OptionError, RunError
from gansmith.latent.renderer import Renderer
from gansmith.latent.translate import Translator, directions, load_translator, roles_in, translator_of
from gansmith.models import saved
from gansmith.models.saved import Card
from gansmith.system.seeding import seeded
from refusals import refused

SIZE = Dimensions(3, 16, 16)
RNG = np.random.default_rng(0)


class Plain(nn.Module):
    """Doubles, and says which shapes it saw; `multiple` 4."""

    multiple = 4

    def __init__(self) -> None:
        super().__init__()
        self.shapes: list[tuple[int, ...]] = []

    def __deepcopy__(self, memo: Any) -> Plain:
        return self

    def forward(self, image: Tensor) -> Tensor:
        self.shapes.append(tuple(image.shape))
        return image * 0.5


def save(folder: Path, players: dict[str, tuple[str, str, dict[str, Any]]], dimensions: Dimensions = SIZE) -> Path:
    """{player: (role, model, options)} -> a folder of models, each by its own seed."""
    files = {}
    for player, (role, model, options) in players.items():
        card = Card(player, role, model, options, dimensions, Prior(size=max(1, dimensions.latent)))
        with seeded("test", player):
            network = card.build()
        files[player] = (card, network.state_dict())
    saved.save(folder, files)
    return folder


SMALL = {"width": 2, "blocks": 1}
STYLES = {"width": 2, "blocks": 1, "style_downsamplings": 2, "mlp_width": 4}


@pytest.fixture(scope="module")
def cycle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    players = {f"to_{to}": ("translator", "cyclegan", SMALL) for to in "ab"}
    return save(tmp_path_factory.mktemp("cycle"), players)


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("several")
    players = dict.fromkeys("ab", ("autoencoder", "munit", STYLES))
    save(folder, players, SIZE._replace(latent=5))
    return folder


def picture(height: int, width: int, channels: int = 3) -> np.ndarray:
    return RNG.integers(0, 256, (height, width, channels), dtype=np.uint8)


def plain_tensor(image: np.ndarray) -> Tensor:
    return torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1)[None] / 127.5 - 1


# ---- sizes


@pytest.mark.parametrize("height", [16, 17, 30, 21])
@pytest.mark.parametrize("width", [20, 19, 33])
def test_an_odd_size_is_the_padded_image_translated_and_cropped(height: int, width: int, cycle: Path) -> None:
    image = torch.rand(1, 3, height, width) * 2 - 1
    network = saved.load(cycle, "to_b")[0]
    down, right = -height % 4, -width % 4
    padded = F.pad(image, (0, right, 0, down), mode="reflect")
    with torch.no_grad():
        expected = network(padded)[:, :, :height, :width]
    found = load_translator(cycle, "b").translate(image)
    assert found.shape == image.shape
    assert found.is_contiguous()
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("height", "width", "seen"),
    [
        (16, 24, (16, 24)),
        (17, 30, (20, 32)),
        (1, 3, (16, 16)),
        (16, 7, (16, 16)),
        (9, 40, (16, 40)),
    ],
)
def test_what_the_network_is_shown(height: int, width: int, seen: tuple[int, int]) -> None:
    """Sides below 16 (four times the multiple, what was trained on) are made that long, by repeating the edge where
    reflection has not enough to show."""
    network = Plain()
    translator = Translator({"to_b": network}, to="b", dimensions=SIZE)
    image = torch.rand(1, 3, height, width) * 2 - 1
    torch.testing.assert_close(translator.translate(image), image * 0.5, rtol=0, atol=0)
    assert network.shapes == [(1, 3, *seen)]


def test_short_sides_repeat_their_edge_and_others_reflect() -> None:
    shown: list[Tensor] = []

    class Keeping(Plain):
        def forward(self, image: Tensor) -> Tensor:
            shown.append(image.clone())
            return image

    translator = Translator({"to_b": Keeping()}, to="b", dimensions=SIZE._replace(channels=1))
    column = torch.arange(3.0).reshape(1, 1, 3, 1).expand(1, 1, 3, 14)
    row = torch.arange(14.0).reshape(1, 1, 1, 14).expand(1, 1, 3, 14)
    translator.translate((column + 10 * row).contiguous())
    down = torch.tensor([0.0, 1, 2] + [2] * 13)
    right = torch.tensor([*range(14), 12, 11], dtype=torch.float32)
    torch.testing.assert_close(shown[0][0, 0], down[:, None] + 10 * right)


def test_a_network_may_say_how_small_an_image_it_reads() -> None:
    network = Plain()
    network.smallest = 10  # type: ignore[assignment]
    translator = Translator({"to_b": network}, to="b", dimensions=SIZE)
    translator.translate(torch.zeros(1, 3, 5, 40))
    assert network.shapes == [(1, 3, 12, 40)]  # a multiple of 4


def test_a_network_for_one_size_only() -> None:
    class Fixed(Plain):
        def forward(self, image: Tensor) -> Tensor:
            return torch.zeros(1, 3, 16, 16)

    translator = Translator({"to_b": Fixed()}, to="b", dimensions=SIZE)
    assert translator.translate(torch.zeros(1, 3, 16, 16)).shape == (1, 3, 16, 16)
    with refused("[1, 3, 16, 16]", "[1, 3, 20, 24]", "16x16", error=RunError):
        translator.translate(torch.zeros(1, 3, 20, 24))


@pytest.mark.parametrize("size", [(3, 5), (8, 8), (37, 50)])
@pytest.mark.parametrize("model", ["cyclegan", "pix2pix"])
def test_every_translator_reads_every_size(model: str, size: tuple[int, int], tmp_path: Path) -> None:
    options = SMALL if model == "cyclegan" else {"width": 2}
    folder = save(tmp_path, {"to_b": ("translator", model, options)})
    image = picture(*size)
    found = load_translator(folder).translate(image)
    assert found.shape == image.shape
    assert found.dtype == np.uint8


@pytest.mark.parametrize("size", [(3, 5), (18, 33)])
def test_the_autoencoders_read_every_size(size: tuple[int, int], several: Path) -> None:
    assert load_translator(several, "a").translate(picture(*size)).shape == (*size, 3)


# ---- pixels and channels


def test_bytes_and_tensors_are_one(cycle: Path) -> None:
    image = picture(20, 24)
    translator = load_translator(cycle, "b")
    found = translator.translate(image)
    made = translator.translate(plain_tensor(image))
    assert made.dtype == torch.float32
    expected = ((made[0].permute(1, 2, 0) + 1) * 127.5).round().clamp(0, 255).numpy().astype(np.uint8)
    np.testing.assert_array_equal(found, expected)


def test_channels_are_made_those_of_the_network() -> None:
    identity = Plain()
    identity.forward = lambda image: image  # type: ignore[method-assign]
    colour = Translator({"to_a": identity}, to="a", dimensions=SIZE)
    grey = picture(16, 16, 1)
    np.testing.assert_array_equal(colour.translate(grey), np.repeat(grey, 3, axis=2))
    clear = picture(16, 16, 4)
    clear[..., 3] = 0
    assert (colour.translate(clear) == 255).all()  # white behind, unless said
    np.testing.assert_array_equal(colour.translate(clear, background=(9, 8, 7))[3, 4], [9, 8, 7])
    shaded = Translator({"to_a": identity}, to="a", dimensions=SIZE._replace(channels=1))
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 255
    np.testing.assert_array_equal(shaded.translate(red), np.full((16, 16, 1), 76, np.uint8))  # ITU-R 601
    clouded = Translator({"to_a": identity}, to="a", dimensions=SIZE._replace(channels=4))
    np.testing.assert_array_equal(clouded.translate(red)[..., 3], np.full((16, 16), 255, np.uint8))


@pytest.mark.parametrize("shape", [(1, 1, 16, 16), (2, 3, 16, 16), (3, 16, 16)])
def test_tensors_of_another_shape(shape: tuple[int, ...], cycle: Path) -> None:
    with refused("[1, 3, H, W]", list(shape), error=OptionError):
        load_translator(cycle, "b").translate(torch.zeros(shape))


# ---- directions


def test_each_direction_has_its_network(cycle: Path) -> None:
    image = picture(16, 16)
    found = {}
    for to in "ab":
        translator = load_translator(cycle, to)
        assert (translator.to, translator.styled, translator.dimensions) == (to, False, SIZE)
        with torch.no_grad():
            expected = saved.load(cycle, f"to_{to}")[0](plain_tensor(image))
        torch.testing.assert_close(translator.translate(plain_tensor(image)), expected, rtol=0, atol=1e-6)
        found[to] = translator.translate(image)
    assert (found["a"] != found["b"]).any()


def test_it_is_deterministic_and_frozen(cycle: Path) -> None:
    network = saved.load(cycle, "to_b")[0].train()
    translator = Translator({"to_b": network}, to="b", dimensions=SIZE)
    image = picture(18, 18)
    first = translator.translate(image)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
    torch.manual_seed(1)
    np.testing.assert_array_equal(translator.translate(image), first)
    assert not translator.translate(plain_tensor(image)).requires_grad


def test_what_can_be_done_with_which_players() -> None:
    discriminators = {"discriminator_a": "discriminator", "discriminator_b": "discriminator"}
    assert directions({"to_a": "translator", "to_b": "translator", **discriminators}) == {
        "a": ("to_a",),
        "b": ("to_b",),
    }
    assert directions({"to_b": "translator", **discriminators}) == {"b": ("to_b",)}
    assert directions({"a": "autoencoder", "b": "autoencoder", **discriminators}) == {"a": ("a", "b"), "b": ("a", "b")}
    assert directions({"generator": "generator", "discriminator": "discriminator"}) == {}
    assert directions({"a": "autoencoder"}) == {}
    assert directions({"to_a": "generator"}) == {}


def test_the_direction_must_be_known(cycle: Path, tmp_path: Path) -> None:
    with refused(cycle, "--to a", "--to b", error=OptionError):
        load_translator(cycle)
    with refused("a or to b", "'c'", error=OptionError):
        load_translator(cycle, "c")
    one = save(tmp_path, {"to_b": ("translator", "cyclegan", SMALL)})
    assert (
        load_translator(one).to == load_translator(one, "b").to == load_translator(one / "to_b.safetensors").to == "b"
    )
    with refused(one, "to b only", "data.other", "--set data.options.order=ba", error=OptionError):
        load_translator(one, "a")


def test_what_does_not_translate(tmp_path: Path, several: Path) -> None:
    folder = tmp_path / "models"
    with refused(folder, "first checkpoint", error=RunError):
        load_translator(folder, "b")
    dcgan = Dimensions(3, 16, 16, 6)
    save(folder, {name: (name, "dcgan", {"width": 2}) for name in ("generator", "discriminator")}, dcgan)
    games = "cycle, paired and multimodal"
    with refused(folder, "discriminator, generator", f"gansmith sample {folder}", games, error=RunError):
        load_translator(folder, "b")
    with refused("holds discriminator", games, error=RunError):
        load_translator(folder / "discriminator.safetensors")
    with refused("one autoencoder", "both domains", error=RunError):
        load_translator(several / "a.safetensors", "b")


def test_the_networks_asked_for_are_those_used(cycle: Path) -> None:
    asked: list[str] = []

    def network(player: str) -> tuple[nn.Module, Card]:
        asked.append(player)
        return saved.load(cycle, player)

    translator_of(roles_in(cycle), network, to="a", where=cycle)
    assert asked == ["to_a"]


# ---- styles


def test_the_content_of_one_domain_in_a_style_of_the_other(several: Path) -> None:
    image = torch.rand(1, 3, 16, 20) * 2 - 1
    networks: dict[str, Any] = {name: saved.load(several, name)[0] for name in "ab"}
    style = Renderer(nn.Identity(), Prior(size=5)).latents([3])  # drawn as the latents of a generator are
    for to, other in (("a", "b"), ("b", "a")):
        translator = load_translator(several, to)
        assert translator.styled
        torch.testing.assert_close(translator.style(3), style, rtol=0, atol=0)
        with torch.no_grad():
            content, own = networks[other].encode(image)
            expected = networks[to].decode(content, style)
            _, of_target = networks[to].encode(image)
        torch.testing.assert_close(translator.translate(image, seed=3), expected, rtol=0, atol=1e-6)
        torch.testing.assert_close(translator.style_of(image), of_target, rtol=0, atol=1e-6)
        assert not torch.equal(of_target, own)
        with torch.no_grad():
            like = networks[to].decode(content, of_target)
        found = translator.translate(image, style=translator.style_of(image))
        torch.testing.assert_close(found, like, rtol=0, atol=1e-6)


def test_styles_are_different_and_the_same_every_time(several: Path) -> None:
    translator, image = load_translator(several, "b"), picture(17, 19)
    made = translator.translations(image, [translator.style(seed) for seed in range(3)])
    assert len({one.tobytes() for one in made}) == 3
    for seed, one in enumerate(made):
        torch.manual_seed(seed)
        np.testing.assert_array_equal(load_translator(several, "b").translate(image, seed=seed), one)
    np.testing.assert_array_equal(translator.translate(image), made[0])


def test_the_style_of_bytes(several: Path) -> None:
    translator, image = load_translator(several, "b"), picture(16, 16)
    torch.testing.assert_close(translator.style_of(image), translator.style_of(plain_tensor(image)), rtol=0, atol=1e-6)
    clear = np.concatenate([image, np.zeros((16, 16, 1), np.uint8)], axis=2)
    white = translator.style_of(np.full((16, 16, 3), 255, np.uint8))
    torch.testing.assert_close(translator.style_of(clear), white, rtol=0, atol=0)
    assert not torch.equal(translator.style_of(clear, background=(0, 0, 0)), white)


def test_one_translation_has_no_style(cycle: Path) -> None:
    translator = load_translator(cycle, "b")
    with refused("one translation", "multimodal", error=OptionError):
        translator.style(0)
    with refused("one translation", "multimodal", error=OptionError):
        translator.style_of(picture(16, 16))
    with refused("one translation", "multimodal", error=OptionError):
        translator.translate(picture(16, 16), style=torch.zeros(1, 5))


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 5), (1, 4, 4, 3)])
def test_arrays_that_are_no_image(shape: tuple[int, ...]) -> None:
    translator = Translator({"to_b": nn.Identity()}, to="b", dimensions=Dimensions(3, 4, 4))
    with refused("uint8 [H, W, 1 to 4]", f"uint8 {list(shape)}", error=OptionError):
        translator.translate(np.zeros(shape, dtype=np.uint8))
    with refused("float32 [4, 4, 3]", error=OptionError):
        translator.translate(np.zeros((4, 4, 3), dtype=np.float32))
    given: Any
    for given in (Image.new("RGB", (4, 4)), "cat.png", [[0]]):
        with refused(type(given).__name__, "np.asarray(Image.open(path))", error=OptionError):
            translator.translate(given)
