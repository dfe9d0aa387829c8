"""Latent files: what is written comes back to the bit, what is not one of them is refused, and no path is in it."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from gansmith.data.prior import Prior
from gansmith.errors import OptionError, OutputError
from gansmith.latent.latent_file import load_latents, save_latents
from gansmith.latent.latents import Latent
from gansmith.latent.origin import Origin
from gansmith.latent.renderer import Renderer
from gansmith.latent.sources import read_sources
from refusals import refused

ORIGIN = Origin(version="1.0", model="ab" * 32, images=500, recipe="dcgan")
HEADER = {"format": 1, "version": "1.0", "model": "ab" * 32, "images": 500, "recipe": "dcgan", "space": "z"}


def written(path: Path, header: Mapping[str, Any] | str, tensors: Mapping[str, torch.Tensor] | None = None) -> Path:
    """A safetensors file with this header, and latents of two images unless told otherwise."""
    text = header if isinstance(header, str) else json.dumps(header)
    path.write_bytes(
        safetensors.torch.save(dict(tensors or {"latents": torch.ones(2, 4)}), metadata={"gansmith_latents": text})
    )
    return path


@pytest.mark.parametrize("space", ["z", "w"])
@pytest.mark.parametrize("label", [None, 3])
def test_what_is_written_comes_back(tmp_path: Path, space: Any, label: int | None) -> None:
    values = torch.randn(3, 5)
    path = save_latents(tmp_path / "a.safetensors", [Latent(one, space, label) for one in values], ORIGIN)
    stored = load_latents(path)
    assert stored.origin == ORIGIN
    torch.testing.assert_close(torch.stack([one.values for one in stored.latents]), values, rtol=0, atol=0)
    assert {(one.space, one.label) for one in stored.latents} == {(space, label)}
    assert [one.name for one in stored.latents] == ["a-0", "a-1", "a-2"]


def test_a_canvas_comes_back(tmp_path: Path) -> None:
    values = torch.randn(5, 2, 3)
    path = save_latents(tmp_path / "a.safetensors", [Latent(values)], ORIGIN)
    assert load_latents(path).latents[0].values.equal(values)
    assert load_latents(path).latents[0].name == "a"


def test_no_path_is_in_it(tmp_path: Path) -> None:
    """Neither the file's own nor that of a recipe which is a file."""
    renderer = Renderer(torch.nn.Unflatten(1, (1, 2, 2)), Prior(size=4), images=7, recipe="/home/somebody/mine.yaml")
    origin = renderer.origin
    assert (origin.images, origin.recipe, origin.model) == (7, None, renderer.digest)
    path = save_latents(tmp_path / "secret.safetensors", [Latent(torch.zeros(4), name="/home/x")], origin)
    assert not any(word in path.read_bytes() for word in (b"home", b"secret", b"somebody"))


def test_a_file_that_exists_stays(tmp_path: Path) -> None:
    path = save_latents(tmp_path / "a.safetensors", [Latent(torch.zeros(4))], ORIGIN)
    before = path.read_bytes()
    with refused("a-2.safetensors", error=OutputError):
        save_latents(path, [Latent(torch.ones(4))], ORIGIN)
    assert path.read_bytes() == before
    assert load_latents(save_latents(path, [Latent(torch.ones(4))], ORIGIN, force=True)).latents[0].values.sum() == 4


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        ({"model": "x" * 64}, "model"),
        ({"model": "../../etc/passwd"}, "model"),
        ({"recipe": "a/b"}, "recipe"),
        ({"recipe": "\x1b[31m"}, "recipe"),
        ({"version": ""}, "version"),
        ({"images": -1}, "images"),
        ({"images": "500"}, "images"),
        ({"images": True}, "images"),
        ({"space": "v"}, "space"),
        ({"format": 2}, "format"),
        ({"path": "/home"}, "path"),
    ],
)
def test_a_header_is_read_strictly(tmp_path: Path, change: dict[str, Any], fact: str) -> None:
    path = written(tmp_path / "a.safetensors", {**HEADER, **change})
    with refused(path, fact, error=OptionError):
        load_latents(path)


@pytest.mark.parametrize(
    "tensors",
    [
        {"latents": torch.ones(2, 4, dtype=torch.float64)},
        {"latents": torch.ones(4)},
        {"latents": torch.ones(2, 4, 3)},
        {"latents": torch.ones(0, 4)},
        {"latents": torch.ones(2, 0)},
        {"latents": torch.ones(10_001, 1)},
        {"latents": torch.full((2, 4), torch.nan)},
        {"latents": torch.ones(2, 4), "labels": torch.ones(3, dtype=torch.int64)},
        {"latents": torch.ones(2, 4), "labels": torch.ones(2)},
        {"latents": torch.ones(2, 4), "labels": -torch.ones(2, dtype=torch.int64)},
        {"latents": torch.ones(2, 4), "more": torch.ones(2)},
        {"other": torch.ones(2, 4)},
    ],
)
def test_other_tensors_are_refused(tmp_path: Path, tensors: dict[str, torch.Tensor]) -> None:
    with refused(error=OptionError):
        load_latents(written(tmp_path / "a.safetensors", HEADER, tensors))


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, "null", '{"space": NaN}', '{"format": 1, "format": 1}'])
def test_text_that_is_no_header_is_refused(tmp_path: Path, text: str) -> None:
    with refused(error=OptionError):
        load_latents(written(tmp_path / "a.safetensors", text))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a...",
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 20_000) + b"{" + b" " * 30_000,
        struct.pack("<Q", 2) + b"{}",
        struct.pack("<Q", 20) + b'{"__metadata__": []}',
        struct.pack("<Q", 4) + b"\xff\xfe{}",
    ],
)
def test_bytes_that_are_no_such_file_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(data)
    with refused(path, error=OptionError):
        load_latents(path)


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    with path.open("wb") as file:
        file.truncate(2**40)
    with refused(f"{2**40:,}", f"{2**26:,}", error=OptionError):
        load_latents(path)


def test_what_is_not_there_and_what_cannot_be_written(tmp_path: Path) -> None:
    with refused(tmp_path / "a.safetensors", error=OptionError):
        load_latents(tmp_path / "a.safetensors")
    with refused(".safetensors", error=OptionError):
        save_latents(tmp_path / "a.pt", [Latent(torch.zeros(4))], ORIGIN)
    with refused(2, error=OptionError):
        save_latents(tmp_path / "a.safetensors", [Latent(torch.zeros(4)), Latent(torch.zeros(5))], ORIGIN)
    with refused(0, error=OptionError):
        save_latents(tmp_path / "a.safetensors", [], ORIGIN)


def test_files_stand_beside_seeds_in_the_order_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save_latents("a,b.safetensors", [Latent(torch.ones(4))], ORIGIN)
    save_latents("two.safetensors", [Latent(torch.ones(4))] * 2, ORIGIN)
    sources = read_sources("1-2,two.safetensors,9", "a,b.safetensors")
    assert sources.names == ("1", "2", "two-0", "two-1", "9", "a,b")
    assert list(map(str, sources.files)) == ["two.safetensors", "a,b.safetensors"]
    renderer = Renderer(torch.nn.Unflatten(1, (1, 2, 2)), Prior(size=4))
    assert len(sources.seeds(renderer)) == 6
    (first, _) = sources.warnings(renderer)
    assert "two.safetensors" in first
    assert "abababab" in first
    assert renderer.digest[:16] in first
    with refused("none.safetensors", error=OptionError):
        read_sources("3,none.safetensors")
    with refused("'x'", error=OptionError):
        read_sources("3,x")
