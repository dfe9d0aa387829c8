"""gansmith help: every command and every entry of the catalog, with options, what they take, defaults and source."""

from __future__ import annotations

import inspect
import re
import sys
from typing import Any

import pytest

from gansmith import catalog
from gansmith.cli import main as cli
from gansmith.cli.entry_help import entries, entry_help, recipes_with

ENTRIES = [(kind, name) for kind in catalog.KINDS for name in catalog.names(kind)]


def said(monkeypatch: pytest.MonkeyPatch, capsys: Any, *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["gansmith", *arguments])
    monkeypatch.setenv("COLUMNS", "100")
    status = 0
    try:
        cli.main()
    except SystemExit as end:
        status = int(end.code or 0)
    out, error = capsys.readouterr()
    return status, out, error


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_every_entry_says_what_it_is_and_all_its_options(kind: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    text = entry_help(kind, name)
    assert text.startswith(f"{catalog.KINDS[kind][1]} {name}\n")
    flat = " ".join(text.split())
    assert " ".join(catalog.describe(kind, name).split()[:4]) in flat
    if kind == "recipes":
        assert catalog.path_of(kind, name).read_text().rstrip() in text
        return
    for factory in ("build", "domains", *(catalog.ROLES if kind == "models" else ())):
        if name not in catalog.names(kind, factory):
            continue
        for option, parameter in catalog.keyword_options(catalog.find(kind, name, factory)).items():
            [row, *_] = re.findall(rf"^  {option} +(.+?)  +(.+)$", text, re.MULTILINE)
            default, takes = row
            assert takes.strip()
            if parameter.default is inspect.Parameter.empty:
                assert default == "needed"
            elif isinstance(parameter.default, int | float | str) and not isinstance(parameter.default, bool):
                assert default == str(parameter.default)
    assert ">>>" not in text


@pytest.mark.parametrize("kind", ["objectives", "penalties", "models", "augment"])
def test_the_source_is_a_paper(kind: str) -> None:
    for name in catalog.names(kind):
        text = entry_help(kind, name)
        assert re.search(r"\b(19|20)\d\d\b", text) or name == "mlp", f"{kind}/{name} names no year"


def test_an_option_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    text = entry_help("objectives", "wgan")
    assert "choose it: --objective wgan\n" in text
    assert re.search(r"^  clamp_when +\w+ +after or before$", text, re.MULTILINE)
    assert "Arjovsky" in text
    assert re.search(r"^recipes with it: wgan, wgan_digits$", text, re.MULTILINE)
    assert "2,147,483,647" not in entry_help("models", "dcgan")  # a bound of the machine is no range of the option


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_text_is_filled_to_the_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for kind, name in (("objectives", "wgan_gp"), ("models", "dcgan"), ("games", "paired")):
        longest = max(entry_help(kind, name).splitlines(), key=len)
        assert len(longest) <= columns or len(longest.split()) == 1


def test_names_of_several_kinds(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    assert {kind for kind, _ in entries("dcgan")} == {"models", "recipes"}
    assert entries("recipes/dcgan") == [("recipes", "dcgan")]
    assert entries("WGAN-GP")[0] == ("objectives", "wgan_gp")
    status, out, _ = said(monkeypatch, capsys, "help", "r3gan")
    assert status == 0
    assert "model r3gan\n" in out
    assert "objective r3gan\n" in out


def test_recipes_that_name_an_entry() -> None:
    assert "sngan_small" in recipes_with("models", "resnet")
    assert "sngan_small" not in recipes_with("models", "dcgan")
    assert recipes_with("games", "paired") == ["pix2pix", "pix2pix_emoji"]
    assert "dcgan_augmented" in recipes_with("augment", "diffaugment")


@pytest.mark.parametrize(
    ("names", "facts"),
    [
        ([], ["[OPTIONS] COMMAND", "train"]),
        (["train"], [" train [OPTIONS]", "--recipe"]),
        (["data", "pack"], [" data pack [OPTIONS]", "--fit"]),
        (["data"], [" data [OPTIONS]", "pack"]),
        (["metrics"], ["kid", "precision_recall"]),
    ],
)
def test_commands_and_kinds(names: list[str], facts: list[str], monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    status, out, error = said(monkeypatch, capsys, "help", *names)
    assert status == 0
    assert error == ""
    assert [fact for fact in facts if fact not in out] == []


@pytest.mark.parametrize(
    ("name", "near"),
    [("wgan_pg", "'wgan_gp' (objective)"), ("evalate", "'evaluate' (a command)"), ("pakc", "'pack' (of data)"),
     ("objectve", "'objectives' (a kind)"), ("fashion-mnst", "'fashion_mnist' (built-in dataset)"),
     ("zzzzz", "gansmith list")],
)  # fmt: skip
def test_a_misspelling_names_the_nearest_of_everything(
    name: str, near: str, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    status, out, error = said(monkeypatch, capsys, "help", name)
    assert (status, out) == (1, "")
    assert repr(name) in error
    assert near in error
    assert error.count("\n") == 1
