"""The pixel cache: content, one build for two processes, and every way in which a build can go wrong."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import resource
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from filelock import FileLock

from gansmith.data import cache, cache_folder, npy_writer
from gansmith.data.dataset import Arrays, Dataset, ImageItem, Listed
from gansmith.errors import DataError, GansmithError, UnreadableImageError

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (300, 6, 5, 3), dtype=np.uint8)
LABELS = np.arange(300, dtype=np.int64) % 7
NAMES = [f"{i}.png" for i in range(300)]


class Broken(Dataset):
    """`IMAGES`, of which some cannot be read."""

    def __init__(self, bad: set[int]) -> None:
        self.bad = bad

    def __len__(self) -> int:
        return len(IMAGES)

    def one(self, index: int) -> ImageItem:
        if index in self.bad:
            raise UnreadableImageError(f"{NAMES[index]} is empty")
        return ImageItem(IMAGES[index], int(LABELS[index]))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize("workers", [0, 2])
def test_holds_the_images_in_order(workers: int, folder: Path) -> None:
    found = cache.store(Arrays(IMAGES, LABELS), key="k", names=NAMES, classes=tuple("abcdefg"), workers=workers)
    np.testing.assert_array_equal(found.data.images, IMAGES)
    np.testing.assert_array_equal(found.data.labels, LABELS)
    np.testing.assert_array_equal(found.kept, np.arange(300))
    assert found.built
    assert found.keys == tuple(NAMES)
    assert found.classes == tuple("abcdefg")
    assert found.warnings == ()
    assert not found.data.images.flags.writeable
    np.testing.assert_array_equal(np.load(folder / "k" / "images.npy"), IMAGES)  # an ordinary .npy file
    header = repr({"descr": "|u1", "fortran_order": False, "shape": (300, 6, 5, 3)}).encode()
    expected = hashlib.blake2b(header + IMAGES.tobytes() + LABELS.tobytes(), digest_size=16).hexdigest()
    assert found.digest == expected


def test_is_built_once() -> None:
    first = cache.store(Arrays(IMAGES), key="k", names=NAMES)
    again = cache.store(Listed([None] * 300), key="k", names=NAMES)  # would fail if it were read
    assert (first.built, again.built) == (True, False)
    assert again.digest == first.digest
    assert again.data.labels is None
    np.testing.assert_array_equal(again.data.images, IMAGES)


def test_points_stay_floats() -> None:
    points = RNG.standard_normal((50, 1, 1, 2)).astype(np.float32)
    found = cache.store(Arrays(points), key="p", names=NAMES[:50])
    assert found.data.images.dtype == np.float32
    np.testing.assert_array_equal(found.data.images, points)


def test_key_depends_on_content_order_and_settings() -> None:
    keys = {
        cache.key_of([b"a", b"bc"], {"size": 1}),
        cache.key_of([b"ab", b"c"], {"size": 1}),
        cache.key_of([b"bc", b"a"], {"size": 1}),
        cache.key_of([b"a", b"bc"], {"size": 2}),
        cache.key_of([b"a"], {"size": 1}),
    }
    assert len(keys) == 5
    assert cache.key_of([b"a"], {"x": 1, "y": 2}) == cache.key_of([b"a"], {"y": 2, "x": 1})


def test_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANSMITH_CACHE", "/a/b")
    assert cache.root() == Path("/a/b")
    monkeypatch.delenv("GANSMITH_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/c")
    assert cache.root() == Path("/c/gansmith")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache.root() == Path.home() / ".cache" / "gansmith"


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("bad", [{0}, {0, 1, 130, 299}, set(range(0, 300, 2))])
def test_leaves_out_unreadable(workers: int, bad: set[int]) -> None:
    found = cache.store(Broken(bad), key="k", names=NAMES, workers=workers, skip_unreadable=True)
    good = [i for i in range(300) if i not in bad]
    np.testing.assert_array_equal(found.data.images, IMAGES[good])
    np.testing.assert_array_equal(found.data.labels, LABELS[good])
    np.testing.assert_array_equal(found.kept, good)
    assert set(found.skipped) == {NAMES[i] for i in bad}
    assert found.keys == tuple(NAMES[i] for i in good)
    assert re.match(rf"left out {len(bad)} images? .*: 0\.png.* is empty$", found.warnings[0])
    with pytest.raises(DataError, match="--skip-unreadable"):  # the next run did not allow it
        cache.store(Broken(bad), key="k", names=NAMES)


@pytest.mark.parametrize("workers", [0, 2])
def test_unreadable_are_named_at_once(workers: int, folder: Path) -> None:
    with pytest.raises(DataError) as caught:
        cache.store(Broken({3, 50, 140, 141, 142, 200, 299}), key="k", names=NAMES, workers=workers)
    said = str(caught.value)
    assert said.startswith("7 images of 300 ")
    assert re.findall(r"\d+\.png|\d+ more", said) == ["3.png", "50.png", "140.png", "141.png", "142.png", "2 more"]
    assert "--skip-unreadable" in said
    assert [path.name for path in folder.iterdir()] == ["k.lock"]


def test_nothing_readable_is_an_error_even_when_skipping() -> None:
    with pytest.raises(DataError, match="300 images of 300"):
        cache.store(Broken(set(range(300))), key="k", names=NAMES, skip_unreadable=True)


def test_shapes_must_agree(folder: Path) -> None:
    mixed = Listed([ImageItem(np.zeros((4, 4, 3), np.uint8)), ImageItem(np.zeros((4, 5, 3), np.uint8))])
    with pytest.raises(DataError, match=r"image 1 .*\(4, 5, 3\).*\(4, 4, 3\)"):
        cache.store(mixed, key="k", names=["a", "b"])
    assert not (folder / "k").exists()


def test_labels_all_or_none() -> None:
    mixed = Listed([ImageItem(np.zeros((4, 4, 3), np.uint8), label) for label in (1, None)])
    with pytest.raises(DataError, match="images 0 and 1"):
        cache.store(mixed, key="k", names=["a", "b"])


def _cut(path: Path) -> None:
    os.truncate(path / "images.npy", 4000)


def _garble(path: Path) -> None:
    (path / "meta.json").write_text("{")


def _lose(path: Path) -> None:
    (path / "labels.npy").unlink()


def _mix(path: Path) -> None:
    np.save(path / "images.npy", IMAGES[:299])


@pytest.mark.parametrize("damage", [_cut, _garble, _lose, _mix])
def test_a_damaged_cache_is_built_anew(damage: Any, folder: Path) -> None:
    cache.store(Arrays(IMAGES, LABELS), key="k", names=NAMES)
    damage(folder / "k")
    found = cache.store(Arrays(IMAGES, LABELS), key="k", names=NAMES)
    assert found.built
    assert len(found.warnings) == 1
    assert found.warnings[0].startswith(f"the pixel cache {folder / 'k'} was damaged (")
    assert found.warnings[0].endswith("and is built anew")
    np.testing.assert_array_equal(found.data.images, IMAGES)
    assert cache.store(Arrays(IMAGES, LABELS), key="k", names=NAMES).warnings == ()


def test_full_disk(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(npy_writer.os, "posix_fallocate", full)
    with pytest.raises(GansmithError) as caught:
        cache.store(Arrays(IMAGES), key="k", names=NAMES)
    assert str(caught.value) == (
        f"could not write the pixel cache {folder / 'k'}: No space left on device. Nothing was left there. "
        "The disk is full: make room, set GANSMITH_CACHE to a folder that can be written and has room, "
        "or decode while training (cache: false)"
    )
    assert [path.name for path in folder.iterdir()] == ["k.lock"]


def test_a_file_that_may_not_grow(folder: Path) -> None:
    """The system's own refusal, in a process that may write no more than 20,000 bytes to a file."""
    code = """
        import numpy as np
        from gansmith.data import cache
        from gansmith.data.dataset import Arrays
        from gansmith.errors import GansmithError
        try:
            cache.store(Arrays(np.zeros((300, 6, 5, 3), np.uint8)), key="k", names=["x"] * 300, workers=WORKERS)
        except GansmithError as error:
            print(error)
    """.replace("WORKERS", "0")
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )
    assert "File too large. Nothing was left there." in done.stdout
    assert [path.name for path in folder.iterdir()] == ["k.lock"]


def test_a_folder_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path / "file"))
    with pytest.raises(GansmithError, match=r"GANSMITH_CACHE.*cache: false"):
        cache.store(Arrays(IMAGES), key="k", names=NAMES)


_BUILDER = """
    import os, sys, time
    import numpy as np
    from gansmith.data import cache
    from gansmith.data.dataset import Dataset, ImageItem

    class Slow(Dataset):
        def __len__(self):
            return 60
        def one(self, index):
            while index >= 10 and not os.path.exists(sys.argv[2]):
                time.sleep(0.01)
            return ImageItem(np.full((4, 4, 1), index, np.uint8), index % 3)

    found = cache.store(Slow(), key="k", names=[str(i) for i in range(60)], workers=int(sys.argv[1]))
    print(found.built, found.digest, int(found.data.images[59, 0, 0, 0]))
"""


def _builder(workers: int, go: Path, errors: Path) -> subprocess.Popen[str]:
    """It goes on once the file `go` is there."""
    command = [sys.executable, "-c", textwrap.dedent(_BUILDER), str(workers), str(go)]
    with errors.open("w") as file:
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=file, text=True)


def _wait_until(true: Callable[[], object], seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_two_processes_make_one_build(folder: Path, tmp_path: Path) -> None:
    said = [tmp_path / "one", tmp_path / "two"]
    started = [_builder(0, tmp_path / "go", path) for path in said]
    _wait_until(lambda: any("waiting for another process" in path.read_text() for path in said))
    (tmp_path / "go").touch()
    lines = [process.communicate(timeout=240)[0].split() for process in started]
    assert sorted(line[0] for line in lines) == ["False", "True"]
    assert lines[0][1:] == lines[1][1:]
    assert lines[0][2] == "59"
    assert sum("waiting for another process" in path.read_text() for path in said) == 1
    assert sorted(path.name for path in folder.iterdir()) == ["k", "k.lock"]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_killed_build_is_cleaned_up(workers: int, folder: Path, tmp_path: Path) -> None:
    process = _builder(workers, tmp_path / "never", tmp_path / "said")
    _wait_until(lambda: len(psutil.Process(process.pid).children(recursive=True)) >= workers)
    _wait_until(lambda: list(folder.glob("k.building*/images.npy")))
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=240)
    assert list(folder.glob("k.building*"))  # it was in the middle
    assert not (folder / "k").exists()
    last = _builder(0, tmp_path, tmp_path / "said")  # waits for no orphan that holds the lock
    found = last.communicate(timeout=240)[0].split()
    assert found[0] == "True"
    assert sorted(path.name for path in folder.iterdir()) == ["k", "k.lock"]
    process.communicate()


def test_meta_says_what_was_done(folder: Path) -> None:
    cache.store(Broken({2}), key="k", names=NAMES, settings={"size": [6, 5]}, skip_unreadable=True)
    meta = json.loads((folder / "k" / "meta.json").read_text())
    assert meta["settings"] == {"size": [6, 5]}
    assert meta["skipped"] == {"2.png": "2.png is empty"}
    assert meta["shape"] == [299, 6, 5, 3]


def test_a_disk_without_room_is_seen_before_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.zeros((10, 64, 64, 3), dtype=np.uint8)
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda path: type("Usage", (), {"free": images.nbytes - 1}))
    monkeypatch.setattr(cache_folder, "decode_all", None)
    with pytest.raises(GansmithError, match=r"0\.0 GiB .* free.*--size.*--fraction.*GANSMITH_CACHE.*data\.cache"):
        cache.store(Arrays(images), key="f" * 32, names=[str(n) for n in range(10)])


def test_what_a_dead_build_of_another_key_left_is_removed() -> None:
    left = cache.root() / f"{'a' * 32}.building.1"
    left.mkdir(parents=True)
    held = cache.root() / f"{'b' * 32}.building.1"
    held.mkdir()
    with FileLock(cache.root() / f"{'b' * 32}.lock"):
        cache.store(Arrays(np.ones((3, 2, 2, 1), dtype=np.uint8)), key="c" * 32, names=list("xyz"))
    assert not left.exists()
    assert held.exists()
