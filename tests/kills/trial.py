"""One trial: a training that is killed, once or more, resumed to its end, and compared with one that was not."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from exactly import assert_equal_runs

from forked import CONTEXT
from gansmith.runs.run import Run
from kills import dying
from kills.cases import CASES, settings

PATIENCE = 30.0  # seconds that processes may live on after their parent was killed
LIMIT = 300.0  # seconds for one training
WRONG = ("differences", "orphans", "leftovers", "failures")
KINDS = {"time": 4, "operation": 3, "write": 3}  # how a moment is chosen, and how often of ten


@dataclass
class Outcome:
    """Of one trial. kills: (how the moment was chosen, where: seconds, operations or bytes; was it a process of its own
    interpreter?). The rest says what went wrong: empty where all is well."""

    trial: int
    case: str
    kills: list[tuple[str, float, bool]] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    slowest_end: float = 0.0  # seconds until the last process of a killed training had ended

    def plain(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def well(self) -> bool:
        return not any(getattr(self, name) for name in WRONG)


class Reference:
    """The uninterrupted run of a case: its folder, cache, duration in seconds, and what dying.Places counted."""

    def __init__(self, case: str, work: Path) -> None:
        folder = work / "references" / str(list(CASES).index(case))
        self.out, self.cache, log = folder / "run", folder / "cache", folder / "log"
        facts = folder / "facts.json"
        if not facts.exists():
            shutil.rmtree(folder, ignore_errors=True)  # of a reference that was not finished
            folder.mkdir(parents=True)
            begin = time.monotonic()
            process = Process(settings(case, work / "domains", self.out), "never", 0, self.cache, log)
            if process.wait(LIMIT) != 0:
                raise SystemExit(f"the uninterrupted run of {case!r} failed:\n{log.read_text()[-2000:]}")
            counted = json.loads(Path(f"{log}.json").read_text())
            facts.write_text(json.dumps({"time": time.monotonic() - begin, **counted}))
        self.extent: dict[str, float] = json.loads(facts.read_text())


class Process:
    """A training of kills.dying in a session of its own: forked from one that has torch loaded, or an interpreter."""

    def __init__(
        self, given: dict[str, Any], kind: str, place: int, cache: Path, log: Path, *, interpreter: bool = False
    ) -> None:
        arguments = (given, kind, place, str(cache), str(log))
        self.popen: subprocess.Popen[bytes] | None = None
        if interpreter:
            paths = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "OMP_NUM_THREADS": "1"}
            command = [sys.executable, "-m", "kills.dying", json.dumps(arguments)]
            self.popen = subprocess.Popen(command, env={**os.environ, **paths})
            self.pid = self.popen.pid
        else:
            self.forked = CONTEXT.Process(target=dying.train, args=arguments)
            self.forked.start()
            assert self.forked.pid is not None
            self.pid = self.forked.pid

    def wait(self, timeout: float) -> int | None:
        """The exit status, -SIGKILL for a killed one; None where it runs on."""
        if self.popen is None:
            self.forked.join(timeout)
            return self.forked.exitcode
        try:
            return self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)


class Moment(NamedTuple):
    """When to kill: at a share in [0, 1] of what the uninterrupted run had of this kind. interpreter: of its own."""

    kind: str
    share: float
    interpreter: bool = False


def moments(seed: int, number: int) -> list[Moment]:
    """Of trial `number`: one or two."""
    draw = random.Random(f"{seed} {number}")
    kinds = draw.choices(list(KINDS), list(KINDS.values()), k=draw.choice([1, 1, 2]))
    return [Moment(kind, draw.random(), draw.random() < 0.1) for kind in kinds]


def run_trial(number: int, case: str, moments: Sequence[Moment], work: Path) -> Outcome:
    """Kill a training of `case` at these moments, resume it, and compare."""
    reference, outcome = Reference(case, work), Outcome(number, case)
    folder = work / f"trial-{number}"
    shutil.rmtree(folder, ignore_errors=True)  # of a trial that was not finished
    folder.mkdir()
    out, cache, log = folder / "run", folder / "cache", folder / "log"
    given = settings(case, work / "domains", out)
    for kind, share, interpreter in moments:
        place = share * reference.extent[kind]
        process = Process(given, kind, max(1, int(place)), cache, log, interpreter=interpreter)
        status = process.wait(place if kind == "time" else LIMIT)
        if status is None:
            process.kill()
            status = process.wait(LIMIT)
        if status == -signal.SIGKILL:
            outcome.kills.append((kind, round(place, 3), interpreter))
        elif status != 0:
            outcome.failures.append(f"exit status {status}: {log.read_text()[-500:]}")
        _await_end(process.pid, outcome)
    process = Process(given, "never", 0, cache, log)
    if process.wait(LIMIT) != 0:
        outcome.failures.append(f"not resumed: {log.read_text()[-1000:]}")
        return outcome
    outcome.differences += differences(reference.out, out)
    for theirs, ours in ((reference.out, out), (reference.cache, cache)):
        outcome.leftovers += sorted(names(ours) ^ names(theirs))
    return outcome


def _await_end(session: int, outcome: Outcome) -> None:
    """Wait for the other processes of a killed one; what lives on for too long is an orphan, which is ended."""
    begin = time.monotonic()
    while (alive := list(members(session))) and time.monotonic() - begin < PATIENCE:
        time.sleep(0.05)
    outcome.slowest_end = max(outcome.slowest_end, round(time.monotonic() - begin, 2))
    for pid, command in alive:
        outcome.orphans.append(f"{pid}: {command}")
        os.kill(pid, signal.SIGKILL)


def members(session: int) -> Iterator[tuple[int, str]]:
    """The living processes of a session, with their command lines."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, _, _, its_session = folder.joinpath("stat").read_text().rpartition(")")[2].split()[:4]
            command = folder.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it has ended
            continue
        if int(its_session) == session and state != "Z":
            yield int(folder.name), command[:200]


def differences(reference: Path, out: Path) -> list[str]:
    """Between the last states, the model files, the last records and the sheets of two runs."""
    said = []
    try:
        assert_equal_runs(out, reference, least=1)
    except AssertionError as error:
        said.append(str(error)[:300] or "a record or a model file")
    for sheet in (reference / "samples").glob("*.png"):
        ours = out / "samples" / sheet.name
        if not ours.is_file() or ours.read_bytes() != sheet.read_bytes():
            said.append(f"samples/{sheet.name}")
    ours, theirs = ([_counted(record) for record in Run(path).records] for path in (out, reference))
    if ours != theirs:
        said.append("events.jsonl")
    return said


def _counted(record: dict[str, Any]) -> dict[str, Any]:
    """The part of a record that does not depend on how fast the machine is."""
    return {name: value for name, value in record.items() if "/" in name or name in ("step", "images")}


def names(folder: Path) -> set[str]:
    """Of all files below a folder, hidden ones too."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
