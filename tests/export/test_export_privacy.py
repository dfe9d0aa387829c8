"""Nothing exported holds an image of the data, a path or file name of it or of this machine, or optimizer state."""

from __future__ import annotations

import base64
import getpass
import io
import platform
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import gansmith
from exporting import EACH, Exported, packed

FORMS = ["program", "folder", "onnx", "html"]
PARTS = ("model", "runtime-script", "runtime-wasm")
MARKS = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"GIF8", b"II*\0", b"MM\0*")  # how files of images begin


def contents(path: Path) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of a file or of every file of a folder, and of what is packed in them."""
    for file in sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]:
        data = file.read_bytes()
        yield file.name, data
        if file.suffix == ".html":
            page = data.decode()
            yield from ((f"{file.name}: {part}", packed(page, part)) for part in PARTS)
            for stored in re.findall(r">([A-Za-z0-9+/=]{64,})<", page):
                yield f"{file.name}: base64", base64.b64decode(stored)
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as opened:
                for name in opened.namelist():
                    yield f"{file.name}: {name}", opened.read(name)


def forms_of(pixels: np.ndarray) -> Iterator[bytes]:
    """The bytes of an image uint8 [H, W, C] as a program may hold it: levels or numbers, either order of axes."""
    for image in (pixels, pixels[:, ::-1]):
        for ordered in (image, image.transpose(2, 0, 1)):
            yield np.ascontiguousarray(ordered).tobytes()
            for scale, offset in ((127.5, 1), (255, 0)):
                yield (np.ascontiguousarray(ordered).astype(np.float32) / np.float32(scale) - offset).tobytes()


def images_of(folder: Path) -> dict[Path, np.ndarray]:
    read = {}
    for file in sorted(folder.rglob("*.png")):
        with Image.open(file) as opened:
            read[file] = np.asarray(opened)
    return read


def breaches(path: Path, exported: Exported) -> list[str]:
    """What of the data, of this machine or of the training stands in an export."""
    images = images_of(exported.data)
    assert len(images) == 2 * EACH
    words = {exported.data.name, "IMG_zq", str(exported.run.path), str(Path(gansmith.__file__).parent)}
    words |= {
        str(Path.home()),
        str(Path.cwd()),
        platform.node(),
        "exp_avg",
        "max_exp_avg",
        "optimizer",
        "discriminator",
    }
    if getpass.getuser() != "root":
        words.add(getpass.getuser())
    words -= {"/", ""}
    found = []
    for name, data in contents(path):
        said = data.replace(b"There is no discriminator, no state of an optimizer", b"")  # the page says so
        found += [f"{name}: {word}" for word in words if len(word) > 3 and word.encode() in said]
        for file, pixels in images.items():
            needles = [*forms_of(pixels), file.read_bytes()[40:]]
            found += [f"{name}: the image {file.name}" for needle in needles if needle in data]
        for state in exported.run.network("discriminator")[0].state_dict().values():
            if state.numel() > 16 and state.numpy().tobytes() in data:
                found.append(f"{name}: weights of the discriminator")
        for mark in MARKS:
            start = data.find(mark)
            while start >= 0:
                found += [f"{name}: an image"] if decodes(data[start:]) else []
                start = data.find(mark, start + 1)
    return found


def decodes(data: bytes) -> bool:
    try:
        Image.open(io.BytesIO(data)).load()
    except Exception:
        return False
    return True


@pytest.mark.parametrize("form", FORMS)
def test_nothing_of_the_data_leaves(form: str, exported: Exported) -> None:
    if form not in exported.files:
        pytest.skip("onnx, onnxruntime or onnxscript is not installed")
    assert breaches(exported.files[form], exported) == []


@pytest.mark.parametrize("form", FORMS)
def test_no_array_is_near_an_image_of_the_data(form: str, exported: Exported) -> None:
    """Every array of as many numbers as an image has, against every image, as far as scale and offset allow."""
    if form not in exported.files:
        pytest.skip("onnx, onnxruntime or onnxscript is not installed")
    images = np.stack([*images_of(exported.data).values()]).astype(np.float64)
    known = np.stack([centred(image.transpose(axes).ravel()) for image in images for axes in ((0, 1, 2), (2, 0, 1))])
    near = [float(np.abs(known @ centred(array)).max()) for array in arrays_of(exported, form, images[0].size)]
    assert max(near, default=0.0) < 0.6


def centred(values: np.ndarray) -> np.ndarray:
    values = values.astype(np.float64) - values.mean()
    length = np.linalg.norm(values)
    return values if length < 1e-9 else values / length


def arrays_of(exported: Exported, form: str, size: int) -> list[np.ndarray]:
    path = exported.files[form]
    if form in ("onnx", "html"):
        onnx = pytest.importorskip("onnx")
        model = path.read_bytes() if form == "onnx" else packed(path.read_text(), "model")
        graph = onnx.load_model_from_string(model).graph
        arrays = [onnx.numpy_helper.to_array(one) for one in graph.initializer]
    else:
        file = path / "generator.pt2" if path.is_dir() else path
        program = torch.export.load(file)
        arrays = [value.detach().numpy() for value in (*program.state_dict.values(), *program.constants.values())]
    return [
        part.ravel()
        for array in arrays
        for part in (array.reshape(-1, size) if array.size % size == 0 and array.dtype.kind == "f" else [])
    ]


def test_the_search_would_notice(exported: Exported, tmp_path: Path) -> None:
    pixels = next(iter(images_of(exported.data).values()))
    file = next(exported.data.rglob("*.png"))
    for number, secret in enumerate(
        [
            pixels.tobytes(),
            ((pixels.transpose(2, 0, 1).astype(np.float32)) / np.float32(127.5) - 1).tobytes(),
            file.read_bytes(),
            str(file).encode(),
            file.name.encode(),
            exported.data.name.encode(),
            b'"state": {"exp_avg": 0}',
        ]
    ):
        plain = tmp_path / f"{number}.bin"
        plain.write_bytes(b"before" + secret + b"behind")
        assert breaches(plain, exported) != []
        with zipfile.ZipFile(tmp_path / f"{number}.zip", "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr("inside", b"before" + secret + b"behind")
        assert breaches(tmp_path / f"{number}.zip", exported) != []
