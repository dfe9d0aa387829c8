"""gansmith list."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
from typer.testing import Result

from gansmith import catalog
from gansmith.cli.list_ import list_
from gansmith.errors import UnknownNameError

Command = Callable[..., Result]


def test_one_kind(run_command: Command) -> None:
    lines = run_command(list_, "models").stdout.splitlines()
    assert [line.split()[0] for line in lines] == catalog.names("models")
    said = "DCGAN: strided convolutions with batch normalisation, at any height and width from 8 pixels on."
    assert f"{'dcgan':<{max(map(len, catalog.names('models')))}}  {said}" in lines
    assert {line.index(" ") >= 0 and len(line) - len(line.lstrip()) for line in lines} == {0}


@pytest.mark.parametrize("kind", catalog.KINDS)
def test_everything_has_one_line(run_command: Command, kind: str) -> None:
    lines = [line for line in run_command(list_, kind).stdout.splitlines() if not line.startswith("to have ")]
    for line, name in zip(lines, catalog.names(kind), strict=True):
        first, _, rest = line.partition(" ")
        assert first == name
        assert rest.strip().removeprefix("not ").removeprefix("here").strip() == catalog.describe(kind, name)
        assert rest.strip(), f"{kind}/{name} does not say what it is"


def test_all_kinds(run_command: Command) -> None:
    lines = run_command(list_).stdout.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == [f"{kind}:" for kind in catalog.KINDS]
    entries = [line for line in lines if not line.startswith("  to have ")]
    assert len(entries) == sum(1 + len(catalog.names(kind)) for kind in catalog.KINDS)
    assert lines[1].startswith(f"  {catalog.names('models')[0]}")


def test_an_unknown_kind(run_command: Command) -> None:
    result = run_command(list_, "modles")
    assert isinstance(result.exception, UnknownNameError)
    assert str(result.exception).startswith(
        "no kind called 'modles'. Did you mean 'models'? Known: augment, datasets, features, formats"
    )


def test_torch_is_not_imported() -> None:
    program = "import sys; from gansmith.cli.list_ import list_; list_(None); assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "dcgan" in done.stdout
