"""What `gansmith.evaluation` offers: functions, the same at every look, found without torch until they are used."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gansmith import evaluation


@pytest.mark.parametrize("name", evaluation.__all__)
def test_a_public_name_is_a_function_and_stays_one(name: str) -> None:
    """A module of the same name in the package would take the function's place once it is imported."""
    first = getattr(evaluation, name)
    assert callable(first)
    assert getattr(evaluation, name) is first


def test_names_are_listed_and_others_refused() -> None:
    assert dir(evaluation) == evaluation.__all__
    with pytest.raises(AttributeError, match="'fjd'"):
        _ = evaluation.fjd


def test_importing_it_imports_neither_torch_nor_scipy() -> None:
    asked = "import sys, gansmith.evaluation; print([name for name in ('torch', 'scipy') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
