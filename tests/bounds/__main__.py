"""Give every numeric option every value, each in a process of its own, and say which of them broke which rule.

A refusal is one line, within SECONDS, and leaves nothing; what is accepted ends by itself, or when it is told to;
neither takes GIGABYTE bytes. `python tests/bounds [--only REGEX] [--out FILE]`.
"""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # a fork must not need the threads of its parent
sys.path[0] = str(Path(__file__).parent.parent)  # this folder is the package `bounds`

import torch  # noqa: E402

import gansmith  # noqa: E402
from bounds.cases import Case, cases  # noqa: E402
from forked import LATE  # noqa: E402
from fuzz import oracles, process  # noqa: E402
from fuzz.world import World  # noqa: E402

SECONDS = 4.0  # of a processor, for a refusal
PATIENCE = 8.0
GIGABYTE = 1 << 30


def run_python(argv: list[str]) -> int:
    """`python CODE`: an error of ours is a refusal, as on the command line; another is a traceback."""
    from gansmith.errors import GansmithError

    try:
        exec(argv[1], {})
    except GansmithError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


class Running:
    """A case in progress."""

    def __init__(self, case: Case, place: Path, world: World) -> None:
        self.case, self.place, self.folder = case, place, place / "work"
        self.folder.mkdir(parents=True)
        (self.folder / "home").mkdir()
        world.place([*case.argv, "cache"], self.folder)
        self.before = oracles.snapshot(self.folder)
        self.outputs = (place / "stdout", place / "stderr")
        variables = {name: str(self.folder / "home") for name in ("HOME", "GANSMITH_DATASETS", "TMPDIR")}
        variables |= {"GANSMITH_CACHE": str(self.folder / "cache"), "COLUMNS": "100"}
        call = run_python if case.argv[0] == "python" else None
        argv = list(case.argv)
        self.invocation = process.Invocation(argv, self.folder, self.outputs, variables, PATIENCE, call)

    def poll(self) -> tuple[str, str] | None:
        """None while it runs; then what is wrong, and how it ended."""
        ended = self.invocation.poll()
        if ended is None:
            return None
        output, errors = (path.read_bytes() if path.exists() else b"" for path in self.outputs)
        argv = list(self.case.argv)
        wrong = oracles.faults(argv, self.folder, self.before, ended, output, errors)
        wrong.pop("absent", None)
        said = [line for line in errors.decode("utf-8", "replace").splitlines() if line.strip()]
        refused = ended.status in (1, 2)
        if ended.peak > GIGABYTE:
            wrong["memory"] = f"{ended.peak / 2**30:.1f} GiB"
        if refused and ended.worked > SECONDS:
            wrong["slow"] = f"{ended.worked:.1f} s"
        wrong.pop("broken", None)
        records = self.folder / "new" / "events.jsonl"
        if refused and (self.folder / "new").exists() and not (records.exists() and records.stat().st_size):
            wrong["begun"] = "new"  # a training that began leaves its run
        if refused and len(said) > (8 if said[0].lstrip().startswith("Usage") else 4):  # in a frame
            wrong["lines"] = str(len(said))
        shutil.rmtree(self.place, ignore_errors=True)
        words = "; ".join(f"{rule}: {what}" for rule, what in wrong.items())
        what = "told" if ended.told else str(ended.status)
        return words, f"{what} {ended.worked:.1f}s {ended.peak >> 20}M {' | '.join(said[-3:])[:300]}"


def main() -> int:
    """1 when a rule was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="a regular expression: the options, and values, to try")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, help="a line for each case")
    told = parser.parse_args()
    for module in (*(m.name for m in pkgutil.walk_packages(gansmith.__path__, "gansmith.")), *LATE):
        importlib.import_module(module)
    torch.set_num_threads(1)
    waiting = [case for case in cases() if re.search(told.only, f"{case.option}={case.value}")][::-1]
    total, broken, number, running, lines = len(waiting), 0, 0, list[Running](), list[str]()
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "world").mkdir()
        world = World(Path(scratch) / "world")
        while waiting or running:
            while waiting and len(running) < told.processes:
                number += 1
                running.append(Running(waiting.pop(), Path(scratch) / str(number), world))
            time.sleep(0.02)
            for one in list(running):
                if (ended := one.poll()) is not None:
                    running.remove(one)
                    broken += bool(ended[0])
                    line = (
                        f"{'BROKEN ' + ended[0] if ended[0] else 'ok'}\t{one.case.option}={one.case.value}\t{ended[1]}"
                    )
                    lines.append(line)
                    if told.out:
                        told.out.write_text("\n".join(lines) + "\n")
                    if ended[0]:
                        print(line, flush=True)
    print(f"{total} cases, {broken} broke a rule")
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
