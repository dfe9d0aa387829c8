"""Outputs that a user names are refused before any work, and never written over a file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gansmith.errors import OutputError
from gansmith.system.files import atomic, write_text
from gansmith.system.outputs import free_output, inside, require_output
from refusals import refused


def test_a_free_name_is_one_of_which_no_file_exists(tmp_path: Path) -> None:
    out = tmp_path / "grid.png"
    assert free_output(out) == out
    out.touch()
    (tmp_path / "grid-2.png").symlink_to("nowhere")  # a link to nothing is somebody's too
    assert free_output(out) == tmp_path / "grid-3.png"
    folder, files = tmp_path / "with.dot", inside("a.json", "a.png")
    folder.mkdir()
    assert free_output(folder, files) == folder
    (folder / "a.png").touch()
    (tmp_path / "with.dot-2").mkdir()
    (tmp_path / "with.dot-2" / "a.json").touch()
    assert free_output(folder, files) == tmp_path / "with.dot-3"


def test_the_folder_we_are_in_has_a_free_name_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "a.png").touch()
    monkeypatch.chdir(tmp_path / "here")
    assert free_output(Path(), inside("a.png")) == tmp_path / "here-2"


def test_what_exists_is_refused_with_a_free_name(tmp_path: Path) -> None:
    folder, files = tmp_path / "out", inside(*(f"{number}.png" for number in range(9)))
    require_output(folder, files)
    folder.mkdir()
    (folder / "other.png").touch()
    require_output(folder, files)  # a folder with other files may take these beside them
    for number in range(5):
        (folder / f"{number}.png").touch()
    with refused(f"{folder}/0.png", f"{folder}/2.png", "2 more", f"{folder}-2/", "--force", error=OutputError):
        require_output(folder, files)
    require_output(folder, files, force=True)


def test_an_input_is_never_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.npy").touch()
    (tmp_path / "link.npy").symlink_to("a.npy")
    monkeypatch.chdir(tmp_path)
    for name in ("a.npy", "./a.npy", "link.npy"):
        with refused(Path(name), "read by this command", error=OutputError):
            require_output(Path(name), force=True, inputs=[tmp_path / "a.npy"])


def test_a_data_set_takes_no_image(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    (tmp_path / "link").symlink_to("photos")
    for out in (photos / "grid.png", photos / "deep" / "grid.png", tmp_path / "link" / "grid.png"):
        with refused(out, photos, "--force", error=OutputError):
            require_output(out, data=[photos])
        require_output(out, data=[photos], force=True)
    require_output(tmp_path / "grid.png", data=[photos])
    require_output(tmp_path / "photos-2" / "grid.png", data=[photos])


def test_what_cannot_be_written_is_refused_also_with_force(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe.png")
    for name, fact in (
        ("folder.png", "folder"),
        ("pipe.png", "no regular file"),
        ("file/a.png", f"{tmp_path / 'file'} is a file"),
        ("file/deep/a.png", f"{tmp_path / 'file'} is a file"),
        ("a" * 300 + ".png", "too long"),
        ("a" * 250 + ".png", "too long"),  # with the letters of its temporary name
    ):
        with refused(fact, error=OutputError):
            require_output(tmp_path / name, force=True)


def test_a_file_that_appears_meanwhile_stays(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    with refused(target, tmp_path / "a-2.txt", error=OutputError), atomic(target, replace=False) as file:
        file.write(b"ours")
        target.write_bytes(b"theirs")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.txt": "theirs", "a-2.txt": "ours"}


def test_a_new_file_takes_its_name(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "new", replace=False)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.txt": "new"}


def test_a_file_system_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unable(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", unable)
    test_a_file_that_appears_meanwhile_stays(tmp_path)
    write_text(tmp_path / "b.txt", "new", replace=False)
    assert (tmp_path / "b.txt").read_text() == "new"


def test_processes_that_write_one_name_at_once_lose_nothing(tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom gansmith.errors import OutputError\n"
        "from gansmith.system.files import atomic\n"
        "def write(text):\n    with atomic(Path('a.txt'), replace=False) as file:\n        file.write(text.encode())\n"
        "        sys.stdout.write('ready'); sys.stdout.flush(); sys.stdin.readline()\n"
        "try:\n    write(sys.argv[1])\nexcept OutputError:\n    sys.exit(2)\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code, str(n)], cwd=tmp_path, stdin=-1, stdout=-1, text=True)
        for n in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.read(5) == "ready"
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
    assert sorted(process.wait() for process in processes) == [0, 2, 2, 2]
    for process in processes:
        assert process.stdout is not None
        process.stdout.close()
    assert {path.name for path in tmp_path.iterdir()} == {"a.txt", "a-2.txt", "a-3.txt", "a-4.txt"}
    assert {path.read_text() for path in tmp_path.iterdir()} == {"0", "1", "2", "3"}
