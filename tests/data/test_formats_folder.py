"""Folders and zips of images."""

from __future__ import annotations

import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image
from written_files import NAMES, RNG, grey_image, png, write

from gansmith.data.check import check
from gansmith.data.decode import conform, decode
from gansmith.data.encoded import WHOLE, digest
from gansmith.data.open import open_dataset
from gansmith.data.pack import pack
from gansmith.data.prepare import prepare
from gansmith.data.settings import DataSettings
from gansmith.errors import DataError, UnreadableImageError

KEYS = ["cat/1.jpg", "cat/deep/x.gif", "dog/2.png", "dog/10.PNG"]


@pytest.fixture
def archive(folder: Path, tmp_path: Path) -> Path:
    path = tmp_path / "pets.zip"
    with zipfile.ZipFile(path, "w") as file:
        for name in NAMES:
            file.write(folder / name, f"pets/{name}")
    return path


def test_a_folder(folder: Path) -> None:
    source = open_dataset(folder)
    assert source.name == "pets"
    assert list(source.keys) == KEYS
    assert source.classes == ("cat", "dog")
    assert_array_equal(source.labels, [0, 0, 1, 1])
    for index, key in enumerate(KEYS):
        item = source[index]
        assert_array_equal(item.image, grey_image(NAMES.index(key)))  # written as PNG whatever the suffix says
        assert item.label == [0, 0, 1, 1][index]


def test_a_zip_follows_the_rules_of_a_folder(archive: Path) -> None:
    source = open_dataset(archive)
    assert source.name == "pets"
    assert list(source.keys) == [f"pets/{key}" for key in KEYS]
    assert source.classes == ("cat", "dog")
    assert [int(item.image[0, 0, 0]) for item in source] == [NAMES.index(key) for key in KEYS]
    batch = source[[3, 0]]
    assert_array_equal(batch.label, [1, 0])


@pytest.mark.parametrize("which", ["folder", "archive"])
def test_sources_work_in_worker_processes_and_after_pickling(which: str, request: pytest.FixtureRequest) -> None:
    source = open_dataset(request.getfixturevalue(which))
    assert source[3].label == 1  # a handle is open in this process now
    small = source.resize(size=2, channels=1)
    for copy in (list(small.parallel(workers=2)), list(pickle.loads(pickle.dumps(small)))):
        assert [int(item.image[0, 0, 0]) for item in copy] == [NAMES.index(key) for key in KEYS]


def test_workers_do_not_share_the_position_in_a_zip(tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as file:
        for number in range(400):
            file.writestr(f"{number}.png", png(number % 256))
    source = open_dataset(path)
    assert source[7].image[0, 0, 0] == 7  # opens it here, before the workers are forked
    got = [int(item.image[0, 0, 0]) for item in source.parallel(workers=2)]
    assert got == [number % 256 for number in range(400)]


def test_resize_asks_for_no_more_detail_than_it_needs(tmp_path: Path) -> None:
    pixels = RNG.integers(0, 256, (128, 128, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.jpg")
    small = decode((tmp_path / "a.jpg").read_bytes(), "x", near=(8, 16))
    assert small.shape == (32, 32, 3)
    got = open_dataset(tmp_path).resize(size=(8, 16), channels=3)[0].image
    assert_array_equal(got, conform(small, size=(8, 16), channels=3))


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    write(tmp_path / "set", ["a.png"])
    (tmp_path / "set" / "again").symlink_to(tmp_path / "set")
    other = tmp_path / "elsewhere"
    write(other, ["b.png"])
    (tmp_path / "set" / "linked").symlink_to(other)
    assert list(open_dataset(tmp_path / "set").keys) == ["a.png", "linked/b.png"]


@pytest.mark.parametrize("which", ["folder", "zip"])
def test_nothing_to_read(which: str, tmp_path: Path) -> None:
    if which == "folder":
        path = tmp_path / "empty"
        write(path, ["notes.txt"])
    else:
        path = tmp_path / "empty.zip"
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("notes.txt", "text")
    with pytest.raises(DataError, match=rf"no images in {path}.*\.png \.jpg .*\.tiff .*It holds 1 \.txt"):
        open_dataset(path)


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    write(tmp_path, ["a.png", "b.png"])
    (tmp_path / "b.png").write_bytes(png()[:45])
    source = open_dataset(tmp_path)
    with pytest.raises(UnreadableImageError, match=rf"^{tmp_path}/b\.png cannot be decoded"):
        source[1]
    (tmp_path / "a.png").unlink()
    for act in (lambda: source[0], lambda: source.stamp(0)):
        with pytest.raises(UnreadableImageError, match=rf"^{tmp_path}/a\.png cannot be read: No such file"):
            act()


def test_a_damaged_zip(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.png", png())
    data = bytearray(path.read_bytes())
    data[45] ^= 255
    path.write_bytes(data)
    with pytest.raises(UnreadableImageError, match=rf"^{path}/a\.png .*damaged: Bad CRC"):
        open_dataset(path)[0]
    path.write_bytes(data[:60])
    with pytest.raises(DataError, match=rf"{path} .*: File is not a zip"):
        open_dataset(path, format="zip")


def test_stamps_follow_content(tmp_path: Path) -> None:
    big = RNG.integers(0, 256, WHOLE + 100, dtype=np.uint8).tobytes()
    write(tmp_path, ["a.png", "b.png"])
    (tmp_path / "big.png").write_bytes(big)
    source = open_dataset(tmp_path)
    first = [source.stamp(index) for index in range(3)]
    assert len(set(first)) == 3
    os.utime(tmp_path / "a.png", ns=(1, 1))
    assert source.stamp(0) == first[0]  # a small file is its content
    changed = bytearray(png(0))
    changed[-1] ^= 1
    (tmp_path / "a.png").write_bytes(changed)
    assert source.stamp(0) != first[0]
    stat = (tmp_path / "big.png").stat()
    for place in (0, len(big) - 1):
        damaged = bytearray(big)
        damaged[place] ^= 1
        (tmp_path / "big.png").write_bytes(damaged)
        os.utime(tmp_path / "big.png", ns=(stat.st_atime_ns, stat.st_mtime_ns))
        assert source.stamp(2) != first[2]
    (tmp_path / "big.png").write_bytes(big)
    os.utime(tmp_path / "big.png", ns=(1, 1))
    assert source.stamp(2) != first[2]
    os.utime(tmp_path / "big.png", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert source.stamp(2) == first[2]


def test_a_digest_frames_its_parts() -> None:
    assert digest("ab", "c") != digest("a", "bc")
    assert digest(b"1") == digest("1") == digest(1)
    assert len(digest("x")) == 16


def test_stamps_of_a_zip(tmp_path: Path) -> None:
    stamps = []
    for number, value in enumerate((1, 1, 2)):
        path = tmp_path / f"{number}.zip"
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("a.png", png(value))
        stamps.append(open_dataset(path).stamp(0))
    assert stamps[0] == stamps[1] != stamps[2]


def test_runs_below_a_folder_are_no_images_of_it(folder: Path) -> None:
    """`gansmith train .` writes runs/ where it reads."""
    run = folder / "runs" / "here"
    (run / "samples").mkdir(parents=True)
    (run / "samples" / "000000000.png").write_bytes((folder / KEYS[0]).read_bytes())
    assert len(open_dataset(folder)) == len(KEYS) + 1  # whatever it is, it is no run
    (run / "experiment.yaml").touch()
    assert list(open_dataset(folder).keys) == KEYS
    assert list(open_dataset(run).keys) == ["samples/000000000.png"]  # named, it is read


@pytest.mark.parametrize("call", ["check", "pack", "uncached"])
def test_a_pipe_among_the_images_is_unreadable_and_nobody_waits_for_it(call: str, tmp_path: Path) -> None:
    for index in range(4):
        pixels = np.full((8, 8, 3), 60 * index, dtype=np.uint8)
        (tmp_path / "set").mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "set" / f"{index}.png")
    os.mkfifo(tmp_path / "set" / "pipe.png")
    settings = DataSettings(path=str(tmp_path / "set"), size=(8, 8), cache=call != "uncached", skip_unreadable=True)
    if call == "check":
        assert "pipe.png" in str(check(settings).as_json()["unreadable"])
    elif call == "pack":
        assert pack(settings, tmp_path / "x.npy")[0] == 4
    else:
        assert prepare(settings).count == 4
