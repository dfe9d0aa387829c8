"""Files of weights: found, verified before they are read, and never another under the same name."""

from __future__ import annotations

import hashlib
import os
import pickle
from pathlib import Path

import pytest
import torch
from torch import nn

from gansmith.errors import OptionError
from gansmith.pretrained import weights
from gansmith.pretrained.weights import Published, content_of, identity, read, state_of

CONTENT = b"weights" * 1000
NET = Published("toy", "toy.pth", hashlib.sha256(CONTENT).hexdigest(), "the toy makers' toy.pth")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache" / "weights").mkdir(parents=True)
    return tmp_path / "cache" / "weights"


def test_found_by_path_by_folder_and_in_the_cache(cache: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "downloads"
    elsewhere.mkdir()
    (elsewhere / "renamed.bin").write_bytes(CONTENT)
    (elsewhere / "toy.pth").write_bytes(CONTENT)
    assert read(NET, str(elsewhere / "renamed.bin")) == CONTENT
    assert read(NET, str(elsewhere)) == CONTENT
    with pytest.raises(OptionError):
        read(NET)
    (cache / "toy.pth").write_bytes(CONTENT)
    assert weights.folder() == cache
    assert read(NET) == CONTENT


def test_a_file_of_several_pieces_is_read_whole(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "_PIECE", 999)
    (cache / "toy.pth").write_bytes(CONTENT)
    assert read(NET) == CONTENT


@pytest.mark.parametrize("given", [None, "nowhere.pth"])
def test_missing(cache: Path, given: str | None) -> None:
    with pytest.raises(OptionError) as caught:
        read(NET, given)
    said = str(caught.value)
    for part in ("extractor toy", "toy.pth", "the toy makers'", NET.sha256, "--weights PATH"):
        assert part in said
    assert (str(cache / "toy.pth") if given is None else "nowhere.pth was given") in said


def test_missing_in_the_folder_that_was_given(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"there is no file .*toy\.pth"):
        read(NET, str(tmp_path))


def test_another_file_is_refused_with_both_digests(cache: Path) -> None:
    (cache / "toy.pth").write_bytes(CONTENT + b"!")
    with pytest.raises(OptionError, match="nothing in it was interpreted") as caught:
        read(NET)
    assert NET.sha256 in str(caught.value)
    assert hashlib.sha256(CONTENT + b"!").hexdigest() in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_cannot_be_read(cache: Path) -> None:
    (cache / "toy.pth").write_bytes(CONTENT)
    (cache / "toy.pth").chmod(0)
    with pytest.raises(OptionError, match="could not be read"):
        read(NET)


def test_every_extractor_refuses_another_file_before_it_is_parsed(tmp_path: Path) -> None:
    """A pickle that would run code lies under every published name: it is named as another file, and nothing runs."""
    from gansmith.evaluation.features import dinov2, inception, mobilenet, vgg

    ran = tmp_path / "ran"
    bomb = pickle.dumps(_Bomb(str(ran)))
    for published in (mobilenet.WEIGHTS, vgg.WEIGHTS, inception.WEIGHTS, *dinov2.WEIGHTS.values()):
        path = tmp_path / published.file
        path.write_bytes(bomb)
        with pytest.raises(OptionError, match=f"is not {published.file}"):
            read(published, str(path))
    assert not ran.exists()
    pickle.loads(bomb)  # it would have
    assert ran.exists()


class _Bomb:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path(self.path),)  # type: ignore[return-value]


def test_a_state_dict_is_read_without_executing(tmp_path: Path) -> None:
    torch.save({"a": torch.arange(3)}, tmp_path / "good.pth")
    assert state_of((tmp_path / "good.pth").read_bytes())["a"].tolist() == [0, 1, 2]
    torch.save({"a": _Bomb(str(tmp_path / "ran"))}, tmp_path / "bad.pth")
    with pytest.raises(pickle.UnpicklingError):
        state_of((tmp_path / "bad.pth").read_bytes())
    assert not (tmp_path / "ran").exists()


def test_the_content_of_a_network_changes_with_every_part_of_it() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    before = content_of(network)
    assert content_of(network) == before
    with torch.no_grad():
        network[0].bias[1] += 1e-6
    after = content_of(network)
    network[1].running_mean[0] = 3
    assert len({before, after, content_of(network), content_of(network.double())}) == 4
    zeros = set()
    for kind in (torch.float32, torch.int32):  # the same bytes
        holder = nn.Module()
        holder.register_buffer("zero", torch.zeros(3, dtype=kind))
        zeros.add(content_of(holder))
    assert len(zeros) == 2


def test_identity_names_weights_and_options() -> None:
    digest = "abcdef0123456789" * 4
    assert identity(digest) == "abcdef0123456789"
    found = {identity(digest, options) for options in ({"size": 64}, {"size": 224}, {"size": 64, "cells": 2})}
    assert len(found) == 3
    assert identity(digest, {"a": 1, "b": 2}) == identity(digest, {"b": 2, "a": 1})
    assert identity("f" + digest[1:], {"size": 64}) not in found
    assert all(len(word) == 16 for word in found)
