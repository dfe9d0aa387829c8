"""Checkpoints: whole or not there, checked before they are believed, and never executed."""

from __future__ import annotations

import errno
import io
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from gansmith.errors import CheckpointError, DamagedCheckpointError, GansmithError, RunError
from gansmith.training.checkpoint import Checkpoints
from refusals import refused


def state(step: int) -> dict[str, Any]:
    rng = torch.Generator().manual_seed(step)
    return {
        "step": step,
        "players": {"generator": {"weight": torch.randn(40, 50, generator=rng), "count": torch.tensor(step)}},
        "words": ["a", 2.5, None, True],
        "channels_last": torch.randn(2, 3, 4, 5, generator=rng).contiguous(memory_format=torch.channels_last),
    }


def assert_state(found: dict[str, Any], step: int) -> None:
    expected = state(step)
    assert found.keys() == expected.keys()
    assert (found["step"], found["words"]) == (step, expected["words"])
    torch.testing.assert_close(found["players"], expected["players"], rtol=0, atol=0)
    torch.testing.assert_close(found["channels_last"], expected["channels_last"], rtol=0, atol=0)
    assert found["channels_last"].stride() == expected["channels_last"].stride()


@pytest.fixture
def three(tmp_path: Path) -> Checkpoints:
    """Three were saved, the second also kept for good."""
    checkpoints = Checkpoints(tmp_path / "checkpoints")
    checkpoints.save(state(1))
    checkpoints.save(state(2), keep_as=["000000200"])
    checkpoints.save(state(3))
    return checkpoints


def test_names_that_only_look_like_numbers_are_no_checkpoints_to_fall_back_to(three: Checkpoints) -> None:
    for name in ("latest", "previous"):
        (three.folder / f"{name}.pt").unlink()  # the second may be the file that is kept for good
    for name in ("²", "9" * 240):
        (three.folder / f"{name}.pt").write_bytes(b"damaged")
    assert_state(three.load()[0], 2)


def test_the_newest_the_one_before_and_those_kept(three: Checkpoints) -> None:
    assert three.names() == ["000000200", "latest", "previous"]
    found, warnings = three.load()
    assert_state(found, 3)
    assert warnings == []
    for name, step in (("latest", 3), ("previous", 2), ("000000200", 2), ("latest.pt", 3)):
        assert_state(three.load(name)[0], step)
    assert sorted(path.name for path in three.folder.iterdir()) == ["000000200.pt", "latest.pt", "previous.pt"]
    three.save(state(4))
    assert_state(three.load("previous")[0], 3)
    assert_state(three.load("000000200")[0], 2)  # kept for good


def test_the_first_has_no_previous(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(state(1))
    assert checkpoints.names() == ["latest"]


def test_a_second_name_that_is_there_already(three: Checkpoints) -> None:
    """As after a kill between the two names of a checkpoint: rename(2) leaves both of two names of one file."""
    (three.folder / "previous.pt").unlink()
    os.link(three.folder / "latest.pt", three.folder / "previous.pt")
    three.save(state(4), keep_as=["000000400"])
    three.keep(["000000400"])
    assert_state(three.load("latest")[0], 4)
    assert_state(three.load("previous")[0], 3)
    assert not [path.name for path in three.folder.iterdir() if path.suffix != ".pt"]


def test_where_there_are_no_hard_links_it_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(state(1))
    checkpoints.save(state(2), keep_as=["000000002"])
    assert_state(checkpoints.load("latest")[0], 2)
    assert_state(checkpoints.load("previous")[0], 1)
    assert_state(checkpoints.load("000000002")[0], 2)
    assert len(list(tmp_path.iterdir())) == 3


# ---- a disk that is full


def test_a_full_disk_loses_nothing(three: Checkpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(GansmithError) as raised:
            three.save(state(4), keep_as=["000000400"])
    latest = three.folder / "latest.pt"
    assert str(raised.value) == (
        f"could not write {latest}: No space left on device. What was there before is untouched"
    )
    assert_state(three.load("latest")[0], 3)
    assert_state(three.load()[0], 3)
    assert three.names() == ["000000200", "latest", "previous"]
    assert not [path for path in three.folder.iterdir() if path.suffix != ".pt"]


def test_a_disk_that_fills_up_while_writing(tmp_path: Path) -> None:
    """A real limit on the size of a file, in a process of its own: torch's writer hides the reason, we do not."""
    code = f"""
import resource, torch
from pathlib import Path
from gansmith.errors import GansmithError
from gansmith.training.checkpoint import Checkpoints
checkpoints = Checkpoints(Path({str(tmp_path)!r}))
checkpoints.save({{"step": 1, "weight": torch.zeros(10)}})
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
for size in (20_000, 1_000_000):
    try:
        checkpoints.save({{"step": 2, "weight": torch.zeros(size)}})
    except GansmithError as error:
        print(error)
found, warnings = checkpoints.load()
print(found["step"], warnings, checkpoints.names())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    text = f"could not write {tmp_path / 'latest.pt'}: File too large. What was there before is untouched"
    assert done.stdout.splitlines() == [text, text, "1 [] ['latest']"]
    assert [path.name for path in tmp_path.iterdir()] == ["latest.pt"]


def test_an_error_of_torch_stays_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("inside torch")

    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(RuntimeError, match="inside torch"):
        Checkpoints(tmp_path).save(state(1))
    assert not list(tmp_path.iterdir())


# ---- damage


def where_the_data_lie(raw: bytes) -> int:
    """A byte in the middle of the largest tensor's data."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        largest = max(archive.infolist(), key=lambda entry: entry.file_size)
    return largest.header_offset + 100 + largest.file_size // 2


def flipped(raw: bytes) -> bytes:
    place = where_the_data_lie(raw)
    return raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]


DAMAGE = {
    "one bit of a weight": flipped,
    "cut in half": lambda raw: raw[: len(raw) // 2],
    "the last byte missing": lambda raw: raw[:-1],
    "empty": lambda raw: b"",
    "noise": lambda raw: bytes((7 * i * i + 3) % 251 for i in range(5000)),
    "text": lambda raw: b"<html>not found</html>",
    "zeros": lambda raw: bytes(len(raw)),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_latest_falls_back_to_previous(damage: str, three: Checkpoints) -> None:
    latest = three.folder / "latest.pt"
    latest.write_bytes(DAMAGE[damage](latest.read_bytes()))
    found, warnings = three.load()
    assert_state(found, 2)
    assert len(warnings) == 1
    assert warnings[0].startswith(f"the checkpoint {latest} is damaged (")
    assert warnings[0].endswith("); going back to the one before it")
    with pytest.raises(CheckpointError, match=r"latest\.pt is damaged \(.+\)$"):
        three.load("latest")


def test_a_flipped_bit_is_named(three: Checkpoints) -> None:
    """torch's own loader would not see it."""
    latest = three.folder / "latest.pt"
    latest.write_bytes(flipped(latest.read_bytes()))
    with pytest.raises(CheckpointError, match=r"is damaged \(archive/data/\d+\)$"):
        three.load("latest")


def test_any_flipped_bit_is_seen_or_harmless(tmp_path: Path) -> None:
    """Whatever byte is hit, the state is what was saved, or the checkpoint is said to be damaged."""
    checkpoints = Checkpoints(tmp_path)
    small = {"step": 3, "weight": torch.arange(6.0)}
    checkpoints.save(small)
    raw = (tmp_path / "latest.pt").read_bytes()
    outcomes = {"same": 0, "damaged": 0}
    for place in range(0, len(raw), 5):
        (tmp_path / "x.pt").write_bytes(raw[:place] + bytes([raw[place] ^ (1, 128)[place % 2]]) + raw[place + 1 :])
        try:
            found, _ = checkpoints.load("x")
        except CheckpointError:
            outcomes["damaged"] += 1
        else:
            assert found["step"] == 3
            assert torch.equal(found["weight"], small["weight"])
            outcomes["same"] += 1
    assert outcomes["damaged"] > outcomes["same"] > 0  # the padding between records may be hit


def test_both_damaged_falls_back_to_the_newest_kept(three: Checkpoints) -> None:
    three.save(state(5), keep_as=["000000500"])
    for name in ("latest.pt", "previous.pt"):
        path = three.folder / name
        path.unlink()  # the kept ones are other names of the same content
        path.write_bytes(b"")
    found, warnings = three.load()
    assert_state(found, 5)
    assert [warning.split()[2].rpartition("/")[2] for warning in warnings] == ["latest.pt", "previous.pt"]


def test_a_deleted_latest_falls_back_with_a_warning(three: Checkpoints) -> None:
    latest = three.folder / "latest.pt"
    latest.unlink()
    found, warnings = three.load()
    assert_state(found, 2)
    assert warnings == [f"the checkpoint {latest} is gone; going back to the one before it"]


def test_a_damaged_latest_that_is_set_aside_does_not_become_previous(three: Checkpoints) -> None:
    latest = three.folder / "latest.pt"
    latest.write_bytes(b"damaged")
    three.set_aside()
    three.save(state(4))
    assert_state(three.load("latest")[0], 4)
    assert_state(three.load("previous")[0], 2)
    assert (three.folder / "latest.damaged").read_bytes() == b"damaged"
    Checkpoints(three.folder / "empty").set_aside()


def test_all_damaged(three: Checkpoints) -> None:
    for path in three.folder.iterdir():
        path.write_bytes(b"")
    with pytest.raises(CheckpointError) as raised:
        three.load()
    text = str(raised.value)
    assert text.startswith(f"no checkpoint in {three.folder} can be read: the checkpoint {three.folder / 'latest.pt'}")
    assert text.count("is damaged (") == 3
    assert isinstance(raised.value, RunError)


def test_a_name_that_is_not_there(three: Checkpoints, tmp_path: Path) -> None:
    with refused("'lastest'", three.folder, "'latest'", "000000200, latest, previous", error=CheckpointError):
        three.load("lastest")
    empty = Checkpoints(tmp_path / "nothing")
    with pytest.raises(CheckpointError, match=r"There are: none$"):
        empty.load("latest")
    with refused(tmp_path / "nothing", "none", error=CheckpointError):
        empty.load()


def test_what_cannot_be_opened_is_not_called_damaged(three: Checkpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    """No older one is taken in its place, and it is not set aside."""
    before = sorted(path.name for path in three.folder.iterdir())
    opened = Path.open

    def denied(path: Path, *arguments: Any, **options: Any) -> Any:
        if path.name == "latest.pt":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return opened(path, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", denied)
        for name in ("latest", None):
            with pytest.raises(CheckpointError, match=r"latest\.pt cannot be read: Permission denied") as raised:
                three.load(name)
            assert type(raised.value) is CheckpointError
    assert sorted(path.name for path in three.folder.iterdir()) == before


def test_a_folder_that_cannot_be_read_is_not_called_empty(three: Checkpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(path: Path) -> Any:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(Path, "iterdir", denied)
    with refused(three.folder, "Permission denied", error=CheckpointError):
        three.names()


def test_a_state_that_the_check_refuses(three: Checkpoints) -> None:
    def check(state: dict[str, Any]) -> None:
        if state["step"] == 3:
            raise DamagedCheckpointError("step: 3")

    found, warnings = Checkpoints(three.folder, check).load()
    assert_state(found, 2)
    assert warnings == [
        f"the checkpoint {three.folder}/latest.pt is damaged (step: 3); going back to the one before it"
    ]


def test_a_list_is_no_state(three: Checkpoints) -> None:
    torch.save([1, 2], three.folder / "latest.pt")
    assert_state(three.load()[0], 2)


# ---- nothing is executed


class Evil:
    """Makes a folder when it is unpickled."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> Any:
        return (os.mkdir, (str(self.place),))


def test_code_in_a_checkpoint_is_refused(three: Checkpoints, tmp_path: Path) -> None:
    latest = three.folder / "latest.pt"
    sign = tmp_path / "executed"
    for new in (True, False):
        latest.unlink()
        if new:
            torch.save({"step": 1, "evil": Evil(sign)}, latest)
        else:
            latest.write_bytes(pickle.dumps(Evil(sign)))
        found, warnings = three.load()
        assert_state(found, 2)
        assert f"{latest} holds code ({'posix.mkdir' if new else 'it is a pickle'}) and is not loaded" in warnings[0]
        assert "weights_only" not in warnings[0]
        assert not sign.exists()
    with refused(latest, "holds code", error=DamagedCheckpointError):
        three.load("latest")
    torch.save({"evil": Evil(sign)}, latest)
    torch.load(latest, weights_only=False)  # the trap does work
    assert sign.exists()
