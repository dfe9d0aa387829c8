"""Run invocations of one seed, and say which of them broke which rule."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import pkgutil
import platform
import resource
import shlex
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # a fork must not need the threads of its parent
sys.path[0] = str(Path(__file__).parent.parent)  # this folder is the package `fuzz`

import torch  # noqa: E402

import gansmith  # noqa: E402
from forked import LATE  # noqa: E402
from fuzz import oracles  # noqa: E402
from fuzz.case import Case, draw  # noqa: E402
from fuzz.process import Ended, Invocation  # noqa: E402
from fuzz.world import World  # noqa: E402

PATIENCE = 12.0
OFFLINE = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9") | {"PIP_NO_INDEX": "1"}


class Running:
    """An invocation in progress, with what its folder held before."""

    def __init__(self, seed: int, number: int, scratch: Path, world: World, patience: float) -> None:
        self.place = scratch / f"{number:06}"
        self.folder = self.place / "a" / "work"  # `..` is the case's own too
        self.folder.mkdir(parents=True)
        self.case = draw(seed, number, self.folder, world)
        self.before = oracles.snapshot(self.folder)
        self.outputs = (self.place / "stdout", self.place / "stderr")
        variables = {
            **{"HOME": str(self.folder / "home"), "GANSMITH_CACHE": str(self.folder / "cache"), "COLUMNS": "100"},
            **{"GANSMITH_DATASETS": str(self.folder / "home"), "TMPDIR": str(self.place)},
            **OFFLINE,
            **self.case.variables,
        }
        self.invocation = Invocation(self.case.argv, self.folder, self.outputs, variables, patience)

    def poll(self) -> tuple[Case, Ended, dict[str, str], str] | None:
        ended = self.invocation.poll()
        if ended is None:
            return None
        output, errors = (path.read_bytes() if path.exists() else b"" for path in self.outputs)
        wrong = oracles.faults(self.case.argv, self.folder, self.before, ended, output, errors)
        return self.case, ended, wrong, (errors or output).decode("utf-8", "backslashreplace")

    def remove(self) -> None:
        for path in self.place.rglob("*"):
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o755)
        shutil.rmtree(self.place, ignore_errors=True)


class Tally:
    """Counts of what was run and of what was wrong."""

    def __init__(self) -> None:
        self.commands: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.statuses: Counter[str] = Counter()
        self.wrong: Counter[str] = Counter(dict.fromkeys(oracles.NAMES, 0))
        self.stopped: list[str] = []
        self.slowest, self.peak = (0.0, ""), (0, "")
        self.failures: list[dict[str, Any]] = []

    def not_drawn(self, number: int, error: Exception) -> None:
        print(f"\n{number} was not drawn: {error!r}", flush=True)
        self.failures.append({"number": number, "wrong": {"fuzz": repr(error)}})

    def add(self, case: Case, ended: Ended, wrong: dict[str, str], text: str, again: str) -> None:
        self.commands[case.command] += 1
        self.kinds[case.kind] += 1
        self.statuses[str(ended.status)] += 1
        line = shown(case)
        self.slowest = max(self.slowest, (round(ended.seconds, 1), line))
        self.peak = max(self.peak, (ended.peak, line))
        if ended.told:
            self.stopped.append(line)
        for name in wrong:
            self.wrong[name] += 1
        if wrong:
            facts = {"number": case.number, "line": line, "files": case.told, "status": ended.status, "wrong": wrong}
            self.failures.append({**facts, "again": again, "message": text[-1500:]})
            print(f"\n{again}\n  {line}\n  files: {case.told or 'as they were'}; status {ended.status}", flush=True)
            for name, what in wrong.items():
                print(f"  {name}: {what}", flush=True)


def shown(case: Case) -> str:
    """The command line, as a shell takes it where it can; words of thousands of letters shortened."""
    words = [shlex.quote(word.encode("utf-8", "backslashreplace").decode()) for word in case.argv]
    words = [word if len(word) < 200 else f"{word[:80]}...({len(word)})" for word in words]
    variables = [f"{name}={shlex.quote(value[:200])}" for name, value in case.variables.items()]
    return " ".join([*variables, "gansmith", *words]).translate({n: f"\\x{n:02x}" for n in (*range(32), 127)})


def main() -> int:
    """Exit status 1 when a rule was broken."""
    options = _options()
    started = time.monotonic()
    torch.set_num_threads(1)
    _import_all()
    resource.setrlimit(resource.RLIMIT_DATA, (8 * 2**30, resource.RLIM_INFINITY))  # a fault of this program's own
    scratch = Path(tempfile.mkdtemp(prefix="gansmith-fuzz-"))
    (scratch / "world").mkdir()
    world = World(scratch / "world")
    numbers = iter([options.only] if options.only is not None else range(options.first, options.first + options.count))
    tally, running, count = Tally(), [], 0
    begun = time.monotonic()
    try:
        more = True
        while more or running:
            while more and len(running) < options.jobs:
                number = next(numbers, None)
                more = number is not None and (not options.seconds or time.monotonic() - begun < options.seconds)
                if more and number is not None:
                    try:
                        running.append(Running(options.seed, number, scratch, world, options.patience))
                    except Exception as error:  # of this program: the others go on
                        count += 1
                        tally.not_drawn(number, error)
            time.sleep(0.01)
            for one in list(running):
                done = one.poll()
                if done is None:
                    continue
                running.remove(one)
                count += 1
                tally.add(*done, again=f"python tests/fuzz --seed {options.seed} --only {one.case.number}")
                if options.only is not None:
                    print(shown(one.case), f"files: {one.case.told}", done[3], f"status {done[1].status}", sep="\n")
                if options.keep:
                    print(f"kept: {one.folder}")
                else:
                    one.remove()
    finally:
        if not options.keep:
            shutil.rmtree(scratch, ignore_errors=True)
    report = _report(options, tally, count, time.monotonic() - started)
    if options.out:
        options.out.write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps({key: value for key, value in report.items() if key != "failures"}, indent=1))
    return 1 if tally.failures else 0


def _report(options: argparse.Namespace, tally: Tally, count: int, seconds: float) -> dict[str, Any]:
    return {
        "invocations": count,
        "seed": options.seed,
        "first": options.first,
        "seconds": round(seconds, 1),
        "versions": {"gansmith": gansmith.__version__, "python": platform.python_version(), "torch": torch.__version__},
        "commands": dict(sorted(tally.commands.items())),
        "kinds": dict(sorted(tally.kinds.items())),
        "statuses": dict(sorted(tally.statuses.items())),
        "broken_rules": dict(tally.wrong),
        "slowest": {"seconds": tally.slowest[0], "line": tally.slowest[1]},
        "peak_memory": {"MiB": round(tally.peak[0] / 2**20), "line": tally.peak[1]},
        "told_to_end": tally.stopped,
        "failures": tally.failures,
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python tests/fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=300, help="invocations")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="the number to begin with")
    parser.add_argument("--only", type=int, help="the one of this number, with its output")
    parser.add_argument("--seconds", type=float, default=0.0, help="begin none after so long")
    parser.add_argument("--jobs", type=int, default=2, help="at a time")
    parser.add_argument("--patience", type=float, default=PATIENCE, help="seconds until one is told to end")
    parser.add_argument("--keep", action="store_true", help="leave the folders that they ran in")
    parser.add_argument("--out", type=Path, help="the report, as JSON")
    return parser.parse_args()


def _import_all() -> None:
    """What a command would import, so that a fork begins at once."""
    for name in (*(module.name for module in pkgutil.walk_packages(gansmith.__path__, "gansmith.")), *LATE):
        if not name.endswith("__main__"):
            importlib.import_module(name)


if __name__ == "__main__":
    sys.exit(main())
