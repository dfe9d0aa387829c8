"""Which of the project's requirements this environment lacks, and their installation from a folder of wheels.

The environment itself is left as it is: wheels go into a folder of their own, which the parts find first.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable, Sequence
from email.parser import Parser
from importlib import metadata
from pathlib import Path
from typing import Any

try:
    from packaging.requirements import Requirement
    from packaging.tags import sys_tags
    from packaging.utils import canonicalize_name, parse_wheel_filename
except ImportError:  # every pip carries one
    from pip._vendor.packaging.requirements import Requirement  # type: ignore[assignment]
    from pip._vendor.packaging.tags import sys_tags  # type: ignore[assignment]
    from pip._vendor.packaging.utils import canonicalize_name, parse_wheel_filename  # type: ignore[assignment]

TESTS = ("pytest>=8", "pytest-timeout>=2.3")  # of the development requirements, those that the part `right` needs


def provide(project: Path, wheels: Path | None, target: Path) -> dict[str, list[str]]:
    """{"present": NAME VERSION, "installed": of wheels, "missing": what neither has}; installs into `target`."""
    asked = [*tomllib.loads(project.read_text(encoding="utf-8"))["project"]["dependencies"], *TESTS]
    found: dict[str, list[str]] = {"present": [], "installed": [], "missing": []}
    chosen: dict[str, Path] = {}
    waiting, seen = [Requirement(text) for text in asked], set()
    while waiting:
        need = waiting.pop(0)
        name = canonicalize_name(need.name)
        if str(need) in seen or (need.marker is not None and not need.marker.evaluate({"extra": ""})):
            continue
        seen.add(str(need))
        version = None if name in chosen else installed(need)
        if version is not None:
            found["present"].append(f"{name} {version}")
            continue
        wheel = chosen.get(name) or best(need, wheels)
        if wheel is None:
            found["missing"].append(str(need))
        elif name not in chosen:
            chosen[name] = wheel
            found["installed"].append(wheel.name)
            waiting += requirements(wheel)
    if chosen and not found["missing"]:
        install(chosen.values(), target)
    return found


def installed(need: Requirement) -> str | None:
    """The version that fits the requirement, where one is installed."""
    try:
        version = metadata.version(need.name)
    except metadata.PackageNotFoundError:
        return None
    return version if need.specifier.contains(version, prereleases=True) else None


def best(need: Requirement, wheels: Path | None) -> Path | None:
    """The newest wheel in the folder that fits the requirement and this interpreter."""
    tags, name = set(sys_tags()), canonicalize_name(need.name)
    fitting = []
    for path in [] if wheels is None else wheels.glob("*.whl"):
        wheel, version, _, made_for = parse_wheel_filename(path.name)
        if wheel == name and made_for & tags and need.specifier.contains(version, prereleases=True):
            fitting.append((version, path))
    return max(fitting)[1] if fitting else None


def requirements(wheel: Path) -> list[Requirement]:
    """What a wheel says it needs."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        described = Parser().parsestr(archive.read(name).decode())
    return [Requirement(text) for text in described.get_all("Requires-Dist") or []]


def install(wheels: Iterable[Path], target: Path) -> None:
    """Without an index and without their requirements, which are among the wheels or present. Raises SystemExit."""
    command: Sequence[Any] = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    command = [*command, "--no-compile", "--disable-pip-version-check", "--target", target, *wheels]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"the wheels could not be installed:\n{done.stdout}{done.stderr}")


def words(found: dict[str, list[str]]) -> list[str]:
    lines = [f"{key}: {', '.join(names)}" for key, names in found.items() if names]
    if found["missing"]:
        names = " ".join(f"'{name}'" for name in found["missing"])
        lines.append(f"nothing was measured: install {names}, or give a folder with wheels of them: --wheels FOLDER")
    return lines
