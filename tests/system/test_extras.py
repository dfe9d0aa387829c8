"""Optional packages: the command that is advised works where the package runs from."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from gansmith.errors import MissingExtraError
from gansmith.system import extras

EXTRAS = ("lmdb", "tensorboard", "draw", "judge")


@pytest.mark.parametrize("extra", EXTRAS)
def test_a_checkout_is_installed_by_its_path_and_a_package_by_the_names_of_what_it_needs(
    extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Path(__file__).parents[2]
    listed = tomllib.loads((root / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert extra in listed
    assert extras.install(extra) == f"pip install -e '{root}[{extra}]'"
    monkeypatch.setattr(extras, "_CHECKOUT", tmp_path)
    metadata = [f"{name}; extra == '{which}'" for which, names in listed.items() for name in names]
    monkeypatch.setattr(extras, "requires", lambda package: metadata)
    assert extras.packages(extra) == listed[extra]
    assert "gansmith" not in extras.install(extra)


def test_the_error_says_what_is_missing_the_command_and_the_way_round() -> None:
    error = extras.missing_extra("it is not here", "lmdb", "Use a zip")
    assert isinstance(error, MissingExtraError)
    for fact in ("it is not here", extras.install("lmdb"), "Use a zip"):
        assert fact in str(error)
    assert extras.packages("draw", []) == ["draw"]


def test_no_message_of_the_source_names_an_index() -> None:
    """One helper says how an extra is installed."""
    source = Path(extras.__file__).parents[1]
    assert [path.name for path in source.rglob("*.py") if "gansmith[" in path.read_text()] == []
