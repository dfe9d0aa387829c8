"""onnxruntime-web, which runs a generator inside a page: two files of its npm package, unpacked by the user.

Nothing of it ships with gansmith; the bundle of one thread and its WebAssembly are copied into the page.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from gansmith.errors import MissingExtraError, OptionError

VERSION = "1.30.0"  # tried
COMMAND = f"npm pack onnxruntime-web@{VERSION} && tar xzf onnxruntime-web-{VERSION}.tgz"  # it leaves package/
SCRIPT, WASM = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"
_MAP = re.compile(rb"\n//# sourceMappingURL=[^\n]*\n?")
_MAGIC = b"\0asm"


class WebRuntime(NamedTuple):
    """The bytes of the module and of the WebAssembly."""

    script: bytes
    wasm: bytes


def web_runtime(folder: str | Path | None) -> WebRuntime:
    """The runtime in an unpacked npm package. Raises MissingExtraError for none, with the command that gets it;
    OptionError for a folder that is not it."""
    if folder is None:
        raise MissingExtraError(
            f"a page with a generator inside needs onnxruntime-web, which is not part of gansmith: {COMMAND}; "
            f"then --runtime package"
        )
    place = Path(folder)
    dist = place / "dist" if (place / "dist").is_dir() else place
    missing = [name for name in (SCRIPT, WASM) if not (dist / name).is_file()]
    if missing:
        raise OptionError(f"--runtime {place} holds no {' and no '.join(missing)}. To get them: {COMMAND}")
    script, wasm = ((dist / name).read_bytes() for name in (SCRIPT, WASM))
    if not wasm.startswith(_MAGIC):
        raise OptionError(f"{dist / WASM} is no WebAssembly. To get it: {COMMAND}")
    return WebRuntime(_MAP.sub(b"\n", script), wasm)
