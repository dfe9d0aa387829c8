"""The vision transformer against torch's own encoder layers, with random weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gansmith import catalog
from gansmith.errors import OptionError
from gansmith.evaluation import preprocess
from gansmith.evaluation.features.dinov2 import GRID, SHAPES, WEIGHTS, Shape, Transformer, wrap
from gansmith.system.seeding import seeded

SMALL = Shape(24, 3, 4)


@pytest.fixture(scope="module")
def network() -> Transformer:
    with seeded("dinov2"), torch.no_grad():
        made = Transformer(SMALL, grid=5)
        for name, value in made.named_parameters():
            value.normal_(1 if "norm" in name and "weight" in name else 0, 0.3)
    return made.eval()


def layer(network: Transformer, number: int) -> nn.Module:
    """torch's encoder layer with the same weights; it has no scale, so the last matrices take it in."""
    block = network.blocks[number]
    made = nn.TransformerEncoderLayer(
        24, 4, 96, dropout=0, activation="gelu", layer_norm_eps=1e-6, batch_first=True, norm_first=True
    )
    first, second = block.ls1["gamma"], block.ls2["gamma"]
    made.load_state_dict(
        {
            "self_attn.in_proj_weight": block.attn["qkv"].weight,
            "self_attn.in_proj_bias": block.attn["qkv"].bias,
            "self_attn.out_proj.weight": first[:, None] * block.attn["proj"].weight,
            "self_attn.out_proj.bias": first * block.attn["proj"].bias,
            "linear1.weight": block.mlp["fc1"].weight,
            "linear1.bias": block.mlp["fc1"].bias,
            "linear2.weight": second[:, None] * block.mlp["fc2"].weight,
            "linear2.bias": second * block.mlp["fc2"].bias,
            "norm1.weight": block.norm1.weight,
            "norm1.bias": block.norm1.bias,
            "norm2.weight": block.norm2.weight,
            "norm2.bias": block.norm2.bias,
        }
    )
    return made.eval()


def by_torchs_layers(network: Transformer, images: Tensor, places: Tensor) -> Tensor:
    side = images.shape[-1] // 14
    weight, bias = network.patch_embed["proj"].weight.flatten(1), network.patch_embed["proj"].bias
    patches = [
        weight @ images[:, :, 14 * row : 14 * row + 14, 14 * column : 14 * column + 14].flatten(1).T + bias[:, None]
        for row in range(side)
        for column in range(side)
    ]
    tokens = torch.stack([network.cls_token[0, 0].expand(len(images), -1), *(patch.T for patch in patches)], 1) + places
    for number in range(SMALL.depth):
        tokens = layer(network, number)(tokens)
    return nn.functional.layer_norm(tokens[:, 0], (24,), network.norm.weight, network.norm.bias, 1e-6)


def test_the_network_is_a_transformer_of_torchs_layers(network: Transformer) -> None:
    images = torch.randn(3, 3, 70, 70, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = by_torchs_layers(network, images, network.pos_embed)
        torch.testing.assert_close(network(images), expected, rtol=1e-4, atol=1e-5)


def test_the_places_are_stretched_as_the_authors_do(network: Transformer) -> None:
    """Cubic convolution (a = -3/4, no antialiasing) at (i + 1/2) * 5 / (n + 0.1) - 1/2, which is not n's own scale."""

    def kernel(x: float) -> float:
        a, x = -0.75, abs(x)
        if x <= 1:
            return (a + 2) * x**3 - (a + 3) * x**2 + 1
        return a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a if x < 2 else 0.0

    def rows(count: int) -> np.ndarray:
        made = np.zeros((count, 5))
        for i in range(count):
            centre = (i + 0.5) * 5 / (count + 0.1) - 0.5
            for j in range(int(np.floor(centre)) - 1, int(np.floor(centre)) + 3):
                made[i, np.clip(j, 0, 4)] += kernel(centre - j)
        return made

    learned = network.pos_embed[0, 1:].detach().double().numpy().reshape(5, 5, 24)
    for height, width in ((3, 3), (4, 7)):
        places = network.positions(height, width).detach()
        expected = np.einsum("ij,kl,jlc->ikc", rows(height), rows(width), learned).reshape(-1, 24)
        np.testing.assert_allclose(places[0, 1:], expected, rtol=1e-3, atol=1e-4)
        assert torch.equal(places[0, 0], network.pos_embed[0, 0])
    assert network.positions(5, 5) is network.pos_embed


def test_the_extractor_brings_images_to_the_network(network: Transformer) -> None:
    extractor = wrap(network, "0" * 64, size=42)
    images = torch.randint(0, 256, (2, 4, 50, 42), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        levels = preprocess.resize(preprocess.on_white(images.float()), (42, 42))
        expected = by_torchs_layers(network, preprocess.standardise(levels), network.positions(3, 3))
        seen = extractor.run(images)
    torch.testing.assert_close(seen.features, expected, rtol=1e-4, atol=1e-4)
    assert seen.logits is None
    assert extractor.prepared == "grey repeated, alpha on white, antialiased bicubic to 42x42"


def test_the_published_shapes() -> None:
    """The numbers of parameters of the published files: 22, 87 and 304 million."""
    counts = {}
    for name, shape in SHAPES.items():
        with torch.device("meta"):
            made = Transformer(shape)
        counts[name] = sum(value.numel() for value in made.parameters()) + shape.width  # with the mask token
        assert made.pos_embed.shape == (1, 1 + GRID**2, shape.width)
    assert {name: round(count / 1e6, 1) for name, count in counts.items()} == {
        "small": 22.1,
        "base": 86.6,
        "large": 304.4,
    }


def test_the_names_are_those_of_the_published_files() -> None:
    names = set(Transformer(Shape(12, 1, 2), grid=2).state_dict())
    assert names == {
        *("cls_token", "pos_embed", "patch_embed.proj.weight", "patch_embed.proj.bias", "norm.weight", "norm.bias"),
        *(f"blocks.0.{part}.{kind}" for part in ("norm1", "norm2") for kind in ("weight", "bias")),
        *(
            f"blocks.0.{part}.{kind}"
            for part in ("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2")
            for kind in ("weight", "bias")
        ),
        *("blocks.0.ls1.gamma", "blocks.0.ls2.gamma"),
    }
    assert [published.file for published in WEIGHTS.values()] == [
        "dinov2_vits14_pretrain.pth",
        "dinov2_vitb14_pretrain.pth",
        "dinov2_vitl14_pretrain.pth",
    ]


def test_it_asks_for_its_weights_and_for_whole_patches(network: Transformer, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"dinov2_vitb14_pretrain\.pth.*ViT-B/14"):
        catalog.build("features", "dinov2", weights=str(tmp_path), network="base")
    with pytest.raises(OptionError, match="network = 'huge' is not allowed"):
        catalog.build("features", "dinov2", network="huge")
    with pytest.raises(OptionError, match="size = 230 is not allowed"):
        catalog.build("features", "dinov2", size=230)
    with pytest.raises(OptionError, match=r"dinov2.*14 pixels"):
        wrap(network, "0" * 64, size=100)


def test_a_published_file_is_loaded_without_its_mask_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole of `build`, on a file of the published names with a digest of its own."""
    import hashlib
    from dataclasses import replace

    from gansmith.evaluation.features import dinov2

    shape = Shape(12, 1, 2)
    with seeded("file"):
        state = {**Transformer(shape).state_dict(), "mask_token": torch.zeros(1, 12)}
    path = tmp_path / "dinov2_vits14_pretrain.pth"
    torch.save(state, path)
    published = replace(WEIGHTS["small"], sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    monkeypatch.setitem(dinov2.WEIGHTS, "small", published)
    monkeypatch.setitem(dinov2.SHAPES, "small", shape)
    extractor = catalog.build("features", "dinov2", weights=str(path))
    assert extractor.run(torch.zeros(1, 1, 28, 28, dtype=torch.uint8)).features.shape == (1, 12)
    assert extractor.digest != catalog.build("features", "dinov2", weights=str(tmp_path), size=28).digest
