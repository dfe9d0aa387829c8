"""DINOv2 (Meta's own weights): a vision transformer trained without labels, for photographs of any kind.

Oquab et al. 2023, "DINOv2: Learning Robust Visual Features without Supervision"; the network is Dosovitskiy et al.
2020, "An Image is Worth 16x16 Words", section 3.1, with LayerScale (Touvron et al. 2021, "Going Deeper with Image
Transformers", equation 2). Why to use it: Stein et al. 2023, "Exposing Flaws of Generative Model Evaluation Metrics".
The names of the parameters are those of the published files.
"""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from gansmith.errors import OptionError
from gansmith.evaluation import preprocess
from gansmith.evaluation.types import Extractor, Outputs
from gansmith.pretrained.weights import Published, content_of, identity, read, state_of
from gansmith.system.device import choose_device
from gansmith.system.option_types import LARGEST_INPUT
from gansmith.system.seeding import seeded

PATCH = 14  # pixels
GRID = 37  # patches a side that the published position embeddings were learned for: 518 pixels
OFFSET = 0.1  # added to the number of patches when positions are stretched: the authors' way, and it changes values


class Shape(NamedTuple):
    """The size of a network: width of a token, number of blocks, heads in each."""

    width: int
    depth: int
    heads: int


SHAPES = {"small": Shape(384, 12, 6), "base": Shape(768, 12, 12), "large": Shape(1024, 24, 16)}
WEIGHTS = {
    name: Published(
        extractor="dinov2",
        file=f"dinov2_vit{name[0]}14_pretrain.pth",
        sha256=digest,
        source=f"Meta's DINOv2, ViT-{name[0].upper()}/14 distilled, backbone only, without registers",
        megabytes={"small": 88, "base": 346, "large": 1218}[name],
        url=f"https://dl.fbaipublicfiles.com/dinov2/dinov2_vit{name[0]}14/dinov2_vit{name[0]}14_pretrain.pth",
    )
    for name, digest in {
        "small": "b938bf1bc15cd2ec0feacfe3a1bb553fe8ea9ca46a7e1d8d00217f29aef60cd9",
        "base": "0b8b82f85de91b424aded121c7e1dcc2b7bc6d0adeea651bf73a13307fad8c73",
        "large": "d5383ea8f4877b2472eb973e0fd72d557c7da5d3611bd527ceeb1d7162cbf428",
    }.items()
}
NEEDS = {"files": ("dinov2_vits14_pretrain.pth", "dinov2_vitb14_pretrain.pth", "dinov2_vitl14_pretrain.pth")}


def build(
    *,
    weights: str | None = None,
    device: str = "auto",
    network: Literal["small", "base", "large"] = "small",
    size: Annotated[int, Field(ge=PATCH, le=LARGEST_INPUT, multiple_of=PATCH)] = 224,
) -> Extractor:
    """Features [B, 384, 768 or 1024]: the class token after the last normalisation. No classes.

    network: "large" is the one of Stein et al.; "small" is for a machine without an accelerator.

    >>> WEIGHTS["small"].file  # what `weights` points to, or lies in the cache
    'dinov2_vits14_pretrain.pth'
    """
    published = WEIGHTS[network]
    state = state_of(read(published, weights))
    state.pop("mask_token", None)  # of the training only
    transformer = Transformer(SHAPES[network])
    transformer.load_state_dict(state)
    return wrap(transformer, published.sha256, device=device, size=size)


def untrained(*, device: str = "auto") -> Extractor:
    """The extractor of a small network of random weights, for tests: features [B, 32].

    >>> untrained(device="cpu").run(torch.zeros(2, 3, 8, 8, dtype=torch.uint8)).features.shape
    torch.Size([2, 32])
    """
    with seeded("dinov2 untrained"):
        network = Transformer(Shape(32, 2, 2), grid=2)
    return wrap(network, content_of(network), device=device, size=2 * PATCH)


def wrap(network: Transformer, digest: str, *, device: str = "auto", size: int = 224) -> Extractor:
    """The extractor of a network with any weights; digest: of these weights."""
    if size % PATCH:
        raise OptionError(f"size = {size} is not allowed: dinov2 reads whole patches of {PATCH} pixels, as 224")
    where = choose_device(device)
    network = network.eval().requires_grad_(False).to(where)

    def run(images: Tensor) -> Outputs:
        levels = preprocess.resize(preprocess.to_channels(preprocess.levels(images), 3), (size, size))
        return Outputs(network(preprocess.standardise(levels)))

    return Extractor(
        name="dinov2",
        digest=identity(digest, {"size": size}),
        prepared=preprocess.words((size, size)),
        run=run,
        device=where,
        batch=16,
    )


class Transformer(nn.Module):
    """Images [B, 3, H, W], standardised, H and W multiples of 14 -> class token [B, width]."""

    def __init__(self, shape: Shape, *, grid: int = GRID) -> None:
        super().__init__()
        self.grid = grid
        self.cls_token = nn.Parameter(torch.zeros(1, 1, shape.width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + grid * grid, shape.width))
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(3, shape.width, PATCH, PATCH)})
        self.blocks = nn.Sequential(*(_Block(shape.width, shape.heads) for _ in range(shape.depth)))
        self.norm = nn.LayerNorm(shape.width, eps=1e-6)

    def positions(self, rows: int, columns: int) -> Tensor:
        """Position embeddings [1, 1 + rows * columns, width]: the learned ones, stretched to the image."""
        if rows == columns == self.grid:
            return self.pos_embed
        learned = self.pos_embed[:, 1:].unflatten(1, (self.grid, self.grid)).permute(0, 3, 1, 2)
        scale = ((rows + OFFSET) / self.grid, (columns + OFFSET) / self.grid)
        stretched = F.interpolate(learned, scale_factor=scale, mode="bicubic")
        return torch.cat([self.pos_embed[:, :1], stretched.flatten(2).transpose(1, 2)], 1)

    def forward(self, images: Tensor) -> Tensor:
        patches = self.patch_embed["proj"](images)
        tokens = torch.cat([self.cls_token.expand(len(images), -1, -1), patches.flatten(2).transpose(1, 2)], 1)
        tokens = self.blocks(tokens + self.positions(*patches.shape[-2:]))
        class_token: Tensor = self.norm(tokens[:, 0])
        return class_token


class _Block(nn.Module):
    """A transformer block with LayerScale: tokens [B, T, width] -> the same, after attention and a perceptron."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = (nn.LayerNorm(width, eps=1e-6) for _ in range(2))
        self.attn = nn.ModuleDict({"qkv": nn.Linear(width, 3 * width), "proj": nn.Linear(width, width)})
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(width, 4 * width), "fc2": nn.Linear(4 * width, width)})
        self.ls1, self.ls2 = (nn.ParameterDict({"gamma": nn.Parameter(torch.ones(width))}) for _ in range(2))
        self.heads = heads

    def forward(self, tokens: Tensor) -> Tensor:
        query, key, value = (
            self.attn["qkv"](self.norm1(tokens)).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        )
        mixed = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        tokens = tokens + self.ls1["gamma"] * self.attn["proj"](mixed)
        changed: Tensor = self.mlp["fc2"](F.gelu(self.mlp["fc1"](self.norm2(tokens))))
        gamma: Tensor = self.ls2["gamma"]
        return tokens + gamma * changed
