"""SIGKILL at random moments of small trainings over the catalog; each resumes to the bits of one that was not killed.

    .venv/bin/python tests/kills --count 100 --seed 0 --out kills.json

A moment is a time, an operation on a file of the run or the cache, or a byte of a checkpoint; one training in three is
killed twice, one process in ten is an interpreter of its own. After each kill no process of the training may live on
for more than 30 seconds; after the last the training is resumed, and states, models, records and sheets compared, and
the names of all files. The result is written after each trial, and continued by the same command. Linux only.

Exit status: the number of trials that did not end well.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "old_runs"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "training"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch
from old_settings import write_domains

import gansmith
from gansmith.system.files import write_text
from kills.cases import CASES
from kills.trial import WRONG, Outcome, moments, run_trial


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100, help="kills; trials follow until so many were done")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True, help="the result, JSON; continued where it exists")
    parser.add_argument("--only", default="", help="cases whose name holds this text")
    parser.add_argument("--work", type=Path, help="keep all folders here; else those of bad trials stay")
    arguments = parser.parse_args()
    result = begun(arguments.out, arguments.seed)
    work = arguments.work or Path(tempfile.mkdtemp(prefix="kills-"))
    work.mkdir(parents=True, exist_ok=True)
    write_domains(work / "domains")
    cases = [case for case in CASES if arguments.only in case]
    while kills(result) < arguments.count:
        number = len(result["trials"])
        began = time.monotonic()
        outcome = run_trial(number, cases[number % len(cases)], moments(arguments.seed, number), work)
        result["trials"].append(outcome.plain())
        result["seconds"] = round(result["seconds"] + time.monotonic() - began, 1)
        result["summary"] = summary(result)
        write_text(arguments.out, as_text(result))
        say(outcome)
        if outcome.well and not arguments.work:
            shutil.rmtree(work / f"trial-{number}")
    bad = sum(not Outcome(**trial).well for trial in result["trials"])
    if bad:
        print(f"{bad} trials did not end well; their folders are in {work}", file=sys.stderr)
    elif not arguments.work:
        shutil.rmtree(work)
    print(json.dumps(result.get("summary"), indent=1))
    return min(bad, 100)


def begun(out: Path, seed: int) -> dict[str, Any]:
    """The result of before where there is one for this seed, else an empty one."""
    if out.exists():
        result: dict[str, Any] = json.loads(out.read_text())
        if result["seed"] != seed:
            raise SystemExit(f"{out} holds the result of seed {result['seed']}")
        return result
    versions = {"gansmith": gansmith.__version__, "torch": torch.__version__, "numpy": np.__version__}
    return {
        "seed": seed,
        "versions": {**versions, "python": sys.version.split()[0]},
        "machine": {
            "system": sys.platform,
            "processor": platform.machine(),
            "capability": torch.backends.cpu.get_cpu_capability(),
            "cores": os.cpu_count(),
        },
        "summary": {},
        "seconds": 0.0,
        "trials": [],
    }


def as_text(result: dict[str, Any]) -> str:
    """JSON with a line for each trial."""
    head = json.dumps({**result, "trials": []}, indent=1).removesuffix("[]\n}")
    return head + "[\n  " + ",\n  ".join(map(json.dumps, result["trials"])) + "\n ]\n}\n"


def kills(result: dict[str, Any]) -> int:
    return sum(len(trial["kills"]) for trial in result["trials"])


def summary(result: dict[str, Any]) -> dict[str, Any]:
    """Counts over all trials."""
    trials = result["trials"]
    said = {name: sum(len(trial[name]) for trial in trials) for name in WRONG}
    return {
        "kills": kills(result),
        "trials": len(trials),
        **said,
        "kills by moment": dict(Counter(kind for trial in trials for kind, _, _ in trial["kills"])),
        "kills of an interpreter of its own": sum(own for trial in trials for _, _, own in trial["kills"]),
        "kills by case": {case: sum(len(t["kills"]) for t in trials if t["case"] == case) for case in CASES},
        "seconds until the last process had ended, at most": max(trial["slowest_end"] for trial in trials),
    }


def say(outcome: Outcome) -> None:
    moments = ", ".join(f"{kind} {place:.4g}" for kind, place, _ in outcome.kills) or "not killed"
    wrong = [*outcome.differences, *outcome.orphans, *outcome.leftovers, *outcome.failures]
    print(f"{outcome.trial}  {outcome.case}  ({moments})  {'; '.join(wrong) or 'well'}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
