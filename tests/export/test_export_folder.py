"""An exported folder: its page, its script that needs only torch, and the way back by `gansmith.load`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

import gansmith
from exporting import Exported, with_torch_alone
from gansmith.errors import OptionError, RunError
from gansmith.evaluation.audit import audit
from gansmith.export.audit_words import audit_words, without
from gansmith.export.write import export
from gansmith.models import saved
from gansmith.records.images import to_uint8
from gansmith.runs.run import Run
from refusals import refused


def head(folder: Path) -> dict[str, Any]:
    lines = (folder / "README.md").read_text().split("---\n")
    assert lines[0] == ""
    read: dict[str, Any] = yaml.safe_load(lines[1])
    return read


def test_it_holds_what_it_says(exported: Exported) -> None:
    names = {file.name for file in exported.files["folder"].iterdir()}
    assert names == {"README.md", "generator.safetensors", "generator.pt2", "example.py", "model.json"}


def test_the_example_makes_the_samples_with_torch_alone(exported: Exported, tmp_path: Path) -> None:
    folder, seeds = exported.files["folder"], [0, 7, 2**40]
    code = f"""
import torch
from example import image
torch.save(torch.stack([image(seed) for seed in {seeds}]), {str(tmp_path / "own.pt")!r})
torch.save(torch.stack([image(seed, name='harbour') for seed in {seeds}]), {str(tmp_path / "harbour.pt")!r})
for name in ('numpy', 'gansmith', 'PIL'):
    try: __import__(name)
    except ModuleNotFoundError: print(name)
"""
    assert with_torch_alone(folder, code).split() == ["numpy", "gansmith", "PIL"]
    for name, label in (("own", None), ("harbour", "harbour")):
        ours = exported.run.sample(seeds, label=label, device="cpu").images
        theirs = torch.load(tmp_path / f"{name}.pt", weights_only=True)
        torch.testing.assert_close(theirs, ours, rtol=0, atol=1e-6)
    labels = exported.run.renderer(device="cpu").labels(range(40))
    assert labels is not None
    assert 0 < int(labels.sum()) < 40  # both classes occur, so that the labels drawn above say something


def test_the_example_as_a_command_writes_png(exported: Exported, tmp_path: Path) -> None:
    code = f"""
import runpy
sys.argv = ['example.py', '3', '5', '--out', {str(tmp_path / "images")!r}, '--label', 'beach']
runpy.run_path({str(exported.files["folder"] / "example.py")!r}, run_name='__main__')
"""
    assert "2 images" in with_torch_alone(exported.files["folder"], code)
    ours = to_uint8(exported.run.sample([3, 5], label="beach", device="cpu").images)
    for number, seed in enumerate((3, 5)):
        with Image.open(tmp_path / "images" / f"{seed}.png") as opened:
            assert np.array_equal(np.asarray(opened), ours[number])


def test_load_brings_it_back_to_the_bit(exported: Exported) -> None:
    loaded = gansmith.load(exported.files["folder"])
    assert loaded.players == ["generator"]
    ours, theirs = (run.sample(range(5), device="cpu").images for run in (exported.run, loaded))
    assert torch.equal(ours, theirs)
    assert loaded.network()[1].classes == ("beach", "harbour")


def test_load_refuses_what_is_damaged(exported: Exported, tmp_path: Path) -> None:
    content = bytearray((exported.files["folder"] / "generator.safetensors").read_bytes())
    content[-3] ^= 1
    (tmp_path / "generator.safetensors").write_bytes(content)
    with refused("sha256", error=RunError):
        gansmith.load(tmp_path)


def test_the_page_says_first_whether_it_copies(exported: Exported) -> None:
    folder = exported.files["folder"]
    said = audit.read(exported.run.path / "audit").answers
    fields = head(folder)
    assert fields["license"] == "cc-by-4.0"
    assert fields["library_name"] == "gansmith"
    assert fields["pipeline_tag"] == "unconditional-image-generation"
    assert [*fields["audit"]] == ["copies", "quality", "collapse", "diversity", "artifacts"]
    words = {"good": "none found", "bad": "found", "cannot tell": "not settled"}
    assert fields["audit"]["copies"] == words[said["memorisation"].verdict]
    assert fields["audit"]["quality"] == said["quality"].verdict
    text = (folder / "README.md").read_text()
    places = [text.index(said[question].sentence) for question in ("memorisation", "quality")]
    assert places == sorted(places)
    assert places[0] < text.index("example.py")


def test_without_an_audit_and_with_one_of_other_weights(exported: Exported, tmp_path: Path) -> None:
    card = exported.run.network()[1]
    none = audit_words(Run(exported.run.model), card)
    assert none.copies[0] == "not examined"
    assert none.answers == {}
    assert audit_words(exported.run, card).notes == ()
    (note,) = audit_words(exported.run, saved.replace(card, images=99_000)).notes
    assert "99,000" in note
    assert f"{card.images:,}" in note
    assert len(audit_words(exported.run, card, raw=True).notes) == 1


def test_the_licence_is_asked_for(exported: Exported, tmp_path: Path) -> None:
    with refused("--licence", error=OptionError):
        export(exported.run, "folder", tmp_path / "a")
    with refused("my own\nlicence".splitlines()[0], error=OptionError):
        export(exported.run, "folder", tmp_path / "a", licence="my own")
    assert not (tmp_path / "a").exists()
    export(exported.run, "folder", tmp_path / "a", licence="Aunts-Only")
    assert {key: value for key, value in head(tmp_path / "a").items() if key.startswith("license")} == {
        "license": "other",
        "license_name": "aunts-only",
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("copies of /home/me/cats, twice", "copies of (the data), twice"),
        ("of cats.", "of (the data)."),
        ("concats and /home/me/catsup", "concats and /home/me/catsup"),
    ],
)
def test_names_of_the_data_are_replaced(text: str, expected: str) -> None:
    assert without(text, ["/home/me/cats", "cats"]) == expected


def test_the_card_that_travels_has_lost_the_name_of_the_data(exported: Exported) -> None:
    before = saved.read_card(exported.run.model / "generator.safetensors").origin
    assert "data" in before
    after = saved.read_card(exported.files["folder"] / "generator.safetensors").origin
    assert "data" not in after
    plain = json.loads((exported.files["folder"] / "model.json").read_text())
    assert [*plain] == ["generator"]
