"""The API reference: a page for each public module, from the docstrings."""

from __future__ import annotations

import importlib
from pathlib import Path

MODULES = ("gansmith", "gansmith.evaluation", "gansmith.latent", "gansmith.minimize", "gansmith.autograd")


def write_reference(folder: Path) -> list[str]:
    """api/MODULE.rst for every public module, with every name of its `__all__`; their names, in order."""
    folder.mkdir(parents=True)
    for name in MODULES:
        (folder / f"{name}.rst").write_text(page(name))
    return [f"api/{name}" for name in MODULES]


def page(module: str) -> str:
    """The module's docstring, then each public name: functions and classes with their methods and examples."""
    found = importlib.import_module(module)
    parts = [f"{module}\n{'=' * len(module)}\n", f".. automodule:: {module}\n   :no-members:\n"]
    for name in sorted(found.__all__, key=str.lower):
        thing = getattr(found, name)
        if isinstance(thing, type):
            parts.append(f".. autoclass:: {module}.{name}\n   :members:\n   :exclude-members: model_config\n")
        elif callable(thing):
            parts.append(f".. autofunction:: {module}.{name}\n")
        elif name == "__version__":
            parts.append(".. py:data:: __version__\n   :type: str\n\n   The version of the package.\n")
        else:
            parts.append(f".. autodata:: {module}.{name}\n")
    return "\n".join(parts)
