"""python -m docs.site [--out build/site]: stage the pages and build them; no warning is let through."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from docs.site.stage import stage

ROOT = Path(__file__).parents[2]


def build(root: Path, out: Path) -> int:
    """The site of the pages below `root`, into the folder `out`, its sources beside it. The exit status."""
    source = out.with_name(out.name + "_source")
    stage(root, source)
    command = ["-m", "sphinx", "-W", "--keep-going", "-q", "-c", str(Path(__file__).parent)]
    doctrees = out.with_name(out.name + "_doctrees")
    command += ["-b", "html", "-d", str(doctrees), str(source), str(out)]
    return subprocess.run([sys.executable, *command], check=False, env=environment(out)).returncode


def environment(out: Path) -> dict[str, str]:
    """Variables for the build and for the notebooks that it executes: quiet, one thread, caches of their own."""
    own = {"SITE_NOTEBOOKS": str(out.resolve().with_name(out.name + "_notebooks")), "OMP_NUM_THREADS": "1"}
    return {**os.environ, **own, "PYDEVD_DISABLE_FILE_VALIDATION": "1", "JUPYTER_PLATFORM_DIRS": "1"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "site")
    out = parser.parse_args().out
    out.parent.mkdir(parents=True, exist_ok=True)
    status = build(ROOT, out)
    if status == 0:
        print(f"{out}/index.html")
    sys.exit(status)


if __name__ == "__main__":
    main()
