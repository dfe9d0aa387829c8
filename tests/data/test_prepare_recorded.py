"""Preparation gives what it gave: digests, sides, cache keys and files, names and warnings of recorded settings.

A user's run resumes only on the same digest, and a cache is read again only under the same key and file names. The
values in prepared.json were recorded when preparation was first written; `python test_prepare_recorded.py --write`
records them anew, which a change of behaviour must explain. The files are BMP and .npy, whose bytes depend on no
encoder, and the Pillow version in the key is a fixed one.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL
import pytest
from PIL import Image

from gansmith.data.prepare import prepare, prepare_domains
from gansmith.data.prepared import Prepared
from gansmith.data.settings import DataSettings

RECORDED = Path(__file__).with_name("prepared.json")
PILLOW = "12.0.0"  # only its major version is part of a key


def image(seed: int, height: int, width: int, channels: int) -> Image.Image:
    """Squares of random colours, 4 pixels wide."""
    rough = np.random.default_rng(seed).integers(0, 256, (height // 4, width // 4, channels), dtype=np.uint8)
    return Image.fromarray(np.kron(rough, np.ones((4, 4, 1), np.uint8)).squeeze())


def write(folder: Path, names: list[str], seed: int, size: tuple[int, int] = (24, 32), channels: int = 3) -> Path:
    """One BMP for each name; a name that ends in `=N.bmp` gets the pixels of seed + N, the others of seed + place."""
    for place, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        twin = re.search(r"=(\d+)\.bmp$", name)
        image(seed + (int(twin[1]) if twin else place), *size, channels).save(folder / name)
    return folder


def materials(root: Path) -> None:
    """Every set of images that the cases name."""
    numbers = [f"{number:02}.bmp" for number in range(24)]
    classes = [f"{'cats' if number < 20 else 'dogs'}/p{number % 7}_{number:02}.bmp" for number in range(40)]
    write(root / "photos", [*classes, "cats/twin=3.bmp", "dogs/twin=3.bmp", "dogs/twin=25.bmp"], 0)
    image(9, 24, 32, 3).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(root / "photos" / "dogs" / "mirror9.bmp")
    with zipfile.ZipFile(root / "photos.zip", "w") as archive:
        for file in sorted((root / "photos").rglob("*.bmp")):
            archive.write(file, file.relative_to(root / "photos").as_posix())
    grey = np.stack([np.asarray(image(500 + number, 16, 16, 1)) for number in range(30)])
    np.save(root / "grey.npy", grey)
    np.save(root / "grey.labels.npy", np.arange(30) % 3)
    write(root / "mixed", numbers[:12], 600, (80, 72))
    write(root / "mixed", numbers[12:], 700, (64, 120))
    write(root / "broken", numbers, 800)
    (root / "broken" / "03.bmp").write_bytes(b"")
    (root / "broken" / "11.bmp").write_bytes(b"BM no image")
    write(root / "set" / "A", [*numbers, "alone.bmp"], 900)
    write(root / "set" / "B", [*reversed(numbers[2:]), "other.bmp"], 1000, (40, 40))
    (root / "set" / "testA").mkdir()
    write(root / "partners", numbers, 1200, channels=1)
    write(root / "words" / "one", [f"{who}/a{n}.bmp" for who in ("ann", "bob", "cy") for n in range(4)], 1300)
    write(root / "words" / "two", [f"{who}/b{n}.bmp" for who in ("bob", "cy", "dot") for n in range(5)], 1400)
    write(root / "same", [f"{number:02}=0.bmp" for number in range(25)], 1100)
    write(root / "pairs", numbers, 1500, (24, 48))


CASES: dict[str, dict[str, Any]] = {
    "folder": {"path": "photos"},
    "folder, decoded as it comes": {"path": "photos", "cache": False, "holdout": 0.2},
    "folder, mirrored": {"path": "photos", "flip": True, "holdout": 0.3},
    "folder, by class": {"path": "photos", "holdout_by": "class", "holdout": 0.4},
    "folder, by file": {"path": "photos", "holdout_by": "file", "size": 16, "channels": 1, "fit": "stretch"},
    "folder, by name": {"path": "photos", "holdout_by": r"name:/p(\d)", "holdout": 0.2},
    "folder, by name, as it comes": {"path": "photos", "holdout_by": r"name:/p(\d)", "cache": False},
    "folder, padded": {"path": "photos", "size": (20, 36), "channels": 3, "fit": "pad", "background": (10, 20, 30)},
    "folder, RGBA": {"path": "photos", "size": 16, "channels": 4, "fit": "pad"},
    "folder, a share": {"path": "photos", "fraction": 0.6, "holdout": 0.1},
    "folder, all": {"path": "photos", "holdout": 0},
    "zip": {"path": "photos.zip", "holdout": 0.1},
    "npy": {"path": "grey.npy", "holdout": 0.2},
    "one image 25 times": {"path": "same", "holdout": 0.2},
    "mixed sizes": {"path": "mixed", "holdout": 0.25},
    "broken": {"path": "broken", "skip_unreadable": True, "holdout": 0.2},
    "broken, as it comes": {"path": "broken", "skip_unreadable": True, "holdout": 0.2, "cache": False},
    "broken, as it comes, by file": {
        "path": "broken",
        "skip_unreadable": True,
        "holdout": 0.3,
        "holdout_by": "file",
        "cache": False,
    },
    "digits": {"path": "digits", "fraction": 0.1},
    "points": {"path": "ring", "options": {"count": 300}},
    "unpaired": {"path": "set", "holdout": 0.25},
    "unpaired, a share": {"path": "set", "fraction": 0.5, "holdout": 0.2, "holdout_by": "file"},
    "unpaired, as it comes": {"path": "set", "holdout": 0.25, "cache": False},
    "unpaired, strangers": {"path": "words/one", "other": "grey.npy", "holdout": 0.2},
    "unpaired, strangers, a share": {"path": "words/one", "other": "words/two", "fraction": 0.5},
    "unpaired, by class": {"path": "words/one", "other": "words/two", "holdout_by": "class", "holdout": 0.3},
    "unpaired, by name": {"path": "words/one", "other": "words/two", "holdout_by": "name:^[a-z]+", "holdout": 0.6},
    "unpaired, all": {"path": "set", "holdout": 0},
    "unpaired, broken": {"path": "broken", "other": "partners", "skip_unreadable": True, "holdout": 0.2},
    "unpaired, points": {"path": "ring", "other": "grid", "options": {"count": 200}},
    "paired": {"path": "set", "paired": True, "holdout": 0.25},
    "paired, a share": {"path": "set", "paired": True, "fraction": 0.5, "holdout": 0.2},
    "paired, broken": {"path": "broken", "other": "partners", "paired": True, "skip_unreadable": True, "holdout": 0.2},
    "paired, broken, as it comes": {
        "path": "broken",
        "other": "partners",
        "paired": True,
        "skip_unreadable": True,
        "holdout": 0.2,
        "cache": False,
    },
    "paired, side by side": {"path": "pairs", "paired": True, "holdout": 0.2},
    "paired, swapped": {"path": "pairs", "paired": True, "holdout": 0.2, "options": {"order": "ba"}},
}


def run(root: Path, *, path: str, other: str | None = None, paired: bool = False, **options: Any) -> Prepared:
    """Prepare what a case says, its paths inside `root`."""
    options = {"holdout": 0.05, **options}
    inside: Callable[[str], str] = lambda place: str(root / place) if (root / place).exists() else place  # noqa: E731
    if other is None and not paired and path != "set":
        return prepare(DataSettings(path=inside(path), **options), workers=0)
    settings = DataSettings(path=inside(path), other=None if other is None else inside(other), **options)
    return prepare_domains(settings, paired=paired, workers=0)


def facts(data: Prepared, root: Path) -> dict[str, Any]:
    """What must stay: of warnings, which are words, the numbers and the file names in them."""
    pixels = hashlib.blake2b(digest_size=8)
    for part in (data.train, data.holdout):
        if part is not None:
            whole = part[:]
            pixels.update(whole.image.tobytes() + (b"" if whole.label is None else whole.label.tobytes()))
    result = {
        "digest": data.digest,
        "name": data.name,
        "shape": list(data.shape),
        "classes": None if data.classes is None else len(data.classes),
        "frequencies": sum(data.frequencies),
        "count": data.count,
        "keys": hashlib.blake2b("\n".join(data.keys).encode(), digest_size=8).hexdigest(),
        "held out": data.holdout_indices.tolist(),
        "pixels": pixels.hexdigest(),
        "size": None if data.settings.size is None else list(data.settings.size),
        "channels": data.settings.channels,
        "paired": data.paired,
        "warnings": [re.findall(r"\d[\w.,]*", text.replace(str(root), "")) for text in data.warnings],
    }
    return {**result, "other": facts(data.other, root)} if data.other is not None else result


def record(case: dict[str, Any], root: Path, cache: Path) -> dict[str, Any]:
    """The facts of one case, and the files that it leaves in an empty cache."""
    os.environ["GANSMITH_CACHE"] = str(cache)
    result = facts(run(root, **case), root)
    files = [file.relative_to(cache).as_posix() for file in cache.rglob("*") if file.is_file()]
    return {**result, "files": sorted(file for file in files if not file.endswith(".lock"))}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("materials")
    materials(folder)
    return folder


@pytest.mark.parametrize("case", CASES)
def test_the_same_as_recorded(case: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PIL, "__version__", PILLOW)
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path))  # put back afterwards
    recorded = json.loads(RECORDED.read_text())[case]
    assert record(CASES[case], root, tmp_path) == recorded
    again = facts(run(root, **CASES[case]), root)  # from what the first left in the cache
    assert again == {key: value for key, value in recorded.items() if key != "files"}


def test_the_cases_differ() -> None:
    recorded = json.loads(RECORDED.read_text())
    assert list(recorded) == list(CASES)
    assert len({entry["digest"] for entry in recorded.values()}) == len(CASES)
    assert sum(bool(entry["held out"]) for entry in recorded.values()) == len(CASES) - 4


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        raise SystemExit(f"python {sys.argv[0]} --write")
    PIL.__version__ = PILLOW
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "materials")
        folder.mkdir()
        materials(folder)
        found = {name: record(case, folder, Path(place, f"cache{n}")) for n, (name, case) in enumerate(CASES.items())}
    lines = [f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in found.items()]
    RECORDED.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"wrote {RECORDED}")
