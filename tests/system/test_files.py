"""Files are whole or not there."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gansmith.errors import GansmithError
from gansmith.system import files
from gansmith.system.files import atomic, remove_stale, temporary_name, write_json, write_text


def test_a_file_is_written_and_its_folder_made(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b" / "file.bin"
    with atomic(target) as file:
        file.write(b"new")
        assert not target.exists()
    assert target.read_bytes() == b"new"
    assert list(target.parent.iterdir()) == [target]


def test_what_fails_inside_leaves_the_old_content(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")

    def half() -> None:
        with atomic(target) as file:
            file.write(b"half")
            file.flush()
            assert target.read_bytes() == b"old"
            raise ValueError("in between")

    with pytest.raises(ValueError, match="in between"):
        half()
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_disk_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(GansmithError) as raised:
        write_text(target, "new")
    assert str(raised.value) == (
        f"could not write {target}: No space left on device. What was there before is untouched"
    )
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_in_place_of_the_folder_is_explained(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file")
    with pytest.raises(GansmithError, match=r"run/x: (File exists|Not a directory)"):
        write_text(tmp_path / "run" / "x", "text")


def test_the_content_is_on_disk_before_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """fsync of the file, then the rename, then fsync of the folder."""
    order: list[str] = []
    fsync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda d: (order.append("folder" if _is_folder(d) else "file"), fsync(d))[1])
    monkeypatch.setattr(Path, "replace", lambda self, target: (order.append("rename"), replace(self, target))[1])
    write_text(tmp_path / "file", "text")
    assert order == ["file", "rename", "folder"]


def _is_folder(descriptor: int) -> bool:
    import stat

    return stat.S_ISDIR(os.fstat(descriptor).st_mode)


def test_text_and_json(tmp_path: Path) -> None:
    write_text(tmp_path / "text", "grün\n")
    assert (tmp_path / "text").read_bytes() == "grün\n".encode()
    write_json(tmp_path / "value.json", {"b": 1, "a": [2.5, None]})
    text = (tmp_path / "value.json").read_text()
    assert json.loads(text) == {"b": 1, "a": [2.5, None]}
    assert text.index('"b"') < text.index('"a"')
    assert text.endswith("}\n")


def test_sync_folder_of_nothing_is_no_error(tmp_path: Path) -> None:
    files.sync_folder(tmp_path / "absent")
    assert not (tmp_path / "absent").exists()


# ---- what killed processes leave


def left(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_bytes(b"half")


def test_the_next_writer_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    """Whatever its process id: it may be that of a living process, or of one on another host."""
    left(tmp_path, f".file.{os.getpid()}.tmp", ".file.1.tmp", ".file.4194303.tmp", ".file.7.link")
    left(tmp_path, ".other.1.tmp", "file.1.tmp", ".file.tmp", ".file.1.tmp.png")  # not of this target
    write_text(tmp_path / "file", "text")
    others = [".file.1.tmp.png", ".file.tmp", ".other.1.tmp", "file", "file.1.tmp"]
    assert sorted(path.name for path in tmp_path.iterdir()) == others


def test_what_a_living_process_writes_is_not_removed(tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from gansmith.system.files import atomic
with atomic(Path({str(tmp_path)!r}) / "file") as file:
    file.write(b"theirs")
    file.flush()
    print("writing", flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        write_text(tmp_path / "file", "ours")
        remove_stale(tmp_path)
        assert [path.name for path in tmp_path.iterdir() if path.name != "file"] == [f".file.{process.pid}.tmp"]
        process.communicate()
    assert process.returncode == 0
    assert (tmp_path / "file").read_bytes() == b"theirs"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_is_swept(tmp_path: Path) -> None:
    left(tmp_path, ".latest.pt.1.tmp", ".000000100.png.2.tmp", "latest.pt")
    (tmp_path / ".folder.1.tmp").mkdir()
    (tmp_path / ".link.1.tmp").symlink_to("latest.pt")
    remove_stale(tmp_path)
    remove_stale(tmp_path / "absent")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".folder.1.tmp", ".link.1.tmp", "latest.pt"]


def test_a_file_removed_before_its_writer_has_locked_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is created anew."""
    flock = fcntl.flock
    removed: list[Path] = []

    def late(descriptor: int, how: int) -> None:
        flock(descriptor, how)
        if not removed:
            removed.append(temporary_name(tmp_path / "file"))
            removed[0].unlink()

    monkeypatch.setattr(fcntl, "flock", late)
    write_text(tmp_path / "file", "text")
    assert removed
    assert (tmp_path / "file").read_text() == "text"
