"""Mutation spot checks: one wrong sign, factor, freeze or comparison at a time; the tests of that file must fail.

    .venv/bin/python tests/mutations.py                   # every mutant, about eight seconds each
    .venv/bin/python tests/mutations.py --only games --jobs 2

The source and the tests are copied to a temporary folder, where each mutant of mutants.yaml replaces a text that stands
there once. No part of continuous integration. Exit status: the number of mutants that no test noticed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

import yaml

ROOT = Path(__file__).parents[1]
COPIED = ("src", "tests", "benchmarks", "docs", "README.md", "CONTRIBUTING.md", "pyproject.toml")


class Mutant(NamedTuple):
    """`old` stands once in src/gansmith/`file`; with `new` in its place one of `tests` must fail."""

    file: str
    old: str
    new: str
    tests: str

    @property
    def name(self) -> str:
        return f"{self.file}: {_brief(self.old)} -> {_brief(self.new)}"


MUTANTS = [Mutant(*row) for row in yaml.safe_load(Path(__file__).with_name("mutants.yaml").read_text())]


def _brief(text: str) -> str:
    return " ".join(text.split())[:60]


class Outcome(NamedTuple):
    mutant: Mutant
    verdict: str  # killed, survived, or why it could not be tried
    seconds: float


def copied(folder: Path) -> Path:
    """A copy of what the tests need."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        elif source.exists():
            shutil.copy(source, folder / name)
    return folder


def passes(tree: Path, tests: Sequence[str]) -> int:
    """The exit status of pytest on `tests` in `tree`, at the first failure: 0 all pass, 1 one failed."""
    paths = [f"tests/{name}" for name in tests]
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *paths]
    environment = {**os.environ, "PYTHONPATH": str(tree / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        print(done.stdout[-2000:], done.stderr[-2000:])
    return done.returncode


def tried(mutant: Mutant, tree: Path) -> Outcome:
    begun = time.monotonic()
    path = tree / "src" / "gansmith" / mutant.file
    right = path.read_text() if path.exists() else ""
    if right.count(mutant.old) != 1:
        return Outcome(mutant, f"STALE: the text stands there {right.count(mutant.old)} times", 0.0)
    try:
        path.write_text(right.replace(mutant.old, mutant.new))
        code = passes(tree, mutant.tests.split())
    finally:
        path.write_text(right)
    verdict = {0: "SURVIVED", 1: "killed"}.get(code, f"ERROR: pytest ended with {code}")
    return Outcome(mutant, verdict, time.monotonic() - begun)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", default="", metavar="TEXT", help="mutants of files whose path begins with it")
    parser.add_argument("--jobs", type=int, default=1, help="copies in which mutants are tried at once")
    chosen = parser.parse_args()
    mutants = [mutant for mutant in MUTANTS if mutant.file.startswith(chosen.only)]
    with tempfile.TemporaryDirectory() as folder:
        trees: SimpleQueue[Path] = SimpleQueue()
        for number in range(chosen.jobs):
            trees.put(copied(Path(folder) / str(number)))

        def one(mutant: Mutant) -> Outcome:
            tree = trees.get()
            try:
                outcome = tried(mutant, tree)
            finally:
                trees.put(tree)
            print(f"{outcome.verdict:8}  {outcome.seconds:5.1f} s  {mutant.name}", flush=True)
            return outcome

        with ThreadPoolExecutor(chosen.jobs) as pool:
            outcomes = list(pool.map(one, mutants))
    alive = [outcome for outcome in outcomes if outcome.verdict != "killed"]
    print(f"{len(outcomes) - len(alive)} of {len(outcomes)} mutants were killed")
    return len(alive)


if __name__ == "__main__":
    sys.exit(main())
