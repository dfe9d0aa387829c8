"""The peers by name, what each needs, and the Python that has it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OURS = "gansmith"  # the candidate that is `gansmith train` without a recipe


@dataclass(frozen=True)
class Peer:
    """module: the program below `authors`;  needs: {package as pip names it, with its version: module to import}
    samples: at most so many are made where each costs seconds"""

    title: str
    module: str
    needs: Mapping[str, str]
    samples: int | None = None


_DIFFUSERS = {"torch": "torch", "diffusers==0.42.1": "diffusers"}
_VISION = {"torch==2.14.1": "torch", "torchvision==0.29.1": "torchvision"}

PEERS: Mapping[str, Peer] = {
    "dcgan_example": Peer("PyTorch's DCGAN example", "dcgan", {"torch": "torch"}),
    "lightweight_gan": Peer(
        "lightweight-gan 1.2.1", "lightweight", {**_VISION, "lightweight-gan==1.2.1": "lightweight_gan"}
    ),
    "stylegan2_pytorch": Peer(
        "stylegan2-pytorch 1.9.0", "stylegan2", {**_VISION, "stylegan2-pytorch==1.9.0": "stylegan2_pytorch"}
    ),
    "diffusion_example": Peer("diffusers 0.42.1, its example", "diffusion_example", _DIFFUSERS, samples=300),
    "diffusion_course": Peer("diffusers 0.42.1, its course", "diffusion_course", _DIFFUSERS, samples=300),
}

_ASK = """
import importlib.util, json, sys
from importlib import metadata
found = {}
for need, module in json.loads(sys.argv[1]).items():
    if importlib.util.find_spec(module) is None:
        found[need] = None
    else:
        found[need] = metadata.version(need.partition("==")[0])
print(json.dumps(found))
"""


def versions(names: Iterable[str], python: Path) -> dict[str, dict[str, str]]:
    """{peer: {package: version}} of what this Python has for these peers; ours is left out.

    Raises SystemExit that names the peer, what is missing, where, and both ways out.
    """
    known = {}
    for name in names:
        if name == OURS:
            continue
        found = ask(python, PEERS[name].needs)
        missing = [need for need, version in found.items() if version is None]
        if missing:
            raise SystemExit(
                f"{name} needs {', '.join(missing)}, which {python} does not have. Make an environment outside this "
                f"repository by the lines in docs/peers.md and name its Python: --python ENV/bin/python. Or leave the "
                f"peer out: --peers {','.join(each for each in [OURS, *PEERS] if each != name)}"
            )
        known[name] = {need.partition("==")[0]: str(version) for need, version in found.items()}
    return known


def ask(python: Path, needs: Mapping[str, str]) -> dict[str, str | None]:
    """{package: its version, None where it is not installed}, without importing any. Raises SystemExit."""
    try:
        done = subprocess.run(
            [str(python), "-c", _ASK, json.dumps(dict(needs))], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", None) or error
        raise SystemExit(f"--python {python} does not run as a Python: {said}") from error
    found: dict[str, Any] = json.loads(done.stdout)
    return found
