"""Fill a folder with the wheels that a machine without an index needs: `python -m benchmarks.device.wheels FOLDER`.

The requirements of pyproject.toml at the versions of constraints.txt, and what these need in turn, for one version of
Python on Linux with an x86-64 processor. torch, and what only torch needs, must be there already.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks.device.needs import TESTS, requirements

ROOT = Path(__file__).parents[2]
THERE = ("torch", "numpy", "scipy", "scikit-learn", "pillow")  # large, and part of every environment with torch
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--python", default="3.12", metavar="VERSION", help="of the machine without an index")
    parser.add_argument("--all", action="store_true", help=f"{', '.join(THERE[1:])} too")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    there = {"torch"} if chosen.all else {*THERE}
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    waiting = [Requirement(text) for text in (*asked, *TESTS)]
    seen: set[str] = set()
    while waiting:
        need = waiting.pop(0)
        name = canonicalize_name(need.name)
        wanted = need.marker is None or need.marker.evaluate({"extra": "", "python_version": chosen.python})
        if not wanted or name in there | seen:
            continue
        seen.add(name)
        wheel = download(need, chosen.folder, chosen.python)
        print(wheel.name, flush=True)
        waiting += requirements(wheel)
    size = sum(path.stat().st_size for path in chosen.folder.glob("*.whl"))
    print(f"{len(seen)} wheels, {size / 2**20:.1f} MiB, in {chosen.folder}")


def download(need: Requirement, folder: Path, python: str) -> Path:
    """The wheel of one requirement. Raises SystemExit with pip's own words."""
    before = {*folder.glob("*.whl")}
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--implementation", "cp", "--python-version", python]
    command += [word for platform in PLATFORMS for word in ("--platform", platform)]
    command += ["--constraint", str(ROOT / "constraints.txt"), "--dest", str(folder), str(need)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"no wheel of {need} for Python {python}:\n{done.stdout}{done.stderr}")
    name = canonicalize_name(need.name).replace("-", "_")
    new = {*folder.glob("*.whl")} - before
    return new.pop() if new else max(path for path in folder.glob("*.whl") if path.name.lower().startswith(f"{name}-"))


if __name__ == "__main__":
    main()
