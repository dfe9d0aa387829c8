"""Whatever a disk, a crash or another program does to a cache: it is noticed, and no wrong pixel is used."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gansmith.data import cache, group_files, mapped, scan
from gansmith.data.dataset import Arrays
from gansmith.errors import DataError

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (60, 8, 8, 3), dtype=np.uint8)
LABELS = np.arange(60, dtype=np.int64) % 4
NAMES = [f"{i}.png" for i in range(60)]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def stored() -> cache.Cached:
    return cache.store(Arrays(IMAGES, LABELS), key="k", names=NAMES, classes=tuple("abcd"), workers=0)


def flip(path: Path, at: int) -> None:
    """Invert one bit, as a disk does it: the time of the last change stays."""
    state, content = path.stat(), bytearray(path.read_bytes())
    content[at] ^= 4
    path.write_bytes(content)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def assert_rebuilt(once_more: cache.Cached) -> None:
    assert once_more.built
    assert len(once_more.warnings) == 1
    assert "damaged" in once_more.warnings[0]
    assert str(once_more.folder) in once_more.warnings[0]
    np.testing.assert_array_equal(once_more.data.images, IMAGES)
    np.testing.assert_array_equal(once_more.data.labels, LABELS)
    again = stored()
    assert (again.built, again.warnings, again.keys) == (False, (), tuple(NAMES))


@pytest.mark.parametrize("name", ["images.npy", "labels.npy", "meta.json"])
@pytest.mark.parametrize("place", [0.0, 0.02, 0.3, 0.6, 0.99])
def test_a_flipped_bit_is_noticed(name: str, place: float, folder: Path) -> None:
    stored()
    path = folder / "k" / name
    flip(path, int(place * (path.stat().st_size - 1)))
    found = stored()
    if not found.built:  # blanks in the header of an array are nobody's
        assert place < 0.3
        assert name != "meta.json"
        np.testing.assert_array_equal(found.data.images, IMAGES)
        np.testing.assert_array_equal(found.data.labels, LABELS)
    else:
        assert_rebuilt(found)


@pytest.mark.parametrize("at", range(0, 60 * 8 * 8 * 3, 997))
def test_every_pixel_is_covered(at: int, folder: Path) -> None:
    stored()
    flip(folder / "k" / "images.npy", 128 + at)
    assert_rebuilt(stored())


def _without_checksum(meta: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in meta.items() if name != "checksum"}


CHANGES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "null": lambda meta: None,
    "a list": lambda meta: [1],
    "a number": lambda meta: 3,
    "empty": lambda meta: {},
    "version": lambda meta: {**meta, "version": 99},
    "shape": lambda meta: {**meta, "shape": {"a": 1}},
    "shape of words": lambda meta: {**meta, "shape": ["60", 8, 8, 3]},
    "shape -1": lambda meta: {**meta, "shape": [-1, 8, 8, 3]},
    "shape huge": lambda meta: {**meta, "shape": [10**30, 8, 8, 3]},
    "dtype": lambda meta: {**meta, "dtype": 7},
    "dtype of objects": lambda meta: {**meta, "dtype": "object"},
    "labels": lambda meta: {**meta, "labels": "yes"},
    "labels gone": lambda meta: {**meta, "labels": False},
    "digest": lambda meta: {**meta, "digest": None},
    "classes": lambda meta: {**meta, "classes": 3},
    "class": lambda meta: {**meta, "classes": ["a", 1]},
    "skipped": lambda meta: {**meta, "skipped": ["a"]},
    "keys": lambda meta: {**meta, "keys": None},
    "key": lambda meta: {**meta, "keys": [{}] * 60},
    "fewer keys": lambda meta: {**meta, "keys": NAMES[:59]},
    "kept": lambda meta: {**meta, "kept": "abc"},
    "kept twice": lambda meta: {**meta, "kept": [0, *range(59)]},
    "kept of words": lambda meta: {**meta, "kept": [str(n) for n in range(60)]},
    "kept below 0": lambda meta: {**meta, "kept": [-1, *range(1, 60)]},
    "kept beyond int64": lambda meta: {**meta, "kept": [*range(59), 2**70]},
}


@pytest.mark.parametrize("name", CHANGES)
def test_fields_of_wrong_types(name: str, folder: Path) -> None:
    stored()
    path = folder / "k" / "meta.json"
    path.write_text(json.dumps(CHANGES[name](_without_checksum(json.loads(path.read_text())))))
    assert_rebuilt(stored())


@pytest.mark.parametrize("name", ["images.npy", "labels.npy", "meta.json"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 5000,
        b"\xff\xfe{",
        b"[" * 100_000,
        b"\x93NUMPY\x01\x00\x76\x00{'descr': '|u1', 'fortran_order': False, 'shape': (4611686018427387904, 8, 8, 3)}\n",
        b"\x93NUMPY\x01\x00\x76\x00{'descr': '|O', 'fortran_order': False, 'shape': (60,)}\n" + b"\0" * 900,
        b"\x93NUMPY\x01\x00\x10\x00" + b"(" * 16 + b"\0" * 900,
    ],
    ids=["empty", "zeros", "no text", "deep", "huge", "objects", "brackets"],
)
def test_files_of_rubbish(name: str, content: bytes, folder: Path) -> None:
    stored()
    (folder / "k" / name).write_bytes(content)
    assert_rebuilt(stored())


@pytest.mark.parametrize("name", ["images.npy", "labels.npy", "meta.json"])
def test_a_truncated_file(name: str, folder: Path) -> None:
    stored()
    for size in (0, 5, 100, 200):
        os.truncate(folder / "k" / name, size)
        assert_rebuilt(stored())


def test_a_cache_of_an_earlier_version_is_read_and_checked(folder: Path) -> None:
    """It has no checksum of its own description; its digest of pixels and labels was always there."""
    stored()
    path = folder / "k" / "meta.json"
    path.write_text(json.dumps(_without_checksum(json.loads(path.read_text())), indent=1))
    again = stored()
    assert (again.built, again.warnings) == (False, ())
    np.testing.assert_array_equal(again.data.images, IMAGES)
    flip(folder / "k" / "images.npy", 1000)
    assert_rebuilt(stored())


def test_cut_short_while_it_is_used(folder: Path) -> None:
    data = stored().data
    np.testing.assert_array_equal(data[[3, 50]].image, IMAGES[[3, 50]])
    os.truncate(folder / "k" / "images.npy", 4096)
    for use in (lambda: data[[3, 50]], lambda: data[50], lambda: data.shuffle(seed=0).batch(size=4)[0]):
        with pytest.raises(DataError, match=r"images\.npy.*cut short.*gansmith resume"):
            use()
    assert_rebuilt(stored())


def test_changed_while_it_is_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapped, "_EVERY", 0.0)
    data = stored().data
    path = folder / "k" / "images.npy"
    os.utime(path)  # nothing changed but the time
    np.testing.assert_array_equal(data[[3, 50]].image, IMAGES[[3, 50]])
    with path.open("r+b") as file:
        file.seek(1000)
        file.write(b"\x01\x02\x03")
    with pytest.raises(DataError, match=r"images\.npy.*changed"):
        data[[3, 50]]


def test_removed_or_replaced_while_it_is_used_it_stays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapped, "_EVERY", 0.0)
    data = stored().data
    path = folder / "k" / "images.npy"
    path.unlink()
    np.testing.assert_array_equal(data[[3, 50]].image, IMAGES[[3, 50]])
    path.write_bytes(b"something else")
    np.testing.assert_array_equal(data[[3, 50]].image, IMAGES[[3, 50]])


def test_a_copy_in_another_process_maps_the_file_again() -> None:
    data = stored().data
    sent = pickle.dumps(data)
    assert len(sent) < IMAGES.nbytes / 2
    copy = pickle.loads(sent)
    np.testing.assert_array_equal(copy.images, IMAGES)
    np.testing.assert_array_equal(copy.labels, LABELS)


def test_a_run_whose_cache_is_cut_short_ends_with_a_message(folder: Path, tmp_path: Path) -> None:
    program = """
        from gansmith.data.prepare import prepare
        from gansmith.data.settings import DataSettings
        from gansmith.data.stream import Stream
        import os, sys
        from pathlib import Path
        stream = Stream(prepare(DataSettings(path="digits", size=(16, 16))).train, batch=64)
        next(stream)
        images, = Path(os.environ["GANSMITH_CACHE"]).glob("*/images.npy")
        os.truncate(images, 5000)
        for _ in range(100):
            next(stream)
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1  # not -7, SIGBUS
    assert "DataError" in ended.stderr
    assert "cut short" in ended.stderr


# ---------------------------------------------------------------- what is stored beside the images


def test_groups_with_a_flipped_bit_are_computed_anew(tmp_path: Path) -> None:
    data = Arrays(IMAGES)
    groups = group_files.similar_groups(data, tmp_path, flips=False)
    path = group_files.path_of(tmp_path, flips=False)
    np.testing.assert_array_equal(np.load(path), groups)  # an ordinary .npy file
    fake = np.zeros(60, dtype=np.int64)
    np.save(path, fake)  # as earlier versions wrote it: taken as it is
    np.testing.assert_array_equal(group_files.similar_groups(data, tmp_path, flips=False), fake)
    group_files.store_groups(fake, tmp_path, flips=False)
    np.testing.assert_array_equal(group_files.similar_groups(data, tmp_path, flips=False), fake)
    flip(path, 300)
    np.testing.assert_array_equal(group_files.similar_groups(data, tmp_path, flips=False), groups)
    for rubbish in (b"", b"[" * 1000, path.read_bytes()[:200]):
        path.write_bytes(rubbish)
        np.testing.assert_array_equal(group_files.similar_groups(data, tmp_path, flips=False), groups)


@pytest.mark.parametrize(
    "stored",
    [[1], None, {"count": 60}, {"count": 60, "kept": [61], "skipped": {}}, {"count": 60, "kept": "a", "skipped": {}}]
    + [{"count": 60, "kept": [0], "skipped": skipped} for skipped in (3, ["a"], None)]
    + [{"count": 60, "kept": [1], "skipped": {}, "checksum": "0"}, {"count": 60, "kept": [1, 0], "skipped": {}}],
)
def test_the_list_of_what_was_seen_of_wrong_types(stored: Any, tmp_path: Path) -> None:
    whole = scan.scan(Arrays(IMAGES), NAMES, tmp_path, flips=False, skip_unreadable=False)
    (tmp_path / "seen.json").write_text(json.dumps(stored))
    assert scan.scan(Arrays(IMAGES), NAMES, tmp_path, flips=False, skip_unreadable=False) == whole
    assert whole.kept == list(range(60))


def test_checking_is_fast_beside_decoding(folder: Path) -> None:
    """1 GB/s and more where measured; the bound is for a slow machine that does other things too."""
    images = np.zeros((2_000, 64, 64, 3), np.uint8)
    cache.store(Arrays(images), key="large", names=[str(n) for n in range(2_000)], workers=0)
    start = time.process_time()
    assert not cache.store(Arrays(images), key="large", names=[str(n) for n in range(2_000)]).built
    assert time.process_time() - start < 2
