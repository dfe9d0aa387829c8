"""Valid files of every kind that a command reads, made once; and odd ones, made in the folder of an invocation.

Runs and caches are those that tests/old_runs keeps; images are the examples that every format of the catalog writes.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import yaml
from PIL import Image
from typer.testing import CliRunner

from gansmith import catalog
from gansmith.cli.main import app
from gansmith.errors import MissingExtraError

OLD = Path(__file__).parent.parent / "old_runs"
RUNS = {
    "gan": "two_player_ended",
    "half_gan": "two_player_killed",
    "directed": "two_player_ended",
    "classes": "conditional_killed",
    "grader": "classify_ended",
    "half_grader": "classify_killed",
    "cycle": "cycle_ended",
    "several": "multimodal_ended",
    "pairs": "paired_ended",
    "half_pairs": "paired_killed",
}
SMALL = {
    **{"images": 64, "batch": 16, "device": "cpu", "sheet": 4, "checkpoint_every": 32, "record_every": 32},
    **{"generator": {"name": "dcgan", "width": 4}, "discriminator": {"name": "dcgan", "width": 4}},
    **{"prior": {"size": 8}, "averaging": {"half_life": 100}, "data": {"path": "photos", "size": 8, "channels": 3}},
}


class World:
    """Files by the name of their first folder, in `root`; `names` is in a fixed order."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.formats = _formats(root)
        _photographs(root)
        _runs(root)
        self.names = sorted(path.name for path in root.iterdir())
        self.odd = sorted(ODD)

    def place(self, texts: list[str], folder: Path) -> list[str]:
        """Copy what `texts` speak of into `folder`, and the images of a run; returns the names."""
        wanted = {word for text in texts for word in re.split(r"[/=@\s:,'\"]+", text)}
        wanted |= {"domains"} if wanted & {"cycle", "several", "pairs", "half_pairs"} else set()
        placed = []
        for name in self.names:
            if name in wanted:
                source = self.root / name
                (shutil.copytree if source.is_dir() else shutil.copy2)(source, folder / name)
                placed.append(name)
        for name in self.odd:
            if name in wanted:
                ODD[name](folder / name)
        return placed


def _formats(root: Path) -> list[str]:
    """fmt_NAME/... for each format of the catalog -> the paths, from `root`."""
    paths = []
    for name in catalog.names("formats"):
        folder = root / f"fmt_{name}"
        folder.mkdir()
        try:
            paths.append(str(catalog.find("formats", name, "example")(folder).relative_to(root)))
        except MissingExtraError:
            shutil.rmtree(folder)
    return paths


def _photographs(root: Path) -> None:
    """photos/CLASS/NN.png, plain/NN.*, one.png, packed.npy with labels, fakes/."""
    rng = np.random.default_rng(0)
    for index in range(36):
        pixels = rng.integers(0, 256, (12 + index % 5, 12 + index % 7, 3), dtype=np.uint8)
        target = root / "photos" / ["cat", "dog", "owl"][index % 3] / f"{index:02}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(target)
    modes = {"png": "RGBA", "jpg": "RGB", "webp": "RGB", "gif": "P", "bmp": "L", "tiff": "I;16"}
    (root / "plain").mkdir()
    for index in range(18):
        suffix, mode = list(modes.items())[index % len(modes)]
        grey = Image.fromarray(rng.integers(0, 256, (16, 16), dtype=np.uint8))
        grey.convert("I" if mode == "I;16" else mode).save(root / "plain" / f"{index}.{suffix}")
    (root / "fakes").mkdir()
    for index in range(24):
        Image.fromarray(rng.integers(0, 256, (8, 8), dtype=np.uint8)).save(root / "fakes" / f"{index:02}.png")
    Image.fromarray(rng.integers(0, 256, (18, 21, 3), dtype=np.uint8)).save(root / "one.png")
    np.save(root / "packed.npy", rng.integers(0, 256, (40, 8, 8, 1), dtype=np.uint8))
    np.save(root / "packed.labels.npy", np.arange(40) % 4)


def _runs(root: Path) -> None:
    """Runs, with a user's own note in each; the pixel cache of the digits; a file of settings."""
    sys.path.insert(0, str(OLD))
    from old_settings import write_domains

    write_domains(root / "domains")
    for name, old in RUNS.items():
        shutil.copytree(OLD / "runs" / old, root / name)
        described = root / name / "experiment.yaml"
        described.write_text(described.read_text().replace("/tmp/old-runs/domains", "domains"))
        (root / name / "notes.txt").write_text("written by the user\n")
    made = CliRunner().invoke(app, ["directions", str(root / "directed"), "--method", "svd", "--count", "2"])
    assert made.exit_code == 0, made.output
    shutil.copytree(OLD / "cache", root / "cache")
    (root / "small.yaml").write_text(yaml.safe_dump(SMALL))
    (root / "keep.txt").write_text("written by the user\n")


def _folder(path: Path) -> None:
    path.mkdir()


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _dangling(path: Path) -> None:
    path.symlink_to("nowhere.png")


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _empty(path: Path) -> None:
    path.touch()


def _closed(path: Path) -> None:
    path.mkdir()
    _png(path / "a.png")
    path.chmod(0)


def _sealed(path: Path) -> None:
    """A folder that can be read and not written."""
    path.mkdir()
    path.chmod(0o555)


def _unreadable(path: Path) -> None:
    _png(path)
    path.chmod(0)


def _png(path: Path) -> None:
    Image.new("RGB", (9, 9), "red").save(path, "PNG")


def _strange_names(path: Path) -> None:
    path.mkdir()
    names = [b"\x1b[31mred.png", b"a\nb.png", b"\xff\xfe.png", "²①.png".encode(), b"%s{0}.png", b"-.png", b"a" * 251]
    names += [("9" * 240 + ".png").encode(), "é日本\u202e.png".encode(), b"[bold]x[red].png", b" .png", b"\x07.png"]
    for name in names:
        with open(os.fsencode(path) + b"/" + (name if name.endswith(b".png") else name + b".png"), "wb") as file:  # noqa: PTH123
            Image.new("RGB", (9, 9), (len(name) % 256, 0, 0)).save(file, "PNG")


def _deep(path: Path) -> None:
    inner = path.joinpath(*["d"] * 60)
    inner.mkdir(parents=True)
    _png(inner / "a.png")


def _circle(path: Path) -> None:
    path.mkdir()
    (path / "inner").symlink_to("..")
    _png(path / "a.png")


def _mixed(path: Path) -> None:
    """Images beside what is none: a folder, a pipe, a loop, text and nothing under the names of images."""
    path.mkdir()
    _png(path / "a.png")
    _png(path / "b.JPEG")
    for name, make in (("c.png", _folder), ("d.png", _pipe), ("e.png", _loop), ("f.png", _empty), ("g.png", _dangling)):
        make(path / name)
    (path / "h.png").write_text("no image")


ODD: dict[str, Callable[[Path], None]] = {
    **{"folder.png": _folder, "loop.png": _loop, "dangling.png": _dangling, "pipe.png": _pipe, "empty.png": _empty},
    **{"closed": _closed, "sealed": _sealed, "unreadable.png": _unreadable, "strange": _strange_names, "deep": _deep},
    **{"circle": _circle, "mixed": _mixed, "nothing": _folder, "empty.zip": _empty, "pipe.yaml": _pipe},
    **{"empty.yaml": _empty, "folder.yaml": _folder, "loop": _loop, "pipe": _pipe, "empty.npy": _empty},
}
