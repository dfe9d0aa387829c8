"""gansmith push, against a stand-in of the hub on this machine: what goes out, and what it says when it cannot."""

from __future__ import annotations

import base64
import getpass
import hashlib
import importlib.util
import json
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hub_stand_in import TOKEN, Hub, running_hub
from typer.testing import CliRunner, Result

from export.test_export_privacy import forms_of, images_of
from exporting import Exported
from gansmith.cli.main import app
from gansmith.errors import ExportError, MissingExtraError, OptionError
from gansmith.export.folder import NAMES
from gansmith.export.push import push, require_repo
from gansmith.models import saved
from refusals import refused

pytest.importorskip("huggingface_hub", reason="pip install huggingface_hub")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    with running_hub() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.address)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield running


def pushed(*words: object, answer: str | None = None) -> Result:
    return CliRunner().invoke(app, ["push", *map(str, words)], input=answer)


def test_the_files_of_an_export_go_out_and_nothing_else(hub: Hub, exported: Exported, tmp_path: Path) -> None:
    folder = tmp_path / "exported"
    shutil.copytree(exported.files["folder"], folder)
    (folder / "private_notes.txt").write_text("my secret diary")
    result = pushed(folder, "somebody/hands", "--yes")
    assert result.exit_code == 0, result.exception
    for name in NAMES:
        assert f"{(folder / name).stat().st_size:,} bytes  {name}" in result.stdout
    assert f"sent -> {hub.address}/somebody/hands" in result.stdout
    assert "private" in result.stdout
    assert hub.repos == {"somebody/hands": True}
    assert {*hub.stored["somebody/hands"]} == {*NAMES}
    bodies = b"".join(body for _, _, _, body in hub.requests)
    for name in NAMES:
        data = (folder / name).read_bytes()
        large = hub.stored["somebody/hands"][name] == "lfsFile"
        assert hub.objects[hashlib.sha256(data).hexdigest()] == data if large else base64.b64encode(data) in bodies


def test_nothing_of_the_data_or_of_this_machine_goes_out(hub: Hub, exported: Exported) -> None:
    push(exported.files["folder"], "hands")
    received = hub.received
    decoded = [received]
    for _, path, _, body in hub.requests:
        if "/commit/" in path:
            lines = [json.loads(line)["value"] for line in body.splitlines()]
            decoded += [base64.b64decode(one["content"]) for one in lines if "content" in one]
        if "/preupload/" in path:
            decoded += [base64.b64decode(one["sample"]) for one in json.loads(body)["files"]]
    everything = b"\n".join(decoded)
    assert b"cc-by-4.0" in everything  # README.md was read
    words = {exported.data.name, "IMG_zq", str(exported.run.path), str(Path.home()), str(Path.cwd()), "exp_avg"}
    words |= {platform.node(), f"/{getpass.getuser()}/", str(exported.files["folder"])}
    assert [word for word in words if word and word.encode() in everything] == []
    for file, pixels in images_of(exported.data).items():
        assert file.read_bytes() not in everything
        assert not any(form in everything for form in forms_of(pixels))
    lines = {line.lower() for _, _, heads, _ in hub.requests for line in heads.splitlines()}
    agents = {line.partition(": ")[2] for line in lines if line.startswith("user-agent")}
    assert any(agent.startswith("gansmith/") for agent in agents)
    assert not any(word in agent for agent in agents for word in ("torch/", "; agent/", "linux"))


def test_a_run_is_exported_first_and_public_is_said(hub: Hub, exported: Exported) -> None:
    result = pushed(exported.run.path, "hands", "--yes", "--public", "--licence", "cc-by-4.0")
    assert result.exit_code == 0, result.exception
    assert hub.repos == {"somebody/hands": False}
    assert "everyone" in result.stdout
    assert {*hub.stored["somebody/hands"]} == {*NAMES}
    result = pushed(exported.run.path, "other", "--yes")
    assert isinstance(result.exception, OptionError)
    assert "--licence" in str(result.exception)


def test_it_asks(hub: Hub, exported: Exported, monkeypatch: pytest.MonkeyPatch) -> None:
    result = pushed(exported.files["folder"], "hands")
    assert isinstance(result.exception, OptionError)
    assert "--yes" in str(result.exception)
    from gansmith.cli import push as module

    monkeypatch.setattr(module, "_someone_is_there", lambda: True)
    result = pushed(exported.files["folder"], "hands", answer="n\n")
    assert result.exit_code == 1
    assert "nothing was sent" in result.stdout
    assert hub.requests == []
    assert pushed(exported.files["folder"], "hands", answer="y\n").exit_code == 0
    assert hub.repos == {"somebody/hands": True}


def test_a_name_that_is_taken(hub: Hub, exported: Exported) -> None:
    hub.repos["somebody/hands"] = False
    with refused("somebody/hands", "--force", error=ExportError):
        push(exported.files["folder"], "somebody/hands")
    assert hub.stored == {}
    with refused("somebody/hands", "public", "--public", error=ExportError):
        push(exported.files["folder"], "somebody/hands", force=True)
    assert hub.stored == {}
    push(exported.files["folder"], "somebody/hands", force=True, public=True)
    assert {*hub.stored["somebody/hands"]} == {*NAMES}


def test_what_stops_it(hub: Hub, exported: Exported, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = exported.files["folder"]
    monkeypatch.setenv("HF_TOKEN", "hf_of_nobody")
    with refused("401", "hands", error=ExportError):
        push(folder, "hands")
    import huggingface_hub

    with monkeypatch.context() as patch:
        patch.setattr(huggingface_hub, "get_token", lambda: None)
        with refused("HF_TOKEN", "hf auth login", error=ExportError):
            push(folder, "hands")
    with monkeypatch.context() as patch:
        patch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
        with refused("http://127.0.0.1:9", error=ExportError):
            push(folder, "hands")
    with monkeypatch.context() as patch:
        find = importlib.util.find_spec
        patch.setattr(importlib.util, "find_spec", lambda name: None if name == "huggingface_hub" else find(name))
        with refused("huggingface_hub", error=MissingExtraError):
            push(folder, "hands")
    assert hub.repos == {}


def test_only_an_export_goes_out(hub: Hub, exported: Exported, tmp_path: Path) -> None:
    with refused("README.md", "--to folder", error=OptionError):
        push(exported.data, "hands")
    folder = tmp_path / "exported"
    shutil.copytree(exported.files["folder"], folder)
    network, card = saved.load(exported.run.path / "model")
    saved.save(folder, {"generator": (card, network.state_dict())})
    with refused("data", error=OptionError):
        push(folder, "hands")
    assert hub.requests == []


@pytest.mark.parametrize("name", ["", "a/b/c", "a b", "../x", "a/..", "x.git", "é", "a--b", "a" * 200, "-x", "a\nb"])
def test_a_name_that_is_none(name: Any) -> None:
    with refused("OWNER/NAME", error=OptionError):
        require_repo(name)
