"""Model files: they come back to the bit, say what they are, and execute nothing."""

from __future__ import annotations

import json
import pickle
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import nn

from gansmith.adversarial import Dimensions
from gansmith.data.prior import Prior
from gansmith.errors import OptionError, RunError, UnknownNameError
from gansmith.models import saved
from gansmith.models.saved import Card
from gansmith.system.seeding import seeded
from refusals import refused

CARD = Card(
    player="generator",
    role="generator",
    model="dcgan",
    options={"width": 4, "upsample": "resize", "extra_layers": 1},
    dimensions=Dimensions(3, 28, 20, 7, 2),
    prior=Prior("sphere", 7, classes=2, shares=(0.25, 0.75)),
    classes=("cat", "dög"),
    images=123_456,
    averaged=True,
    origin={"recipe": "dcgan", "data": {"name": "photos"}},
)
JUDGE = Card("discriminator", "discriminator", "dcgan", {"width": 4}, CARD.dimensions)


def network(card: Card = CARD) -> nn.Module:
    with seeded("test", card.player):
        made = card.build()
        for buffer in made.buffers():
            if buffer.is_floating_point():
                buffer.uniform_(0.5, 2)
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    both = {card.player: (card, network(card).state_dict()) for card in (CARD, JUDGE)}
    saved.save(tmp_path / "model", both)
    return tmp_path / "model"


def test_round_trip_to_the_bit(folder: Path) -> None:
    for card in (CARD, JUDGE):
        loaded, read = saved.load(folder, card.player)
        assert read == card
        assert not loaded.training
        expected = network(card).state_dict()
        assert list(loaded.state_dict()) == list(expected)
        for name, value in loaded.state_dict().items():
            assert value.dtype == expected[name].dtype
            assert torch.equal(value, expected[name])
    assert sorted(file.name for file in folder.iterdir()) == [
        "discriminator.safetensors",
        "generator.safetensors",
        "model.json",
    ]


def test_the_file_itself_loads_and_the_generator_comes_first(folder: Path) -> None:
    z = torch.randn(2, 7)
    images = network().eval()(z)
    for path in (folder, folder / "generator.safetensors"):
        torch.testing.assert_close(saved.load(path)[0](z), images, rtol=0, atol=0)


def test_the_file_needs_nothing_beside_it(folder: Path, tmp_path: Path) -> None:
    alone = (folder / "generator.safetensors").rename(tmp_path / "mine.safetensors")
    assert saved.load(alone)[1] == CARD


def test_the_cards_are_repeated_for_people(folder: Path) -> None:
    cards = json.loads((folder / "model.json").read_text())
    assert cards["generator"]["dimensions"] == {"channels": 3, "height": 28, "width": 20, "latent": 7, "classes": 2}
    assert cards["generator"]["prior"] == {
        "kind": "sphere",
        "size": 7,
        "labels": "paired",
        "classes": 2,
        "shares": [0.25, 0.75],
    }
    assert cards["generator"]["images"] == 123_456
    assert cards["discriminator"]["role"] == "discriminator"


def test_memory_layout_and_sharing_do_not_matter(tmp_path: Path) -> None:
    made = network().to(memory_format=torch.channels_last)
    state = made.state_dict()
    assert any(not value.is_contiguous() for value in state.values())
    shared = torch.arange(1.0, 2 * len(state["layers.1.bias"]) + 1)
    for name, value in {
        "layers.1.bias": shared[: len(shared) // 2].requires_grad_(),
        "layers.1.weight": shared[::2],
        "layers.1.running_mean": shared[:1].expand(len(shared) // 2),
    }.items():
        state[name] = value
    saved.save(tmp_path, {"generator": (CARD, state)})
    loaded, _ = saved.load(tmp_path)
    for name, value in loaded.state_dict().items():
        assert value.is_contiguous()
        assert torch.equal(value, state[name])


@pytest.mark.parametrize("kept", [0, 4, 100, 4000])
def test_a_truncated_file(folder: Path, kept: int) -> None:
    file = folder / "generator.safetensors"
    file.write_bytes(file.read_bytes()[:kept])
    with refused("damaged", error=RunError):
        saved.load(folder)


def test_every_flipped_byte_is_an_error_or_a_harmless_word(folder: Path) -> None:
    file = folder / "generator.safetensors"
    whole = file.read_bytes()
    expected = network().state_dict()
    refusals = 0
    places = [*range(0, 600, 7), *range(600, len(whole), len(whole) // 60), len(whole) - 1]
    for place in places:
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 0x15]) + whole[place + 1 :])
        try:
            loaded, card = saved.load(folder)
        except (RunError, UnknownNameError, OptionError):
            refusals += 1
            continue
        assert card == CARD
        assert all(torch.equal(value, expected[name]) for name, value in loaded.state_dict().items())
    assert refusals >= len(places) - 2


def test_one_bit_of_a_weight(folder: Path) -> None:
    file = folder / "generator.safetensors"
    content = bytearray(file.read_bytes())
    content[-1000] ^= 1
    file.write_bytes(content)
    assert saved.read_card(file) == CARD
    for read in (saved.load, saved.read_state):
        with refused("generator.safetensors", "damaged", "sha256", "gansmith resume", error=RunError):
            read(file)
    assert not saved.is_current(file, CARD.images)


def test_a_file_of_an_earlier_version_has_no_sha256(folder: Path) -> None:
    file = folder / "generator.safetensors"
    plain = {"format": 1, **asdict(CARD), "dimensions": CARD.dimensions._asdict()}
    safetensors.torch.save_file(network().state_dict(), file, metadata={"gansmith": json.dumps(plain)})
    loaded, card = saved.load(folder)
    assert card == CARD
    assert torch.equal(loaded.state_dict()["layers.1.bias"], network().state_dict()["layers.1.bias"])


def test_the_same_network_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    saved.save(tmp_path / "again", {"generator": (CARD, dict(reversed(network().state_dict().items())))})
    again = tmp_path / "again" / "generator.safetensors"
    assert again.read_bytes() == (folder / "generator.safetensors").read_bytes()


def test_files_that_are_not_ours(tmp_path: Path) -> None:
    file = tmp_path / "generator.safetensors"
    safetensors.torch.save_file({"weight": torch.zeros(3)}, file)
    with refused("damaged", "gansmith", error=RunError):
        saved.load(file)
    safetensors.torch.save_file({"weight": torch.zeros(3)}, file, metadata={"gansmith": "[1]"})
    with refused("damaged", error=RunError):
        saved.load(file)
    safetensors.torch.save_file({"weight": torch.zeros(3)}, file, metadata={"gansmith": '{"format": 2}'})
    with refused("newer gansmith", error=RunError):
        saved.load(file)


@pytest.mark.parametrize("role", ["check_sides", "_layers", "__import__", "build", 3, None])
def test_a_card_whose_role_is_no_role_calls_nothing(tmp_path: Path, role: object) -> None:
    """A role names the function of the model's file that is called: another of its functions is not."""
    card = json.dumps({"format": 1, **asdict(CARD), "dimensions": CARD.dimensions._asdict(), "role": role})
    file = tmp_path / "generator.safetensors"
    safetensors.torch.save_file(network().state_dict(), file, metadata={"gansmith": card})
    with refused(str(role), "generator, translator", error=RunError):
        saved.load(file)


@pytest.mark.parametrize(
    ("change", "facts"),
    [
        *(({name: value}, [name]) for name in ("model", "player", "options", "prior") for value in (None, 3, [1])),
        *(({name: value}, [name]) for name in ("classes", "images", "averaged", "origin") for value in ("a", 1.5)),
        ({"prior": {"size": -1}}, ["size=-1"]),
        ({"prior": {"kind": "cauchy"}}, ["prior.kind", "cauchy"]),
        ({"prior": {"shares": ["x"]}}, ["prior.shares"]),
        ({"dimensions": {"channels": 0, "height": 8, "width": 8}}, ["channels=0"]),
        ({"dimensions": {"channels": 3, "height": "8", "width": 8}}, ["dimensions.height"]),
        ({"dimensions": None}, ["dimensions"]),
        ({"images": -5}, ["-5 images"]),
    ],
)
def test_a_card_of_other_types_is_damaged(tmp_path: Path, change: dict[str, object], facts: list[str]) -> None:
    card = json.dumps({"format": 1, **asdict(CARD), "dimensions": CARD.dimensions._asdict(), **change})
    file = tmp_path / "generator.safetensors"
    safetensors.torch.save_file(network().state_dict(), file, metadata={"gansmith": card})
    with refused("damaged", *facts, error=RunError):
        saved.load(file)


@pytest.mark.parametrize("text", ["3", "null", '"a"', "[]", "{}", "{", "[" * 5000, '{"format": "a"}'])
def test_a_card_that_is_no_mapping_is_damaged(tmp_path: Path, text: str) -> None:
    file = tmp_path / "generator.safetensors"
    safetensors.torch.save_file(network().state_dict(), file, metadata={"gansmith": text})
    with refused("damaged", error=RunError):
        saved.load(file)


class Trap:
    """Unpickling this leaves a mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.mark), "w")


def test_a_pickle_is_not_opened(tmp_path: Path) -> None:
    for name, write in (("plain", pickle.dump), ("torch", torch.save)):
        file = tmp_path / f"{name}.safetensors"
        with file.open("wb") as stream:
            write(Trap(tmp_path / "mark"), stream)
        with refused("damaged", error=RunError):
            saved.load(file)
    assert not (tmp_path / "mark").exists()


def test_weights_of_another_network(folder: Path) -> None:
    saved.save(folder, {"generator": (replace(CARD, options={"width": 8}), network().state_dict())})
    with refused("generator.safetensors", error=RunError):
        saved.load(folder)


def test_what_is_not_there(folder: Path, tmp_path: Path) -> None:
    with refused("generater", "Did you mean 'generator'", "discriminator, generator", error=RunError):
        saved.load(folder, "generater")
    with refused("nothing.safetensors", error=RunError):
        saved.load(tmp_path / "nothing.safetensors")


def test_outside_code_is_refused_without_trust(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "__init__.py").touch()
    (tmp_path / "lab" / "my_spiral.py").write_text(
        "from pathlib import Path\n"
        f"Path({str(tmp_path / 'mark')!r}).touch()\n"
        "from gansmith.models.dcgan import generator\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    card = replace(CARD, model="lab.my_spiral")
    saved.save(folder, {"generator": (card, network().state_dict())})
    with refused("lab.my_spiral", "outside gansmith", "--trust", error=UnknownNameError):
        saved.load(folder)
    assert not (tmp_path / "mark").exists()
    assert "lab.my_spiral" not in sys.modules
    loaded, read = saved.load(folder, trust=True)
    assert (tmp_path / "mark").exists()
    assert read.model == "lab.my_spiral"
    assert loaded(torch.zeros(1, 7)).shape == (1, 3, 28, 20)
    for name in ("lab", "lab.my_spiral"):
        monkeypatch.delitem(sys.modules, name)
