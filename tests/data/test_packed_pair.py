"""`data pack --force` killed at every step of its writing: never new images beside old labels."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gansmith.data.open import open_dataset
from gansmith.data.pack import pack
from gansmith.data.settings import DataSettings
from gansmith.errors import DataError

STEPS = ("replace", "rename", "link", "unlink", "fsync", "remove")


def killed_at(step: int, new: Path, out: Path) -> bool:
    """Pack in a process that is killed before call number `step` of the system; whether there was one."""
    child = os.fork()
    if not child:
        left = step

        def counted(original: Callable[..., Any]) -> Callable[..., Any]:
            def call(*arguments: Any, **options: Any) -> Any:
                nonlocal left
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                left -= 1
                return original(*arguments, **options)

            return call

        try:
            for name in STEPS:
                setattr(os, name, counted(getattr(os, name)))
            pack(DataSettings(path=str(new), size=(8, 8), channels=3), out, force=True, workers=0)
        finally:
            os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, -signal.SIGKILL)
    return status != 0


def two_sets(folder: Path) -> tuple[Path, Path]:
    """Two packed sets of six images, whose labels and pixels tell which set they are of."""
    for name, value in (("old", 10), ("new", 200)):
        np.save(folder / f"{name}.npy", np.full((6, 8, 8, 3), value, np.uint8))
        np.save(folder / f"{name}.labels.npy", np.arange(6) % 3 + (value == 200))
    return folder / "old.npy", folder / "new.npy"


def opened(path: Path) -> str:
    """Which set lies there: absent, old, new, or a mixture; or whether it is refused."""
    if not path.exists():
        return "absent"
    try:
        data = open_dataset(path)
    except DataError as error:
        return "refused" if str(path) in str(error) and "--force" in str(error) else str(error)
    first = data[0]
    return {(10, 0): "old", (200, 1): "new", (10, None): "old", (200, None): "new"}.get(
        (int(first.image[0, 0, 0]), first.label), "mixture"
    )


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # from Python 3.12 on, of threads
@pytest.mark.parametrize("before", ["packed", "by hand", "nothing"])
@pytest.mark.parametrize("labels", ["both", "none now", "none before"])
def test_killed_at_every_step(before: str, labels: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path / "cache"))
    old, new = two_sets(tmp_path)
    if labels != "both":
        (new if labels == "none now" else old).with_suffix(".labels.npy").unlink()
    pack(DataSettings(path=str(new), size=(8, 8), channels=3), tmp_path / "first.npy", workers=0)  # fills the cache
    out = tmp_path / "out.npy"
    beside = out.with_suffix(".labels.npy")
    states = []
    for step in range(40):
        for path in tmp_path.glob("*out*"):
            path.unlink()
        if before == "packed":
            pack(DataSettings(path=str(old), size=(8, 8), channels=3), out, force=True, workers=0)
        elif before == "by hand":
            out.write_bytes(old.read_bytes())
            if labels != "none before":
                beside.write_bytes(old.with_suffix(".labels.npy").read_bytes())
        if not killed_at(step, new, out):
            break
        states.append(opened(out))
    assert opened(out) == "new"
    assert beside.exists() == (labels != "none now")
    assert len(states) >= 3
    assert "mixture" not in states
    assert sorted(states, key=["absent", "old", "refused", "new"].index) == states
    assert states[0] == ("absent" if before == "nothing" else "old")
    assert "refused" in states or (labels == "none now" and before == "nothing")


def test_labels_that_were_exchanged_are_refused_and_the_way_out_works(tmp_path: Path) -> None:
    old, _ = two_sets(tmp_path)
    out = tmp_path / "out.npy"
    pack(DataSettings(path=str(old), size=(8, 8), channels=3), out, workers=0)
    np.save(tmp_path / "out.labels.npy", np.zeros(6, np.int64))
    with pytest.raises(DataError, match=r"out\.labels\.npy is not the one.*--force.*np\.save"):
        open_dataset(out)
    np.save(out, np.load(out))
    assert open_dataset(out)[5].label == 0
    pack(DataSettings(path=str(old), size=(8, 8), channels=3), out, workers=0, force=True)
    assert open_dataset(out)[5].label == 2


def test_a_packed_file_is_an_ordinary_one(tmp_path: Path) -> None:
    old, _ = two_sets(tmp_path)
    pack(DataSettings(path=str(old), size=(8, 8), channels=3), tmp_path / "out.npy", workers=0)
    for mode in (None, "r"):
        np.testing.assert_array_equal(np.load(tmp_path / "out.npy", mmap_mode=mode), np.load(old))
    assert open_dataset(tmp_path / "out.npy").stamp(3) == open_dataset(old).stamp(3)


def test_a_file_that_is_cut_short_while_it_is_read(tmp_path: Path) -> None:
    np.save(tmp_path / "many.npy", np.zeros((900, 8, 8, 3), np.uint8))
    data = open_dataset(tmp_path / "many.npy")
    data[[0, 899]]
    os.truncate(tmp_path / "many.npy", 8192)
    for use in (lambda: data[899], lambda: data[[0, 899]], lambda: data.stamp(899)):
        with pytest.raises(DataError, match=r"many\.npy.*cut short"):
            use()
