"""A direction and the list of them: names, numbers, projection, file."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
import torch
from torch import Tensor

from gansmith.errors import OptionError, OutputError, UnknownNameError
from gansmith.latent.directions.direction import Direction, Directions, orthogonal
from gansmith.latent.directions.direction_file import load_directions, save_directions
from gansmith.latent.origin import Origin

ORIGIN = Origin(version="1.0", model="a" * 64, images=500)
X, Y, Z = torch.eye(3)


def unit(vector: Tensor) -> Tensor:
    return vector / vector.norm()


def listed() -> Directions:
    return Directions(
        (
            Direction(X, "smile", "pca", 1.0, 0.25, 0.5),
            Direction(unit(X + Y), "glasses", "labels", 2.0, auc=0.875),
            Direction(Z, "pca-2", "pca", 0.5),
        ),
        "w",
        ORIGIN,
    )


def test_names_and_numbers() -> None:
    directions = listed()
    assert directions.find("glasses") is directions.find("2") is directions[1]
    assert [directions.number(word) for word in ("smile", "1", "3")] == [1, 1, 3]
    with pytest.raises(UnknownNameError, match=r"'glases'.*'glasses'.*smile.*1 to 3"):
        directions.find("glases")
    for wrong in ("0", "4"):
        with pytest.raises(UnknownNameError):
            directions.find(wrong)
    renamed = directions.renamed({"3": "light", "smile": "mouth"})
    assert [d.name for d in renamed] == ["mouth", "glasses", "light"]
    assert renamed[0].vector is directions[0].vector
    with pytest.raises(OptionError, match="'glasses'"):
        directions.renamed({"1": "glasses"})


@pytest.mark.parametrize("name", ["", "7", "a:b", "a=b", "a,b", "-x", " x", "x\n", "x" * 41])
def test_names_that_a_command_line_could_not_take_apart(name: str) -> None:
    with pytest.raises(OptionError):
        Direction(X, name)


@pytest.mark.parametrize(("vector", "step"), [(2 * X, 1.0), (X.double(), 1.0), (X[None], 1.0), (X, 0.0), (X, -1.0)])
def test_what_is_no_direction(vector: Tensor, step: float) -> None:
    with pytest.raises(OptionError, match="length 1"):
        Direction(vector, "x", "pca", step)


def test_a_method_made_again_takes_the_place_of_its_own() -> None:
    again = listed().with_method([Direction(Y, "new", "pca")])
    assert [d.name for d in again] == ["glasses", "new"]


def test_cosines() -> None:
    expected = torch.tensor([[1, 0.5**0.5, 0], [0.5**0.5, 1, 0], [0, 0, 1]], dtype=torch.float64)
    torch.testing.assert_close(listed().cosines(), expected, rtol=0, atol=1e-6)


def test_projection_is_at_right_angles_to_all() -> None:
    """To two that are not at right angles to each other."""
    fixed = [Direction(X, "a"), Direction(unit(X + Y), "b")]
    [made] = orthogonal([Direction(unit(torch.tensor([1.0, -2.0, -3.0])), "c", "svd", 1.5, 0.1, 0.2)], fixed)
    torch.testing.assert_close(made.vector, -Z, rtol=0, atol=1e-6)  # the sign is kept
    assert (made.name, made.method, made.step, made.change, made.purity) == ("c", "svd", 1.5, None, None)
    with pytest.raises(OptionError, match=r"Y.*a, b"):
        orthogonal([Direction(Y, "Y")], fixed)


def test_a_file_holds_everything(tmp_path: Path) -> None:
    path = save_directions(tmp_path / "d.safetensors", listed())
    read = load_directions(path, digest="a" * 64)
    assert (read.space, read.origin) == ("w", ORIGIN)
    for one, other in zip(read, listed(), strict=True):
        assert one.vector.equal(other.vector)
        assert [getattr(one, word) for word in ("name", "method", "step", "change", "purity", "auc")] == [
            getattr(other, word) for word in ("name", "method", "step", "change", "purity", "auc")
        ]
    with pytest.raises(OutputError):
        save_directions(path, listed())


def test_directions_of_other_weights_are_refused(tmp_path: Path) -> None:
    path = save_directions(tmp_path / "d.safetensors", listed())
    with pytest.raises(OptionError, match=rf"{'a' * 16}.*{'b' * 16}.*--replace"):
        load_directions(path, digest="b" * 64)


def rewritten(path: Path, change: str) -> None:
    """The header of a file with one thing changed, the tensors as they are."""
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    said = json.loads(header["__metadata__"]["gansmith_directions"])
    if change == "count":
        said["directions"].pop()
    elif change == "field":
        said["path"] = "/home"
    elif change == "name":
        said["directions"][0]["name"] = "a\x1b[2J"
    elif change == "auc":
        said["directions"][0]["auc"] = 1.5
    elif change == "type":
        header["steps"]["dtype"] = "I32"
    header["__metadata__"]["gansmith_directions"] = json.dumps(said)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])


@pytest.mark.parametrize("change", ["count", "field", "name", "auc", "type"])
def test_a_file_is_read_as_data_from_a_stranger(change: str, tmp_path: Path) -> None:
    path = save_directions(tmp_path / "d.safetensors", listed())
    rewritten(path, "nothing")
    assert len(load_directions(path)) == 3
    rewritten(path, change)
    with pytest.raises(OptionError):
        load_directions(path)


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    from gansmith.latent.latent_file import save_latents
    from gansmith.latent.latents import Latent

    path = save_latents(tmp_path / "l.safetensors", [Latent(torch.ones(3))], ORIGIN)
    with pytest.raises(OptionError, match="another kind"):
        load_directions(path)
    with pytest.raises(OptionError, match="no such file"):
        load_directions(tmp_path / "none.safetensors")
