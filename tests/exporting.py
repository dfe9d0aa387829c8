"""What the tests of exports share: what was exported, and a process that has nothing but torch."""

from __future__ import annotations

import base64
import gzip
import re
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from gansmith.runs.run import Run

SIDE, EACH = 8, 40  # pixels a side, and images of each class
OF_TORCH = (  # what an installation of torch alone has
    *("torch", "torchgen", "functorch", "sympy", "mpmath", "networkx", "jinja2", "markupsafe", "filelock", "fsspec"),
    *("typing_extensions", "setuptools"),
)


class Exported(NamedTuple):
    """run: what was trained. data: its folder of images. files: {form: file or folder}."""

    run: Run
    data: Path
    files: Mapping[str, Path]


def runtime_like(folder: Path) -> Path:
    """A folder that looks like the npm package onnxruntime-web, and runs nothing."""
    (folder / "dist").mkdir(parents=True)
    script = "export const env = {};\n//# sourceMappingURL=ort.map\n"
    (folder / "dist" / "ort.wasm.bundle.min.mjs").write_text(script)
    (folder / "dist" / "ort-wasm-simd-threaded.wasm").write_bytes(b"\0asm\1\0\0\0")
    return folder


def packed(page: str, name: str) -> bytes:
    """What stands gzipped, in base64, in a part of a page."""
    part = re.search(rf'<script type="text/plain" id="{name}">(.*?)</script>', page, re.DOTALL)
    assert part
    return gzip.decompress(base64.b64decode(part[1]))


def with_torch_alone(folder: Path, code: str) -> str:
    """What `code` prints in a process without site-packages, which has torch, what torch brings, and example.py."""
    packages = folder.parent / "torch_alone"
    if not packages.exists():
        packages.mkdir()
        for name in OF_TORCH:
            spec = find_spec(name)
            assert spec is not None
            place = Path((spec.submodule_search_locations or [spec.origin or ""])[0])
            (packages / place.name).symlink_to(place)
    before = f"import sys; sys.path[:0] = [{str(packages)!r}, {str(folder)!r}]"
    command = [sys.executable, "-I", "-S", "-c", f"{before}\n{code}"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder.parent, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
